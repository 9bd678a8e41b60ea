//! The world as it answered once: gives the noted answers back, in order.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;

use super::{
    Call, Ceremony, Change, Error, Evaluated, Fresh, Interrupted, Letter, Look, NewLink,
    Observation, PasswordAnswer, Weighed, Work, World,
};
use crate::directory::device::Device;
use crate::directory::user::User;
use crate::expression::{Told, Workers};
use crate::flow::input::SECRET;
use crate::geoip::Place;
use crate::journal::object::Versioned;
use crate::journal::{Objects, StreamId, Version};
use crate::webauthn::{Asserted, Known, Registered};

mod divergence;
mod replayed;
mod revisions;

pub use divergence::Divergence;
use replayed::{Replayed, held};
pub use revisions::Revisions;

/// So many times as long as then may an evaluation take that is run again.
const PATIENCE: u32 = 20;

/// A world that is over.
pub struct Recorded {
    now: Timestamp,
    replayed: Replayed,
    workers: Option<Workers>,
    changes: Mutex<Vec<Change>>,
}

impl Recorded {
    /// The world of one command: its moment and what it answered. Bodies come from `revisions`.
    ///
    /// Without `workers` an expression cannot be run again; see [`Self::not_run`].
    #[must_use]
    pub fn new(
        revisions: Arc<Revisions>,
        now: Timestamp,
        notes: Vec<Observation>,
        workers: Option<Workers>,
    ) -> Self {
        let replayed = Replayed {
            revisions,
            notes: Mutex::new(notes.into()),
            diverged: Mutex::default(),
            gone: Mutex::default(),
            unread: Mutex::default(),
            not_run: Mutex::default(),
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
        let diverged = held(&self.replayed.diverged);
        let notes = held(&self.replayed.notes);
        diverged.clone().or_else(|| {
            let left_over = notes.front()?.clone();
            Some(Divergence {
                asked: "nothing more".to_owned(),
                noted: Some(left_over),
            })
        })
    }

    /// The first revision that was read then and that nobody can read any more.
    #[must_use]
    pub fn gone(&self) -> Option<(StreamId, Version)> {
        *held(&self.replayed.gone)
    }

    /// Why something that was read then cannot be read now, if that was so before the code asked
    /// something else. That says nothing about the code.
    #[must_use]
    pub fn unread(&self) -> Option<String> {
        held(&self.replayed.unread).clone()
    }

    /// Why an evaluation that came to its own end then was not run now, if one was not. That says
    /// nothing about the code.
    #[must_use]
    pub fn not_run(&self) -> Option<Interrupted> {
        held(&self.replayed.not_run).clone()
    }

    /// How many answers were not asked for yet.
    #[must_use]
    pub fn left(&self) -> usize {
        held(&self.replayed.notes).len()
    }

    fn next<T>(&self, asked: &str, answer: impl Fn(&Observation) -> Option<T>) -> Result<T, Error> {
        self.replayed.next(asked, answer).map_err(Error::Diverged)
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
        self.next(&format!("for the password of user {asked}"), |note| {
            note.password_of(asked)
        })
    }

    async fn burn_password(&self) -> Result<(), Error> {
        Ok(())
    }

    fn is_secret(&self, _typed: &SecretString, _secret: &SecretString) -> Result<bool, Error> {
        self.next("whether a secret was typed", Observation::is_equal)
    }

    fn keep(&self, _secret: SecretString) -> Result<Uuid, Error> {
        self.next("to keep a secret", Observation::kept)
    }

    async fn open(&self, handle: Uuid) -> Result<Option<SecretString>, Error> {
        let asked = handle;
        let found = self.next(&format!("for the secret {asked}"), |note| {
            note.was_there(asked)
        })?;
        Ok(found.then(|| SecretString::from(SECRET)))
    }

    fn generate(&self, _what: Fresh) -> Result<SecretString, Error> {
        self.next("for a fresh secret", |note| {
            matches!(note, Observation::Generated).then(|| SecretString::from(SECRET))
        })
    }

    fn draw(&self) -> Result<Uuid, Error> {
        self.next("for a random identifier", Observation::drawn)
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
        self.next("for a new credential", Observation::registered)
    }

    fn assert(
        &self,
        _ceremony: Ceremony<'_>,
        _answer: &serde_json::Value,
        _known: Known<'_>,
    ) -> Result<Result<Asserted, String>, Error> {
        self.next("for the proof of a credential", Observation::asserted)
    }

    async fn hash_password(&self, _password: &SecretString) -> Result<SecretString, Error> {
        self.next("to hash a password", |note| {
            matches!(note, Observation::Hashed).then(|| SecretString::from(SECRET))
        })
    }

    fn link(&self, _link: NewLink) -> Result<Uuid, Error> {
        self.next("for a link", Observation::linked)
    }

    async fn post(&self, _letter: Letter) -> Result<Result<Uuid, String>, Error> {
        self.next("to write a mail", Observation::posted)
    }

    fn request(&self, _call: Call) -> Result<Uuid, Error> {
        self.next("to ask another server", Observation::requested)
    }

    // What changed then has changed already; it is kept for whoever looks in the same command.
    fn change(&self, change: Change) {
        let mut changes = held(&self.changes);
        changes.push(change);
    }

    fn written(&self, user: Uuid) -> Option<Versioned<User>> {
        let changes = held(&self.changes);
        super::written(&changes, user)
    }

    fn written_devices(&self, user: Uuid) -> Vec<Device> {
        let changes = held(&self.changes);
        super::written_devices(&changes, user)
    }

    async fn evaluate<'w>(
        &'w self,
        policy: Uuid,
        _deadline: Duration,
        work: Work<'w>,
    ) -> Result<Evaluated, Error> {
        let asked = policy;
        self.next(&format!("to evaluate {asked}"), |note| note.began(asked))?;
        if let Some(evaluated) = self.replayed.skip_interrupted() {
            return Ok(evaluated);
        }
        if let Err(interrupted) = work.await {
            held(&self.replayed.not_run).get_or_insert_with(|| interrupted.clone());
            return Err(Error::NotRun(interrupted));
        }
        self.next(
            &format!("for nothing more while it evaluates {asked}"),
            Observation::ended,
        )
    }

    fn patience(&self) -> u32 {
        PATIENCE
    }

    fn recall(&self) -> Option<Told> {
        self.replayed.recall()
    }

    fn expressions(&self) -> Option<&Workers> {
        self.workers.as_ref()
    }

    async fn counter(&self, asked: &str) -> Result<i64, Error> {
        self.next(&format!("for the counter {asked}"), |note| {
            note.counter(asked)
        })
    }

    async fn reputation(&self, from: Option<IpAddr>, name: Option<&str>) -> Result<i64, Error> {
        self.next(
            &format!("for the reputation of {from:?} and {name:?}"),
            |note| note.reputation(from, name),
        )
    }

    fn place(&self, asked: IpAddr) -> Result<Place, Error> {
        self.next(&format!("where {asked} is"), |note| note.place(asked))
    }

    async fn breaches(&self, _password: &SecretString) -> Result<Result<u64, String>, Error> {
        self.next("whether a password was stolen", Observation::breached)
    }

    async fn weigh(&self, _secret: &SecretString, _look: Look) -> Result<Weighed, Error> {
        self.next("for a look at a secret", Observation::weighed)
    }

    async fn fits(
        &self,
        asked: Uuid,
        _encoded: &SecretString,
        _password: &SecretString,
    ) -> Result<bool, Error> {
        self.next(&format!("for a former password of {asked}"), |note| {
            note.fits(asked)
        })
    }
}
