//! How much memory the bodies of requests may take together, from their first byte until nobody
//! needs them any more.
//!
//! Nobody takes all of it while others come: an address may have as much as is still free, so one
//! alone has half of it at most, and whoever comes from another finds room.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::web::{Bytes, BytesMut};

use crate::flow::client::network;

/// The memory for bodies. Cheap to clone; all clones share it.
#[derive(Clone, Debug)]
pub struct Bodies(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A body that arrives.
#[derive(Debug)]
pub(super) struct Arriving {
    bytes: BytesMut,
    share: Share,
}

/// What one body takes, given back when it is dropped.
#[derive(Debug)]
struct Share {
    bodies: Bodies,
    address: IpAddr,
    bytes: usize,
}

/// A body that has arrived, and its share of the memory.
struct Arrived {
    bytes: Bytes,
    _share: Share,
}

impl Bodies {
    /// So many bytes for all of them.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Shared {
            most,
            held: Mutex::default(),
        }))
    }

    /// A body that begins to arrive from this address.
    pub(super) fn begin(&self, address: IpAddr) -> Arriving {
        Arriving {
            bytes: BytesMut::new(),
            share: Share {
                bodies: self.clone(),
                address: network(address),
                bytes: 0,
            },
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arriving {
    /// How many bytes have arrived.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds what arrived next; `false` when there is no memory for it.
    #[must_use]
    pub(super) fn add(&mut self, piece: &[u8]) -> bool {
        let has_room = self.share.grow(piece.len());
        if has_room {
            self.bytes.extend_from_slice(piece);
        }
        has_room
    }

    /// All of it. Its memory counts for as long as anything of it is kept.
    pub(super) fn whole(self) -> Bytes {
        Bytes::from_owner(Arrived {
            bytes: self.bytes.freeze(),
            _share: self.share,
        })
    }
}

impl Share {
    fn grow(&mut self, by: usize) -> bool {
        let mut held = self.bodies.held();
        let free = self.bodies.0.most.saturating_sub(held.all);
        let own = held.by_address.get(&self.address).copied().unwrap_or(0);
        if own.saturating_add(by) > free {
            return false;
        }
        held.all += by;
        held.by_address.insert(self.address, own + by);
        drop(held);
        self.bytes += by;
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.bodies.held();
        held.all = held.all.saturating_sub(self.bytes);
        if let Some(own) = held.by_address.get_mut(&self.address) {
            *own = own.saturating_sub(self.bytes);
            if *own == 0 {
                held.by_address.remove(&self.address);
            }
        }
    }
}

impl AsRef<[u8]> for Arrived {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn one_address_has_half_of_the_memory_and_another_half_of_the_rest() {
        let bodies = Bodies::new(100);
        let mut first = bodies.begin(from(1));
        assert!(first.add(&[0; 50]));
        assert!(!first.add(&[0; 1]));
        assert!(!bodies.begin(from(1)).add(&[0; 1]));
        let mut other = bodies.begin(from(2));
        assert!(!other.add(&[0; 51]));
        assert!(other.add(&[0; 25]));
        assert!(!other.add(&[0; 1]));
        assert_eq!(first.len(), 50);
    }

    #[test]
    fn the_memory_is_free_again_once_nobody_keeps_the_body() {
        let bodies = Bodies::new(100);
        let mut body = bodies.begin(from(1));
        assert!(body.add(b"some") && body.add(b"thing"));
        let whole = body.whole();
        assert_eq!(whole, "something");
        let part = whole.slice(4..);
        drop(whole);
        assert_eq!(bodies.held().all, 9);
        drop(part);
        let held = bodies.held();
        assert!(held.all == 0 && held.by_address.is_empty(), "{held:?}");
    }

    #[test]
    fn a_body_that_breaks_off_takes_nothing() {
        let bodies = Bodies::new(100);
        let mut body = bodies.begin(from(1));
        assert!(body.add(b"some"));
        assert!(!body.add(&[0; 100]));
        drop(body);
        assert_eq!(bodies.held().all, 0);
    }
}
