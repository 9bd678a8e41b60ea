//! `gatelog execution`: what happened in one run of a flow, as a person reads it.

use clap::Subcommand;
use serde_json::Value;
use uuid::Uuid;

use crate::settings::Settings;

use super::client::Operator;
use super::output::Output;

mod sentence;

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
        /// Its id, as `gatelog execution list` prints it
        id: Uuid,
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
        Command::Show { id } => format!("executions/{id}"),
    };
    let operator = Operator::reach(settings).await?;
    let answer = operator.get(&path).await;
    operator.close().await?;
    let answer = answer?;
    match command {
        Command::List { .. } => list(&answer, output),
        Command::Show { .. } => show(&answer, output),
    }
}

fn list(answer: &Value, output: &Output) -> anyhow::Result<()> {
    let executions = items(&answer["executions"]);
    if output.is_json() {
        return executions.iter().try_for_each(|it| output.value(it));
    }
    let keys = ["id", "started", "flow", "user", "address", "state"];
    let rows: Vec<Vec<String>> = executions
        .iter()
        .map(|it| {
            let text = |key: &&str| it[*key].as_str().unwrap_or("-").to_owned();
            keys.iter().map(text).collect()
        })
        .collect();
    output.table(&["ID", "STARTED", "FLOW", "USER", "FROM", "STATE"], &rows)
}

fn show(answer: &Value, output: &Output) -> anyhow::Result<()> {
    let records = items(&answer["records"]);
    if output.is_json() {
        return records.iter().try_for_each(|it| output.value(it));
    }
    for record in records {
        let at = record["at"].as_str().unwrap_or("?");
        let asked = sentence::asked(&record["body"]["input"]);
        output.heading(&format!("{:>4}  {at}  {asked}", record["version"]))?;
        let Some(events) = record["body"]["events"].as_array() else {
            output.line("      The key of this record was destroyed; nobody can read it.")?;
            continue;
        };
        for event in events {
            for line in sentence::told(event) {
                output.line(&format!("      {line}"))?;
            }
        }
    }
    Ok(())
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
