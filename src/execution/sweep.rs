//! Ends what ran out of time.

use std::future::ready;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use uuid::Uuid;

use super::{Error, Executions, Unfinished};
use crate::directory::link::Link;
use crate::directory::mail_attempts::MailAttempts;
use crate::directory::session::Session;
use crate::directory::{Invitation, PasswordHistory, Reputation, UserConsent};
use crate::flow::client::Client;
use crate::flow::input::Request;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{self, Commit, Durability, Journal, Write};
use crate::policy::unique_password;

/// How many objects are looked at, or removed, in one go.
const PAGE: usize = 256;

/// How many executions are ended side by side, so that their commits share a batch.
const AT_ONCE: usize = 16;

/// After so many have been ended, others get their turn.
const MOST: usize = 1_024;

/// Ends executions whose time is over, removes sessions and attempts that have expired, and forgets
/// passwords that nobody has to remember. Says whether more executions are to be ended; then nothing
/// else was done.
///
/// It looks at everything, so it is for now and then.
pub(super) async fn sweep(executions: &Executions) -> Result<bool, Error> {
    if end_due(executions, Reach::All).await? {
        return Ok(true);
    }
    let shared = &executions.shared;
    let now = shared.clock.now();
    drop_ended::<Session>(executions, now, |it| it.is_expired(now)).await?;
    let keeping = unique_password::keeping(shared.journal.as_ref()).await?;
    tidy::<PasswordHistory>(executions, now, |it| it.trimmed(keeping)).await?;
    drop_ended::<Link>(executions, now, |it| it.is_over(now)).await?;
    drop_ended::<MailAttempts>(executions, now, |it| it.expires <= now).await?;
    drop_ended::<Invitation>(executions, now, |it| it.is_over(now)).await?;
    drop_ended::<UserConsent>(executions, now, |it| it.is_expired(now)).await?;
    drop_ended::<Reputation>(executions, now, |it| it.is_expired(now)).await?;
    Ok(false)
}

/// Removes the objects of a type whose time is over.
async fn drop_ended<T: Stored>(
    executions: &Executions,
    now: Timestamp,
    has_ended: impl Fn(&T) -> bool,
) -> Result<(), Error> {
    tidy::<T>(executions, now, |it| {
        let ends = || object::delete::<T>(it.value.id(), it.version);
        has_ended(&it.value).then(ends)
    })
    .await
}

/// Writes what `tidies` asks for, for all objects of a type, a page at a time.
async fn tidy<T: Stored>(
    executions: &Executions,
    now: Timestamp,
    tidies: impl Fn(&Versioned<T>) -> Option<Write>,
) -> Result<(), Error> {
    let journal = executions.shared.journal.as_ref();
    let mut after = None;
    loop {
        let page = Journal::list(journal, T::KIND, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.stream.id);
        let mut writes = Vec::new();
        for found in &page {
            match object::open::<T>(found) {
                Ok(stored) => writes.extend(tidies(&stored)),
                Err(error) => tracing::error!(%error, kind = %T::KIND, "an object is unreadable"),
            }
        }
        if !writes.is_empty() {
            remove(executions, writes, now).await?;
        }
        // The state answers without waiting, so others would not get their turn.
        tokio::task::yield_now().await;
    }
}

/// How far a look at the executions goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// To the last one.
    All,
    /// To the first page in which none is due. Ids begin with the time, so the oldest come first,
    /// and they are due first as long as nobody shortens the lifetime.
    Oldest,
}

/// Ends executions whose time is over, and says whether there are more of them than are ended in one go.
///
/// One that cannot be ended is reported and left for the next time: it must not keep all the
/// others from ending.
pub(super) async fn end_due(executions: &Executions, reach: Reach) -> Result<bool, Error> {
    let shared = &executions.shared;
    let now = shared.clock.now();
    let (mut after, mut ended) = (None, 0);
    loop {
        let page = Journal::list(shared.journal.as_ref(), Unfinished::KIND, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(false);
        };
        after = Some(last.stream.id);
        let mut any = false;
        let mut due = Vec::new();
        for found in &page {
            match object::open::<Unfinished>(found) {
                Ok(unfinished) if unfinished.value.due <= now => {
                    any = true;
                    due.push(unfinished.value.execution);
                }
                Ok(_) => {}
                Err(error) => {
                    // Those behind it may be due.
                    any = true;
                    tracing::error!(%error, "a record of an execution is unreadable");
                }
            }
        }
        let ending = futures_util::stream::iter(due).map(|id| expire(executions, id));
        let ending = ending.buffer_unordered(AT_ONCE);
        ended += ending.filter(|ended| ready(*ended)).count().await;
        if reach == Reach::Oldest && !any {
            return Ok(false);
        }
        if ended >= MOST {
            return Ok(true);
        }
        // The state answers without waiting, and signals are received on the same thread.
        tokio::task::yield_now().await;
    }
}

/// Ends an execution, and says whether that could be done.
async fn expire(executions: &Executions, id: Uuid) -> bool {
    let correlation = executions.shared.clock.opaque_id();
    let nobody = Client::nobody();
    let ended = executions.end(id, &nobody, Request::Expire, correlation);
    match ended.await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(execution = %id, %error, "an execution could not expire");
            false
        }
    }
}

async fn remove(executions: &Executions, writes: Vec<Write>, now: Timestamp) -> Result<(), Error> {
    let commit = Commit {
        writes,
        durability: Durability::Relaxed,
        fence: None,
        at: now,
        correlation: executions.shared.clock.opaque_id(),
    };
    match executions.shared.journal.commit(commit).await {
        // Somebody else changed one of them; the others go the next time.
        Ok(_) | Err(journal::Error::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
