//! What is to be sent, kept until it is known what came of it.
//!
//! A mail is one object under a key of its own, which is destroyed once the mail is done: the link
//! in it is worth as much as a password. Nothing here sends.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Outcome;
use crate::journal::object::{self, Stored};
use crate::journal::{Key, KeyId, Kind, Version, Write};

/// A mail that somebody asked for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// Its identifier, from which its `Message-ID` is made.
    pub id: Uuid,
    /// What the recipient is called; may be empty.
    pub to_name: String,
    /// The recipient's address.
    pub to_address: String,
    /// Whom it comes from; the settings of its server say so otherwise.
    pub from: Option<String>,
    /// The subject.
    pub subject: String,
    /// The letter as HTML.
    pub html: String,
    /// The letter as text; may be empty.
    pub text: String,
    /// The e-mail stage whose own server is used; `None` for the server of the settings.
    pub server: Option<Uuid>,
    /// The execution that waits to hear of it.
    pub execution: Option<Uuid>,
    /// When it was asked for; this is its `Date`.
    pub created: Timestamp,
    /// After this moment it is not tried any more.
    pub until: Timestamp,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// When it is tried next.
    pub due: Timestamp,
    /// How far it has come.
    pub state: State,
}

/// How far a mail has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No server has it.
    #[default]
    Waiting,
    /// A server may have it: this is written before the first byte of it is handed over.
    Sending,
    /// It is known what came of it, and whoever asked for it has still to hear.
    Done(Outcome),
}

/// What the [`super::Courier`] has to know of a mail to take it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The mail.
    pub id: Uuid,
    /// Its server, as in [`Mail::server`].
    pub server: Option<Uuid>,
    /// When it is to be tried.
    pub due: Timestamp,
}

impl From<&Mail> for Posted {
    fn from(mail: &Mail) -> Self {
        Self {
            id: mail.id,
            server: mail.server,
            due: mail.due,
        }
    }
}

impl Mail {
    /// The mail as it is written down from the moment on after which it is not sent again: nobody
    /// needs the letter then, and letters are large.
    pub(super) fn without_letter(&self) -> Self {
        Self {
            html: String::new(),
            text: String::new(),
            ..self.clone()
        }
    }
}

/// Mails hold links that open accounts.
impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Stored for Mail {
    const KIND: Kind = Kind::new("mail");

    fn id(&self) -> Uuid {
        self.id
    }

    fn sealed_by(&self) -> KeyId {
        key(self.id)
    }

    fn index(&self) -> Vec<Key> {
        let is_fresh = self.state == State::Waiting && self.attempts == 0;
        if is_fresh { vec![fresh()] } else { Vec::new() }
    }
}

/// The index of mails that were never tried: all that the courier may not have been told of.
pub(super) fn fresh() -> Key {
    Key::new("state", "fresh")
}

/// The mail's own key. Its bits are those of the mail's id with others fixed than in the key of an
/// execution's secrets, should the two ids ever be the same.
fn key(mail: Uuid) -> KeyId {
    let mut bytes = *mail.as_bytes();
    bytes[6] = 0xe0 | (bytes[6] & 0x0f);
    KeyId(Uuid::from_bytes(bytes))
}

/// The writes that put a mail into the outbox. They belong into the commit of whatever asked for
/// it: then there is a mail exactly if that happened. [`super::Courier::wake`] after it.
pub fn enqueue(mail: &Mail) -> Vec<Write> {
    vec![
        Write::CreateKey {
            id: key(mail.id),
            under: KeyId::SYSTEM,
        },
        object::put(mail, Version::NONE),
    ]
}

/// The writes that end a mail: nothing of it can be read after them.
pub(super) fn remove(mail: Uuid, version: Version) -> Vec<Write> {
    vec![
        object::delete::<Mail>(mail, version),
        Write::DestroyKey { id: key(mail) },
    ]
}
