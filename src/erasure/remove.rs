//! Removes what was found of somebody, a portion at a time.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use super::search::{Found, search};
use super::{Error, Freely, ROUNDS, TRIES, Tools, commit, letters, listed_ids, lists};
use crate::courier::outbox::Mail;
use crate::directory::erasure::{Removed, Sought, Why, erasure};
use crate::directory::{AuditEvent, Invitation, Reputation, mail_attempts};
use crate::journal::object::{self, Stored, Versioned, put};
use crate::journal::{KeyId, StreamId, Version, Write};

/// How many executions, or objects, go in one commit.
const PORTION: usize = 500;

/// How much of what was found will have gone, without what was the user's own.
pub(super) fn counted(found: &Found) -> Removed {
    Removed {
        executions_of_nobody: found.of_nobody.len() as u64,
        events: found.events.len() as u64,
        mails: found.mails.len() as u64,
        invitations: found.count(Invitation::KIND),
        attempts: found.count(Reputation::KIND),
        ..Removed::default()
    }
}

/// The second step: looks for a user whose key is gone, and removes what names them. Done again, it
/// finds what is left. Whether there was anything.
pub(super) async fn traces(tools: &Tools, user: Uuid) -> Result<bool, Error> {
    let journal = &*tools.journal;
    let sought: Option<Versioned<Sought>> = object::get(journal, user).await?;
    let erasure = erasure(journal, user).await?;
    let Some((sought, erasure)) = sought.zip(erasure) else {
        return Err(Error::Unknown(user.to_string()));
    };
    let sought = sought.value;
    let own = listed_ids(journal, user).await?;
    // They have to end before anything is looked for: what they are about to write is no more than
    // what was found of them before.
    tools.executions.forget(own.iter().copied()).await?;
    let others = erasure.value.others;
    let mut found = search(journal, &sought, &own, others, &mut Freely::default()).await?;
    for address in sought.identifiers.iter().chain(&sought.shared) {
        let count = mail_attempts::mail_attempts(journal, address).await?;
        if let Some(count) = count {
            let stream = object::stream::<mail_attempts::MailAttempts>(count.value.id);
            found.objects.insert(stream, count.version);
            for version in 1..=count.version.0 {
                found.bodies.insert((stream, Version(version)));
            }
        }
    }
    let written = letters::remove(tools.letters.as_deref(), &sought).await;
    let was_clear = found.is_clear() && written == 0;
    executions(tools, user, Why::OfNobody, &found.of_nobody).await?;
    if others {
        executions(tools, user, Why::OfOthers, &found.of_others).await?;
    }
    let events: Vec<StreamId> = found
        .events
        .keys()
        .map(|id| object::stream::<AuditEvent>(*id))
        .collect();
    let objects: Vec<StreamId> = found.objects.keys().copied().collect();
    let mails: Vec<StreamId> = found
        .mails
        .keys()
        .map(|id| object::stream::<Mail>(*id))
        .collect();
    for (streams, keys) in [(events, false), (objects, false), (mails, true)] {
        for portion in streams.chunks(PORTION) {
            let of = |it: &StreamId| found.mails.get(&it.id).map(|(key, _)| *key);
            let keys: Vec<KeyId> = if keys {
                portion.iter().filter_map(of).collect()
            } else {
                Vec::new()
            };
            objects_go(tools, user, portion, &keys).await?;
        }
    }
    let bodies = journal
        .remove_bodies(std::mem::take(&mut found.bodies))
        .await?;
    if bodies > 0 || written > 0 {
        count(tools, user, |removed| {
            removed.bodies += bodies;
            removed.mails += written;
        })
        .await?;
    }
    Ok(!was_clear)
}

/// Removes what came since the last look, until nothing does any more. What comes later still is
/// listed as left.
pub(super) async fn latecomers(tools: &Tools, user: Uuid) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        if !traces(tools, user).await? {
            break;
        }
    }
    Ok(())
}

/// Destroys the keys of executions, with a list of them by which they say why they cannot be read.
async fn executions(
    tools: &Tools,
    user: Uuid,
    why: Why,
    all: &BTreeMap<Uuid, Version>,
) -> Result<(), Error> {
    let all: Vec<Uuid> = all.keys().copied().collect();
    for portion in all.chunks(PORTION) {
        let mut writes = lists(&tools.clock, user, why, portion);
        writes.extend(
            portion
                .iter()
                .map(|id| Write::DestroyKey { id: KeyId(*id) }),
        );
        let number = portion.len() as u64;
        write(tools, user, writes, |removed| match why {
            Why::Theirs => removed.executions += number,
            Why::OfNobody => removed.executions_of_nobody += number,
            Why::OfOthers => removed.executions_of_others += number,
        })
        .await?;
        tools.executions.forget(portion.iter().copied()).await?;
    }
    Ok(())
}

/// Removes objects, whether or not anybody can read them.
async fn objects_go(
    tools: &Tools,
    user: Uuid,
    streams: &[StreamId],
    keys: &[KeyId],
) -> Result<(), Error> {
    let streams: HashSet<StreamId> = streams.iter().copied().collect();
    for _ in 0..TRIES {
        let mut writes = Vec::with_capacity(streams.len());
        for stream in &streams {
            let (expected, _) = tools.journal.head(*stream).await?;
            writes.push(Write::Delete {
                stream: *stream,
                expected,
            });
        }
        writes.extend(keys.iter().map(|id| Write::DestroyKey { id: *id }));
        let of = |kind| streams.iter().filter(|it| it.kind == kind).count() as u64;
        let added = |removed: &mut Removed| {
            removed.events += of(AuditEvent::KIND);
            removed.mails += of(Mail::KIND);
            removed.invitations += of(Invitation::KIND);
            removed.attempts += of(Reputation::KIND);
        };
        if write_once(tools, user, &writes, added).await? {
            return Ok(());
        }
    }
    Err(Error::Contended)
}

/// Notes that somebody asked for executions of others as well.
pub(super) async fn also_of_others(tools: &Tools, user: Uuid) -> Result<(), Error> {
    for _ in 0..TRIES {
        let found = erasure(&*tools.journal, user).await?;
        let mut found = found.ok_or_else(|| Error::Unknown(user.to_string()))?;
        found.value.others = true;
        let writes = vec![put(&found.value, found.version)];
        if commit(tools, writes, tools.clock.ordered_id()).await? {
            return Ok(());
        }
    }
    Err(Error::Contended)
}

async fn count(tools: &Tools, user: Uuid, add: impl Fn(&mut Removed)) -> Result<(), Error> {
    write(tools, user, Vec::new(), add).await
}

/// Writes something, and counts it in the same commit.
async fn write(
    tools: &Tools,
    user: Uuid,
    writes: Vec<Write>,
    add: impl Fn(&mut Removed),
) -> Result<(), Error> {
    for _ in 0..TRIES {
        if write_once(tools, user, &writes, &add).await? {
            return Ok(());
        }
    }
    Err(Error::Contended)
}

async fn write_once(
    tools: &Tools,
    user: Uuid,
    writes: &[Write],
    add: impl Fn(&mut Removed),
) -> Result<bool, Error> {
    let found = erasure(&*tools.journal, user).await?;
    let mut found = found.ok_or_else(|| Error::Unknown(user.to_string()))?;
    add(&mut found.value.removed);
    let mut writes = writes.to_vec();
    writes.push(put(&found.value, found.version));
    Ok(commit(tools, writes, tools.clock.ordered_id()).await?)
}
