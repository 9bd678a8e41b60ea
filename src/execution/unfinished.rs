//! Executions that are still under way, and how a session finds its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::flow::query::Query;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, Kind, Objects, Result};

/// The record of one execution that is under way. It goes when the execution ends.
///
/// It has nothing personal in it and lies under the system's key, because it must outlive the
/// execution's own: when a user is deleted on the way, somebody has to find and remove it, or
/// their browser could never begin that flow again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unfinished {
    /// The execution, and the id of this record.
    pub execution: Uuid,
    /// The browser's session.
    pub session: Uuid,
    /// The flow.
    pub slug: String,
    /// When it ends if nobody comes back.
    pub due: Timestamp,
    /// What tells it from others of the same flow in the same session. Only its lookup is
    /// stored, and the record is written once, so this is empty in one that was read.
    #[serde(skip)]
    pub identity: String,
    /// Where it leads; only its lookup is stored.
    #[serde(skip)]
    pub next: Option<String>,
}

impl Stored for Unfinished {
    const KIND: Kind = Kind::new("unfinished");

    fn id(&self) -> Uuid {
        self.execution
    }

    fn unique(&self) -> Vec<Key> {
        vec![entry(self.session, &self.slug, &self.identity)]
    }

    fn index(&self) -> Vec<Key> {
        let mut keys = vec![Key::new("session", self.session)];
        keys.extend(self.next.iter().map(|next| towards(self.session, next)));
        keys
    }
}

fn entry(session: Uuid, slug: &str, identity: &str) -> Key {
    // A slug holds no line break, so no two entries look alike.
    Key::new("entry", format!("{session}\n{slug}\n{identity}"))
}

fn towards(session: Uuid, next: &str) -> Key {
    Key::new("next", format!("{session}\n{next}"))
}

/// The execution of this flow in this session with the same `next` and invitation.
pub async fn find(
    objects: &(impl Objects + ?Sized),
    session: Uuid,
    slug: &str,
    query: &Query,
) -> Result<Option<Versioned<Unfinished>>> {
    object::find(objects, entry(session, slug, &query.identity())).await
}

/// Everything that is under way in this session.
pub async fn of_session(
    objects: &(impl Objects + ?Sized),
    session: Uuid,
) -> Result<Vec<Versioned<Unfinished>>> {
    object::scan(objects, Key::new("session", session)).await
}

/// Everything that is under way in this session and leads to this address.
pub async fn leading_to(
    objects: &(impl Objects + ?Sized),
    session: Uuid,
    next: &str,
) -> Result<Vec<Versioned<Unfinished>>> {
    object::scan(objects, towards(session, next)).await
}
