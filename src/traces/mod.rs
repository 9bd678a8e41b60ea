//! What requests, and the commands that they lead to, took: as spans for a collector of OpenTelemetry.
//!
//! A span holds ids, kinds, and names that an operator chose; nothing of a visitor. Nobody waits for one: a span that
//! has ended lies in a bounded queue until it is sent, and where the queue is full it is dropped and counted. Spans
//! are sent only by a server that was built with the feature `otel` and was told where to; otherwise there are none.
//! This module looks nothing up, and decides nothing but which requests have spans.

use crate::clock::Clock;
use crate::settings::Otel;
use crate::telemetry::Metrics;

mod caller;
#[cfg(feature = "otel")]
mod message;
#[cfg(feature = "otel")]
mod sending;
mod span;
#[cfg(test)]
mod tests;
mod tracer;

pub use caller::Caller;
#[cfg(feature = "otel")]
pub use sending::Sending;
pub use span::{Finished, Kind, Parent, Span, Value};
pub use tracer::Tracer;

/// How many spans wait to be sent: about 2 MiB of them.
#[cfg(feature = "otel")]
const ROOM: usize = 4096;

/// Begins to send spans, where the settings say where to.
///
/// # Panics
/// Outside of a runtime.
#[cfg(feature = "otel")]
#[must_use]
pub fn start(settings: &Otel, clock: &Clock, metrics: &Metrics) -> (Tracer, Option<Sending>) {
    let Some(endpoint) = &settings.endpoint else {
        return (Tracer::default(), None);
    };
    let (tracer, queue) = Tracer::new(clock, metrics, settings.sampling, ROOM);
    let sending = Sending::start(endpoint, settings, queue, clock, metrics);
    (tracer, Some(sending))
}

/// Spans are sent by a server that was built with the feature `otel`; this one was not, and makes none.
#[cfg(not(feature = "otel"))]
#[must_use]
pub fn start(_: &Otel, _: &Clock, _: &Metrics) -> (Tracer, Option<Sending>) {
    (Tracer::default(), None)
}

/// Who sends spans; nobody without the feature `otel`.
#[cfg(not(feature = "otel"))]
#[derive(Debug)]
pub enum Sending {}

#[cfg(not(feature = "otel"))]
impl Sending {
    /// Sends what is left.
    pub fn stop(self) -> std::future::Ready<()> {
        match self {}
    }
}
