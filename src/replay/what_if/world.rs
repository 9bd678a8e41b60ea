//! The world as it is supposed to be: what the execution saw, under what is changed.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;

use super::Supposition;
use super::missing::Missing;
use super::past::{Moment, Was, unanswered};
use super::seen::{Looked, Seen};
use crate::catalog::Policy;
use crate::directory::device::Device;
use crate::directory::user::User;
use crate::expression::{Told, Workers};
use crate::flow::input::SECRET;
use crate::geoip::Place;
use crate::journal::object::{self, Versioned};
use crate::journal::{self, Key, Kind, Object, Objects, StreamId, Version};
use crate::replay::Entry;
use crate::webauthn::{Asserted, Known, Registered};
use crate::world::{
    self, Call, Ceremony, Change, Error, Evaluated, Fresh, Interrupted, Letter, Look, NewLink,
    Observation, PasswordAnswer, Weighed, Work, World,
};

/// The world of one command.
pub(super) struct Supposed<'a> {
    now: Timestamp,
    execution: Uuid,
    views: Views<'a>,
    /// Everything that was recorded of the execution.
    entries: &'a [Entry],
    /// Whether somebody asked where an address is, and nobody knows.
    is_placeless: AtomicBool,
    /// How many identifiers were made up for this execution.
    made_up: &'a AtomicU64,
    changes: Mutex<Vec<Change>>,
    /// How the evaluations that are under way went then, the innermost last.
    recalled: Mutex<Vec<Option<Told>>>,
}

/// The objects of that world.
struct Views<'a> {
    of: &'a Supposition,
    seen: Seen<'a>,
    moment: Moment,
    missing: Mutex<Option<Missing>>,
    reconstructed: &'a AtomicBool,
}

impl<'a> Supposed<'a> {
    /// The world in which `entry` is carried out once more.
    pub(super) fn new(
        of: &'a Supposition,
        execution: Uuid,
        (entries, entry): (&'a [Entry], &'a Entry),
        made_up: &'a AtomicU64,
        reconstructed: &'a AtomicBool,
    ) -> Self {
        let now = entry.record.input.at;
        Self {
            now,
            execution,
            views: Views {
                of,
                seen: Seen::of(&entry.record.observations),
                moment: Moment {
                    at: now,
                    command: entry.correlation,
                },
                missing: Mutex::default(),
                reconstructed,
            },
            entries,
            is_placeless: AtomicBool::new(false),
            made_up,
            changes: Mutex::default(),
            recalled: Mutex::default(),
        }
    }

    /// What was missing first.
    pub(super) fn missing(&self) -> Option<Missing> {
        self.views.missing().clone()
    }

    fn unknown(&self, what: Missing) -> Error {
        Error::Journal(self.views.unknown(what))
    }

    /// What was noted next, or else what is missing.
    fn noted<T>(
        &self,
        missing: Missing,
        answer: impl Fn(&Observation) -> Option<T>,
    ) -> Result<T, Error> {
        let noted = self.views.seen.next(answer);
        noted.ok_or_else(|| self.unknown(missing))
    }

    /// An identifier that nobody drew then.
    fn make_up(&self) -> Uuid {
        let number = self.made_up.fetch_add(1, Ordering::Relaxed);
        Uuid::from_u128(
            self.execution
                .as_u128()
                .wrapping_add(u128::from(number) + 1),
        )
    }

    /// Whether a policy goes by where an address is: as its kind does, or as its text says.
    async fn wants_places(&self, policy: Uuid) -> journal::Result<bool> {
        let found = self.views.get(object::stream::<Policy>(policy)).await?;
        let body = found.map(|it| String::from_utf8_lossy(&it.body).into_owned());
        let body = body.unwrap_or_default();
        Ok(["geoip", "asn"].iter().any(|word| body.contains(word)))
    }

    fn recalled(&self) -> MutexGuard<'_, Vec<Option<Told>>> {
        self.recalled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Views<'_> {
    fn missing(&self) -> MutexGuard<'_, Option<Missing>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unknown(&self, what: Missing) -> journal::Error {
        let error = unanswered(&what);
        self.missing().get_or_insert(what);
        error
    }

    async fn revision(&self, stream: StreamId, version: Version) -> journal::Result<Object> {
        let object = self.of.past.revision(stream, version).await?;
        object.ok_or_else(|| self.unknown(Missing::Erased { kind: stream.kind }))
    }

    async fn found(&self, kind: Kind, key: Option<&Key>) -> journal::Result<Vec<Object>> {
        let question = world::found(kind, key, Vec::new());
        let mut was = Vec::new();
        if let Some(objects) = self.seen.found(&question) {
            for (id, version) in objects {
                let stream = StreamId::new(kind, *id);
                // What is changed is not looked at as it was.
                if !self.of.changes.has(stream) {
                    was.push(self.revision(stream, *version).await?);
                }
            }
        } else {
            let found = self.of.past.found(kind, key, self.moment).await?;
            was = found.ok_or_else(|| self.unknown(Missing::Lookup { kind }))?;
            self.reconstructed.store(true, Ordering::Relaxed);
        }
        Ok(self.of.changes.found(kind, key, was))
    }
}

#[async_trait]
impl Objects for Views<'_> {
    async fn get(&self, stream: StreamId) -> journal::Result<Option<Object>> {
        if self.of.changes.has(stream) {
            return Ok(self.of.changes.get(stream));
        }
        match self.seen.object(stream) {
            Looked::Saw(version) => return self.revision(stream, version).await.map(Some),
            Looked::SawNothing => return Ok(None),
            Looked::Not => {}
        }
        self.reconstructed.store(true, Ordering::Relaxed);
        match self.of.past.object(stream, self.moment).await? {
            Was::There(object) => Ok(Some(object)),
            Was::Nothing => Ok(None),
            Was::Erased => Err(self.unknown(Missing::Erased { kind: stream.kind })),
        }
    }

    async fn get_at(&self, stream: StreamId, version: Version) -> journal::Result<Option<Object>> {
        if let Some(supposed) = self.of.changes.get_at(stream, version) {
            return Ok(Some(supposed));
        }
        self.of.past.revision(stream, version).await
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
impl World for Supposed<'_> {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn objects(&self) -> &dyn Objects {
        &self.views
    }

    async fn verify_password(
        &self,
        user: &Versioned<User>,
        _password: &SecretString,
    ) -> Result<PasswordAnswer, Error> {
        let asked = user.value.uuid;
        self.noted(Missing::Password, |note| note.password_of(asked))
    }

    async fn burn_password(&self) -> Result<(), Error> {
        Ok(())
    }

    fn is_secret(&self, _typed: &SecretString, _secret: &SecretString) -> Result<bool, Error> {
        self.noted(Missing::Secret, Observation::is_equal)
    }

    fn keep(&self, _secret: SecretString) -> Result<Uuid, Error> {
        let noted = self.views.seen.next(Observation::kept);
        Ok(noted.unwrap_or_else(|| self.make_up()))
    }

    // The context names it, so it was kept on the way here; what it was, nobody needs.
    async fn open(&self, handle: Uuid) -> Result<Option<SecretString>, Error> {
        let noted = self.views.seen.next(|note| note.was_there(handle));
        Ok(noted.unwrap_or(true).then(|| SecretString::from(SECRET)))
    }

    fn generate(&self, _what: Fresh) -> Result<SecretString, Error> {
        Ok(SecretString::from(SECRET))
    }

    fn draw(&self) -> Result<Uuid, Error> {
        let noted = self.views.seen.next(Observation::drawn);
        Ok(noted.unwrap_or_else(|| self.make_up()))
    }

    fn presented(
        &self,
        _answer: &serde_json::Value,
        _lenient: bool,
    ) -> Result<Option<String>, Error> {
        self.noted(Missing::Credential, |note| match note {
            Observation::Presented { credential } => Some(credential.clone()),
            _ => None,
        })
    }

    fn register(
        &self,
        _ceremony: Ceremony<'_>,
        _answer: &serde_json::Value,
    ) -> Result<Result<Registered, String>, Error> {
        self.noted(Missing::Credential, Observation::registered)
    }

    fn assert(
        &self,
        _ceremony: Ceremony<'_>,
        _answer: &serde_json::Value,
        _known: Known<'_>,
    ) -> Result<Result<Asserted, String>, Error> {
        self.noted(Missing::Credential, Observation::asserted)
    }

    async fn hash_password(&self, _password: &SecretString) -> Result<SecretString, Error> {
        Ok(SecretString::from(SECRET))
    }

    fn link(&self, _link: NewLink) -> Result<Uuid, Error> {
        let noted = self.views.seen.next(Observation::linked);
        Ok(noted.unwrap_or_else(|| self.make_up()))
    }

    async fn post(&self, _letter: Letter) -> Result<Result<Uuid, String>, Error> {
        let noted = self.views.seen.next(Observation::posted);
        Ok(noted.unwrap_or_else(|| Ok(self.make_up())))
    }

    fn request(&self, _call: Call) -> Result<Uuid, Error> {
        let noted = self.views.seen.next(Observation::requested);
        Ok(noted.unwrap_or_else(|| self.make_up()))
    }

    // Nothing is written; it is kept for whoever looks in the same command.
    fn change(&self, change: Change) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        changes.push(change);
    }

    fn written(&self, user: Uuid) -> Option<Versioned<User>> {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        world::written(&changes, user)
    }

    fn written_devices(&self, user: Uuid) -> Vec<Device> {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        world::written_devices(&changes, user)
    }

    async fn evaluate<'w>(
        &'w self,
        policy: Uuid,
        deadline: Duration,
        work: Work<'w>,
    ) -> Result<Evaluated, Error> {
        if self.is_placeless.load(Ordering::Relaxed) && self.wants_places(policy).await? {
            return Err(self.unknown(Missing::Place));
        }
        // How another policy ended says nothing of this one.
        let is_same = !self.views.of.changes.has(object::stream::<Policy>(policy));
        let then = self.views.seen.evaluation(policy).filter(|_| is_same);
        let (then, told) = then.unzip();
        if let Some(then) = &then
            && then.interrupted.is_some()
        {
            return Ok(then.clone());
        }
        let told = told.flatten().cloned();
        self.recalled().push(told);
        let ended = tokio::time::timeout(deadline, work).await;
        self.recalled().pop();
        let interrupted = match ended {
            Ok(ended) => ended.err(),
            Err(_) => Some(Interrupted::Deadline {
                millis: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
                log: Vec::new(),
            }),
        };
        // It took too long here and now, which says nothing of there and then.
        if let Some(cause) = interrupted {
            let cause = cause.to_string();
            return Err(self.unknown(Missing::Evaluation { policy, cause }));
        }
        Ok(Evaluated {
            micros: then.map_or(0, |it| it.micros),
            interrupted: None,
        })
    }

    // What it was handed says nothing, so what it came to does not count.
    fn tell(&self, _told: Told) {
        self.views.unknown(Missing::Handed);
    }

    fn recall(&self) -> Option<Told> {
        self.recalled().last().cloned().flatten()
    }

    fn expressions(&self) -> Option<&Workers> {
        let workers = self.views.of.workers.as_ref();
        if workers.is_none() {
            self.views.unknown(Missing::Workers);
        }
        workers
    }

    async fn counter(&self, asked: &str) -> Result<i64, Error> {
        let noted = self.views.seen.any(|note| note.counter(asked));
        noted.ok_or_else(|| self.unknown(Missing::Counter))
    }

    async fn reputation(&self, from: Option<IpAddr>, name: Option<&str>) -> Result<i64, Error> {
        let noted = self.views.seen.any(|note| note.reputation(from, name));
        noted.ok_or_else(|| self.unknown(Missing::Reputation))
    }

    // It is handed to all policies, of which few want it: those make the outcome unknown.
    fn place(&self, asked: IpAddr) -> Result<Place, Error> {
        // An address is not elsewhere a minute later.
        let entries = self.entries.iter();
        let mut all = entries.flat_map(|entry| &entry.record.observations);
        let known = all.find_map(|note| note.place(asked));
        if known.is_none() {
            self.is_placeless.store(true, Ordering::Relaxed);
        }
        Ok(known.unwrap_or_default())
    }

    async fn breaches(&self, _password: &SecretString) -> Result<Result<u64, String>, Error> {
        self.noted(Missing::Breaches, Observation::breached)
    }

    async fn weigh(&self, _secret: &SecretString, _look: Look) -> Result<Weighed, Error> {
        self.noted(Missing::Strength, Observation::weighed)
    }

    async fn fits(
        &self,
        asked: Uuid,
        _encoded: &SecretString,
        _password: &SecretString,
    ) -> Result<bool, Error> {
        self.noted(Missing::Password, |note| note.fits(asked))
    }
}
