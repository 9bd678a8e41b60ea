//! The journal in memory keeps the contract.

use std::sync::Arc;

use gatelog::clock::Clock;
use gatelog::journal::memory::MemoryJournal;
use jiff::Timestamp;

use super::contract::{Subject, contract};

fn subject() -> Subject {
    let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
    let journal = MemoryJournal::new(clock.clone());
    let verified = journal.clone();
    Subject::new(Arc::new(journal), clock, move || {
        verified.verify().expect("every chain is whole");
    })
}

contract!(subject);
