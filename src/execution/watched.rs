//! Tells whoever watches an execution that something was committed there.
//!
//! Only a sign: whoever gets it looks for themselves, and as what they may see. So nobody who
//! watches keeps an actor in memory, and an execution that nobody watches costs one look here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use uuid::Uuid;

/// The executions that are watched.
#[derive(Debug, Default)]
pub struct Watched(Mutex<HashMap<Uuid, watch::Sender<()>>>);

impl Watched {
    /// Gets a sign at every commit from here on.
    pub fn watch(&self, execution: Uuid) -> watch::Receiver<()> {
        let mut all = self.all();
        // Whoever watched and left is forgotten by the next one who comes.
        all.retain(|_, watchers| watchers.receiver_count() > 0);
        all.entry(execution)
            .or_insert_with(|| watch::Sender::new(()))
            .subscribe()
    }

    /// Something was committed.
    pub fn tell(&self, execution: Uuid) {
        if let Some(watchers) = self.all().get(&execution) {
            watchers.send_replace(());
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Uuid, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_watches_gets_a_sign_and_nobody_else_is_remembered() {
        let watched = Watched::default();
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        watched.tell(one);
        let mut signs = watched.watch(one);
        assert!(!signs.has_changed().expect("it is watched"));
        watched.tell(other);
        assert!(!signs.has_changed().expect("it is watched"));
        watched.tell(one);
        assert!(signs.has_changed().expect("it is watched"));
        signs.mark_unchanged();
        drop(signs);
        let _other = watched.watch(other);
        assert_eq!(watched.all().len(), 1);
    }
}
