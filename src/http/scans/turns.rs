//! One after the other, and no more in line than can be borne.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use uuid::Uuid;

use crate::http::Error;
use crate::http::streams::{Place, Streams};

/// How many at once.
const AT_ONCE: usize = 1;

/// How often it is looked whether work is still wanted.
const LOOKS: Duration = Duration::from_millis(200);

/// Who works, and who waits to.
#[derive(Clone)]
pub(in crate::http) struct Turns {
    line: Arc<Streams<Uuid>>,
    turns: Arc<Semaphore>,
}

/// Somebody's turn.
pub(in crate::http) struct Turn {
    _turn: OwnedSemaphorePermit,
    _place: Place<Uuid>,
}

impl Turns {
    /// So many of one user may work or wait, and so many of all.
    pub(super) fn limited(per_user: usize, altogether: usize) -> Self {
        Self {
            line: Arc::new(Streams::limited(per_user, altogether)),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Waits until it is this user's turn.
    ///
    /// # Errors
    /// When too many wait already.
    pub(super) async fn of(&self, user: Uuid) -> Result<Turn, Error> {
        let place = self.line.open(user)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|error| Error::Internal {
            cause: format!("nobody gets a turn: {error}"),
        })?;
        Ok(Turn {
            _turn: turn,
            _place: place,
        })
    }

    /// Does the work when it is this user's turn. It is given up, also while it waits for that, when
    /// it is no longer wanted.
    ///
    /// # Errors
    /// When too many wait already, or it was given up.
    pub(in crate::http) async fn run<T>(
        &self,
        user: Uuid,
        is_wanted: impl Fn() -> bool,
        work: impl Future<Output = T>,
    ) -> Result<T, Error> {
        let mut work = pin!(async {
            let _turn = self.of(user).await?;
            Ok(work.await)
        });
        while is_wanted() {
            if let Ok(done) = timeout(LOOKS, &mut work).await {
                return done;
            }
        }
        Err(Error::Unavailable {
            cause: "nobody waits for executions to be run again, or the server ends".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;
    use std::rc::Rc;

    use super::*;

    #[actix_web::test]
    async fn work_that_nobody_wants_is_given_up_and_others_have_their_turn() {
        let turns = Turns::limited(2, 16);
        let (ann, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let is_wanted = Cell::new(true);
        let held = Rc::new(());
        let own = Rc::clone(&held);
        let endless = turns.run(ann, || is_wanted.get(), async move {
            pending::<()>().await;
            drop(own);
        });
        let waits = turns.run(bob, || true, async { 7 });
        let patience = Duration::from_millis(500);
        let (mut endless, mut waits) = (pin!(endless), pin!(waits));
        assert!(timeout(patience, &mut endless).await.is_err(), "it goes on");
        assert!(timeout(patience, &mut waits).await.is_err(), "two at once");
        is_wanted.set(false);
        let given_up = timeout(Duration::from_secs(10), endless).await;
        let given_up = given_up.expect("it ends");
        assert!(matches!(given_up, Err(Error::Unavailable { .. })));
        assert_eq!(Rc::strong_count(&held), 1, "the work is gone");
        let done = timeout(Duration::from_secs(10), waits).await;
        assert_eq!(done.expect("its turn").expect("it is done"), 7);
    }

    #[actix_web::test]
    async fn no_more_of_one_user_wait_than_may() {
        let turns = Turns::limited(2, 3);
        let user = Uuid::from_u128;
        let one = turns.of(user(1)).await.expect("its turn");
        let patience = Duration::from_millis(50);
        let mut two = pin!(turns.of(user(1)));
        assert!(timeout(patience, &mut two).await.is_err());
        let three = turns.of(user(1)).await;
        assert!(matches!(three, Err(Error::Throttled(_))));
        let mut other = pin!(turns.of(user(2)));
        assert!(timeout(patience, &mut other).await.is_err());
        let crowd = turns.of(user(3)).await;
        assert!(matches!(crowd, Err(Error::Throttled(_))));
        drop(one);
        two.await.expect("its turn");
    }
}
