//! Executions that are still under way, and how a session finds its own.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::flow::{Entry, Execution};
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Error, Key, Kind, Objects, Result, Version, Write};

/// The record of one execution that is under way. It goes when the execution ends.
///
/// It has nothing personal in it and lies under the system's key, because it must outlive the
/// execution's own: when a user is deleted on the way, somebody has to find and remove it, or
/// their browser could never begin that flow again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unfinished {
    /// The execution, and the id of this record.
    pub execution: Uuid,
    /// The session of the browser that it belongs to.
    pub session: Uuid,
    /// When it ends if nobody comes back.
    pub due: Timestamp,
    /// The ways to it. Only their lookups are stored, so this is empty in one that was read.
    #[serde(skip)]
    pub entries: Vec<Entry>,
    /// Whom an operator let in again by a link that nobody has confirmed. Only its lookup is stored.
    #[serde(skip)]
    pub recovers: Option<Uuid>,
}

impl Stored for Unfinished {
    const KIND: Kind = Kind::new("unfinished");

    fn id(&self) -> Uuid {
        self.execution
    }

    fn unique(&self) -> Vec<Key> {
        self.entries.iter().map(entry).collect()
    }

    fn index(&self) -> Vec<Key> {
        let mut keys = vec![Key::new("session", self.session)];
        let own = self.entries.iter().filter(|it| it.session == self.session);
        let mut next: Vec<String> = own.filter_map(Entry::next).collect();
        next.sort_unstable();
        next.dedup();
        keys.extend(next.iter().map(|next| towards(self.session, next)));
        keys.extend(self.recovers.map(recovering));
        let former = self.entries.iter().map(|it| it.session);
        let former: BTreeSet<Uuid> = former.filter(|it| *it != self.session).collect();
        keys.extend(former.iter().map(|session| Key::new("former", session)));
        keys
    }
}

fn entry(entry: &Entry) -> Key {
    let Entry {
        session,
        slug,
        identity,
    } = entry;
    // A slug holds no line break, so no two entries look alike.
    Key::new("entry", format!("{session}\n{slug}\n{identity}"))
}

fn towards(session: Uuid, next: &str) -> Key {
    Key::new("next", format!("{session}\n{next}"))
}

fn recovering(user: Uuid) -> Key {
    Key::new("recovers", user)
}

/// The write that makes the record say what the state says: of a new execution, of one whose ways
/// or whose browser are others than before, or of one that is over.
///
/// # Errors
/// A conflict when there is no record although the execution is under way.
pub(super) async fn write(
    objects: &(impl Objects + ?Sized),
    new: Option<&Unfinished>,
    before: &Execution,
    after: &Execution,
) -> Result<Option<Write>> {
    let Some(running) = after.running() else {
        let Some(last) = before.running() else {
            return Ok(None);
        };
        return removal(objects, last.execution).await;
    };
    let record = |due, recovers| Unfinished {
        execution: running.execution,
        session: running.session,
        due,
        entries: running.entries.clone(),
        recovers,
    };
    if let Some(new) = new {
        return Ok(Some(object::put(
            &record(new.due, new.recovers),
            Version::NONE,
        )));
    }
    let same = before.running().is_some_and(|before| {
        (before.session, &before.entries) == (running.session, &running.entries)
    });
    if same {
        return Ok(None);
    }
    let found: Option<Versioned<Unfinished>> = object::get(objects, running.execution).await?;
    let Some(found) = found else {
        return Err(Error::Conflict {
            stream: object::stream::<Unfinished>(running.execution),
            expected: Version(1),
            actual: Version::NONE,
        });
    };
    Ok(Some(object::put(
        &record(found.value.due, None),
        found.version,
    )))
}

/// The write that removes the record, where there is one.
pub(super) async fn removal(
    objects: &(impl Objects + ?Sized),
    execution: Uuid,
) -> Result<Option<Write>> {
    let found: Option<Versioned<Unfinished>> = object::get(objects, execution).await?;
    Ok(found.map(|found| object::delete::<Unfinished>(execution, found.version)))
}

/// The execution to which this way leads.
pub async fn find(
    objects: &(impl Objects + ?Sized),
    way: &Entry,
) -> Result<Option<Versioned<Unfinished>>> {
    object::find(objects, entry(way)).await
}

/// Everything that is under way in this session.
pub async fn of_session(
    objects: &(impl Objects + ?Sized),
    session: Uuid,
) -> Result<Vec<Versioned<Unfinished>>> {
    object::scan(objects, Key::new("session", session)).await
}

/// Everything that went on in another browser, and to which this session still has a way.
pub async fn left_by(
    objects: &(impl Objects + ?Sized),
    session: Uuid,
) -> Result<Vec<Versioned<Unfinished>>> {
    object::scan(objects, Key::new("former", session)).await
}

/// Everything that is under way in this session and leads to this address.
pub async fn leading_to(
    objects: &(impl Objects + ?Sized),
    session: Uuid,
    next: &str,
) -> Result<Vec<Versioned<Unfinished>>> {
    object::scan(objects, towards(session, next)).await
}

/// The executions in which an operator lets this user in again, and nobody has come.
pub async fn recoveries_of(
    objects: &(impl Objects + ?Sized),
    user: Uuid,
) -> Result<Vec<Versioned<Unfinished>>> {
    object::scan(objects, recovering(user)).await
}
