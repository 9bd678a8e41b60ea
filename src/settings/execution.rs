//! How long executions live and how many there may be.

use std::time::Duration;

use super::reader::Reader;
use super::value;

/// `execution.*`.
#[derive(Clone, Debug)]
pub struct Execution {
    /// After this time without a message an actor leaves memory; the journal keeps the execution.
    pub passivate_after: Duration,
    /// How many actors are in memory; of more, those leave it that were asked least lately.
    pub max_awake: usize,
    /// After this time an execution that is not finished expires.
    pub lifetime: Duration,
    /// How many executions may exist that nobody has answered yet; the oldest go first.
    pub max_unanswered: usize,
    /// The same for one client address.
    pub max_unanswered_per_address: usize,
    /// How many one address may begin in the long run, for each second.
    pub begun_per_second: u32,
    /// How many it may begin at once.
    pub begun_at_once: u32,
    /// How many requests are in work at once.
    pub at_once: usize,
    /// How many may wait until they are taken into work.
    pub max_waiting: usize,
    /// How many wrong passwords an account may get in the long run, for each hour.
    pub wrong_passwords_per_hour: u32,
    /// How many it may get at once.
    pub wrong_passwords_at_once: u32,
}

impl Execution {
    pub(super) fn read(from: &mut Reader) -> Self {
        Self {
            passivate_after: from.duration("execution.passivate_after", Duration::from_mins(5)),
            max_awake: from.count("execution.max_awake", 10_000),
            lifetime: from.duration("execution.lifetime", Duration::from_hours(24)),
            max_unanswered: from.count("execution.max_unanswered", 100_000),
            max_unanswered_per_address: from.count("execution.max_unanswered_per_address", 200),
            begun_per_second: from.parsed("execution.begun_per_second", 20, value::small_count),
            begun_at_once: from.parsed("execution.begun_at_once", 200, value::small_count),
            at_once: from.count("execution.at_once", 256),
            max_waiting: from.count("execution.max_waiting", 2_048),
            wrong_passwords_per_hour: from.parsed(
                "execution.wrong_passwords_per_hour",
                120,
                value::small_count,
            ),
            wrong_passwords_at_once: from.parsed(
                "execution.wrong_passwords_at_once",
                30,
                value::small_count,
            ),
        }
    }
}
