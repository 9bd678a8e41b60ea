//! Counts the executions that nobody has answered yet, so that opening pages costs nothing much.
//!
//! The count lives in memory: after a restart it begins at zero, and what was left over runs
//! out of time.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

/// Who is waiting, by age.
pub(super) struct Crowd {
    most: usize,
    most_per_address: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    addresses: HashMap<Uuid, IpAddr>,
    by_age: VecDeque<Uuid>,
    by_address: HashMap<IpAddr, VecDeque<Uuid>>,
}

impl Crowd {
    pub(super) fn new(most: usize, most_per_address: usize) -> Self {
        Self {
            most,
            most_per_address,
            waiting: Mutex::default(),
        }
    }

    /// One more is waiting. Returns those that have to go: the oldest of too many.
    pub(super) fn joined(&self, id: Uuid, address: IpAddr) -> Vec<Uuid> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.addresses.insert(id, address);
        waiting.by_age.push_back(id);
        waiting.by_address.entry(address).or_default().push_back(id);
        let mut gone = Vec::new();
        while waiting
            .by_address
            .get(&address)
            .is_some_and(|it| it.len() > self.most_per_address)
        {
            let oldest = waiting
                .by_address
                .get_mut(&address)
                .and_then(VecDeque::pop_front);
            gone.extend(oldest.filter(|id| waiting.addresses.remove(id).is_some()));
        }
        while waiting.addresses.len() > self.most {
            let Some(oldest) = waiting.by_age.pop_front() else {
                break;
            };
            gone.extend(waiting.leave(oldest));
        }
        waiting.forget_the_gone();
        gone
    }

    /// This one waits no more: somebody answered, or it is over.
    pub(super) fn left(&self, id: Uuid) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.leave(id);
    }
}

impl Waiting {
    fn leave(&mut self, id: Uuid) -> Option<Uuid> {
        let address = self.addresses.remove(&id)?;
        if let Some(of_address) = self.by_address.get_mut(&address) {
            of_address.retain(|other| *other != id);
            if of_address.is_empty() {
                self.by_address.remove(&address);
            }
        }
        Some(id)
    }

    /// `by_age` keeps the ids of those that left; it is swept when most of it is of that sort.
    fn forget_the_gone(&mut self) {
        if self.by_age.len() > 1_000 + 2 * self.addresses.len() {
            let addresses = &self.addresses;
            self.by_age.retain(|id| addresses.contains_key(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, last).into()
    }

    #[test]
    fn the_oldest_of_an_address_goes_first() {
        let crowd = Crowd::new(100, 2);
        let ids: Vec<Uuid> = (1..=4).map(Uuid::from_u128).collect();
        assert!(crowd.joined(ids[0], address(1)).is_empty());
        assert!(crowd.joined(ids[1], address(1)).is_empty());
        assert!(crowd.joined(ids[2], address(2)).is_empty());
        assert_eq!(crowd.joined(ids[3], address(1)), [ids[0]]);
    }

    #[test]
    fn whoever_answered_does_not_count() {
        let crowd = Crowd::new(2, 2);
        let ids: Vec<Uuid> = (1..=4).map(Uuid::from_u128).collect();
        crowd.joined(ids[0], address(1));
        crowd.left(ids[0]);
        crowd.joined(ids[1], address(2));
        assert!(crowd.joined(ids[2], address(3)).is_empty());
        assert_eq!(crowd.joined(ids[3], address(4)), [ids[1]]);
    }
}
