//! What a command saw then, for whoever asks in another order now.

use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use crate::expression::Told;
use crate::journal::{Kind, StreamId, Version};
use crate::world::{Interrupted, Observation};

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

/// How an evaluation of a policy ended then.
pub(super) struct Ended<'a> {
    pub(super) micros: u64,
    pub(super) interrupted: Option<&'a Interrupted>,
    pub(super) told: Option<&'a Told>,
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
        let question = question(asked)?;
        self.any(|note| match note {
            Observation::Found { objects, .. } if self::question(note) == Some(question) => {
                Some(objects.as_slice())
            }
            _ => None,
        })
    }

    /// How the next evaluation of a policy ended, where it was asked.
    pub(super) fn evaluation(&self, asked: Uuid) -> Option<Ended<'a>> {
        let began = {
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            let began = self.notes.iter().enumerate().position(|(at, note)| {
                let is_asked = matches!(
                    note,
                    Observation::EvaluationBegan { policy } if *policy == asked
                );
                is_asked && !used[at]
            })?;
            used[began] = true;
            began
        };
        // Evaluations may lie within each other.
        let mut open = 0;
        let ended = self.notes[began..].iter().find(|note| {
            match note {
                Observation::EvaluationBegan { .. } => open += 1,
                Observation::EvaluationEnded { .. } => open -= 1,
                _ => {}
            }
            open == 0
        });
        match ended? {
            Observation::EvaluationEnded {
                micros,
                interrupted,
                told,
            } => Some(Ended {
                micros: *micros,
                interrupted: interrupted.as_ref(),
                told: told.as_deref(),
            }),
            _ => None,
        }
    }
}

fn question(note: &Observation) -> Option<(Kind, &str, &str)> {
    match note {
        Observation::Found {
            kind,
            lookup,
            value,
            ..
        } => Some((*kind, lookup, value)),
        _ => None,
    }
}
