//! Removes what the settings do not want kept: bodies go, frames stay, chains stay whole.
//!
//! A revision that a kept execution has seen is kept as well, or the execution could no longer
//! be run again.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::StreamExt;
use jiff::Timestamp;
use uuid::Uuid;

use super::kept::Kept;
use crate::catalog::{
    Application, BlueprintInstance, Brand, Flow, FlowStageBinding, Policy, PolicyBinding, Prompt,
    Source, Stage,
};
use crate::clock::Clock;
use crate::courier::outbox::Mail;
use crate::directory::{
    AuditEvent, Device, Group, Login, MfaAttempts, PasswordHistory, PushAttempts, Role, Session,
    Token, User, remark,
};
use crate::execution::Unfinished;
use crate::journal::cursor::Cursor;
use crate::journal::object::Stored;
use crate::journal::{Commit, Durability, Journal, KeyId, Kind, Position, Result, StreamId, Write};
use crate::settings::Retention;
use crate::world::Observation;
use crate::world::record::{self, Record};

/// The revisions that one class of streams consists of.
const CATALOG: [Kind; 10] = [
    Flow::KIND,
    FlowStageBinding::KIND,
    Stage::KIND,
    Policy::KIND,
    PolicyBinding::KIND,
    Prompt::KIND,
    Brand::KIND,
    Source::KIND,
    Application::KIND,
    BlueprintInstance::KIND,
];
const DIRECTORY: [Kind; 9] = [
    User::KIND,
    PasswordHistory::KIND,
    Device::KIND,
    MfaAttempts::KIND,
    PushAttempts::KIND,
    Group::KIND,
    Role::KIND,
    Token::KIND,
    Login::KIND,
];

/// What belongs to executions beside their own streams.
const OF_EXECUTIONS: [Kind; 4] = [Unfinished::KIND, Mail::KIND, AuditEvent::KIND, Cursor::KIND];
const OF_SESSIONS: [Kind; 2] = [Session::KIND, remark::KIND];

/// So many keys are destroyed in one commit.
const KEYS: usize = 500;

/// What went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Removed {
    /// Bodies of records.
    pub(super) bodies: u64,
    /// Keys of executions under which nothing is left.
    pub(super) keys: usize,
}

/// Removes the bodies that are older than their class is kept, in one pass over the journal, and then
/// the keys of the executions that went.
///
/// # Errors
/// When the journal cannot be read or written; what was removed until then is gone.
pub(super) async fn apply(kept: &Kept, retention: &Retention, clock: &Clock) -> Result<Removed> {
    let (journal, now) = (&*kept.journal(), clock.now());
    let before = |kept: Option<Duration>| kept.and_then(|kept| now.checked_sub(kept).ok());
    let [execution, session, catalog, directory] = [
        before(retention.execution),
        before(retention.session),
        before(retention.catalog),
        before(retention.directory),
    ];
    if [execution, session, catalog, directory] == [None; 4] {
        return Ok(Removed::default());
    }
    let over = match execution {
        Some(before) => over(kept, before).await?,
        None => HashSet::new(),
    };
    let seen = if catalog.is_some() || directory.is_some() {
        seen(journal).await?
    } else {
        HashSet::new()
    };
    let goes = move |stream: StreamId, at: Timestamp| {
        let is_old = |before: Option<Timestamp>| before.is_some_and(|before| at < before);
        let of = |kinds: &[Kind]| kinds.contains(&stream.kind);
        if stream.kind == record::KIND {
            over.contains(&stream.id)
        } else if of(&OF_EXECUTIONS) {
            is_old(execution)
        } else if of(&OF_SESSIONS) {
            is_old(session)
        } else {
            let is_old = of(&CATALOG) && is_old(catalog) || of(&DIRECTORY) && is_old(directory);
            is_old && !seen.contains(&stream)
        }
    };
    let forgotten = kept.forget(record::KIND, goes).await?;
    for keys in forgotten.keys.chunks(KEYS) {
        let commit = Commit {
            writes: keys
                .iter()
                .map(|id| Write::DestroyKey { id: *id })
                .collect(),
            durability: Durability::Durable,
            fence: None,
            at: now,
            correlation: clock.opaque_id(),
        };
        journal.commit(commit).await?;
    }
    Ok(Removed {
        bodies: forgotten.bodies,
        keys: forgotten.keys.len(),
    })
}

/// The executions that are over, whose last record is from before `before`, and of which something is
/// left: a body, or their key.
async fn over(kept: &Kept, before: Timestamp) -> Result<HashSet<Uuid>> {
    let found: (HashSet<Uuid>, HashMap<Uuid, KeyId>) = Default::default();
    let found = kept.frames(found, move |(over, without), frame, has_body| {
        if frame.stream.kind != record::KIND {
            return;
        }
        let id = frame.stream.id;
        // The last record decides, which is the one that is seen last.
        if frame.at >= before {
            over.remove(&id);
            without.remove(&id);
        } else if has_body {
            over.insert(id);
            without.remove(&id);
        } else if !over.contains(&id) {
            without.insert(id, frame.key);
        }
    });
    let (mut over, without) = found.await?;
    // Of those that have no body any more the key may be left, if the process ended in between.
    let journal = kept.journal();
    for (id, key) in without {
        if journal.wrapper(key).await?.is_some() {
            over.insert(id);
        }
    }
    for unfinished in journal.list(Unfinished::KIND, None, usize::MAX).await? {
        over.remove(&unfinished.stream.id);
    }
    Ok(over)
}

/// What the executions that can still be read have seen.
async fn seen(journal: &dyn Journal) -> Result<HashSet<StreamId>> {
    let mut seen = HashSet::new();
    each(journal, |body| {
        let Ok(record) = serde_json::from_slice::<Record>(body) else {
            return;
        };
        for observation in record.observations {
            match observation {
                Observation::Object { kind, id, .. } => {
                    seen.insert(StreamId::new(kind, id));
                }
                Observation::Found { kind, objects, .. } => {
                    seen.extend(objects.into_iter().map(|(id, _)| StreamId::new(kind, id)));
                }
                _ => {}
            }
        }
    })
    .await?;
    Ok(seen)
}

/// Looks at every body of every execution that there is now.
async fn each(journal: &dyn Journal, mut look: impl FnMut(&[u8])) -> Result<()> {
    let last = journal.last();
    if last == Position(0) {
        return Ok(());
    }
    let mut records = journal.follow(Position(0));
    while let Some(found) = records.next().await {
        let (position, envelope) = found?;
        if let Some(body) = &envelope.body
            && envelope.stream.kind == record::KIND
        {
            look(body);
        }
        if position >= last {
            break;
        }
    }
    Ok(())
}
