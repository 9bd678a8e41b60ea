//! Ends what ran out of time.

use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;

use super::{Error, Executions, Unfinished};
use crate::directory::session::{self, Session};
use crate::flow::client::Client;
use crate::flow::input::Request;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{self, Commit, Durability, Journal};

/// How many objects are looked at, or removed, in one go.
const PAGE: usize = 256;

/// Ends executions whose time is over, and removes sessions that have expired.
///
/// One that cannot be ended is reported and left for the next time: it must not keep all the
/// others from ending.
pub(super) async fn sweep(executions: &Executions) -> Result<(), Error> {
    let shared = &executions.shared;
    let now = shared.clock.now();
    let mut after = None;
    loop {
        let page = Journal::list(shared.journal.as_ref(), Unfinished::KIND, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.stream.id);
        for found in &page {
            match object::open::<Unfinished>(found) {
                Ok(unfinished) if unfinished.value.due <= now => {
                    let id = unfinished.value.execution;
                    let correlation = shared.clock.opaque_id();
                    let ended = executions
                        .end(id, &nobody(), Request::Expire, correlation)
                        .await;
                    if let Err(error) = ended {
                        tracing::warn!(execution = %id, %error, "an execution could not expire");
                    }
                }
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "a record of an execution is unreadable"),
            }
        }
    }
    let expired = session::expired_sessions(shared.journal.as_ref(), now, usize::MAX).await?;
    for page in expired.chunks(PAGE) {
        remove(executions, page, now).await?;
    }
    Ok(())
}

async fn remove(
    executions: &Executions,
    sessions: &[Versioned<Session>],
    now: Timestamp,
) -> Result<(), Error> {
    let commit = Commit {
        writes: sessions
            .iter()
            .map(|it| object::delete::<Session>(it.value.id, it.version))
            .collect(),
        durability: Durability::Relaxed,
        fence: None,
        at: now,
        correlation: executions.shared.clock.opaque_id(),
    };
    match executions.shared.journal.commit(commit).await {
        // Somebody else removed one of them; the others go the next time.
        Ok(_) | Err(journal::Error::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The server itself, where a client has to be named.
fn nobody() -> Client {
    Client {
        address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        user_agent: String::new(),
        host: String::new(),
        secure: false,
        language: None,
    }
}
