//! `gatelog execution`: what happened in one run of a flow, as a person reads it.

use anyhow::bail;
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::flow::Code;
use crate::replay::{Verified, sentence};
use crate::settings::Settings;

use super::client::Operator;
use super::output::{Output, print_line, print_value, talk};
use super::replay::told;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List executions, the latest first
    List {
        /// How many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        /// Only those that began before this one
        #[arg(long, value_name = "ID")]
        before: Option<Uuid>,
    },
    /// Show every event of an execution
    Show {
        /// Its id or its short code, as `gatelog execution list` prints them
        id: String,
    },
    /// Run an execution again on what was recorded, and compare the events
    Verify {
        /// Its id or its short code
        id: String,
    },
}

pub(super) async fn run(
    command: &Command,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    let path = match command {
        Command::List { limit, before } => {
            let before = before.map_or_else(String::new, |id| format!("&before={id}"));
            format!("executions?limit={limit}{before}")
        }
        Command::Show { id } => format!("executions/{}", named(id)?),
        Command::Verify { id } => format!("executions/{}/verify", named(id)?),
    };
    let operator = Operator::reach(settings).await?;
    let answer = operator.get(&path).await;
    operator.close().await?;
    let answer = answer?;
    match command {
        Command::List { .. } => list(&answer, output),
        Command::Show { .. } => show(&answer, output),
        Command::Verify { .. } => verify(&answer, output),
    }
}

/// What names an execution, as it stands in a path.
fn named(name: &str) -> anyhow::Result<String> {
    if let Ok(id) = name.parse::<Uuid>() {
        return Ok(id.to_string());
    }
    match Code::parse(name) {
        Some(code) => Ok(code.to_string()),
        None => bail!("{name:?} is neither the id of an execution nor its short code"),
    }
}

fn list(answer: &Value, output: &Output) -> anyhow::Result<()> {
    let executions = items(&answer["executions"]);
    if output.is_json() {
        return executions.iter().try_for_each(print_value);
    }
    let rows: Vec<Vec<String>> = executions
        .iter()
        .map(|it| {
            let text = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
            let user = it["username"].as_str().or(it["user"].as_str());
            vec![
                text("execution"),
                text("code"),
                moment(&text("started"), 0),
                text("flow"),
                user.unwrap_or("-").to_owned(),
                text("address"),
                text("state"),
                text("detail"),
            ]
        })
        .collect();
    let headings = [
        "ID",
        "CODE",
        "STARTED",
        "FLOW",
        "USER",
        "FROM",
        "STATE",
        "WHERE OR WHY",
    ];
    output.table(&headings, &rows)
}

fn show(answer: &Value, output: &Output) -> anyhow::Result<()> {
    let records = items(&answer["records"]);
    if output.is_json() {
        return records.iter().try_for_each(print_value);
    }
    for record in records {
        let at = moment(record["at"].as_str().unwrap_or("?"), 3);
        let asked = sentence::asked(&record["record"]["input"]);
        let version = record["version"].to_string();
        output.heading(&format!("{version:>4}  {at}  {asked}"))?;
        for line in sentence::all_told(items(&record["record"]["events"])) {
            print_line(&format!("      {line}"))?;
        }
    }
    Ok(())
}

fn verify(answer: &Value, output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        print_value(answer)?;
    }
    match serde_json::from_value(answer.clone())? {
        Verified::Same { records } => {
            if !output.is_json() {
                talk(&format!("The same events again, in {records} records."));
            }
            Ok(())
        }
        Verified::Diverged(divergence) => {
            if !output.is_json() {
                told::sides(&divergence)?;
            }
            bail!("at {divergence}")
        }
    }
}

/// A moment with as many decimals of its second, or the text as it is when it is none.
fn moment(text: &str, decimals: usize) -> String {
    let at: Option<Timestamp> = text.parse().ok();
    at.map_or_else(|| text.to_owned(), |at| format!("{at:.decimals$}"))
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
