//! `gatelog bench`: what it makes of servers that are well, slow, full or away.

use serde_json::Value;

use crate::support::command::{Ran, run};

mod fake;
mod given;
mod honest;
mod own;

use fake::Fake;

/// Runs `gatelog bench` for programs with nothing set in its environment.
fn bench(arguments: &[&str]) -> Ran {
    let all: Vec<&str> = ["bench", "--json"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    run(&all, &[], "")
}

/// The one document that it printed.
#[track_caller]
fn report(ran: &Ran) -> Value {
    let mut values = ran.values();
    assert_eq!(values.len(), 1, "{ran:?}");
    values.remove(0)
}

/// A number of the report, such as `conversations.ended`.
#[track_caller]
fn number(report: &Value, path: &str) -> f64 {
    let value = path.split('.').fold(report, |value, name| &value[name]);
    value
        .as_f64()
        .unwrap_or_else(|| panic!("no {path} in {report}"))
}

/// A whole number of the report.
#[track_caller]
fn count(report: &Value, path: &str) -> u64 {
    let value = path.split('.').fold(report, |value, name| &value[name]);
    value
        .as_u64()
        .unwrap_or_else(|| panic!("no {path} in {report}"))
}

/// The step of this name.
#[track_caller]
fn step<'a>(report: &'a Value, name: &str) -> &'a Value {
    let steps = report["steps"].as_array().expect("steps");
    let found = steps.iter().find(|step| step["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {report}"))
}
