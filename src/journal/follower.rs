//! Follows the global order of a store that says how far it has come: reads in portions what was written,
//! and waits for what is still to come.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::watch;

use super::{Envelope, Position, Result};

/// Records in their order, or why the next one cannot be had.
pub(super) type Portion = VecDeque<Result<(Position, Envelope)>>;

/// What followers wait for.
#[derive(Clone, Copy)]
pub(super) struct Last {
    /// The last position that they may see.
    pub(super) position: Position,
    /// Nothing will come any more.
    pub(super) closed: bool,
}

struct Follower<S> {
    /// Who follows does not keep the journal open.
    journal: Weak<S>,
    news: watch::Receiver<Last>,
    after: Position,
    ready: Portion,
    failed: bool,
}

/// The records after `after`. The stream ends when the journal is closed, and after an error.
///
/// `portion` reads the next records after a position up to another one, at least one; `None` ends the stream.
pub(super) fn follow<S, R>(
    journal: &Arc<S>,
    news: watch::Receiver<Last>,
    after: Position,
    portion: impl Fn(Arc<S>, Position, Position) -> R + Copy + Send + 'static,
) -> BoxStream<'static, Result<(Position, Envelope)>>
where
    S: Send + Sync + 'static,
    R: Future<Output = Option<Portion>> + Send,
{
    let follower = Follower {
        journal: Arc::downgrade(journal),
        news,
        after,
        ready: VecDeque::new(),
        failed: false,
    };
    stream::unfold(follower, move |mut follower| async move {
        let next = follower.next(portion).await?;
        Some((next, follower))
    })
    .boxed()
}

impl<S> Follower<S> {
    async fn next<R: Future<Output = Option<Portion>>>(
        &mut self,
        portion: impl Fn(Arc<S>, Position, Position) -> R,
    ) -> Option<Result<(Position, Envelope)>> {
        loop {
            if let Some(next) = self.ready.pop_front() {
                self.failed = next.is_err();
                return Some(next);
            }
            if self.failed {
                return None;
            }
            let after = self.after;
            let news = |last: &Last| last.position.0 > after.0 || last.closed;
            let last = self.news.wait_for(news).await.ok()?.position;
            if last.0 <= after.0 {
                return None;
            }
            let journal = self.journal.upgrade()?;
            self.ready = portion(journal, after, last).await?;
            if let Some(Ok((position, _))) = self.ready.back() {
                self.after = *position;
            }
        }
    }
}
