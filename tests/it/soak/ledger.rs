//! What visitors were told, and whether the journal says the same.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::support::{Answer, TestServer};

/// Everything that was acknowledged.
#[derive(Default)]
pub(crate) struct Ledger {
    /// Answers, by execution and the number of the challenge.
    taken: RefCell<Vec<(String, u64)>>,
    /// Executions that were said to be complete.
    complete: RefCell<Vec<String>>,
    /// How many answers there were altogether, and how many requests were refused or cut off.
    pub(crate) answers: Cell<usize>,
    pub(crate) refused: Cell<usize>,
    pub(crate) cut_off: Cell<usize>,
}

impl Ledger {
    /// This answer was acknowledged.
    pub(crate) fn takes(&self, execution: &str, challenge: u64, is_complete: bool) {
        let execution = execution.to_owned();
        if is_complete {
            self.complete.borrow_mut().push(execution.clone());
        }
        self.taken.borrow_mut().push((execution, challenge));
        self.answers.set(self.answers.get() + 1);
    }

    /// What was acknowledged up to now may be forgotten by the server.
    pub(crate) fn forgets(&self) {
        self.taken.borrow_mut().clear();
        self.complete.borrow_mut().clear();
    }

    /// Every acknowledged answer is in the journal, and nothing is there twice. Says how many executions
    /// can be read.
    pub(crate) fn check(&self, server: &TestServer) -> usize {
        let histories = histories(server);
        for (id, events) in &histories {
            let mut answered = HashSet::new();
            for event in events {
                if event["event"] == "response_received" {
                    let number = event["number"].as_u64().expect("a number");
                    assert!(answered.insert(number), "{id} took {number} twice");
                }
            }
            for once in [
                "started",
                "planned",
                "session_started",
                "completed",
                "expired",
            ] {
                assert!(count(events, once) <= 1, "{id} has {once} twice");
            }
        }
        for (id, number) in self.taken.borrow().iter() {
            let events = histories.get(id);
            let events = events.unwrap_or_else(|| panic!("{id} is lost"));
            let is_there = events
                .iter()
                .any(|event| event["event"] == "response_received" && event["number"] == *number);
            assert!(is_there, "{id} lost the acknowledged answer to {number}");
        }
        for id in self.complete.borrow().iter() {
            assert_eq!(
                count(&histories[id], "completed"),
                1,
                "{id} is not complete"
            );
            assert_eq!(count(&histories[id], "session_started"), 1, "{id}");
        }
        histories.len()
    }
}

/// The execution and the number of the challenge that an answer shows.
pub(crate) fn challenge(answer: &Answer) -> Option<(String, u64)> {
    let (execution, number) = answer.header("x-gatelog-challenge").split_once('-')?;
    Some((execution.to_owned(), number.parse().ok()?))
}

fn count(events: &[Value], name: &str) -> usize {
    events.iter().filter(|event| event["event"] == name).count()
}

/// The events of all executions that can be read, by the execution's id without hyphens.
fn histories(server: &TestServer) -> HashMap<String, Vec<Value>> {
    let exported = server.gatelog_at_length(&["journal", "export", "--json"]);
    let mut histories: HashMap<String, Vec<Value>> = HashMap::new();
    for record in exported.succeeds().values() {
        if record["kind"] == "execution"
            && let Some(events) = record["body"]["events"].as_array()
        {
            let id = record["id"].as_str().expect("an id").replace('-', "");
            histories.entry(id).or_default().extend_from_slice(events);
        }
    }
    histories
}
