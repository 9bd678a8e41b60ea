//! How long executions live and how many there may be.

use std::time::Duration;

use super::reader::Reader;

/// `execution.*`.
#[derive(Clone, Debug)]
pub struct Execution {
    /// After this time without a message an actor leaves memory; the journal keeps the execution.
    pub passivate_after: Duration,
    /// After this time an execution that is not finished expires.
    pub lifetime: Duration,
    /// How many executions may exist that nobody has answered yet; the oldest go first.
    pub max_unanswered: usize,
    /// The same for one client address.
    pub max_unanswered_per_address: usize,
}

impl Execution {
    pub(super) fn read(from: &mut Reader) -> Self {
        Self {
            passivate_after: from.duration("execution.passivate_after", Duration::from_mins(5)),
            lifetime: from.duration("execution.lifetime", Duration::from_hours(24)),
            max_unanswered: from.count("execution.max_unanswered", 100_000),
            max_unanswered_per_address: from.count("execution.max_unanswered_per_address", 200),
        }
    }
}
