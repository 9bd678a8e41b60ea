//! Where entries lie in the global order, and the keys under which a log keeps them.
//!
//! A log's keys sort as the entries were written: `position, part` for the pieces of a record
//! and `position, 0, step` for a note that was written before that record.

use std::fmt;

/// The step of a record; the notes before it have the smaller numbers.
const RECORD: u32 = u32::MAX;

/// The place of one entry in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The position of the record, or of the next record after a note.
    pub(super) position: u64,
    step: u32,
}

impl Place {
    /// Before everything: there is no record 0.
    pub(super) const START: Self = Self {
        position: 0,
        step: RECORD,
    };

    /// The place of the record at `position`.
    pub(super) const fn record(position: u64) -> Self {
        Self {
            position,
            step: RECORD,
        }
    }

    /// The place of the note number `step` before the record at `position`.
    pub(super) const fn note(position: u64, step: u32) -> Self {
        Self { position, step }
    }

    /// Whether a record lies here.
    pub(super) const fn is_record(self) -> bool {
        self.step == RECORD
    }

    /// The position of the last record up to here; zero when there is none.
    pub(super) const fn last_record(self) -> u64 {
        if self.is_record() {
            self.position
        } else {
            self.position - 1
        }
    }

    /// The place of the next record.
    pub(super) const fn next_record(self) -> Self {
        Self::record(self.last_record() + 1)
    }

    /// The place of the next note.
    pub(super) const fn next_note(self) -> Self {
        if self.is_record() {
            Self::note(self.position + 1, 0)
        } else {
            Self::note(self.position, self.step + 1)
        }
    }

    /// Whether this is what comes directly after `before`.
    pub(super) fn follows(self, before: Self) -> bool {
        self == before.next_record() || self == before.next_note()
    }

    /// Twelve bytes: position and step, big-endian.
    pub(super) fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&self.position.to_be_bytes());
        bytes[8..].copy_from_slice(&self.step.to_be_bytes());
        bytes
    }

    /// Reads [`Place::to_bytes`].
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (position, step) = bytes.split_first_chunk::<8>()?;
        let place = Self {
            position: u64::from_be_bytes(*position),
            step: u32::from_be_bytes(step.try_into().ok()?),
        };
        // A note lies before a record, and the first record is 1.
        (place.position > 0 || place.is_record()).then_some(place)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_record() {
            write!(f, "position {}", self.position)
        } else {
            write!(f, "note {} before position {}", self.step, self.position)
        }
    }
}

/// What a key of a log stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogKey {
    /// A piece of the record at this position; the first is 1.
    Piece(u64, u16),
    /// The note at this place.
    Note(Place),
}

impl LogKey {
    /// The key's bytes.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(14);
        match self {
            Self::Piece(position, part) => {
                bytes.extend_from_slice(&position.to_be_bytes());
                bytes.extend_from_slice(&part.to_be_bytes());
            }
            Self::Note(place) => {
                bytes.extend_from_slice(&place.position.to_be_bytes());
                bytes.extend_from_slice(&0_u16.to_be_bytes());
                bytes.extend_from_slice(&place.step.to_be_bytes());
            }
        }
        bytes
    }

    /// Reads [`LogKey::to_bytes`].
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (position, rest) = bytes.split_first_chunk::<8>()?;
        let (part, rest) = rest.split_first_chunk::<2>()?;
        let position = u64::from_be_bytes(*position);
        match (u16::from_be_bytes(*part), rest) {
            _ if position == 0 => None,
            (0, step) => {
                let step = u32::from_be_bytes(step.try_into().ok()?);
                (step != RECORD).then_some(Self::Note(Place::note(position, step)))
            }
            (part, []) => Some(Self::Piece(position, part)),
            _ => None,
        }
    }

    /// The key from which a scan has to start to see everything from `place` on.
    pub(super) fn first_of(place: Place) -> Vec<u8> {
        if place.is_record() {
            Self::Piece(place.position, 1).to_bytes()
        } else {
            Self::Note(place).to_bytes()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_the_entries_were_written() {
        let keys = [
            LogKey::Piece(1, 1),
            LogKey::Piece(1, 2),
            LogKey::Note(Place::note(2, 0)),
            LogKey::Note(Place::note(2, 1)),
            LogKey::Piece(2, 1),
            LogKey::Piece(256, 1),
        ];
        assert!(keys.map(LogKey::to_bytes).is_sorted());
        for key in keys {
            assert_eq!(LogKey::from_bytes(&key.to_bytes()), Some(key));
        }
    }

    #[test]
    fn places_follow_each_other() {
        let first = Place::START.next_record();
        assert_eq!(first, Place::record(1));
        let note = first.next_note();
        assert_eq!(note.next_note().next_record(), Place::record(2));
        assert!(note.next_note().follows(note) && first < note && note < Place::record(2));
        assert!(!Place::record(3).follows(first));
        for place in [Place::START, first, note] {
            assert_eq!(Place::from_bytes(&place.to_bytes()), Some(place));
        }
    }
}
