//! That somebody was erased: when, on whose behalf, which keys went with them. It holds nothing of
//! who they were but the identifiers that nothing leads from any more, and lies under the system's key.
//!
//! Only data and lookups; `erasure` is what erases.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::change::Means;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Journal, Key, KeyId, Kind, Objects, Result, Version};

/// How many executions one list holds.
pub const LISTED: usize = 1_000;

/// That somebody was erased, or is about to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Erasure {
    /// The user, whose key had the same identifier.
    pub user: Uuid,
    /// The number by which the API knew them.
    pub pk: i64,
    /// On whose behalf.
    pub by: By,
    /// Whether executions of others go in which they are named. Whoever asked said so in so many words.
    #[serde(default)]
    pub others: bool,
    /// When their key was destroyed.
    pub began: Timestamp,
    /// When the last trace was removed; `None` where that was interrupted.
    #[serde(default)]
    pub finished: Option<Timestamp>,
    /// What was removed so far.
    #[serde(default)]
    pub removed: Removed,
    /// What it came to.
    #[serde(default)]
    pub certificate: Option<Box<Certificate>>,
}

/// On whose behalf somebody is erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// By what means.
    pub means: Means,
    /// The user who asked for it, where it was one.
    pub user: Option<Uuid>,
}

/// How much was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Removed {
    /// Objects that were theirs: themselves, devices, tokens, sessions, consents, logins.
    pub objects: u64,
    /// Executions that were theirs.
    pub executions: u64,
    /// Executions of nobody in which they are named, or that were begun in a browser of theirs.
    pub executions_of_nobody: u64,
    /// Executions of others in which they are named.
    pub executions_of_others: u64,
    /// Audit events.
    pub events: u64,
    /// Mails that waited to be sent.
    pub mails: u64,
    /// Invitations in which they are named.
    pub invitations: u64,
    /// Rows that counted attempts with their name.
    pub attempts: u64,
    /// Bodies that were taken out of the log, as their key has to stay.
    pub bodies: u64,
}

/// What an erasure came to, in the form that is handed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// What this is, and in which form: `gatelog erasure 1`.
    pub certificate: String,
    /// The installation.
    pub installation: Uuid,
    /// The user.
    pub user: Uuid,
    /// The number by which the API knew them.
    pub pk: i64,
    /// On whose behalf.
    pub by: By,
    /// When their key was destroyed.
    pub began: Timestamp,
    /// When the last trace was removed.
    pub finished: Timestamp,
    /// The keys that were destroyed.
    pub keys: Keys,
    /// What was removed.
    pub removed: Removed,
    /// Whether the journal is whole afterwards.
    pub chain: Chain,
    /// Where they are still named, under keys that have to stay.
    pub remains: Vec<Remainder>,
    /// What has left this journal before, as far as it is known.
    pub departed: Vec<Departed>,
    /// What nobody here can know.
    pub unknown: Vec<String>,
    /// The signed note over everything else; none where nobody could sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// The keys that were destroyed. None of them exists when this is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// The user's, by whose identifier the key was known.
    pub user: Uuid,
    /// How many of executions.
    pub count: u64,
    /// Those of executions, at most fifty thousand of them.
    pub executions: Vec<Uuid>,
    /// Keys that should be gone and are not. This is empty.
    pub still_there: Vec<Uuid>,
}

/// Whether the journal is whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Whether every hash of every record is as it should be; `None` when nobody looked.
    pub is_whole: Option<bool>,
    /// How many records were looked at.
    pub records: u64,
    /// The last position.
    pub position: u64,
    /// The signed checkpoint with the root of the tree over all records, taken after the erasure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// What is damaged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

/// A record in which the user is still named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remainder {
    /// What it is about.
    pub kind: Kind,
    /// Which one.
    pub id: Uuid,
    /// The last revision that names them.
    pub version: Version,
}

/// Something that has left the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departed {
    /// What: `feed` for deliveries, otherwise as in [`super::departure::What`].
    pub what: String,
    /// When, or when the last part of it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Up to which position of the journal.
    pub position: u64,
    /// Whether it is sealed, so that what was destroyed here cannot be read there either, unless the
    /// keys were copied as well.
    pub is_sealed: bool,
}

impl Certificate {
    /// What is signed: the certificate as JSON without a signature, in the order of its fields.
    ///
    /// # Panics
    /// Never: it has only string keys.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let unsigned = Self {
            signature: None,
            ..self.clone()
        };
        serde_json::to_vec(&unsigned).expect("a certificate has only string keys")
    }
}

impl Stored for Erasure {
    const KIND: Kind = Kind::new("erasure");

    fn id(&self) -> Uuid {
        self.user
    }

    fn index(&self) -> Vec<Key> {
        let open = self.finished.is_none().then(|| Key::new("state", "open"));
        let pk = Key::new("pk", self.pk.to_be_bytes());
        open.into_iter().chain([pk]).collect()
    }
}

/// Why an execution went with a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It was theirs.
    Theirs,
    /// It was nobody's, and names them or was begun in a browser of theirs.
    OfNobody,
    /// It was somebody else's, and names them.
    OfOthers,
}

/// Executions that went with a user: by it, each says why it cannot be read any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// The list's identifier.
    pub id: Uuid,
    /// The user.
    pub user: Uuid,
    /// Why.
    pub why: Why,
    /// The executions.
    pub executions: Vec<Uuid>,
}

impl Stored for Erased {
    const KIND: Kind = Kind::new("erased");

    fn id(&self) -> Uuid {
        self.id
    }

    fn index(&self) -> Vec<Key> {
        let executions = self.executions.iter();
        let executions = executions.map(|id| Key::new("execution", id));
        executions.chain([Key::new("user", self.user)]).collect()
    }
}

/// What has to be looked for until an erasure is finished, should it be interrupted: the last of what
/// is known of the user. It lies under a key of its own, which goes at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sought {
    /// The user.
    pub user: Uuid,
    /// What they were known by, in lower case: this is looked for everywhere.
    pub identifiers: Vec<String>,
    /// What they and another account are known by, in lower case. It goes only where nobody else is
    /// meant; elsewhere it is listed.
    #[serde(default)]
    pub shared: Vec<String>,
    /// What else is known of them, in lower case. Others may be called the same, so this is looked for
    /// only where nobody else is meant.
    pub details: Vec<String>,
    /// What a browser that they logged in with shows, as [`super::User::uid`] says.
    #[serde(default)]
    pub uid: String,
    /// The browsers in which they were logged in.
    pub sessions: Vec<Uuid>,
}

impl Sought {
    /// The key that seals it. Its bits are those of the user's with others fixed.
    #[must_use]
    pub fn key(user: Uuid) -> KeyId {
        let mut bytes = *user.as_bytes();
        bytes[6] = 0xd0 | (bytes[6] & 0x0f);
        KeyId(Uuid::from_bytes(bytes))
    }
}

impl Stored for Sought {
    const KIND: Kind = Kind::new("erasure_sought");

    fn id(&self) -> Uuid {
        self.user
    }

    fn sealed_by(&self) -> KeyId {
        Self::key(self.user)
    }
}

/// What is known of the erasure of a user.
pub async fn erasure(
    objects: &(impl Objects + ?Sized),
    user: Uuid,
) -> Result<Option<Versioned<Erasure>>> {
    object::get(objects, user).await
}

/// What is known of the erasure of a user by their number.
pub async fn erasure_by_pk(
    objects: &(impl Objects + ?Sized),
    pk: i64,
) -> Result<Option<Versioned<Erasure>>> {
    let found = object::scan(objects, Key::new("pk", pk.to_be_bytes())).await?;
    Ok(found.into_iter().next())
}

/// The erasures that were interrupted.
pub async fn unfinished(objects: &(impl Objects + ?Sized)) -> Result<Vec<Versioned<Erasure>>> {
    object::scan(objects, Key::new("state", "open")).await
}

/// The executions that went with a user.
pub async fn executions_of(
    objects: &(impl Objects + ?Sized),
    user: Uuid,
) -> Result<Vec<Versioned<Erased>>> {
    object::scan(objects, Key::new("user", user)).await
}

/// With whom an execution went: the user, when, and why.
pub async fn erased_with(
    journal: &dyn Journal,
    execution: Uuid,
) -> Result<Option<(Uuid, Timestamp, Why)>> {
    let key = Key::new("execution", execution);
    let found: Vec<Versioned<Erased>> = object::scan(journal, key).await?;
    let Some(list) = found.into_iter().next() else {
        return Ok(None);
    };
    let erasure = erasure(journal, list.value.user).await?;
    Ok(erasure.map(|it| (it.value.user, it.value.began, list.value.why)))
}
