//! Ends what ran out of time.

use std::net::{IpAddr, Ipv4Addr};

use super::{Error, Executions, Unfinished};
use crate::directory::session;
use crate::flow::client::Client;
use crate::flow::input::Request;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Commit, Durability, Journal};

/// How many objects are looked at in one go.
const PAGE: usize = 256;

/// Ends executions whose time is over, and removes sessions that have expired.
pub(super) async fn sweep(executions: &Executions) -> Result<(), Error> {
    let shared = &executions.shared;
    let now = shared.clock.now();
    let mut after = None;
    loop {
        let page = Journal::list(shared.journal.as_ref(), Unfinished::KIND, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.stream.id);
        for found in &page {
            let unfinished: Versioned<Unfinished> = object::open(found)?;
            if unfinished.value.due <= now {
                let correlation = shared.clock.opaque_id();
                let id = unfinished.value.execution;
                executions
                    .end(id, &nobody(), Request::Expire, correlation)
                    .await?;
            }
        }
    }
    let expired = session::expired_sessions(shared.journal.as_ref(), now, PAGE).await?;
    if !expired.is_empty() {
        let commit = Commit {
            writes: expired
                .iter()
                .map(|it| object::delete::<session::Session>(it.value.id, it.version))
                .collect(),
            durability: Durability::Relaxed,
            fence: None,
            at: now,
            correlation: shared.clock.opaque_id(),
        };
        shared.journal.commit(commit).await?;
    }
    Ok(())
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
