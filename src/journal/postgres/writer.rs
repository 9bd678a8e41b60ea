//! The one task of a node that writes.
//!
//! It takes all that waits, opens a transaction, takes the lock that every node's writer takes, and
//! reads what the batch names; then it judges the commits one after the other, writes all of them
//! with few statements and commits once. While it does so the next batch grows by itself. So
//! positions are dense, and followers on every node see the order of the commits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use uuid::Uuid;

use super::super::pack::Bodies;
use super::super::prepare;
use super::super::{Commit, Error, KeyId, Lease, Position, Result, Write};
use super::Shared;
use super::connect::{Failure, Spent};
use super::fold::{Fold, Held};
use super::save::{KeyChange, Save};
use super::wanted::Wanted;

/// A batch takes no more requests than this.
const REQUESTS: usize = 1_024;

/// A batch takes no more requests once it has so many KiB.
const WEIGHT: usize = 8 << 10;

/// So long a batch is tried again when the server cannot be reached. Whoever waits is told then.
const PATIENCE: Duration = Duration::from_secs(30);

/// So long one attempt may take. A node that waits for its turn behind others needs less.
const ATTEMPT: Duration = Duration::from_secs(20);

/// The pause before another attempt.
const PAUSE: Duration = Duration::from_millis(200);

/// What somebody waits for.
pub(super) enum Request {
    /// All of a commit.
    Commit {
        /// What is written.
        commit: Commit,
        /// Its bodies, packed.
        bodies: Bodies,
        /// Where the answer goes.
        answer: oneshot::Sender<Result<Position>>,
        /// Its share of the queue's memory.
        permit: OwnedSemaphorePermit,
        /// When it was asked for.
        since: Instant,
    },
    /// A lease.
    Lease {
        /// Its name.
        name: String,
        /// How long it is to last.
        ttl: Duration,
        /// Where the answer goes.
        answer: oneshot::Sender<Result<Lease>>,
        /// Its share of the queue's memory.
        permit: OwnedSemaphorePermit,
        /// When it was asked for.
        since: Instant,
    },
}

impl Request {
    fn weight(&self) -> usize {
        match self {
            Self::Commit { permit, .. } | Self::Lease { permit, .. } => permit.num_permits(),
        }
    }

    fn since(&self) -> Instant {
        match self {
            Self::Commit { since, .. } | Self::Lease { since, .. } => *since,
        }
    }

    /// Answers. Nobody may be waiting any more, which is no error.
    fn answer(self, result: Answer) {
        match (self, result) {
            (Self::Commit { answer, .. }, Answer::Commit(result)) => {
                let _ = answer.send(result);
            }
            (Self::Lease { answer, .. }, Answer::Lease(result)) => {
                let _ = answer.send(result);
            }
            // Answers are made in the order of the requests, so these do not occur.
            (other, _) => other.refuse(&super::closed()),
        }
    }

    fn refuse(self, error: &Error) {
        match self {
            Self::Commit { answer, .. } => {
                let _ = answer.send(Err(error.clone()));
            }
            Self::Lease { answer, .. } => {
                let _ = answer.send(Err(error.clone()));
            }
        }
    }
}

/// What came of a request.
enum Answer {
    Commit(Result<Position>),
    Lease(Result<Lease>),
}

/// What came of a batch, once it is certain.
struct Outcome {
    answers: Vec<Answer>,
    /// The last position.
    position: u64,
    /// How many records it wrote.
    records: u64,
}

/// A batch of which it is not known whether the server has it.
struct InDoubt {
    batch: Uuid,
    outcome: Outcome,
}

/// The writer and what only it touches.
pub(super) struct Writer {
    shared: Arc<Shared>,
    requests: mpsc::UnboundedReceiver<Request>,
}

impl Writer {
    /// A writer that takes these requests.
    pub(super) fn new(shared: Arc<Shared>, requests: mpsc::UnboundedReceiver<Request>) -> Self {
        Self { shared, requests }
    }

    /// Writes until the journal is closed.
    pub(super) async fn run(mut self) {
        while let Some(first) = self.requests.recv().await {
            let mut weight = first.weight();
            let mut batch = vec![first];
            while batch.len() < REQUESTS && weight < WEIGHT {
                let Ok(next) = self.requests.try_recv() else {
                    break;
                };
                weight += next.weight();
                batch.push(next);
            }
            self.round(batch).await;
        }
    }

    /// Writes a batch, as often as it takes to know what became of it.
    async fn round(&mut self, requests: Vec<Request>) {
        // Who has waited for the batch before as well need not wait as long again.
        let began = requests.first().map(Request::since);
        let deadline = began.unwrap_or_else(|| self.shared.clock.monotonic()) + PATIENCE;
        let mut in_doubt = None;
        let written = loop {
            let attempt = self.attempt(&requests, &mut in_doubt);
            let result = match tokio::time::timeout(ATTEMPT, attempt).await {
                Ok(result) => result,
                Err(_) => Err(Failure::Passing("PostgreSQL does not answer".into())),
            };
            match result {
                Ok(outcome) => break Ok(outcome),
                Err(Failure::Passing(why)) if self.may_repeat(deadline) => {
                    tracing::warn!(%why, "a batch was not written; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(failure) => break Err(failure.into_error()),
            }
        };
        match written {
            Ok(outcome) => {
                let meter = &self.shared.meter;
                meter.records.inc_by(outcome.records);
                meter
                    .batch_commits
                    .observe(u32::try_from(requests.len()).map_or(f64::MAX, f64::from));
                self.shared.saw(Position(outcome.position));
                for (request, answer) in requests.into_iter().zip(outcome.answers) {
                    request.answer(answer);
                }
            }
            Err(error) => {
                let error = match in_doubt {
                    Some(_) => unknown(&error),
                    None => error,
                };
                tracing::error!(%error, "a batch was not written");
                for request in requests {
                    request.refuse(&error);
                }
            }
        }
    }

    fn may_repeat(&self, deadline: Instant) -> bool {
        self.shared.clock.monotonic() < deadline
    }

    /// Writes a batch once, or finds that it was written already.
    async fn attempt(
        &self,
        requests: &[Request],
        in_doubt: &mut Option<InDoubt>,
    ) -> std::result::Result<Outcome, Failure> {
        let shared = &*self.shared;
        let client = Spent::of(&shared.pool).await?;
        let mut wanted = Wanted::default();
        for request in requests {
            match request {
                Request::Commit { commit, .. } => wanted.commit(commit, &shared.ring),
                Request::Lease { name, .. } => wanted.lease(name),
            }
        }
        let seen = shared.seen();
        let read = wanted
            .read(client.get()?, &shared.ring, shared.node)
            .await?;
        shared.is_same(read.journal, read.fold.position, seen)?;
        // The lock is ours, so whatever became of the batch before is known by now.
        if let Some(before) = in_doubt.take()
            && read.written == Some(before.batch)
        {
            // This server has it. So has every other one that has to have it once it has this as well.
            let outcome = before.outcome;
            let batch = before.batch;
            let doubt = in_doubt.insert(InDoubt { batch, outcome });
            let touched = "UPDATE node SET at = now() WHERE batch = $1";
            client.get()?.execute(touched, &[&doubt.batch]).await?;
            client.get()?.batch_execute("COMMIT").await?;
            client.keep();
            return in_doubt.take().map(|it| it.outcome).ok_or_else(lost);
        }
        let mut judged = Judged::new(read.fold);
        let before = judged.fold.position;
        let answers: Vec<Answer> = requests
            .iter()
            .map(|request| judged.judge(request, shared))
            .collect();
        let outcome = Outcome {
            answers,
            position: judged.fold.position,
            records: judged.fold.position - before,
        };
        if judged.is_empty() {
            client.get()?.batch_execute("ROLLBACK").await?;
            client.keep();
            return Ok(outcome);
        }
        let batch = shared.clock.opaque_id();
        let save = Save {
            journal: shared.journal,
            node: shared.node,
            batch,
            keys: &judged.keys,
        };
        let began = shared.clock.monotonic();
        save.write(client.get()?, &judged.fold).await?;
        let doubt = in_doubt.insert(InDoubt { batch, outcome });
        let committed = client.get()?.batch_execute("COMMIT").await;
        if let Err(error) = committed {
            // The server itself says that it did not commit, or the connection broke: who knows.
            let was_refused = error.code().is_some_and(|code| !is_about_the_end(code));
            if was_refused {
                *in_doubt = None;
            } else {
                tracing::warn!(batch = %doubt.batch, "the connection broke during a commit");
            }
            return Err(error.into());
        }
        let took = shared.clock.monotonic().duration_since(began);
        shared.meter.sync_seconds.observe(took.as_secs_f64());
        client.keep();
        in_doubt.take().map(|it| it.outcome).ok_or_else(lost)
    }
}

/// Whether the session is ended by this, in which case a commit may still have gone through.
fn is_about_the_end(code: &tokio_postgres::error::SqlState) -> bool {
    // Class 57: the operator intervenes. Class 08: connection exceptions.
    code.code().starts_with("57") || code.code().starts_with("08")
}

/// What was put there a moment ago is there.
fn lost() -> Failure {
    super::closed().into()
}

/// What is said of a batch whose end is not known.
fn unknown(error: &Error) -> Error {
    Error::Unavailable(
        format!("whether it was written is not known, since the connection broke: {error}").into(),
    )
}

/// The commits of a batch that were allowed.
struct Judged {
    fold: Fold,
    keys: Vec<KeyChange>,
}

impl Judged {
    fn new(fold: Fold) -> Self {
        Self {
            fold,
            keys: Vec::new(),
        }
    }

    fn is_empty(&self) -> bool {
        let changes = &self.fold.changes;
        changes.records.is_empty() && changes.leases.is_empty() && self.keys.is_empty()
    }

    fn judge(&mut self, request: &Request, shared: &Shared) -> Answer {
        match request {
            Request::Commit { commit, bodies, .. } => {
                Answer::Commit(self.commit(commit, bodies, shared))
            }
            Request::Lease { name, ttl, .. } => Answer::Lease(self.lease(name, *ttl, shared)),
        }
    }

    fn commit(&mut self, commit: &Commit, bodies: &Bodies, shared: &Shared) -> Result<Position> {
        let prepared = prepare::prepare(commit, bodies, &self.fold, &shared.ring);
        // Keys that a refused commit made do no harm, and a later one may have found them there.
        let written = shared.ring.take_written();
        if !written.is_empty() {
            match self.keys.last_mut() {
                Some(KeyChange::Put(before)) => before.extend(written),
                _ => self.keys.push(KeyChange::Put(written)),
            }
        }
        for record in prepared? {
            self.fold.record(record);
        }
        prepare::destroy_keys([commit], &shared.ring)?;
        let destroyed: Vec<KeyId> = commit
            .writes
            .iter()
            .filter_map(|write| match write {
                Write::DestroyKey { id } => Some(*id),
                _ => None,
            })
            .collect();
        if !destroyed.is_empty() {
            self.keys.push(KeyChange::Destroy(destroyed));
        }
        Ok(Position(self.fold.position))
    }

    fn lease(&mut self, name: &str, ttl: Duration, shared: &Shared) -> Result<Lease> {
        let now = shared.clock.now();
        let epoch = match self.fold.leases.get(name) {
            Some(Held { lease, holder }) if lease.expires > now => {
                if *holder != shared.node {
                    return Err(Error::LeaseLost {
                        name: name.to_owned(),
                    });
                }
                lease.epoch
            }
            Some(Held { lease, .. }) => lease.epoch + 1,
            None => 1,
        };
        let lease = Lease {
            name: name.to_owned(),
            epoch,
            expires: now.checked_add(ttl).unwrap_or(Timestamp::MAX),
        };
        self.fold.lease(lease.clone(), shared.node);
        Ok(lease)
    }
}
