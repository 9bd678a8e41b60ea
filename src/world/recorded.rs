//! The world as it answered once: gives the noted answers back, in order.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;

use super::{
    Call, Ceremony, Change, Error, Evaluated, Fresh, Letter, Look, NewLink, Observation,
    PasswordAnswer, Weighed, Work, World, observed,
};
use crate::directory::device::Device;
use crate::directory::user::User;
use crate::expression::{Told, Workers};
use crate::flow::input::SECRET;
use crate::geoip::Place;
use crate::journal::object::Versioned;
use crate::journal::{self, Journal, Key, Kind, Object, Objects, StreamId, Version};
use crate::webauthn::{Asserted, Known, Registered};

mod divergence;

pub use divergence::Divergence;

/// A world that is over.
pub struct Recorded {
    now: Timestamp,
    replayed: Replayed,
    workers: Option<Workers>,
    changes: Mutex<Vec<Change>>,
}

struct Replayed {
    journal: Arc<dyn Journal>,
    notes: Mutex<VecDeque<Observation>>,
    diverged: Mutex<Option<Divergence>>,
}

impl Recorded {
    /// The world of one command: its moment and what it answered. Bodies come from `journal`.
    ///
    /// Without `workers` an expression cannot be run again, which is a divergence.
    #[must_use]
    pub fn new(
        journal: Arc<dyn Journal>,
        now: Timestamp,
        notes: Vec<Observation>,
        workers: Option<Workers>,
    ) -> Self {
        let replayed = Replayed {
            journal,
            notes: Mutex::new(notes.into()),
            diverged: Mutex::default(),
        };
        Self {
            now,
            replayed,
            workers,
            changes: Mutex::default(),
        }
    }

    /// The first divergence: a question that was not asked then, or an answer left over.
    #[must_use]
    pub fn divergence(&self) -> Option<Divergence> {
        let diverged = self
            .replayed
            .diverged
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let notes = self
            .replayed
            .notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        diverged.clone().or_else(|| {
            let left_over = notes.front()?.clone();
            Some(Divergence {
                asked: "nothing more".to_owned(),
                noted: Some(left_over),
            })
        })
    }

    fn next<T>(&self, asked: &str, answer: impl Fn(&Observation) -> Option<T>) -> Result<T, Error> {
        self.replayed.next(asked, answer).map_err(Error::Diverged)
    }
}

impl Replayed {
    /// Takes the next note, if it answers what is asked.
    fn next<T>(
        &self,
        asked: &str,
        answer: impl Fn(&Observation) -> Option<T>,
    ) -> Result<T, Box<Divergence>> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answered) = notes.front().and_then(answer) {
            notes.pop_front();
            return Ok(answered);
        }
        let divergence = Divergence {
            asked: asked.to_owned(),
            noted: notes.front().cloned(),
        };
        let mut first = self.diverged.lock().unwrap_or_else(PoisonError::into_inner);
        Err(first.get_or_insert(divergence).clone().into())
    }

    /// How the evaluation went that has just begun, where it was handed a secret.
    fn recall(&self) -> Option<Told> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        match notes.get(end_of_evaluation(&notes)?)? {
            Observation::EvaluationEnded { told, .. } => told.as_deref().cloned(),
            _ => None,
        }
    }

    /// Passes over an evaluation that has just begun, if it was interrupted then.
    fn skip_interrupted(&self) -> Option<Evaluated> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let end = end_of_evaluation(&notes)?;
        let evaluated = ended(notes.get(end)?)?;
        evaluated.interrupted.as_ref()?;
        notes.drain(..=end);
        Some(evaluated)
    }

    async fn revision(
        &self,
        stream: StreamId,
        version: Version,
    ) -> journal::Result<Option<Object>> {
        self.journal.get_at(stream, version).await
    }

    async fn found(&self, kind: Kind, key: Option<&Key>) -> journal::Result<Vec<Object>> {
        let expected = observed::found(kind, key, Vec::new());
        let ids = self
            .next(&format!("{expected:?}"), |note| {
                same_question(note, &expected)
            })
            .map_err(|divergence| unavailable(&divergence))?;
        let mut objects = Vec::with_capacity(ids.len());
        for (id, version) in ids {
            objects.extend(self.revision(StreamId::new(kind, id), version).await?);
        }
        Ok(objects)
    }
}

/// Where the end of the evaluation is noted within which the first of `notes` lies.
fn end_of_evaluation(notes: &VecDeque<Observation>) -> Option<usize> {
    // Evaluations may lie within each other.
    let mut open = 1;
    notes.iter().position(|note| {
        match note {
            Observation::EvaluationBegan { .. } => open += 1,
            Observation::EvaluationEnded { .. } => open -= 1,
            _ => {}
        }
        open == 0
    })
}

fn same_question(note: &Observation, asked: &Observation) -> Option<Vec<(Uuid, Version)>> {
    match (note, asked) {
        (
            Observation::Found {
                kind,
                lookup,
                value,
                objects,
            },
            Observation::Found {
                kind: kind_asked,
                lookup: lookup_asked,
                value: value_asked,
                ..
            },
        ) if (kind, lookup, value) == (kind_asked, lookup_asked, value_asked) => {
            Some(objects.clone())
        }
        _ => None,
    }
}

/// The journal has no word for it; whoever replays asks [`Recorded::divergence`].
fn unavailable(divergence: &Divergence) -> journal::Error {
    journal::Error::Unavailable(divergence.to_string().into())
}

#[async_trait]
impl Objects for Replayed {
    async fn get(&self, stream: StreamId) -> journal::Result<Option<Object>> {
        let version = self
            .next(&format!("for {stream}"), |note| match note {
                Observation::Object { kind, id, version }
                    if StreamId::new(*kind, *id) == stream =>
                {
                    Some(*version)
                }
                _ => None,
            })
            .map_err(|divergence| unavailable(&divergence))?;
        match version {
            Some(version) => self.revision(stream, version).await,
            None => Ok(None),
        }
    }

    async fn get_at(&self, stream: StreamId, version: Version) -> journal::Result<Option<Object>> {
        self.revision(stream, version).await
    }

    async fn find(&self, kind: Kind, key: Key) -> journal::Result<Option<Object>> {
        Ok(self.found(kind, Some(&key)).await?.pop())
    }

    async fn scan(
        &self,
        kind: Kind,
        key: Key,
        _after: Option<Uuid>,
        _limit: usize,
    ) -> journal::Result<Vec<Object>> {
        self.found(kind, Some(&key)).await
    }

    async fn list(
        &self,
        kind: Kind,
        _after: Option<Uuid>,
        _limit: usize,
    ) -> journal::Result<Vec<Object>> {
        self.found(kind, None).await
    }
}

#[async_trait(?Send)]
impl World for Recorded {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn objects(&self) -> &dyn Objects {
        &self.replayed
    }

    async fn verify_password(
        &self,
        user: &Versioned<User>,
        _password: &SecretString,
    ) -> Result<PasswordAnswer, Error> {
        let asked = user.value.uuid;
        self.next(
            &format!("for the password of user {asked}"),
            |note| match note {
                Observation::Password { user, answer } if *user == asked => Some(*answer),
                _ => None,
            },
        )
    }

    async fn burn_password(&self) -> Result<(), Error> {
        Ok(())
    }

    fn is_secret(&self, _typed: &SecretString, _secret: &SecretString) -> Result<bool, Error> {
        self.next("whether a secret was typed", |note| match note {
            Observation::Secret { equal } => Some(*equal),
            _ => None,
        })
    }

    fn keep(&self, _secret: SecretString) -> Result<Uuid, Error> {
        self.next("to keep a secret", |note| match note {
            Observation::Kept { handle } => Some(*handle),
            _ => None,
        })
    }

    async fn open(&self, handle: Uuid) -> Result<Option<SecretString>, Error> {
        let asked = handle;
        let found = self.next(&format!("for the secret {asked}"), |note| match note {
            Observation::Opened { handle, found } if *handle == asked => Some(*found),
            _ => None,
        })?;
        Ok(found.then(|| SecretString::from(SECRET)))
    }

    fn generate(&self, _what: Fresh) -> Result<SecretString, Error> {
        self.next("for a fresh secret", |note| {
            matches!(note, Observation::Generated).then(|| SecretString::from(SECRET))
        })
    }

    fn draw(&self) -> Result<Uuid, Error> {
        self.next("for a random identifier", |note| match note {
            Observation::Drawn { id } => Some(*id),
            _ => None,
        })
    }

    fn presented(
        &self,
        _answer: &serde_json::Value,
        _lenient: bool,
    ) -> Result<Option<String>, Error> {
        self.next("which credential was shown", |note| match note {
            Observation::Presented { credential } => Some(credential.clone()),
            _ => None,
        })
    }

    fn register(
        &self,
        _ceremony: Ceremony<'_>,
        _answer: &serde_json::Value,
    ) -> Result<Result<Registered, String>, Error> {
        self.next("for a new credential", |note| match note {
            Observation::Registered { result } => Some(result.clone()),
            _ => None,
        })
    }

    fn assert(
        &self,
        _ceremony: Ceremony<'_>,
        _answer: &serde_json::Value,
        _known: Known<'_>,
    ) -> Result<Result<Asserted, String>, Error> {
        self.next("for the proof of a credential", |note| match note {
            Observation::Asserted { result } => Some(result.clone()),
            _ => None,
        })
    }

    async fn hash_password(&self, _password: &SecretString) -> Result<SecretString, Error> {
        self.next("to hash a password", |note| {
            matches!(note, Observation::Hashed).then(|| SecretString::from(SECRET))
        })
    }

    fn link(&self, _link: NewLink) -> Result<Uuid, Error> {
        self.next("for a link", |note| match note {
            Observation::Linked { link } => Some(*link),
            _ => None,
        })
    }

    async fn post(&self, _letter: Letter) -> Result<Result<Uuid, String>, Error> {
        self.next("to write a mail", |note| match note {
            Observation::Posted { mail } => Some(mail.clone()),
            _ => None,
        })
    }

    fn request(&self, _call: Call) -> Result<Uuid, Error> {
        self.next("to ask another server", |note| match note {
            Observation::Requested { effect } => Some(*effect),
            _ => None,
        })
    }

    // What changed then has changed already; it is kept for whoever looks in the same command.
    fn change(&self, change: Change) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.push(change);
    }

    fn written(&self, user: Uuid) -> Option<Versioned<User>> {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        super::written(&changes, user)
    }

    fn written_devices(&self, user: Uuid) -> Vec<Device> {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        super::written_devices(&changes, user)
    }

    async fn evaluate<'w>(
        &'w self,
        policy: Uuid,
        _deadline: Duration,
        work: Work<'w>,
    ) -> Result<Evaluated, Error> {
        let asked = policy;
        self.next(&format!("policy {asked}"), |note| match note {
            Observation::EvaluationBegan { policy } if *policy == asked => Some(()),
            _ => None,
        })?;
        if let Some(evaluated) = self.replayed.skip_interrupted() {
            return Ok(evaluated);
        }
        if let Err(interrupted) = work.await {
            let problem = interrupted.to_string();
            return self.next(&format!("policy {asked} in vain: {problem}"), |_| None);
        }
        self.next(&format!("for the end of policy {asked}"), ended)
    }

    fn recall(&self) -> Option<Told> {
        self.replayed.recall()
    }

    fn expressions(&self) -> Option<&Workers> {
        self.workers.as_ref()
    }

    async fn counter(&self, asked: &str) -> Result<i64, Error> {
        self.next(&format!("for the counter {asked}"), |note| match note {
            Observation::Counter { name, value } if name == asked => Some(*value),
            _ => None,
        })
    }

    async fn reputation(&self, from: Option<IpAddr>, name: Option<&str>) -> Result<i64, Error> {
        self.next(
            &format!("for the reputation of {from:?} and {name:?}"),
            |note| match note {
                Observation::Reputation {
                    address,
                    identifier,
                    score,
                } if *address == from && identifier.as_deref() == name => Some(*score),
                _ => None,
            },
        )
    }

    fn place(&self, asked: IpAddr) -> Result<Place, Error> {
        self.next(&format!("where {asked} is"), |note| match note {
            Observation::Place { address, place } if *address == asked => Some(place.clone()),
            _ => None,
        })
    }

    async fn breaches(&self, _password: &SecretString) -> Result<Result<u64, String>, Error> {
        self.next("whether a password was stolen", |note| match note {
            Observation::Breached { count } => Some(count.clone()),
            _ => None,
        })
    }

    async fn weigh(&self, _secret: &SecretString, _look: Look) -> Result<Weighed, Error> {
        self.next("for a look at a secret", |note| match note {
            Observation::Weighed { passes, advice } => Some(Weighed {
                passes: *passes,
                advice: advice.clone(),
            }),
            _ => None,
        })
    }

    async fn fits(
        &self,
        asked: Uuid,
        _encoded: &SecretString,
        _password: &SecretString,
    ) -> Result<bool, Error> {
        self.next(
            &format!("for a former password of {asked}"),
            |note| match note {
                Observation::Hash { of, fits } if *of == asked => Some(*fits),
                _ => None,
            },
        )
    }
}

fn ended(note: &Observation) -> Option<Evaluated> {
    match note {
        Observation::EvaluationEnded {
            micros,
            interrupted,
            ..
        } => Some(Evaluated {
            micros: *micros,
            interrupted: interrupted.clone(),
        }),
        _ => None,
    }
}
