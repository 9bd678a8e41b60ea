//! Begins spans, decides which traces there are, and queues what has ended.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use uuid::Uuid;

use super::caller::Caller;
use super::span::{Finished, Kind, Open, Parent, Span};
use crate::clock::Clock;
use crate::telemetry::{Lost, Metrics};

/// How many bits of a trace's id are random: the last seven bytes, by which also other programs decide.
const RANDOM_BITS: u32 = 56;

/// Begins spans. Cheap to clone; the default begins none.
#[derive(Clone, Default)]
pub struct Tracer(Option<Arc<Making>>);

/// What spans are made with.
pub(super) struct Making {
    clock: Clock,
    metrics: Metrics,
    /// The random part of a trace's id is at least this where it has spans.
    least: u64,
    queue: mpsc::Sender<Finished>,
}

impl Tracer {
    /// A tracer and the queue of what has ended, which has room for so many. `share` is how many of all traces
    /// that begin here have spans, from 0 to 1.
    #[must_use]
    pub fn new(
        clock: &Clock,
        metrics: &Metrics,
        share: f64,
        room: usize,
    ) -> (Self, mpsc::Receiver<Finished>) {
        let (queue, ended) = mpsc::channel(room);
        let making = Making {
            clock: clock.clone(),
            metrics: metrics.clone(),
            least: least(share),
            queue,
        };
        (Self(Some(making.into())), ended)
    }

    /// Whether there are any.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The span of a request with this id. It continues the caller's trace; without one it begins a trace, whose
    /// id is the request's.
    #[must_use]
    pub fn request(&self, id: Uuid, caller: Option<Caller>) -> Span {
        let Some(making) = &self.0 else {
            return Span::default();
        };
        let is_wanted = match caller {
            Some(caller) => caller.is_sampled,
            None => random_part(id.as_u128()) >= making.least,
        };
        if !is_wanted {
            return Span::default();
        }
        let (trace, parent) = match caller {
            Some(caller) => (caller.trace, Some(caller.span)),
            None => (id.as_u128(), None),
        };
        let finished = Finished {
            is_parent_remote: parent.is_some(),
            kind: Kind::Server,
            ..making.begin(trace, parent, "request")
        };
        making.open(making.moment(), finished)
    }

    /// A part of another span, if there is one.
    #[must_use]
    pub fn below(&self, parent: Parent, name: &'static str) -> Span {
        match &self.0 {
            Some(making) => making.below(parent, name, making.moment()),
            None => Span::default(),
        }
    }

    /// The same for a part that began at this moment.
    #[must_use]
    pub fn below_since(&self, parent: Parent, name: &'static str, since: Instant) -> Span {
        match &self.0 {
            Some(making) => making.below(parent, name, since),
            None => Span::default(),
        }
    }
}

impl Making {
    pub(super) fn moment(&self) -> Instant {
        self.clock.monotonic()
    }

    pub(super) fn below(
        self: &Arc<Self>,
        parent: Parent,
        name: &'static str,
        since: Instant,
    ) -> Span {
        match parent.0 {
            Some((trace, span)) => self.open(since, self.begin(trace, Some(span), name)),
            None => Span::default(),
        }
    }

    fn open(self: &Arc<Self>, began: Instant, finished: Finished) -> Span {
        Span(Some(Box::new(Open {
            making: Arc::clone(self),
            began,
            finished,
        })))
    }

    fn begin(&self, trace: u128, parent: Option<u64>, name: &'static str) -> Finished {
        // Zero is no id.
        let span = u64::from_ne_bytes(self.clock.random()).max(1);
        Finished {
            trace,
            span,
            parent,
            is_parent_remote: false,
            kind: Kind::Internal,
            name: Cow::Borrowed(name),
            begin: 0,
            end: 0,
            attributes: Vec::new(),
            has_failed: false,
        }
    }

    /// Queues what has ended; where too many wait already, it is dropped.
    pub(super) fn end(&self, began: Instant, mut finished: Finished) {
        let took = self.moment().saturating_duration_since(began);
        finished.end = u64::try_from(self.clock.now().as_nanosecond()).unwrap_or(0);
        finished.begin = finished.end.saturating_sub(nanoseconds(took));
        if self.queue.try_send(finished).is_err() {
            self.metrics.spans().dropped(Lost::Full, 1);
        }
    }
}

fn nanoseconds(took: Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}

/// What two programs that see the same trace both decide by.
fn random_part(trace: u128) -> u64 {
    u64::try_from(trace & ((1 << RANDOM_BITS) - 1)).unwrap_or(u64::MAX)
}

/// From which random part on a trace has spans, so that this share of all have them.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share need not be exact, and a cast from a float keeps to the bounds"
)]
fn least(share: f64) -> u64 {
    ((1.0 - share) * (1_u64 << RANDOM_BITS) as f64) as u64
}
