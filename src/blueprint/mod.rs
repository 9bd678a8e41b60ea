//! Blueprints: files that say which flows, stages, users and so on there are to be.
//!
//! [`check()`] reads one, [`apply()`] makes it so, in one commit or not at all, and [`export()`]
//! makes one of what there is. This module knows
//! the objects of catalog and directory and writes them through the journal's trait; it knows
//! nothing of HTTP, and reads the machine only through [`Host`].

mod changes;
mod check;
mod default;
mod document;
pub(crate) mod edit;
mod entry;
mod export;
mod format;
mod grant;
mod host;
mod import;
mod incomplete;
mod instance;
mod legacy;
mod library;
mod lookup;
mod model;
mod node;
mod options;
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

pub use check::{Demand, Unsupported, check, demands, unsupported};
pub use default::{Enabled, Offered, Ready, apply_defaults, defaults, enable, offer_default};
pub use document::Document;
pub use export::{Exported, export};
pub use host::Host;
pub use import::{apply, draft};
pub use instance::{Ran, run_instance, store};
pub use library::{Filed, Library, hash};
pub use node::MAX_BYTES;
pub use options::{Error, Options};
pub use problem::{EntryName, Problem, Span};
pub use report::{Applied, Changed, FieldChange, Note, Outcome, Report};
pub use syntax::Syntax;
