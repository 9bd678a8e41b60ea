//! Following the global order: what was written, and then what is still to come.
//!
//! One connection of each node listens for news, and asks now and then all the same: news may be
//! lost with a connection. Followers read what they have not seen.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::mpsc;
use tokio_postgres::AsyncMessage;

use super::super::follower::{self, Portion};
use super::super::{Envelope, Position, Result};
use super::Shared;
use super::connect::Failure;
use super::wanted::position;

/// How many records are read at once.
const PORTION: i64 = 256;

/// How often a node looks for itself.
const LOOK: Duration = Duration::from_secs(1);

/// The pause before a connection is made again.
const PAUSE: Duration = Duration::from_millis(500);

/// The records after `after`. The stream ends when the journal is closed, and after an error.
pub(super) fn follow(
    journal: &Arc<Shared>,
    after: Position,
) -> BoxStream<'static, Result<(Position, Envelope)>> {
    let news = journal.last.subscribe();
    follower::follow(journal, news, after, |journal, after, _| async move {
        let read = journal.log(after, PORTION).await;
        let ready = read.map_or_else(|error| Portion::from([Err(error)]), Portion::from);
        // It may have been written since the news.
        if let Some(Ok((position, _))) = ready.back() {
            journal.saw(*position);
        }
        Some(ready)
    })
}

/// Keeps `last` up to date until the journal is closed.
pub(super) async fn listen(journal: Weak<Shared>) {
    let mut is_lost = false;
    loop {
        let Some(shared) = journal.upgrade() else {
            return;
        };
        let config = shared.config.clone();
        let tls = shared.tls.clone();
        drop(shared);
        if let Err(failure) = listen_once(&journal, &config, tls).await
            && !is_lost
        {
            // It is tried again and again, and said once.
            is_lost = true;
            let error = failure.into_error();
            tracing::warn!(%error, "no news from PostgreSQL; trying again");
        } else {
            is_lost = false;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen_once(
    journal: &Weak<Shared>,
    config: &tokio_postgres::Config,
    tls: super::tls::Tls,
) -> std::result::Result<(), Failure> {
    let (client, mut connection) = config.connect(tls).await?;
    let (news, mut told) = mpsc::channel(1);
    // The connection works only while it is polled.
    let polled = tokio::spawn(async move {
        let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(_) = message {
                // One that waits says as much as many.
                let _ = news.try_send(());
            }
        }
    });
    let _ended = Ended(polled);
    client.batch_execute("LISTEN gatelog").await?;
    loop {
        let Some(before) = journal.upgrade().map(|it| it.seen()) else {
            return Ok(());
        };
        let row = client
            .query_one("SELECT id, position FROM journal", &[])
            .await?;
        let Some(shared) = journal.upgrade() else {
            return Ok(());
        };
        let last = position(row.get(1));
        shared.is_same(row.get(0), last, before)?;
        shared.saw(Position(last));
        drop(shared);
        match tokio::time::timeout(LOOK, told.recv()).await {
            Ok(Some(())) | Err(_) => {}
            Ok(None) => return Err(Failure::Passing("the connection was closed".into())),
        }
    }
}

/// Ends a task when it is dropped.
struct Ended(tokio::task::JoinHandle<()>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.abort();
    }
}
