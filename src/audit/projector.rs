//! Follows the journal and writes the events that it tells of.
//!
//! Events and how far they reach are one commit, so that each is written once, whenever the process
//! ends. What a record tells is looked for a moment later, away from whoever caused it.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use lru::LruCache;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::draft::Origin;
use super::execution::{Interest, events_of, interest};
use super::resolve::{Resolver, Seen};
use super::{change, expire};
use crate::clock::Clock;
use crate::directory::{AuditEvent, User, change as note, remark};
use crate::flow::{Execution, evolve};
use crate::geoip::Geoip;
use crate::journal::cursor::{self, STRIDE};
use crate::journal::object::{Stored, put};
use crate::journal::{
    self, Commit, Durability, Envelope, Journal, KeyId, Lease, Position, StreamId, Version, Write,
};
use crate::world::Record;
use crate::world::record;

/// The name under which it is kept how far this has come.
pub const READER: &str = "audit";

/// How long events are gathered before they are written together.
const GATHER: Duration = Duration::from_millis(200);

/// How many are written together at most.
const BATCH: usize = 256;

/// How many bytes are written together, unless a single event has more.
const BYTES: usize = 1 << 20;

/// Of how many executions it is remembered where they stood. Those that wait for days are read again.
const STANDS: NonZeroUsize = NonZeroUsize::new(1_024).expect("it is not zero");

/// After so many records without a break, whoever is served comes first for a moment.
const BREATH: u64 = 64;

/// When the journal could not be read or written.
const PAUSE: Duration = Duration::from_secs(5);

/// How often events are looked for that have expired.
const HOURLY: Duration = Duration::from_hours(1);

/// How events are made.
#[derive(Clone)]
pub struct Options {
    /// How long they are kept; `None` keeps them for ever.
    pub kept: Option<Duration>,
    /// Where addresses are.
    pub geoip: Arc<Geoip>,
    /// Whom mails come from.
    pub sender: String,
    /// Is 1 as long as the journal cannot be read or written here.
    pub failing: Gauge,
    /// The lease under which events are written; none where nobody else writes them.
    pub fence: Option<Lease>,
}

/// What runs, until it is stopped.
pub struct Auditor {
    stopping: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Auditor {
    /// Begins where the journal says that it stopped; at the first start with the first record.
    /// It needs the runtime that it is called on.
    #[must_use]
    pub fn start(journal: Arc<dyn Journal>, clock: Clock, options: &Options) -> Self {
        let stopping = watch::Sender::new(false);
        let resolver = Resolver::new(
            Arc::clone(&journal),
            Arc::clone(&options.geoip),
            options.kept,
            options.sender.clone(),
        );
        let projector = Projector {
            journal: Arc::clone(&journal),
            clock: clock.clone(),
            resolver,
            stands: LruCache::new(STANDS),
            failing: options.failing.clone(),
            fence: options.fence.clone(),
        };
        let tasks = vec![
            tokio::spawn(projector.run(stopping.subscribe())),
            tokio::spawn(forget(
                journal,
                clock,
                options.fence.clone(),
                stopping.subscribe(),
            )),
        ];
        Self {
            stopping,
            tasks: Mutex::new(tasks),
        }
    }

    /// Ends it; what was not written yet is at the next start.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        let tasks = {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "what writes audit events ended badly");
            }
        }
    }
}

/// Removes events that have expired, at the start and then every hour.
async fn forget(
    journal: Arc<dyn Journal>,
    clock: Clock,
    fence: Option<Lease>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut tick = tokio::time::interval(HOURLY);
    loop {
        tokio::select! {
            _ = stopping.wait_for(|it| *it) => return,
            _ = tick.tick() => {}
        }
        match expire::remove(&*journal, &clock, fence.as_ref()).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "removed audit events that have expired"),
            Err(error) => tracing::warn!(%error, "expired audit events stay for another hour"),
        }
    }
}

struct Projector {
    journal: Arc<dyn Journal>,
    clock: Clock,
    resolver: Resolver,
    /// Where executions stood after the record that was seen last of them.
    stands: LruCache<StreamId, (Version, Execution)>,
    failing: Gauge,
    fence: Option<Lease>,
}

/// What waits to be written.
#[derive(Default)]
struct Batch {
    writes: Vec<Write>,
    bytes: usize,
    /// When it has waited long enough.
    due: Option<Instant>,
}

impl Projector {
    async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        loop {
            let failed = tokio::select! {
                _ = stopping.wait_for(|it| *it) => return,
                passed = self.follow() => match passed {
                    Ok(()) => return,
                    Err(error) => error,
                },
            };
            match failed {
                // Somebody was deleted meanwhile: without them it goes on at once.
                journal::Error::NoKey(_) => continue,
                error => {
                    self.failing.set(1);
                    tracing::warn!(%error, "audit events have to wait; trying again");
                }
            }
            tokio::select! {
                _ = stopping.wait_for(|it| *it) => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// Goes on from where it stopped, until the journal is closed.
    async fn follow(&mut self) -> journal::Result<()> {
        let cursor = cursor::load(&*self.journal, READER).await?;
        let (mut version, mut written) = match cursor {
            Some(cursor) => (cursor.version, cursor.value.after),
            None => (Version::NONE, Position(0)),
        };
        let mut after = written;
        let mut records = self.journal.follow(written);
        let mut batch = Batch::default();
        loop {
            let next = match batch.due {
                None => records.next().await,
                Some(due) => {
                    let left = due.saturating_duration_since(self.clock.monotonic());
                    let Ok(next) = tokio::time::timeout(left, records.next()).await else {
                        version = self.write(&mut batch, after, version).await?;
                        written = after;
                        continue;
                    };
                    next
                }
            };
            let Some(next) = next else {
                return Ok(());
            };
            let (position, events) = match self.told(next).await {
                Ok(told) => told,
                Err(error) => {
                    // What lies before it must not wait for what nobody may ever be able to read.
                    if after > written {
                        self.write(&mut batch, after, version).await?;
                    }
                    return Err(error);
                }
            };
            for event in events {
                batch.take(&event, self.clock.monotonic());
            }
            after = position;
            if batch.writes.is_empty() {
                self.failing.set(0);
            }
            if batch.is_full() || (batch.writes.is_empty() && after.0 - written.0 >= STRIDE) {
                version = self.write(&mut batch, after, version).await?;
                written = after;
            }
            if position.0.is_multiple_of(BREATH) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }

    async fn write(
        &self,
        batch: &mut Batch,
        after: Position,
        version: Version,
    ) -> journal::Result<Version> {
        let mut writes = std::mem::take(batch).writes;
        writes.push(cursor::moved(READER, after, version));
        let commit = Commit {
            writes,
            durability: Durability::Relaxed,
            fence: self.fence.clone(),
            at: self.clock.now(),
            correlation: self.clock.ordered_id(),
        };
        self.journal.commit(commit).await?;
        self.failing.set(0);
        Ok(version.next())
    }

    /// The events of the next record, and where that lies.
    async fn told(
        &mut self,
        next: journal::Result<(Position, Envelope)>,
    ) -> journal::Result<(Position, Vec<AuditEvent>)> {
        let (position, envelope) = next?;
        let events = self.tell(position, &envelope).await?;
        Ok((position, events))
    }

    /// The events of one record. Of what cannot be read any more, nothing is told.
    async fn tell(
        &mut self,
        position: Position,
        envelope: &Envelope,
    ) -> journal::Result<Vec<AuditEvent>> {
        let mut seen = Seen {
            position,
            at: envelope.at,
            correlation: envelope.correlation,
            key: KeyId::SYSTEM,
            observations: &[],
        };
        match envelope.stream.kind {
            record::KIND => {
                let Some(record) = read(envelope) else {
                    return Ok(Vec::new());
                };
                let before = self.before(envelope.stream, envelope.version).await?;
                let told = self.is_told(&record).await?;
                let told = told.then(|| events_of(&before, &record));
                let after = record.events.iter().fold(before, evolve);
                self.note_stand(envelope, after);
                let Some((origin, drafts)) = told else {
                    return Ok(Vec::new());
                };
                seen.key = KeyId(envelope.stream.id);
                seen.observations = &record.observations;
                self.resolver.events(seen, &origin, drafts).await
            }
            note::KIND => match note::open(envelope)? {
                Some(note) => {
                    let (origin, drafts) = change::events_of(&note);
                    self.resolver.events(seen, &origin, drafts).await
                }
                None => Ok(Vec::new()),
            },
            remark::KIND => match remark::open(envelope)? {
                Some(remark) => {
                    let (origin, draft) = change::event_of(&remark);
                    self.resolver.events(seen, &origin, vec![draft]).await
                }
                None => Ok(Vec::new()),
            },
            User::KIND if envelope.body.is_none() && self.has_gone(envelope).await? => {
                let draft = change::account_gone(envelope.stream.id);
                self.resolver
                    .events(seen, &Origin::default(), vec![draft])
                    .await
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Whether a record of a user, of which nothing can be read, is the one that ended the account,
    /// in an execution: that has gone with it, and can tell nothing.
    async fn has_gone(&self, envelope: &Envelope) -> journal::Result<bool> {
        let (last, _) = self.journal.head(envelope.stream).await?;
        if last != envelope.version || self.journal.get(envelope.stream).await?.is_some() {
            return Ok(false);
        }
        let note = StreamId::new(note::KIND, envelope.correlation);
        Ok(self.journal.head(note).await?.0 == Version::NONE)
    }

    async fn is_told(&mut self, record: &Record) -> journal::Result<bool> {
        match interest(record) {
            Interest::Nothing => Ok(false),
            Interest::Something => Ok(true),
            Interest::OfPolicies(policies) => {
                for policy in policies {
                    if self.resolver.logs(policy).await? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    /// Remembers where an execution stands after a record, for as long as there is more to come.
    fn note_stand(&mut self, envelope: &Envelope, after: Execution) {
        if after.is_over() {
            self.stands.pop(&envelope.stream);
        } else {
            self.stands.put(envelope.stream, (envelope.version, after));
        }
    }

    /// Where an execution stood before one of its records.
    async fn before(&mut self, stream: StreamId, version: Version) -> journal::Result<Execution> {
        let mut state = Execution::default();
        if version.0 <= 1 {
            return Ok(state);
        }
        match self.stands.pop(&stream) {
            Some((last, stand)) if last.next() == version => return Ok(stand),
            _ => {}
        }
        for envelope in self.journal.read(stream, Version::NONE).await? {
            if envelope.version >= version {
                break;
            }
            let record = read(&envelope);
            let events = record.iter().flat_map(|record| &record.events);
            state = events.fold(state, evolve);
        }
        Ok(state)
    }
}

impl Batch {
    fn take(&mut self, event: &AuditEvent, now: Instant) {
        let write = put(event, Version::NONE);
        if let Write::Put { body, .. } = &write {
            self.bytes += body.len();
        }
        self.writes.push(write);
        self.due.get_or_insert(now + GATHER);
    }

    fn is_full(&self) -> bool {
        self.writes.len() >= BATCH || self.bytes >= BYTES
    }
}

/// What an execution's record holds. One that a later version wrote is passed over: the events are
/// a help for people, and must not stand still for it.
fn read(envelope: &Envelope) -> Option<Record> {
    let body = envelope.body.as_deref()?;
    match serde_json::from_slice(body) {
        Ok(record) => Some(record),
        Err(error) => {
            tracing::warn!(stream = %envelope.stream, %error, "no audit event can be read from it");
            None
        }
    }
}
