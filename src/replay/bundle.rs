//! One execution as a file: its records and the revisions that they refer to, with which it can be
//! run again on another machine.
//!
//! No secret is in it. What is personal is replaced, the same by the same, unless whoever makes it
//! wants it kept; `docs/decisions/0032-what-a-bundle-tells.md` says how and why.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Entry, Error, Verified, again, entries};
use crate::clock::Clock;
use crate::expression::Workers;
use crate::flow::code;
use crate::journal::{Journal, Kind, StreamId, Version};
use crate::world::Revisions;

mod gather;
mod left;
mod made_again;
mod pseudonyms;
mod redact;
mod secrets;
mod unpacked;

pub use left::LEFT;
pub use unpacked::Unpacked;

/// The number of the form that bundles have. One with another number is not read.
pub const FORMAT: u32 = 1;

/// One execution, complete.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bundle {
    /// The number of the form; [`FORMAT`].
    pub format: u32,
    /// The version of the program that made it.
    pub gatelog: String,
    /// The execution.
    pub execution: Uuid,
    /// Its short code.
    pub code: String,
    /// Whether what is personal was kept as it is.
    pub personal: bool,
    /// What is wrong with it: what is personal and still in it, or why it did not run again to the
    /// same events when it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The schema of the records.
    pub schema: u16,
    /// Its records, oldest first.
    pub records: Vec<Entry>,
    /// The revisions that they refer to.
    pub objects: Vec<Held>,
}

/// One revision of an object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Held {
    /// Its kind.
    pub kind: Kind,
    /// Its identifier.
    pub id: Uuid,
    /// Which revision.
    pub version: Version,
    /// When it was written.
    pub at: jiff::Timestamp,
    /// The schema of the body.
    pub schema: u16,
    /// The body.
    pub body: Value,
}

impl Held {
    fn stream(&self) -> StreamId {
        StreamId::new(self.kind, self.id)
    }
}

/// Why a file is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is something else, or was changed.
    #[error("it is no bundle of an execution")]
    Foreign(#[from] serde_json::Error),
    /// Another version of the program made it.
    #[error(
        "it has the form {found} of bundles, made by gatelog {by}; this version reads {FORMAT}"
    )]
    Form {
        /// Its number.
        found: u32,
        /// Which version made it.
        by: String,
    },
}

/// What every bundle has, whatever its form.
#[derive(Deserialize)]
struct Head {
    format: u32,
    gatelog: String,
}

impl Bundle {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is no bundle, or one of another form.
    pub fn read(file: &[u8]) -> Result<Self, Unreadable> {
        let head: Head = serde_json::from_slice(file)?;
        if head.format != FORMAT {
            return Err(Unreadable::Form {
                found: head.format,
                by: head.gatelog,
            });
        }
        Ok(serde_json::from_slice(file)?)
    }

    /// A journal that holds this execution and nothing else, and that nobody can write.
    #[must_use]
    pub fn unpack(self) -> Unpacked {
        Unpacked::new(self)
    }

    /// Runs it again, as it is.
    ///
    /// # Errors
    /// When something is missing, or the code could not run.
    pub async fn verify(&self, workers: Option<&Workers>) -> Result<Verified, Error> {
        let revisions = Arc::new(Revisions::of(Arc::new(self.clone().unpack())));
        again(&revisions, workers, self.execution, &self.records).await
    }
}

/// Makes the bundle of an execution: without its secrets, and without what is personal unless
/// `personal` is to be kept. `workers` run its expressions, to see whether it runs again.
///
/// # Errors
/// When the execution, or something that it saw, cannot be read.
pub async fn of(
    journal: &Arc<dyn Journal>,
    workers: Option<&Workers>,
    clock: &Clock,
    execution: Uuid,
    personal: bool,
) -> Result<Bundle, Error> {
    let records = entries(journal.as_ref(), execution).await?;
    let mut objects = gather::revisions(journal.as_ref(), execution, &records).await?;
    for object in &mut objects {
        secrets::take_out(object)?;
    }
    let mut bundle = Bundle {
        format: FORMAT,
        gatelog: env!("CARGO_PKG_VERSION").to_owned(),
        execution,
        code: code(execution).to_string(),
        personal,
        problem: None,
        schema: crate::world::record::SCHEMA,
        records,
        objects,
    };
    let revisions = Arc::new(Revisions::of(Arc::clone(journal)));
    let original = again(&revisions, workers, execution, &bundle.records).await;
    let replaced = redact::redact(&mut bundle, clock)?;
    if matches!(original, Ok(Verified::Same { .. })) {
        made_again::events(&mut bundle, workers).await?;
    }
    let verified = match bundle.verify(workers).await {
        Ok(Verified::Same { .. }) => None,
        Ok(Verified::Diverged(divergence)) => Some(divergence.to_string()),
        Err(error) => Some(error.to_string()),
    };
    let left = left::told(&bundle, &replaced)?;
    // A divergence is told with both sides, in which a name would be told once more.
    bundle.problem = left.or(verified);
    Ok(bundle)
}
