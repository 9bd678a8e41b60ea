//! What a real server counts, and what its log says.

mod counts;
mod docs;
mod lines;
mod port;
mod room;
pub(crate) mod scrape;
