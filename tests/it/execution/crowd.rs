//! Many logins at once, while the server is killed at any moment: what was acknowledged is
//! there afterwards, and nothing happened twice.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::future::{join, join_all};
use gatelog::clock::Clock;
use serde_json::{Value, json};

use crate::support::{Answer, Flow, Person, TestServer, Visitor, random_below, with_server};

/// How many log in at the same time.
const WALKERS: usize = 32;

/// How long the server honours the cookie from before a login.
const GRACE: Duration = Duration::from_secs(10);

/// How often the server is killed: often enough to notice what is broken, or by
/// `GATELOG_LONG=1` often enough to be sure.
fn kills() -> usize {
    match std::env::var("GATELOG_LONG").as_deref() {
        Ok("1") => 200,
        _ => 15,
    }
}

/// The step at which the session starts, and the last one.
const LOGIN: usize = 3;
const LAST: usize = 4;

fn walk() -> Flow {
    let flow = Flow::new("walk");
    let who = json!({ "user_fields": ["username"] });
    let what = json!({ "backends": ["authentik.core.auth.InbuiltBackend"] });
    flow.stage("identification", "walk-who", who)
        .dummy("walk-a")
        .stage("password", "walk-what", what)
        .stage(
            "user_login",
            "walk-login",
            json!({ "remember_me_offset": "days=7" }),
        )
        .dummy("walk-b")
}

fn answer(person: &Person, step: usize) -> Value {
    match step {
        0 => json!({ "component": "ak-stage-identification", "uid_field": person.username }),
        2 => json!({ "component": "ak-stage-password", "password": person.password }),
        3 => json!({ "component": "ak-stage-user-login", "remember_me": true }),
        _ => json!({ "component": "ak-stage-dummy" }),
    }
}

/// Where an answer says that its execution stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    execution: String,
    challenge: u64,
    step: usize,
}

/// Reads a place; `None` at the end of the flow.
fn place(answer: &Answer) -> Option<Place> {
    answer.has_status(200);
    let body = answer.json();
    let step = match (body["component"].as_str(), body["name"].as_str()) {
        (Some("xak-flow-redirect"), _) => return None,
        (Some("ak-stage-identification"), _) => 0,
        (Some("ak-stage-dummy"), Some("walk-a")) => 1,
        (Some("ak-stage-password"), _) => 2,
        (Some("ak-stage-user-login"), _) => LOGIN,
        (Some("ak-stage-dummy"), Some("walk-b")) => LAST,
        _ => panic!("nobody asked for this: {answer:?}"),
    };
    answer.without_errors();
    let id = answer.header("x-gatelog-challenge");
    let (execution, challenge) = id.split_once('-').expect("an execution and a number");
    Some(Place {
        execution: execution.to_owned(),
        challenge: challenge.parse().expect("a number"),
        step,
    })
}

/// What all walkers have been told.
#[derive(Default)]
struct Ledger {
    /// Answers that were acknowledged: execution and challenge.
    taken: RefCell<Vec<(String, u64)>>,
    /// Executions that were said to be complete.
    complete: RefCell<Vec<String>>,
    /// Requests that were cut off.
    lost: Cell<usize>,
    /// Whether the killing has ended.
    is_over: Cell<bool>,
}

struct Walker<'a> {
    server: &'a dyn Fn() -> Visitor,
    person: &'a Person,
    /// Whether an answer that was cut off is sent again with its challenge's id, as our own
    /// pages do, instead of looking first.
    is_stubborn: bool,
    ledger: &'a Ledger,
}

impl Walker<'_> {
    async fn walks(&self) {
        while !self.ledger.is_over.get() {
            self.logs_in().await;
        }
        // Once more in peace: nobody is stuck.
        let visitor = self.logs_in().await;
        let me = visitor.gets("/api/v3/core/users/me/").await;
        assert_eq!(me.json()["user"]["username"], self.person.username);
    }

    /// Goes through one execution, however often it is interrupted.
    async fn logs_in(&self) -> Visitor {
        let mut visitor = (self.server)();
        visitor.points_at("walk");
        let mut at = place(&self.looks(&mut visitor).await).expect("a beginning");
        assert_eq!(at.step, 0);
        loop {
            let Some(next) = self.steps(&mut visitor, &at).await else {
                return visitor;
            };
            at = next;
        }
    }

    /// Answers one challenge; `None` when the flow is over.
    async fn steps(&self, visitor: &mut Visitor, at: &Place) -> Option<Place> {
        let body = answer(self.person, at.step);
        let sent = Clock::system().monotonic();
        if let Ok(answered) = visitor.try_to_answer(&body, &[]).await {
            visitor.notes(&answered);
            let taken = (at.execution.clone(), at.challenge);
            self.ledger.taken.borrow_mut().push(taken);
            let next = place(&answered);
            if let Some(next) = &next {
                assert_eq!(next.execution, at.execution);
                assert_eq!(next.step, at.step + 1, "{answered:?}");
            } else {
                assert_eq!(at.step, LAST);
                let complete = at.execution.clone();
                self.ledger.complete.borrow_mut().push(complete);
            }
            return next;
        }
        self.ledger.lost.set(self.ledger.lost.get() + 1);
        let found = if self.is_stubborn {
            self.repeats(visitor, at, &body).await
        } else {
            place(&self.looks(visitor).await)
        };
        let found = found.expect("a challenge");
        if found.execution == at.execution {
            assert!(
                found.step == at.step + 1 || found.step == at.step && !self.is_stubborn,
                "acknowledged was {at:?}, and now it is {found:?}"
            );
            return Some(found);
        }
        // The execution was complete, or the cookie from before the login has run out.
        let waited = Clock::system().monotonic() - sent;
        assert!(
            at.step == LAST || at.step == LOGIN && waited > GRACE,
            "acknowledged was {at:?}, and now it is {found:?}"
        );
        None
    }

    async fn looks(&self, visitor: &mut Visitor) -> Answer {
        loop {
            if let Ok(answer) = visitor.try_to_look().await {
                visitor.notes(&answer);
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends the same answer to the same challenge until somebody says what came of it.
    async fn repeats(&self, visitor: &mut Visitor, at: &Place, body: &Value) -> Option<Place> {
        let id = format!("{}-{}", at.execution, at.challenge);
        let header = [("x-gatelog-challenge", id.as_str())];
        loop {
            if let Ok(answer) = visitor.try_to_answer(body, &header).await {
                if let Some(found) = place(&answer) {
                    visitor.notes(&answer);
                    return Some(found);
                }
                // This time it was the first to arrive.
                return Some(place(&self.looks(visitor).await).expect("a new beginning"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn kill_at_random(server: &mut TestServer, ledger: &Ledger) {
    for _ in 0..kills() {
        let load = Duration::from_millis(50 + random_below(700));
        tokio::time::sleep(load).await;
        server.kill().await;
    }
    ledger.is_over.set(true);
}

/// The events of all executions, by the execution's id without dashes.
fn histories(server: &TestServer) -> HashMap<String, Vec<Value>> {
    let exported = server.gatelog(&["journal", "export", "--json"]);
    let mut histories: HashMap<String, Vec<Value>> = HashMap::new();
    for record in exported.succeeds().values() {
        if record["kind"] == "execution" {
            let id = record["id"].as_str().expect("an id").replace('-', "");
            let events = record["body"]["events"].as_array().expect("events");
            histories.entry(id).or_default().extend_from_slice(events);
        }
    }
    histories
}

fn count(events: &[Value], name: &str) -> usize {
    events.iter().filter(|event| event["event"] == name).count()
}

fn check(histories: &HashMap<String, Vec<Value>>, ledger: &Ledger) {
    for (id, events) in histories {
        let mut answered = HashSet::new();
        for event in events {
            if event["event"] == "response_received" {
                let number = event["number"].as_u64().expect("a number");
                assert!(answered.insert(number), "{id} took {number} twice");
            }
        }
        for once in ["started", "planned", "session_started", "completed"] {
            assert!(count(events, once) <= 1, "{id} has {once} twice");
        }
        assert_eq!(
            count(events, "stage_completed"),
            answered.len(),
            "{id} passed a stage without an answer, or the other way round"
        );
    }
    for (id, number) in ledger.taken.borrow().iter() {
        let events = histories.get(id).expect("an acknowledged execution");
        let is_there = events
            .iter()
            .any(|event| event["event"] == "response_received" && event["number"] == *number);
        assert!(is_there, "{id} lost the acknowledged answer to {number}");
    }
    for id in ledger.complete.borrow().iter() {
        assert_eq!(
            count(&histories[id], "completed"),
            1,
            "{id} is not complete"
        );
        assert_eq!(count(&histories[id], "session_started"), 1);
    }
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "the figures are what the long run is for"
)]
fn no_acknowledged_step_is_lost_and_none_is_taken_twice() {
    with_server(async |server| {
        server.has_flow(&walk());
        let people: Vec<Person> = (0..WALKERS).map(|_| server.person()).collect();
        let ledger = Ledger::default();
        let first = server.visitor();
        let newcomer = || first.as_somebody_else();
        let walkers: Vec<Walker> = people
            .iter()
            .enumerate()
            .map(|(number, person)| Walker {
                server: &newcomer,
                person,
                is_stubborn: number % 2 == 1,
                ledger: &ledger,
            })
            .collect();
        let walking = join_all(walkers.iter().map(Walker::walks));
        join(kill_at_random(server, &ledger), walking).await;
        let histories = histories(server);
        check(&histories, &ledger);
        let (taken, lost) = (ledger.taken.borrow().len(), ledger.lost.get());
        eprintln!(
            "{} kills, {} executions, {taken} answers acknowledged, {lost} cut off",
            kills(),
            histories.len()
        );
        assert!(lost > 0, "no request was ever cut off: nothing was tested");
    });
}
