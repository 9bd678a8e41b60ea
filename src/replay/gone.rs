//! What is known of an execution of which nothing can be read any more.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::Summary;
use crate::directory::erasure::{Why as Reason, erased_with};
use crate::flow::code;
use crate::journal::{self, Envelope, Journal};

/// An execution of which nothing can be read any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gone {
    /// Which one.
    pub execution: Uuid,
    /// When it began.
    pub started: Timestamp,
    /// When something happened in it for the last time.
    pub last: Timestamp,
    /// How many records there are. Their frames are as they were, so the chain can be verified.
    pub records: usize,
    /// Why it cannot be read.
    #[serde(flatten)]
    pub why: Why,
}

/// Why nothing can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    /// It was kept for as long as the settings say, and then its bodies were removed.
    Retention,
    /// Its key was destroyed when the account went whose it was.
    KeyDestroyed,
    /// Its key was destroyed when somebody was erased.
    Erased {
        /// Who, by an identifier that leads nowhere any more.
        user: Uuid,
        /// When.
        at: Timestamp,
        /// What it had to do with them.
        because: Reason,
    },
}

impl Gone {
    /// What is known of an execution with these records, of which one has no body.
    pub(super) async fn of(
        journal: &dyn Journal,
        execution: Uuid,
        records: &[Envelope],
    ) -> journal::Result<Self> {
        let is_locked = records.iter().any(|record| record.is_locked);
        let why = match erased_with(journal, execution).await? {
            Some((user, at, because)) if is_locked => Why::Erased { user, at, because },
            _ if is_locked => Why::KeyDestroyed,
            _ => Why::Retention,
        };
        let at = |record: Option<&Envelope>| record.map(|it| it.at).unwrap_or_default();
        Ok(Self {
            execution,
            started: at(records.first()),
            last: at(records.last()),
            records: records.len(),
            why,
        })
    }

    /// What a list shows of it.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            execution: self.execution,
            code: code(self.execution).to_string(),
            started: self.started,
            last: self.last,
            flow: String::new(),
            flow_id: Uuid::nil(),
            user: None,
            address: String::new(),
            state: match self.why {
                Why::Retention => "removed",
                Why::KeyDestroyed | Why::Erased { .. } => "erased",
            },
            detail: self.why.to_string(),
        }
    }
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            execution, started, ..
        } = self;
        write!(
            f,
            "execution {execution}, begun {started:.0}, can no longer be read: {}; its {} records are \
             still there, sealed and chained",
            self.why, self.records
        )
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retention => f.write_str("its bodies were removed when their time was over"),
            Self::KeyDestroyed => {
                f.write_str("its key was destroyed with the account that it belonged to")
            }
            Self::Erased { user, at, because } => match because {
                Reason::Theirs => write!(
                    f,
                    "the key of the user {user}, whose it was, was destroyed at {at:.0}"
                ),
                Reason::OfNobody => write!(
                    f,
                    "its key was destroyed when the user {user} was erased at {at:.0}: it named \
                     them, or was begun in their browser"
                ),
                Reason::OfOthers => write!(
                    f,
                    "its key was destroyed when the user {user}, whom it named, was erased at {at:.0}"
                ),
            },
        }
    }
}
