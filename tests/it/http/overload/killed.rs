//! The server has far too much to do, and is killed: what it acknowledged is there, once.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::future::{join, join_all};
use serde_json::json;

use crate::support::{Answer, Flow, Options, TestServer, Visitor, random_below, with_server_of};

/// How many come at once, to a server that has two in work and lets two wait.
const VISITORS: usize = 48;

/// How often the server is killed.
const KILLS: usize = 5;

/// How many stages the flow has.
const STAGES: usize = 4;

fn steps() -> Flow {
    let names = (0..STAGES).map(|number| format!("step-{number}"));
    names.fold(Flow::new("steps"), |flow, name| flow.dummy(&name))
}

#[derive(Default)]
struct Ledger {
    /// Answers that were acknowledged, by execution and challenge.
    taken: RefCell<Vec<(String, u64)>>,
    refused: Cell<usize>,
    lost: Cell<usize>,
    is_over: Cell<bool>,
}

/// The execution and the number of the challenge that an answer shows; `None` at the end.
fn place(answer: &Answer) -> Option<(String, u64)> {
    answer.has_status(200);
    if answer.component() == "xak-flow-redirect" {
        return None;
    }
    answer.sees("ak-stage-dummy").without_errors();
    let id = answer.header("x-gatelog-challenge");
    let (execution, number) = id.split_once('-').expect("an execution and a number");
    Some((execution.to_owned(), number.parse().expect("a number")))
}

/// Whether somebody was told to come again; nothing else may be wrong with an answer.
fn is_refused(ledger: &Ledger, answer: &Answer) -> bool {
    if answer.status != 503 {
        return false;
    }
    let wait: u64 = answer.header("retry-after").parse().expect("seconds");
    assert!(wait > 0, "{answer:?}");
    ledger.refused.set(ledger.refused.get() + 1);
    true
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(5 + random_below(20))).await;
}

/// Looks until the server shows where the execution stands.
async fn looks(ledger: &Ledger, visitor: &mut Visitor) -> Option<(String, u64)> {
    loop {
        match visitor.try_to_look().await {
            Ok(answer) if is_refused(ledger, &answer) => {}
            Ok(answer) => {
                visitor.notes(&answer);
                return place(&answer);
            }
            Err(_) => ledger.lost.set(ledger.lost.get() + 1),
        }
        pause().await;
    }
}

/// Goes through the flow once, however often it is told to come again.
async fn goes_through(ledger: &Ledger, mut visitor: Visitor) {
    visitor.points_at("steps");
    let mut at = looks(ledger, &mut visitor).await;
    while let Some((execution, number)) = at.clone() {
        let body = json!({ "component": "ak-stage-dummy" });
        let id = format!("{execution}-{number}");
        let header = [("x-gatelog-challenge", id.as_str())];
        match visitor.try_to_answer(&body, &header).await {
            Ok(answer) if is_refused(ledger, &answer) => pause().await,
            Ok(answer) => {
                visitor.notes(&answer);
                ledger.taken.borrow_mut().push((execution.clone(), number));
                at = place(&answer);
                if let Some((now, next)) = &at {
                    assert_eq!((now, *next), (&execution, number + 1), "{answer:?}");
                }
            }
            Err(_) => {
                ledger.lost.set(ledger.lost.get() + 1);
                let found = looks(ledger, &mut visitor).await;
                let Some((now, next)) = found.filter(|(now, _)| *now == execution) else {
                    // It was the last answer, and it had arrived: a new execution was begun.
                    assert_eq!(number, STAGES as u64, "{execution} is gone");
                    return;
                };
                assert!(
                    next == number || next == number + 1,
                    "{now}: {number}, {next}"
                );
                at = Some((now, next));
            }
        }
    }
}

async fn keeps_coming(ledger: &Ledger, first: &Visitor) {
    while !ledger.is_over.get() {
        goes_through(ledger, first.as_somebody_else()).await;
    }
}

async fn kills(server: &mut TestServer, ledger: &Ledger) {
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(200 + random_below(600))).await;
        server.kill().await;
    }
    ledger.is_over.set(true);
}

/// The challenges that were answered, by execution.
fn answered(server: &TestServer) -> HashMap<String, HashSet<u64>> {
    let exported = server.gatelog(&["journal", "export", "--json"]);
    let mut answered: HashMap<String, HashSet<u64>> = HashMap::new();
    for record in exported.succeeds().values() {
        if record["kind"] != "execution" {
            continue;
        }
        let id = record["id"].as_str().expect("an id").replace('-', "");
        let events = record["body"]["events"].as_array().expect("events");
        let of_this = answered.entry(id.clone()).or_default();
        for event in events {
            if event["event"] == "response_received" {
                let number = event["number"].as_u64().expect("a number");
                assert!(of_this.insert(number), "{id} took {number} twice");
            }
        }
    }
    answered
}

#[test]
#[expect(clippy::print_stderr, reason = "the figures tell how much was tried")]
fn under_overload_no_acknowledged_step_is_lost() {
    let options = Options::default()
        .with("GATELOG_EXECUTION__AT_ONCE", "2")
        .with("GATELOG_EXECUTION__MAX_WAITING", "2");
    with_server_of(options, async |server| {
        server.has_flow(&steps());
        let ledger = Ledger::default();
        let first = server.visitor();
        let coming = (0..VISITORS).map(|_| keeps_coming(&ledger, &first));
        join(kills(server, &ledger), join_all(coming)).await;
        let answered = answered(server);
        let taken = ledger.taken.borrow();
        for (execution, number) in taken.iter() {
            let there = answered.get(execution);
            let is_there = there.is_some_and(|it| it.contains(number));
            assert!(
                is_there,
                "{execution} lost the acknowledged answer to {number}"
            );
        }
        let (refused, lost) = (ledger.refused.get(), ledger.lost.get());
        eprintln!(
            "{} answers acknowledged, {refused} requests refused, {lost} cut off",
            taken.len()
        );
        assert!(refused > 0, "nobody was refused: nothing was tested");
        assert!(lost > 0, "no request was cut off: nothing was tested");
        assert!(!taken.is_empty(), "nothing was acknowledged");
    });
}
