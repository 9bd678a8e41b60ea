//! What a command saw then, for whoever asks in another order now.

use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use crate::expression::Told;
use crate::journal::{StreamId, Version};
use crate::world::{Evaluated, Observation, end_of_evaluation};

/// The notes of one command.
pub(super) struct Seen<'a> {
    notes: &'a [Observation],
    used: Mutex<Vec<bool>>,
}

/// What was seen of an object then.
pub(super) enum Looked {
    /// This revision.
    Saw(Version),
    /// That there was none.
    SawNothing,
    /// Nobody looked.
    Not,
}

impl<'a> Seen<'a> {
    pub(super) fn of(notes: &'a [Observation]) -> Self {
        Self {
            notes,
            used: Mutex::new(vec![false; notes.len()]),
        }
    }

    /// The first note that answers, whoever took it before. For what is the same however often it
    /// is asked.
    pub(super) fn any<T>(&self, answer: impl Fn(&'a Observation) -> Option<T>) -> Option<T> {
        self.notes.iter().find_map(answer)
    }

    /// The first note that answers and that nobody took, which is taken.
    pub(super) fn next<T>(&self, answer: impl Fn(&'a Observation) -> Option<T>) -> Option<T> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let mut notes = self.notes.iter().zip(used.iter_mut());
        notes.find_map(|(note, used)| {
            let answered = answer(note).filter(|_| !*used)?;
            *used = true;
            Some(answered)
        })
    }

    /// Which revision of an object was there.
    pub(super) fn object(&self, stream: StreamId) -> Looked {
        let looked = self.any(|note| match note {
            Observation::Object { kind, id, version }
                if (*kind, *id) == (stream.kind, stream.id) =>
            {
                Some(version.map_or(Looked::SawNothing, Looked::Saw))
            }
            _ => None,
        });
        looked.unwrap_or(Looked::Not)
    }

    /// What a lookup found; `None` where nobody looked.
    pub(super) fn found(&self, asked: &Observation) -> Option<&'a [(Uuid, Version)]> {
        self.any(|note| note.found_as(asked))
    }

    /// How the next evaluation of a policy ended, where it was asked; and how it went, where it was
    /// handed a secret.
    pub(super) fn evaluation(&self, asked: Uuid) -> Option<(Evaluated, Option<&'a Told>)> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let mut notes = self.notes.iter().zip(used.iter());
        let began = notes.position(|(note, used)| !used && note.began(asked).is_some())?;
        used[began] = true;
        let inside = &self.notes[began + 1..];
        let end = inside.get(end_of_evaluation(inside)?)?;
        Some((end.ended()?, end.told()))
    }
}
