//! What has left the journal on somebody's request, so that it can be told where copies of what was
//! erased may be. It says what and when, never to whom.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Clock;
use crate::journal::object::{self, Stored};
use crate::journal::{self, Commit, Durability, Journal, Kind, Objects, Version};

/// Something that left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The whole journal, sealed as it is.
    SealedExport,
    /// All records, with the executions opened.
    OpenExport,
    /// The feed, read as it grows by somebody who was let in.
    FeedRead,
    /// One execution, in a file of its own.
    Bundle,
}

impl What {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SealedExport => "sealed_export",
            Self::OpenExport => "open_export",
            Self::FeedRead => "feed_read",
            Self::Bundle => "bundle",
        }
    }

    /// Whether it is sealed.
    #[must_use]
    pub const fn is_sealed(self) -> bool {
        matches!(self, Self::SealedExport)
    }
}

/// That something left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// Its identifier, which sorts by time.
    pub id: Uuid,
    /// What.
    pub what: What,
    /// When.
    pub at: Timestamp,
    /// The last position that it holds.
    pub position: u64,
    /// The execution, where it is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<Uuid>,
}

impl Stored for Departure {
    const KIND: Kind = Kind::new("departure");

    fn id(&self) -> Uuid {
        self.id
    }
}

/// Notes that something is about to leave. Whoever reads the feed may do so every minute, so that is
/// noted once a day.
///
/// # Errors
/// What the journal said: then it must not leave.
pub async fn leaves(
    journal: &dyn Journal,
    clock: &Clock,
    what: What,
    execution: Option<Uuid>,
) -> journal::Result<()> {
    let now = clock.now();
    let id = match what {
        What::FeedRead => of_day(now),
        _ => clock.ordered_id(),
    };
    let departure = Departure {
        id,
        what,
        at: now,
        position: journal.last().0,
        execution,
    };
    let commit = Commit {
        writes: vec![object::put(&departure, Version::NONE)],
        durability: Durability::Durable,
        fence: None,
        at: departure.at,
        correlation: departure.id,
    };
    match journal.commit(commit).await {
        Ok(_) => Ok(()),
        Err(journal::Error::Conflict { .. }) if what == What::FeedRead => Ok(()),
        Err(error) => Err(error),
    }
}

/// The same for all of one day.
fn of_day(now: Timestamp) -> Uuid {
    let day = now.as_second().div_euclid(86_400);
    Uuid::from_u64_pair(u64::MAX, day.unsigned_abs())
}

/// All that left.
pub async fn departures(objects: &(impl Objects + ?Sized)) -> journal::Result<Vec<Departure>> {
    let found = object::all::<Departure>(objects).await?;
    Ok(found.into_iter().map(|it| it.value).collect())
}
