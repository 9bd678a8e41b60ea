//! Tells in one line of the log a second what limits turned away: a flood is not to fill the disk,
//! and whoever looks after the server is to see it all the same.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError, Weak};
use std::time::Duration;

use super::State;
use crate::flow::client::network;

/// How often it is told.
const TICK: Duration = Duration::from_secs(1);

/// More addresses than this are not told apart.
const ADDRESSES: usize = 10_000;

/// What was turned away since it was told last.
#[derive(Debug, Default)]
pub struct TurnedAway(Mutex<Told>);

#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    requests: u64,
    addresses: HashSet<IpAddr>,
}

impl TurnedAway {
    /// One more, from this address.
    pub(super) fn note(&self, address: IpAddr) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.requests += 1;
        if told.addresses.len() < ADDRESSES {
            told.addresses.insert(network(address));
        }
    }

    fn take(&self) -> Told {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Tells it until nobody keeps the state any more.
pub async fn tell(state: Weak<State>) {
    let mut tick = tokio::time::interval(TICK);
    loop {
        tick.tick().await;
        let Some(state) = state.upgrade() else {
            return;
        };
        let told = state.turned_away.take();
        if told.requests > 0 {
            // An address is a person's.
            let (requests, addresses) = (told.requests, told.addresses.len());
            tracing::warn!(requests, addresses, "limits turned requests away");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_addresses_are_counted_until_they_are_told() {
        let turned_away = TurnedAway::default();
        for last in [1, 1, 2] {
            turned_away.note(IpAddr::from([192, 0, 2, last]));
        }
        let told = turned_away.take();
        assert_eq!((told.requests, told.addresses.len()), (3, 2));
        assert_eq!(turned_away.take(), Told::default());
    }

    #[test]
    fn a_flood_from_everywhere_takes_little_memory() {
        let turned_away = TurnedAway::default();
        for number in 0..20_000_u32 {
            turned_away.note(IpAddr::from(number.to_be_bytes()));
        }
        let told = turned_away.take();
        assert_eq!((told.requests, told.addresses.len()), (20_000, ADDRESSES));
    }
}
