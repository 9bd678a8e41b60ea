//! What the writer has taken from its queue: checked, sealed and ready to be written.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::super::evidence::Stand;
use super::super::pack::Bodies;
use super::super::prepare::{self, View};
use super::super::{Commit, Durability, Error, KeyId, Lease, Position, Result, Write};
use super::Shared;
use super::fold::Fold;
use super::log::{self, Entry};
use super::note::Note;
use super::overlay::Overlay;
use super::place::Place;
use super::state::Applied;

/// A batch takes no more requests than this.
const REQUESTS: usize = 1_024;

/// A batch takes no more requests once it has so many bytes.
const BYTES: usize = 8 << 20;

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
    },
    /// A lease.
    Lease {
        /// Its name.
        name: String,
        /// How long it is to last.
        ttl: Duration,
        /// Where the answer goes.
        answer: oneshot::Sender<Result<Lease>>,
    },
    /// What the journal is now, once all of it is on the disk. It is done alone as well.
    Stand {
        /// Where the answer goes.
        answer: oneshot::Sender<Result<Stand>>,
    },
    /// The removal of bodies. It is done alone, between two batches.
    Remove {
        /// Where the records lie.
        positions: Vec<u64>,
        /// Where the answer goes: how many were removed.
        answer: oneshot::Sender<Result<u64>>,
    },
}

impl Request {
    /// Answers that it cannot be done. Nobody may be waiting any more, which is no error.
    pub(super) fn refuse(self, error: &Error) {
        match self {
            Self::Commit { answer, .. } => {
                let _ = answer.send(Err(error.clone()));
            }
            Self::Lease { answer, .. } => {
                let _ = answer.send(Err(error.clone()));
            }
            Self::Stand { answer } => {
                let _ = answer.send(Err(error.clone()));
            }
            Self::Remove { answer, .. } => {
                let _ = answer.send(Err(error.clone()));
            }
        }
    }
}

enum Answer {
    Commit(
        oneshot::Sender<Result<Position>>,
        Result<Position>,
        OwnedSemaphorePermit,
    ),
    Lease(oneshot::Sender<Result<Lease>>, Result<Lease>),
}

/// Requests that are written together.
pub(super) struct Batch<'a> {
    shared: &'a Shared,
    fold: Fold<'a>,
    log: sled::Batch,
    entries: usize,
    bytes: usize,
    commits: u64,
    durable: bool,
    destroyed: Vec<KeyId>,
    answers: Vec<Answer>,
    failure: Option<Error>,
}

impl<'a> Batch<'a> {
    /// A batch that goes on after `applied`.
    pub(super) fn new(shared: &'a Shared, applied: Applied) -> Self {
        Self {
            shared,
            fold: Fold::new(Overlay::new(&shared.state), applied),
            log: sled::Batch::default(),
            entries: 0,
            bytes: 0,
            commits: 0,
            durable: false,
            destroyed: Vec::new(),
            answers: Vec::new(),
            failure: None,
        }
    }

    /// Whether it takes nothing more.
    pub(super) fn is_full(&self) -> bool {
        self.answers.len() >= REQUESTS || self.bytes >= BYTES || self.failure.is_some()
    }

    /// Whether the request cannot be part of this batch: it is no write, or it needs a key that
    /// this batch destroys and would not find it destroyed yet.
    pub(super) fn must_wait(&self, request: &Request) -> bool {
        let commit = match request {
            Request::Commit { commit, .. } => commit,
            Request::Lease { .. } => return false,
            Request::Stand { .. } | Request::Remove { .. } => return true,
        };
        let gone = |id: KeyId| {
            let mut destroyed = self.destroyed.iter();
            destroyed.any(|key| *key == id || self.shared.keyring.is_under(id, *key))
        };
        !self.destroyed.is_empty()
            && commit.writes.iter().any(|write| match write {
                Write::Append { key, .. } | Write::Put { key, .. } => gone(*key),
                Write::CreateKey { id, under } | Write::WrapKey { id, under } => {
                    gone(*id) || gone(*under)
                }
                _ => false,
            })
    }

    /// Checks a request and adds it, or else only its refusal.
    pub(super) fn add(&mut self, request: Request) {
        match request {
            Request::Commit {
                commit,
                bodies,
                answer,
                permit,
            } => {
                let result = self.commit(&commit, &bodies);
                self.settle(&result);
                self.answers.push(Answer::Commit(answer, result, permit));
            }
            Request::Lease { name, ttl, answer } => {
                let result = self.lease(&name, ttl);
                self.settle(&result);
                self.answers.push(Answer::Lease(answer, result));
            }
            // The writer does these by itself; nobody waits for an answer that never comes.
            Request::Stand { .. } | Request::Remove { .. } => request.refuse(&closed()),
        }
    }

    fn settle<T>(&mut self, result: &Result<T>) {
        match result {
            Ok(_) => self.fold.keep(),
            Err(error) => {
                self.fold.discard();
                if matches!(error, Error::Io { .. }) {
                    self.failure.get_or_insert_with(|| error.clone());
                }
            }
        }
    }

    fn commit(&mut self, commit: &Commit, bodies: &Bodies) -> Result<Position> {
        let records = prepare::prepare(commit, bodies, &self.fold, &self.shared.keyring)?;
        let destroyed: Vec<KeyId> = commit
            .writes
            .iter()
            .filter_map(|write| match write {
                Write::DestroyKey { id } => Some(*id),
                _ => None,
            })
            .collect();
        let mut entries = Vec::with_capacity(records.len() + 1);
        if !destroyed.is_empty() {
            entries.push(self.note(&Note::destroyed(&destroyed)));
        }
        for record in records {
            let bytes = record.encode();
            let place = self.fold.record(&record, &bytes)?;
            entries.push(Entry { place, bytes });
        }
        // From here on nothing can fail.
        self.insert(&entries);
        self.commits += 1;
        self.durable |= commit.durability == Durability::Durable || !destroyed.is_empty();
        self.destroyed.extend(destroyed);
        Ok(Position(self.fold.applied().place.last_record()))
    }

    fn lease(&mut self, name: &str, ttl: Duration) -> Result<Lease> {
        let now = self.shared.clock.now();
        let epoch = match self.fold.lease(name)? {
            Some(lease) if lease.expires > now => lease.epoch,
            Some(lease) => lease.epoch + 1,
            None => 1,
        };
        let lease = Lease {
            name: name.to_owned(),
            epoch,
            expires: now.checked_add(ttl).unwrap_or(Timestamp::MAX),
        };
        let entry = self.note(&Note::leased(&lease));
        self.insert(&[entry]);
        self.commits += 1;
        self.durable = true;
        Ok(lease)
    }

    fn note(&mut self, note: &Note) -> Entry {
        let bytes = note.encode();
        let hash = Note::hash_of(&bytes);
        let place: Place = self.fold.note(note, hash);
        Entry { place, bytes }
    }

    fn insert(&mut self, entries: &[Entry]) {
        for entry in entries {
            log::insert(&mut self.log, entry);
            self.bytes += entry.bytes.len();
        }
        self.entries += entries.len();
    }

    /// The first error that was about files, not about a commit: nothing may be written then.
    pub(super) fn failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    /// Whether one of its commits has to be durable before it is acknowledged.
    pub(super) fn is_durable(&self) -> bool {
        self.durable
    }

    /// Whether nothing is to be written to the log.
    pub(super) fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// How many commits it holds.
    pub(super) fn commits(&self) -> u64 {
        self.commits
    }

    /// What the state contains once the batch is applied.
    pub(super) fn applied(&self) -> Applied {
        self.fold.applied()
    }

    /// What is written to the log; empty from then on.
    pub(super) fn take_log(&mut self) -> sled::Batch {
        std::mem::take(&mut self.log)
    }

    /// Destroys the keys that its commits destroy. Call it once the log is durable.
    pub(super) fn destroy_keys(&mut self) -> Result<()> {
        if self.destroyed.is_empty() {
            return Ok(());
        }
        let keyring = &self.shared.keyring;
        let destroyed = self.destroyed.iter().copied();
        let result = keyring.destroy_all(destroyed);
        // Most keys wrap nothing, so that nobody else's has to be looked at.
        let wrapping = self.destroyed.iter().any(|key| keyring.is_wrapping(*key));
        let gone = |key| self.destroyed.contains(&key) || (wrapping && !keyring.contains(key));
        self.shared.opened.forget(gone);
        result
    }

    /// Makes its changes in the state.
    pub(super) fn apply(&mut self) -> Result<()> {
        self.fold.apply(self.durable)
    }

    /// Answers everybody. Who does not wait any more is no error.
    pub(super) fn acknowledge(self) {
        for answer in self.answers {
            match answer {
                Answer::Commit(answer, result, _permit) => {
                    let _ = answer.send(result);
                }
                Answer::Lease(answer, result) => {
                    let _ = answer.send(result);
                }
            }
        }
    }

    /// Answers everybody that nothing was written.
    pub(super) fn refuse(self, error: &Error) {
        for answer in self.answers {
            match answer {
                Answer::Commit(answer, _, _permit) => {
                    let _ = answer.send(Err(error.clone()));
                }
                Answer::Lease(answer, _) => {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }
}

/// The failure of a writer that has gone.
pub(super) fn closed() -> Error {
    Error::Unavailable(Arc::from("it was closed, or its writer has failed"))
}
