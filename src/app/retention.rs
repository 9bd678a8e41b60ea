//! Removes what the settings do not want kept: bodies go, frames stay, chains stay whole.
//!
//! A revision that a kept execution has seen is kept as well, or the execution could no longer
//! be run again.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use jiff::Timestamp;

use crate::catalog::{
    BlueprintInstance, Brand, Flow, FlowStageBinding, Policy, PolicyBinding, Prompt, Source, Stage,
};
use crate::courier::outbox::Mail;
use crate::directory::{
    AuditEvent, Device, Group, Login, MfaAttempts, PasswordHistory, PushAttempts, Role, Session,
    Token, User, remark,
};
use crate::execution::Unfinished;
use crate::journal::cursor::Cursor;
use crate::journal::object::Stored;
use crate::journal::sled::SledJournal;
use crate::journal::{Journal, Kind, Position, Result, StreamId};
use crate::settings::Retention;
use crate::world::Observation;
use crate::world::record::{self, Record};

/// The revisions that one class of streams consists of.
const CATALOG: [Kind; 9] = [
    Flow::KIND,
    FlowStageBinding::KIND,
    Stage::KIND,
    Policy::KIND,
    PolicyBinding::KIND,
    Prompt::KIND,
    Brand::KIND,
    Source::KIND,
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

/// Removes the bodies that are older than their class is kept, and returns how many went.
///
/// # Errors
/// When the journal cannot be read or written; what was removed until then is gone.
pub(super) async fn apply(
    journal: &Arc<SledJournal>,
    retention: &Retention,
    now: Timestamp,
) -> Result<u64> {
    let before = |kept: Option<Duration>| kept.and_then(|kept| now.checked_sub(kept).ok());
    let mut removed = 0;
    if let Some(before) = before(retention.execution) {
        let alive = Arc::new(alive(journal, before).await?);
        let kinds = [
            record::KIND,
            Unfinished::KIND,
            Mail::KIND,
            AuditEvent::KIND,
            Cursor::KIND,
        ];
        removed += remove(journal, &kinds, before, alive).await?;
    }
    if let Some(before) = before(retention.session) {
        removed += remove(
            journal,
            &[Session::KIND, remark::KIND],
            before,
            Arc::default(),
        )
        .await?;
    }
    let classes = [
        (retention.catalog, &CATALOG[..]),
        (retention.directory, &DIRECTORY[..]),
    ];
    if classes.iter().any(|(kept, _)| kept.is_some()) {
        let seen = Arc::new(seen(journal).await?);
        for (kept, kinds) in classes {
            if let Some(before) = before(kept) {
                removed += remove(journal, kinds, before, Arc::clone(&seen)).await?;
            }
        }
    }
    Ok(removed)
}

async fn remove(
    journal: &Arc<SledJournal>,
    kinds: &[Kind],
    before: Timestamp,
    kept: Arc<HashSet<StreamId>>,
) -> Result<u64> {
    let mut removed = 0;
    for kind in kinds {
        let (journal, kept, kind) = (Arc::clone(journal), Arc::clone(&kept), *kind);
        let work = move || journal.remove_bodies(kind, before, |stream| kept.contains(&stream));
        let done = tokio::task::spawn_blocking(work).await;
        removed += done.map_err(|error| {
            crate::journal::Error::Unavailable(format!("retention broke off: {error}").into())
        })??;
    }
    Ok(removed)
}

/// The executions that are under way, or to which something happened since `before`.
async fn alive(journal: &SledJournal, before: Timestamp) -> Result<HashSet<StreamId>> {
    let mut alive = HashSet::new();
    let keep = |alive: &mut HashSet<StreamId>, id| {
        alive.insert(StreamId::new(record::KIND, id));
        alive.insert(StreamId::new(Unfinished::KIND, id));
    };
    for unfinished in Journal::list(journal, Unfinished::KIND, None, usize::MAX).await? {
        keep(&mut alive, unfinished.stream.id);
    }
    each(journal, |stream, at, _| {
        if at >= before {
            keep(&mut alive, stream.id);
        }
    })
    .await?;
    Ok(alive)
}

/// What the executions that can still be read have seen.
async fn seen(journal: &SledJournal) -> Result<HashSet<StreamId>> {
    let mut seen = HashSet::new();
    each(journal, |_, _, body| {
        let Some(record) = body.and_then(|body| serde_json::from_slice::<Record>(body).ok()) else {
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

/// Looks at every record of every execution that there is now.
async fn each(
    journal: &SledJournal,
    mut look: impl FnMut(StreamId, Timestamp, Option<&[u8]>),
) -> Result<()> {
    let last = journal.last();
    if last == Position(0) {
        return Ok(());
    }
    let mut records = journal.follow(Position(0));
    while let Some(found) = records.next().await {
        let (position, envelope) = found?;
        if envelope.stream.kind == record::KIND {
            look(envelope.stream, envelope.at, envelope.body.as_deref());
        }
        if position >= last {
            break;
        }
    }
    Ok(())
}
