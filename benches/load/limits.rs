//! What no server of flows can go beyond: the hash, the disk and the journal.

use std::hint::black_box;
use std::time::Duration;

use gatelog::clock::Clock;
use gatelog::directory::password;
use gatelog::journal::Durability;
use gatelog::process::of_thread;
use secrecy::SecretString;

use crate::commit::{bare, commits};
use crate::served::disk;

/// How many passwords are hashed.
const HASHES: u32 = 50;

/// All of them.
pub(super) struct Limits {
    /// Milliseconds of processor time of one hash.
    pub(super) hash: f64,
    /// Milliseconds of one write with its `fdatasync`, half of them at most.
    pub(super) sync_p50: f64,
    /// The same, for 99 of 100.
    pub(super) sync_p99: f64,
    /// Writes for each second, of as many writers as there are visitors, with one sync for a round.
    pub(super) writes: f64,
    /// Commits of the journal alone, by as many.
    pub(super) durable: f64,
    /// The same without a sync.
    pub(super) relaxed: f64,
}

impl Limits {
    /// Measures them; the journal with so many writers.
    pub(super) fn measure(many: usize, clock: &Clock) -> Self {
        let many = many as u128;
        let directory = tempfile::tempdir_in(disk()).expect("a directory on the disk");
        let directory = directory.path();
        let (_, syncs) = bare(directory, 1, clock);
        let (writes, _) = bare(directory, many, clock);
        Self {
            hash: hash(clock),
            sync_p50: at(&syncs, 50),
            sync_p99: at(&syncs, 99),
            writes,
            durable: commits(directory, many, Durability::Durable, clock).per_second,
            relaxed: commits(directory, many, Durability::Relaxed, clock).per_second,
        }
    }
}

/// Milliseconds of this part of them, which are in order.
fn at(all: &[Duration], part: usize) -> f64 {
    all[(all.len() - 1) * part / 100].as_secs_f64() * 1e3
}

fn hash(clock: &Clock) -> f64 {
    let typed = SecretString::from("correct horse battery staple");
    black_box(password::hash(&typed, clock));
    let used = || of_thread().expect("Linux tells").as_secs_f64() * 1e3;
    let before = used();
    for _ in 0..HASHES {
        black_box(password::hash(&typed, clock));
    }
    (used() - before) / f64::from(HASHES)
}
