//! The only window through which a stage sees anything outside its execution.
//!
//! The live form asks and notes every answer; the recorded form, [`Recorded`], gives the noted
//! answers back. So the same code can be run again on what was seen then. Nothing here decides.
//!
//! A lookup key is noted as it is, so an execution never looks anything up by a secret.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::directory::device::Device;
use crate::directory::user::User;
use crate::expression::{Told, Workers};
use crate::geoip::Place;
use crate::journal::object::{self, Versioned};
use crate::journal::{self, Objects};
use crate::telemetry::Measured;
use crate::webauthn::{Asserted, Known, Party, Registered};

mod change;
mod letter;
mod observation;
mod observed;
pub mod record;
mod recorded;

pub use change::{Attempt, Change, StartSession, written, written_devices};
pub use letter::{Call, Letter, NewLink, Recipient, person};
pub use observation::{Interrupted, Observation, PasswordAnswer, end_of_evaluation};
pub use observed::{Observed, found};
pub use record::Record;
pub use recorded::{Divergence, Recorded, Revisions};

/// Why the world did not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// Too many passwords are being checked already. Try again in a moment.
    #[error("too many passwords are being checked at the moment")]
    Busy,
    /// What was recorded is not what is asked now.
    #[error("{0}")]
    Diverged(Box<Divergence>),
    /// An object that an execution is pinned to is gone.
    #[error("{0} is gone, and the execution is pinned to it")]
    Gone(String),
    /// An evaluation that came to its own end then cannot be run again now.
    #[error("{0}")]
    NotRun(Interrupted),
}

/// Everything outside an execution.
#[async_trait(?Send)]
pub trait World {
    /// The one moment of the command.
    fn now(&self) -> Timestamp;

    /// The catalog and the directory, as they are now.
    fn objects(&self) -> &dyn Objects;

    /// Whether `password` is the user's; a hash that is out of date is replaced on the way.
    async fn verify_password(
        &self,
        user: &Versioned<User>,
        password: &SecretString,
    ) -> Result<PasswordAnswer, Error>;

    /// Takes as long as checking a password, so that nobody learns who exists.
    async fn burn_password(&self) -> Result<(), Error>;

    /// Whether what was typed is this secret, compared in constant time.
    fn is_secret(&self, typed: &SecretString, secret: &SecretString) -> Result<bool, Error>;

    /// Keeps a secret in the execution's vault as long as the context names it, and names it.
    fn keep(&self, secret: SecretString) -> Result<Uuid, Error>;

    /// The secret that was kept under this name; a replay gets one that says nothing.
    async fn open(&self, handle: Uuid) -> Result<Option<SecretString>, Error>;

    /// Makes a secret that nobody has had before. A replay gets one that says nothing.
    fn generate(&self, what: Fresh) -> Result<SecretString, Error>;

    /// A random identifier. It is noted, so it is no secret.
    fn draw(&self) -> Result<Uuid, Error>;

    /// The credential that an assertion names, where it has the form of one; see
    /// [`crate::webauthn::presented`].
    fn presented(&self, answer: &serde_json::Value, lenient: bool)
    -> Result<Option<String>, Error>;

    /// Checks what a device says that has made a credential. The inner error is what is wrong.
    fn register(
        &self,
        ceremony: Ceremony<'_>,
        answer: &serde_json::Value,
    ) -> Result<Result<Registered, String>, Error>;

    /// Checks what a device says that proves a credential. The inner error is what is wrong.
    fn assert(
        &self,
        ceremony: Ceremony<'_>,
        answer: &serde_json::Value,
        known: Known<'_>,
    ) -> Result<Result<Asserted, String>, Error>;

    /// Encodes a password as it is stored. A replay gets one that nobody can have.
    async fn hash_password(&self, password: &SecretString) -> Result<SecretString, Error>;

    /// Makes a link that leads back to this execution, and says what it is known by. The secret in
    /// it is nowhere but in the mail that this command posts, or with the operator who asked.
    fn link(&self, link: NewLink) -> Result<Uuid, Error>;

    /// Writes a mail, which is sent once this command is in the journal. The inner error says in
    /// words what the operator has to mend.
    async fn post(&self, letter: Letter) -> Result<Result<Uuid, String>, Error>;

    /// Asks something of another server, once this command is in the journal. What comes of it is
    /// another command.
    fn request(&self, call: Call) -> Result<Uuid, Error>;

    /// Asks for a change that is written together with the events of this command.
    fn change(&self, change: Change);

    /// The user as a change of this very command leaves them, where there is one. Whoever changes
    /// a user begins from there, as the last change of a user is the one that is written.
    fn written(&self, user: Uuid) -> Option<Versioned<User>>;

    /// The devices of a user that this very command writes, as it leaves them: who sets one up and
    /// is asked for it at once has none in the journal yet.
    fn written_devices(&self, _user: Uuid) -> Vec<Device> {
        Vec::new()
    }

    /// Runs one evaluation of a policy, for no longer than `deadline`.
    ///
    /// What the evaluation comes to is the caller's business; it fails only with what cannot be
    /// run again. A replay of an evaluation that was interrupted does not run it at all.
    async fn evaluate<'w>(
        &'w self,
        policy: Uuid,
        deadline: Duration,
        work: Work<'w>,
    ) -> Result<Evaluated, Error>;

    /// Notes how the evaluation that is under way went, as it was handed a secret.
    fn tell(&self, _told: Told) {}

    /// How the evaluation that is under way went then, where it was handed a secret: whoever
    /// replays it goes by that. Nobody knows before it happens.
    fn recall(&self) -> Option<Told> {
        None
    }

    /// The processes that run expressions, where there are any.
    fn expressions(&self) -> Option<&Workers>;

    /// So many times as long as it may take otherwise is an evaluation waited for. Where one is run again
    /// that came to its end then, nobody is kept waiting, and a machine that has much to do proves nothing.
    fn patience(&self) -> u32 {
        1
    }

    /// A moment to measure from; none where nothing is measured, as in a replay.
    fn moment(&self) -> Option<Instant> {
        None
    }

    /// Notes how long a part of the command took since then, for metrics alone.
    fn took(&self, _part: Measured<'_>, _since: Option<Instant>) {}

    /// What a counter stands at; zero when nothing was ever counted, or too long ago.
    async fn counter(&self, name: &str) -> Result<i64, Error>;

    /// What the attempts from an address, and those with a name, come to; what this command asked
    /// to count counts already.
    async fn reputation(
        &self,
        address: Option<IpAddr>,
        identifier: Option<&str>,
    ) -> Result<i64, Error>;

    /// Where an address is, as far as the databases say.
    fn place(&self, address: IpAddr) -> Result<Place, Error>;

    /// How often a password is in the lists of stolen ones; the inner error says in words why
    /// nobody could be asked.
    async fn breaches(&self, password: &SecretString) -> Result<Result<u64, String>, Error>;

    /// Looks at a secret, such as how easily it is guessed. What comes of it is noted, so it says
    /// nothing that the visitor may not read.
    async fn weigh(&self, secret: &SecretString, look: Look) -> Result<Weighed, Error>;

    /// Whether a password fits an encoded one that is not a user's current one; `of` names what
    /// the encoded one belongs to.
    async fn fits(
        &self,
        of: Uuid,
        encoded: &SecretString,
        password: &SecretString,
    ) -> Result<bool, Error>;
}

/// The user as this command leaves them so far; one whom it makes is in no journal yet.
///
/// # Errors
/// When the world did not answer.
pub async fn user(world: &dyn World, id: Uuid) -> Result<Option<Versioned<User>>, Error> {
    let found = object::get(world.objects(), id).await?;
    Ok(world.written(id).or(found))
}

/// The work of one evaluation; it fails only with what cannot be run again.
pub type Work<'w> = LocalBoxFuture<'w, Result<(), Interrupted>>;

/// What looks at a secret; it may take its time. A replay does not call it, since the secret is
/// gone by then.
pub type Look = Box<dyn FnOnce(&str) -> Weighed + Send>;

/// What a device was asked.
#[derive(Clone, Copy, Debug)]
pub struct Ceremony<'a> {
    /// The challenge, as [`Fresh::Challenge`] makes it.
    pub challenge: &'a SecretString,
    /// The site.
    pub party: &'a Party,
    /// Whether the device has to have checked who uses it.
    pub verified: bool,
}

impl Ceremony<'_> {
    /// The bytes of the challenge; none in a replay, where nobody checks anything.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        challenge(self.challenge).unwrap_or_default()
    }
}

/// The bytes of a challenge that [`Fresh::Challenge`] made; `None` in a replay.
#[must_use]
pub fn challenge(secret: &SecretString) -> Option<Vec<u8>> {
    let digits = secret.expose_secret().as_bytes().chunks(2);
    let bytes = digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    bytes.collect()
}

/// What a fresh secret looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fresh {
    /// So many decimal digits.
    Digits(usize),
    /// So many ASCII letters and digits.
    Text(usize),
    /// 20 bytes, in lower hexadecimal: the key of a generator of codes.
    Key,
    /// 64 bytes, in lower hexadecimal: what a device has to sign.
    Challenge,
}

/// What a look at a secret came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weighed {
    /// Whether it is good enough.
    pub passes: bool,
    /// What the visitor may read of it.
    pub advice: Vec<String>,
}

/// How an evaluation went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// How long it took, in microseconds; in a replay, how long it took then.
    pub micros: u64,
    /// Why it did not come to its own end, where it did not.
    pub interrupted: Option<Interrupted>,
}
