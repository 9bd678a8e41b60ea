//! What a real server counts, and what its log says.

mod counts;
mod damage;
mod docs;
mod lines;
mod port;
pub(crate) mod scrape;
#[cfg(feature = "otel")]
mod traces;
mod trouble;
