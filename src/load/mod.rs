//! Makes load: whole conversations of many visitors with a server, and what they took.
//!
//! It speaks the executor API over HTTP/1.1 and nothing else, so any server that has it can be
//! measured. One thread does everything, so that its share of the machine can be told. It prints
//! nothing, and sends nothing anywhere but to its [`Target`].

use std::time::Duration;

mod challenge;
mod connection;
mod conversation;
mod crowd;
mod failure;
mod jar;
pub mod own;
mod pace;
mod people;
mod profile;
mod report;
mod series;
mod tally;
mod target;

pub use crowd::{Error, run};
pub use people::{People, Unusable};
pub use profile::Profile;
pub use report::{
    Conversations, Delay, Generator, Latency, Loop, PushedBack, Report, Requests, Server, Step,
};
pub use target::{Refused, Target};

/// What is measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What visitors do.
    pub profile: Profile,
    /// The slugs of the flows that they go through, by turns; at least one.
    pub flows: Vec<String>,
    /// How many there are at the same time; at least one. In an open loop the most there may be.
    pub visitors: usize,
    /// Conversations begun for each second, whatever the server does: an open loop. Without it
    /// each visitor begins the next one when the last one is over: a closed loop.
    pub rate: Option<f64>,
    /// What is done before anything counts.
    pub warm_up: Duration,
    /// How long it counts.
    pub duration: Duration,
    /// Ends after so many conversations, however long they take, and nothing is a warm-up.
    pub conversations: Option<u64>,
    /// How long one request may take; and in an open loop, how much later than due one may end.
    pub timeout: Duration,
    /// Whether each conversation has a connection of its own.
    pub reconnects: bool,
    /// Whether each visitor claims an address of its own, as a proxy would tell it
    /// (`X-Forwarded-For`).
    pub forwarded: bool,
    /// The process whose processor time and memory are told, with those that it started.
    pub process: Option<u32>,
}

impl Plan {
    /// Ten seconds of logins by 32 visitors, one after the other, after a second that does not
    /// count.
    #[must_use]
    pub fn new(profile: Profile, flows: Vec<String>) -> Self {
        Self {
            profile,
            flows,
            visitors: 32,
            rate: None,
            warm_up: Duration::from_secs(1),
            duration: Duration::from_secs(10),
            conversations: None,
            timeout: Duration::from_secs(30),
            reconnects: false,
            forwarded: false,
            process: None,
        }
    }
}
