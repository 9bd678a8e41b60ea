//! Executions that are still under way, and how a session finds its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::flow::query::Query;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, KeyId, Kind, Objects, Result};

/// The record of one execution that is under way. It goes when the execution ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unfinished {
    /// The execution, and the id of this record.
    pub execution: Uuid,
    /// The browser's session.
    pub session: Uuid,
    /// The flow.
    pub slug: String,
    /// What tells it from others of the same flow in the same session.
    pub identity: String,
    /// Where it leads.
    pub next: Option<String>,
    /// When it ends if nobody comes back.
    pub due: Timestamp,
}

impl Stored for Unfinished {
    const KIND: Kind = Kind::new("unfinished");

    fn id(&self) -> Uuid {
        self.execution
    }

    fn sealed_by(&self) -> KeyId {
        KeyId(self.execution)
    }

    fn unique(&self) -> Vec<Key> {
        vec![entry(self.session, &self.slug, &self.identity)]
    }

    fn index(&self) -> Vec<Key> {
        vec![Key::new("session", self.session)]
    }
}

fn entry(session: Uuid, slug: &str, identity: &str) -> Key {
    // A slug holds no line break, so no two entries look alike.
    Key::new("entry", format!("{session}\n{slug}\n{identity}"))
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
