//! What a measurement came to. The names of the fields are a promise: programs read them, and
//! `docs/benchmarking.md` explains each.

use std::collections::BTreeMap;

use serde::Serialize;

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Of this form; a field that changes its meaning makes it 2.
    pub version: u32,
    /// What visitors did.
    pub profile: &'static str,
    /// The flows that they went through.
    pub flows: Vec<String>,
    /// The server.
    pub target: String,
    /// Whether each visitor waited for the last conversation to end.
    #[serde(rename = "loop")]
    pub kind: Loop,
    /// Conversations that were to be begun for each second, in an open loop.
    pub rate: Option<f64>,
    /// How many visitors there were at most.
    pub visitors: usize,
    /// How long it was before anything counted.
    pub warm_up_seconds: f64,
    /// How long it counted.
    pub seconds: f64,
    /// Whole conversations.
    pub conversations: Conversations,
    /// Requests of all kinds.
    pub requests: Requests,
    /// What conversations are made of.
    pub steps: Vec<Step>,
    /// How much later than due conversations were begun, in an open loop.
    pub delay: Option<Delay>,
    /// How many conversations failed, by what went wrong.
    pub failures: BTreeMap<String, u64>,
    /// Answers that send people away, which are among the failures as well.
    pub pushed_back: PushedBack,
    /// What making the load cost.
    pub generator: Generator,
    /// What bearing it cost, where it is known which process that is.
    pub server: Option<Server>,
}

/// Who decides when a conversation begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Loop {
    /// Its visitor, when the last one is over.
    Closed,
    /// The clock.
    Open,
}

/// Whole conversations.
#[derive(Clone, Debug, Serialize)]
pub struct Conversations {
    /// Those that were due while it counted, and were begun.
    pub begun: u64,
    /// Those that ended as they should while it counted.
    pub ended: u64,
    /// Those that did not, also before it counted.
    pub failed: u64,
    /// `ended` for each second.
    pub per_second: f64,
    /// From the moment at which it was due to its end.
    pub latency: Latency,
}

/// Requests of all kinds.
#[derive(Clone, Debug, Serialize)]
pub struct Requests {
    /// Those that were sent while it counted.
    pub sent: u64,
    /// The same for each second.
    pub per_second: f64,
    /// Steps that answered a challenge, for each second.
    pub answers_per_second: f64,
    /// Wrong passwords that were refused, as they should be.
    pub refusals: u64,
    /// How many connections were opened, also before it counted.
    pub connections: u64,
}

/// One step of a conversation.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// `open`, `look`, or the challenge that it answers, such as `password`.
    pub name: String,
    /// How many ended while it counted.
    pub ended: u64,
    /// `ended` for each second.
    pub per_second: f64,
    /// From the end of the step before; of the first, from the moment at which it was due.
    pub latency: Latency,
}

/// How long something took, in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Latency {
    /// How many there are.
    pub count: u64,
    /// The shortest.
    pub min_ms: f64,
    /// The mean.
    pub mean_ms: f64,
    /// Half of them took no longer.
    pub p50_ms: f64,
    /// Nor did 90 of 100.
    pub p90_ms: f64,
    /// Nor did 99 of 100.
    pub p99_ms: f64,
    /// Nor did 999 of 1000.
    pub p999_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// How late conversations were begun, because all visitors were busy.
#[derive(Clone, Debug, Serialize)]
pub struct Delay {
    /// How long it was from due to begun.
    pub latency: Latency,
    /// How many were never begun.
    pub unbegun: u64,
}

/// Answers that send people away.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PushedBack {
    /// Too many requests of this one.
    pub status_429: u64,
    /// Too many altogether.
    pub status_503: u64,
    /// How many of them said when to come again.
    pub with_retry_after: u64,
    /// The longest time that was said.
    pub longest_retry_after_seconds: u64,
}

/// The thread that makes the load.
#[derive(Clone, Debug, Serialize)]
pub struct Generator {
    /// Its processor time while it counted.
    pub processor_seconds: Option<f64>,
    /// The same as a share of one core. Near 1, this program was the limit and not the server.
    pub busy: Option<f64>,
}

/// The process that bears it, with those that it started.
#[derive(Clone, Debug, Serialize)]
pub struct Server {
    /// Its processor time while it counted.
    pub processor_seconds: f64,
    /// The same for each conversation that ended, in milliseconds.
    pub processor_ms_per_conversation: Option<f64>,
    /// The same in cores.
    pub busy: f64,
    /// Its memory before anybody came, in bytes.
    pub memory_before: u64,
    /// Its memory at the end.
    pub memory_after: u64,
    /// The memory of those that it started, at the end.
    pub memory_of_children: u64,
}
