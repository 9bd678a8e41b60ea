//! The world as it is: asks the journal and the hash pool, and notes every answer.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::guesses::Guess;
use super::{Shared, attempts, posting, traced, vault};
use crate::courier::outbox::Mail;
use crate::directory::device::Device;
use crate::directory::link::{self, Link};
use crate::directory::password::Verdict;
use crate::directory::reputation::Wanted;
use crate::directory::token::KEY_LENGTH;
use crate::directory::user::User;
use crate::expression::{Told, Workers};
use crate::geoip::Place;
use crate::journal::Objects;
use crate::journal::object::Versioned;
use crate::telemetry::Measured;
use crate::traces::Parent;
use crate::webauthn::{self, Asserted, Known, Registered};
use crate::world::{
    self, Attempt, Call, Ceremony, Change, Error, Evaluated, Fresh, Letter, Look, NewLink,
    Observation, Observed, PasswordAnswer, Weighed, Work, World,
};

mod bracket;
mod checked;
mod made_link;

use bracket::Bracket;
use checked::Checked;
pub(crate) use made_link::MadeLink;

/// What a command has asked the world for so far.
pub(super) struct Live {
    execution: Uuid,
    now: Timestamp,
    shared: Arc<Shared>,
    observed: Observed,
    changes: Mutex<Vec<Change>>,
    kept: Mutex<Vec<(Uuid, SecretString)>>,
    links: Mutex<Vec<MadeLink>>,
    mails: Mutex<Vec<Mail>>,
    calls: Mutex<Vec<(Uuid, Call)>>,
    carried: Arc<Carried>,
    /// How many passwords had to be hashed for nothing in this run.
    burns: AtomicUsize,
    /// How the evaluation went that is about to end, where it was handed a secret.
    told: Mutex<Option<Told>>,
    /// The span of the command.
    trace: Parent,
}

/// What is not computed again when a command is run again after a conflict.
#[derive(Default)]
pub(super) struct Carried {
    checked: Mutex<Vec<Checked>>,
    /// How many passwords were hashed for nothing.
    burned: AtomicUsize,
    /// Passwords that were hashed to be stored, each with what it came to.
    hashed: Mutex<Vec<(SecretString, SecretString)>>,
    /// Passwords whose trial was counted.
    pub(super) guessed: Mutex<Vec<Guess>>,
}

/// What a command leaves behind besides its events.
pub(super) struct Left {
    /// What the world answered.
    pub(super) observations: Vec<Observation>,
    /// What is to be put into the vault.
    pub(super) kept: Vec<(Uuid, SecretString)>,
    /// What is to be changed.
    pub(super) changes: Vec<Change>,
    /// Users whose password hash is replaced by a stronger one.
    pub(super) upgrades: Vec<(Uuid, SecretString, SecretString)>,
    /// The links that were made.
    pub(super) links: Vec<MadeLink>,
    /// The mails that were written.
    pub(super) mails: Vec<Mail>,
    /// What is asked of other servers, each under the id by which it is concluded.
    pub(super) calls: Vec<(Uuid, Call)>,
}

fn taken<T>(list: Mutex<Vec<T>>) -> Vec<T> {
    list.into_inner().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn locked<T>(list: &Mutex<Vec<T>>) -> MutexGuard<'_, Vec<T>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    pub(super) fn new(
        shared: &Arc<Shared>,
        execution: Uuid,
        now: Timestamp,
        carried: &Arc<Carried>,
    ) -> Self {
        Self {
            execution,
            kept: Mutex::default(),
            links: Mutex::default(),
            mails: Mutex::default(),
            calls: Mutex::default(),
            now,
            observed: Observed::new(Arc::clone(&shared.journal)),
            shared: Arc::clone(shared),
            changes: Mutex::default(),
            carried: Arc::clone(carried),
            burns: AtomicUsize::new(0),
            told: Mutex::default(),
            trace: Parent::default(),
        }
    }

    /// The same, whose parts are spans below this one.
    pub(super) fn below(self, trace: Parent) -> Self {
        Self { trace, ..self }
    }

    pub(super) fn leave(self) -> Left {
        let checked = locked(&self.carried.checked);
        let upgrades = checked
            .iter()
            .filter_map(|it| Some((it.user, it.encoded.clone(), it.upgrade.clone()?)))
            .collect();
        drop(checked);
        Left {
            observations: self.observed.into_notes(),
            kept: taken(self.kept),
            changes: taken(self.changes),
            upgrades,
            links: taken(self.links),
            mails: taken(self.mails),
            calls: taken(self.calls),
        }
    }

    /// What this command has asked to count so far.
    fn attempts(&self) -> Vec<Attempt> {
        let changes = locked(&self.changes);
        changes
            .iter()
            .filter_map(Change::attempt)
            .cloned()
            .collect()
    }

    /// How the evaluation went that ends now, where it was handed a secret.
    fn take_told(&self) -> Option<Told> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.take()
    }
}

fn hexadecimal(bytes: &[u8]) -> SecretString {
    base16ct::lower::encode_string(bytes).into()
}

#[async_trait(?Send)]
impl World for Live {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn objects(&self) -> &dyn Objects {
        &self.observed
    }

    async fn verify_password(
        &self,
        user: &Versioned<User>,
        password: &SecretString,
    ) -> Result<PasswordAnswer, Error> {
        let Checked { user, answer, .. } = self.check(&user.value, password).await?;
        self.observed.note(Observation::Password { user, answer });
        Ok(answer)
    }

    async fn burn_password(&self) -> Result<(), Error> {
        // Whoever forces a conflict must not learn from the time that this is done anew, while the
        // answer of a check is carried over.
        let burns = self.burns.fetch_add(1, Ordering::Relaxed) + 1;
        if burns > self.carried.burned.load(Ordering::Relaxed) {
            self.shared.pool.burn().await.map_err(|_| Error::Busy)?;
            self.carried.burned.store(burns, Ordering::Relaxed);
        }
        Ok(())
    }

    fn is_secret(&self, typed: &SecretString, secret: &SecretString) -> Result<bool, Error> {
        let (typed, secret) = (typed.expose_secret(), secret.expose_secret());
        let equal = typed.as_bytes().ct_eq(secret.as_bytes()).into();
        self.observed.note(Observation::Secret { equal });
        Ok(equal)
    }

    fn keep(&self, secret: SecretString) -> Result<Uuid, Error> {
        let handle = self.shared.clock.opaque_id();
        locked(&self.kept).push((handle, secret));
        self.observed.note(Observation::Kept { handle });
        Ok(handle)
    }

    async fn open(&self, handle: Uuid) -> Result<Option<SecretString>, Error> {
        let new = {
            let kept = locked(&self.kept);
            let same = |(kept, _): &&(Uuid, SecretString)| *kept == handle;
            kept.iter().find(same).map(|(_, secret)| secret.clone())
        };
        let secret = match new {
            Some(secret) => Some(secret),
            None => vault::open(self.shared.journal.as_ref(), self.execution, handle).await?,
        };
        let found = secret.is_some();
        self.observed.note(Observation::Opened { handle, found });
        Ok(secret)
    }

    fn generate(&self, what: Fresh) -> Result<SecretString, Error> {
        let clock = &self.shared.clock;
        let secret = match what {
            Fresh::Digits(length) => clock.random_digits(length),
            Fresh::Text(length) => clock.random_text(length),
            Fresh::Key => hexadecimal(&clock.random::<20>()),
            Fresh::Challenge => hexadecimal(&clock.random::<64>()),
        };
        self.observed.note(Observation::Generated);
        Ok(secret)
    }

    fn draw(&self) -> Result<Uuid, Error> {
        let id = self.shared.clock.opaque_id();
        self.observed.note(Observation::Drawn { id });
        Ok(id)
    }

    fn presented(
        &self,
        answer: &serde_json::Value,
        lenient: bool,
    ) -> Result<Option<String>, Error> {
        let credential = webauthn::presented(answer, lenient);
        self.observed.note(Observation::Presented {
            credential: credential.clone(),
        });
        Ok(credential)
    }

    fn register(
        &self,
        ceremony: Ceremony<'_>,
        answer: &serde_json::Value,
    ) -> Result<Result<Registered, String>, Error> {
        let Ceremony {
            party, verified, ..
        } = ceremony;
        let result = webauthn::register(answer, &ceremony.bytes(), party, verified);
        let result = result.map_err(|problem| problem.to_string());
        self.observed.note(Observation::Registered {
            result: result.clone(),
        });
        Ok(result)
    }

    fn assert(
        &self,
        ceremony: Ceremony<'_>,
        answer: &serde_json::Value,
        known: Known<'_>,
    ) -> Result<Result<Asserted, String>, Error> {
        let Ceremony {
            party, verified, ..
        } = ceremony;
        let result = webauthn::assert(answer, &ceremony.bytes(), party, verified, known);
        let result = result.map_err(|problem| problem.to_string());
        self.observed.note(Observation::Asserted {
            result: result.clone(),
        });
        Ok(result)
    }

    async fn hash_password(&self, password: &SecretString) -> Result<SecretString, Error> {
        let typed = password.expose_secret().as_bytes();
        let known = {
            let hashed = locked(&self.carried.hashed);
            let same = |(known, _): &&(SecretString, SecretString)| {
                bool::from(known.expose_secret().as_bytes().ct_eq(typed))
            };
            hashed.iter().find(same).map(|(_, encoded)| encoded.clone())
        };
        let encoded = if let Some(encoded) = known {
            encoded
        } else {
            let hashed = self.shared.pool.hash(password.clone()).await;
            let encoded = hashed.map_err(|_| Error::Busy)?;
            locked(&self.carried.hashed).push((password.clone(), encoded.clone()));
            encoded
        };
        self.observed.note(Observation::Hashed);
        Ok(encoded)
    }

    fn link(&self, new: NewLink) -> Result<Uuid, Error> {
        let clock = &self.shared.clock;
        let secret = clock.random_text(KEY_LENGTH);
        let id = link::id(secret.expose_secret());
        locked(&self.links).push(MadeLink {
            link: Link {
                id,
                execution: self.execution,
                slug: new.slug,
                expires: new.expires,
                used: false,
                consent: clock.opaque_id(),
            },
            secret,
            query: new.query,
        });
        self.observed.note(Observation::Linked { link: id });
        Ok(id)
    }

    async fn post(&self, letter: Letter) -> Result<Result<Uuid, String>, Error> {
        let link = letter.link.and_then(|id| {
            let links = locked(&self.links);
            links.iter().find(|made| made.link.id == id).cloned()
        });
        let (shared, execution) = (&self.shared, self.execution);
        let mail = posting::write(shared, execution, self.now, &letter, link.as_ref()).await?;
        let mail = mail.map(|mail| {
            let id = mail.id;
            locked(&self.mails).push(mail);
            id
        });
        self.observed
            .note(Observation::Posted { mail: mail.clone() });
        Ok(mail)
    }

    fn request(&self, call: Call) -> Result<Uuid, Error> {
        let effect = self.shared.clock.opaque_id();
        locked(&self.calls).push((effect, call));
        self.observed.note(Observation::Requested { effect });
        Ok(effect)
    }

    fn change(&self, change: Change) {
        locked(&self.changes).push(change);
    }

    fn written(&self, user: Uuid) -> Option<Versioned<User>> {
        let changes = locked(&self.changes);
        world::written(&changes, user)
    }

    fn written_devices(&self, user: Uuid) -> Vec<Device> {
        let changes = locked(&self.changes);
        world::written_devices(&changes, user)
    }

    async fn evaluate<'w>(
        &'w self,
        policy: Uuid,
        deadline: Duration,
        work: Work<'w>,
    ) -> Result<Evaluated, Error> {
        let bracket = Bracket::begin(self, policy, deadline);
        let ended = actix::clock::timeout(deadline, work).await;
        let interrupted = ended.unwrap_or_else(|_| Err(bracket.over())).err();
        Ok(bracket.end(interrupted))
    }

    fn moment(&self) -> Option<Instant> {
        Some(self.shared.clock.monotonic())
    }

    fn took(&self, part: Measured<'_>, since: Option<Instant>) {
        if let Some(since) = since {
            let took = self.shared.clock.monotonic().duration_since(since);
            self.shared.metrics().executions().took(part, took);
            traced::part(&self.shared.outside.traces, self.trace, part, since);
        }
    }

    fn tell(&self, told: Told) {
        let mut slot = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = Some(told);
    }

    fn expressions(&self) -> Option<&Workers> {
        self.shared.outside.workers.as_ref()
    }

    async fn counter(&self, name: &str) -> Result<i64, Error> {
        let journal = &self.shared.journal;
        let value = journal.counter(name.as_bytes(), self.now).await?;
        let name = name.to_owned();
        self.observed.note(Observation::Counter { name, value });
        Ok(value)
    }

    async fn reputation(
        &self,
        address: Option<IpAddr>,
        identifier: Option<&str>,
    ) -> Result<i64, Error> {
        let wanted = Wanted::new(address, identifier);
        let unwritten = self.attempts();
        let score = attempts::score(&self.shared, &wanted, &unwritten, self.now).await?;
        self.observed.note(Observation::Reputation {
            address,
            identifier: identifier.map(str::to_owned),
            score,
        });
        Ok(score)
    }

    fn place(&self, address: IpAddr) -> Result<Place, Error> {
        let place = self.shared.outside.geoip.place(address);
        self.observed.note(Observation::Place {
            address,
            place: place.clone(),
        });
        Ok(place)
    }

    async fn breaches(&self, password: &SecretString) -> Result<Result<u64, String>, Error> {
        let asked = self.shared.outside.breaches.count(password).await;
        let count = asked.map_err(|error| error.to_string());
        self.observed.note(Observation::Breached {
            count: count.clone(),
        });
        Ok(count)
    }

    async fn weigh(&self, secret: &SecretString, look: Look) -> Result<Weighed, Error> {
        let secret = secret.clone();
        let looked = self
            .shared
            .pool
            .compute(move || look(secret.expose_secret()));
        let weighed = looked.await.map_err(|_| Error::Busy)?;
        let Weighed { passes, advice } = weighed.clone();
        self.observed.note(Observation::Weighed { passes, advice });
        Ok(weighed)
    }

    async fn fits(
        &self,
        of: Uuid,
        encoded: &SecretString,
        password: &SecretString,
    ) -> Result<bool, Error> {
        let pool = &self.shared.pool;
        let verdict = pool.verify(password.clone(), encoded.clone()).await;
        let fits = matches!(verdict.map_err(|_| Error::Busy)?, Verdict::Accepted { .. });
        self.observed.note(Observation::Hash { of, fits });
        Ok(fits)
    }
}
