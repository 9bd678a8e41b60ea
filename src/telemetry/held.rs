//! Something that a gauge counts as long as it is there.

use prometheus_client::metrics::gauge::Gauge;

/// Counted from its making until it is dropped.
#[derive(Debug)]
pub struct Held(Gauge);

impl Held {
    /// One more.
    #[must_use]
    pub fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.dec();
    }
}
