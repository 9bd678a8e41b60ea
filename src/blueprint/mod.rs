//! Blueprints: files that say which flows, stages, users and so on there are to be.
//!
//! [`check()`] reads one, [`apply()`] makes it so, in one commit or not at all. This module knows
//! the objects of catalog and directory and writes them through the journal's trait; it knows
//! nothing of HTTP, and reads the machine only through [`Host`].

mod check;
mod default;
mod document;
pub(crate) mod edit;
mod entry;
mod format;
mod grant;
mod host;
mod import;
mod incomplete;
mod legacy;
mod lookup;
mod model;
mod node;
mod problem;
mod references;
mod report;
mod resolve;
mod scalar;
mod staged;
mod syntax;
mod tag;
#[cfg(test)]
mod tests;
mod value;

pub use check::{Unsupported, check, unsupported};
pub use default::{Enabled, Offered, Ready, apply_defaults, defaults, enable, offer_default};
pub use document::Document;
pub use host::Host;
pub use import::{Error, Options, apply};
pub use node::MAX_BYTES;
pub use problem::{EntryName, Problem, Span};
pub use report::{Applied, Note, Outcome, Report};
pub use syntax::Syntax;
