//! What retention took out of a log, and which keys nothing needs after it.

use std::collections::HashSet;

use uuid::Uuid;

use super::frame::Frame;
use super::{KeyId, Kind};

/// What was removed, and what may go with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// How many bodies went.
    pub bodies: u64,
    /// The keys of the streams that went, as far as nothing that lies under them is left.
    pub keys: Vec<KeyId>,
}

/// The keys of what goes, less those of what stays.
#[derive(Default)]
pub(super) struct Unneeded {
    kind: Option<Kind>,
    free: HashSet<Uuid>,
    needed: HashSet<Uuid>,
}

impl Unneeded {
    /// Of the streams of this kind.
    pub(super) fn of(kind: Kind) -> Self {
        Self {
            kind: Some(kind),
            ..Self::default()
        }
    }

    /// A record, and whether a body of it is left. What lies under the key of a stream was written after
    /// the stream's first record, so it is enough to remember what was unneeded before.
    pub(super) fn note(&mut self, frame: &Frame, is_left: bool) {
        let key = frame.key.0;
        if is_left {
            if self.free.remove(&key) {
                self.needed.insert(key);
            }
        } else if self.kind == Some(frame.stream.kind)
            && frame.key != KeyId::SYSTEM
            && !self.needed.contains(&key)
        {
            self.free.insert(key);
        }
    }

    /// The keys that nothing needs, as far as was noted.
    pub(super) fn keys(self) -> impl Iterator<Item = KeyId> {
        self.free.into_iter().map(KeyId)
    }
}
