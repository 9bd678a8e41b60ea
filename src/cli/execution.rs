//! `gatelog execution`: what happened in one run of a flow, as a person reads it.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::Clock;
use crate::flow::Code;
use crate::replay::bundle::LEFT;
use crate::replay::{STATES, Verified, sentence};
use crate::settings::Settings;

use super::client::{Operator, segment};
use super::file;
use super::output::{Output, data, print_line, print_value, talk};
use super::replay::since::{self, Since};
use super::replay::{self, told};

mod explained;

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
        /// Only those of this user: a name, a number or an identifier, or a name that was typed
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Only those of the flow with this slug
        #[arg(long, value_name = "SLUG")]
        flow: Option<String>,
        /// Only those that stand so; may be given several times
        #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(STATES))]
        state: Vec<String>,
        /// Only those that began in this time, such as 7d or 12h, or since this moment
        #[arg(long, value_name = "WHEN", value_parser = since::read)]
        since: Option<Since>,
    },
    /// Show every event of an execution
    Show {
        /// Its id or its short code, as `gatelog execution list` prints them
        #[arg(required_unless_present = "file")]
        id: Option<String>,
        /// Show the one in this bundle instead
        #[arg(long, value_name = "FILE", conflicts_with = "id")]
        file: Option<PathBuf>,
    },
    /// Step through an execution, event by event, with the state after each
    Step {
        /// Its id or its short code
        id: String,
    },
    /// Tell why an execution came to where it is, in one paragraph
    Why {
        /// Its id or its short code
        id: String,
        /// Without names, addresses, identifiers and what was typed, to be read to the visitor
        #[arg(long)]
        help_desk: bool,
    },
    /// Show what differs first between two executions, or two points of one, and where they stand
    Diff {
        /// The id or short code of the one, and @VERSION where not its end is meant
        #[arg(value_name = "ID[@VERSION]")]
        left: String,
        /// The other
        #[arg(value_name = "ID[@VERSION]")]
        right: String,
        /// Show all events side by side, also those that are alike
        #[arg(long)]
        all: bool,
    },
    /// Follow an entry of the context: who changed it, when, from what to what
    Watch {
        /// Its id or its short code
        id: String,
        /// The key of the entry, such as `pending_user`
        key: String,
    },
    /// Run an execution again on what was recorded, and compare the events
    Verify {
        /// Its id or its short code
        id: String,
    },
    /// Write an execution, with all that is needed to run it again on another machine, into a file.
    ///
    /// No secret is in it, and other words stand in the place of what is personal.
    Bundle {
        /// Its id or its short code
        id: String,
        /// Write to this file, which must not exist, instead of standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Keep what is personal as it is: for a policy that goes by it
        #[arg(long)]
        personal: bool,
    },
}

pub(super) async fn run(
    command: &Command,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    let path = match command {
        Command::List { .. } => asked(command),
        Command::Show {
            file: Some(file), ..
        } => {
            let bundle = replay::bundle(file)?;
            return show(&json!({ "records": bundle.records }), output);
        }
        Command::Show { id, file: None } => {
            format!("executions/{}", named(id.as_deref().unwrap_or_default())?)
        }
        Command::Bundle { id, personal, .. } => {
            format!("executions/{}/bundle?personal={personal}", named(id)?)
        }
        Command::Step { id } => format!("executions/{}", named(id)?),
        Command::Verify { id } => format!("executions/{}/verify", named(id)?),
        Command::Diff { left, right, .. } => explained::comparing(left, right)?,
        Command::Watch { id, key } => {
            format!("executions/{}/watch?key={}", named(id)?, segment(key))
        }
        Command::Why { id, .. } => format!("executions/{}/why", named(id)?),
    };
    let operator = Operator::reach(settings).await?;
    // A filter may have to read through all that there is.
    let answer = match command {
        Command::List { .. } => operator.get_long(&path).await,
        _ => operator.get(&path).await,
    };
    operator.close().await?;
    let answer = answer?;
    match command {
        Command::List { .. } => list(&answer, output),
        Command::Show { .. } => show(&answer, output),
        Command::Step { .. } => super::step::run(&answer["records"], output),
        Command::Verify { .. } => verify(&answer, output),
        Command::Why { help_desk, .. } => explained::why(&answer, *help_desk, output),
        Command::Diff { all, .. } => explained::diff(&answer, *all, output),
        Command::Watch { .. } => explained::watch(&answer, output),
        Command::Bundle { out, .. } => bundle(&answer, out.as_deref()),
    }
}

/// Writes a bundle, and says so where it will not run again to the same.
fn bundle(answer: &Value, out: Option<&Path>) -> anyhow::Result<()> {
    let text = format!("{answer:#}\n");
    match out {
        Some(path) => file::put(path, 0o600, text.as_bytes())?,
        None => data(text.as_bytes())?,
    }
    if let Some(problem) = answer["problem"].as_str() {
        talk(&if problem.starts_with(LEFT) {
            format!("The bundle may not leave as it is: {problem}.")
        } else if answer["personal"] == true {
            format!("The bundle does not run again to what was recorded: {problem}.")
        } else {
            format!(
                "The bundle does not run again to what was recorded: {problem}. If that is \
                 because a policy goes by what was replaced, --personal keeps it."
            )
        });
    }
    Ok(())
}

/// What names an execution, as it stands in a path.
pub(super) fn named(name: &str) -> anyhow::Result<String> {
    if let Ok(id) = name.parse::<Uuid>() {
        return Ok(id.to_string());
    }
    match Code::parse(name) {
        Some(code) => Ok(code.to_string()),
        None => bail!(
            "{name:?} is neither the id of an execution nor its short code; `gatelog execution list \
             --user NAME` has those of a user"
        ),
    }
}

/// The path of the list that is asked for.
fn asked(command: &Command) -> String {
    let Command::List {
        limit,
        before,
        user,
        flow,
        state,
        since,
    } = command
    else {
        return String::new();
    };
    let mut asked = url::form_urlencoded::Serializer::new(String::new());
    asked.append_pair("limit", &limit.to_string());
    let before = before.map(|id| id.to_string());
    let since = since.map(|it| it.moment(Clock::system().now()).to_string());
    let state = Some(state.join(",")).filter(|it| !it.is_empty());
    let given = [
        ("before", &before),
        ("user", user),
        ("flow", flow),
        ("state", &state),
        ("since", &since),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            asked.append_pair(name, value);
        }
    }
    format!("executions?{}", asked.finish())
}

fn list(answer: &Value, output: &Output) -> anyhow::Result<()> {
    let executions = items(&answer["executions"]);
    let unreadable = executions
        .iter()
        .filter(|it| it["state"] == "unreadable")
        .count();
    if unreadable > 0 {
        talk(&format!(
            "Executions that cannot be read: {unreadable}; `gatelog journal verify` tells what is \
             damaged."
        ));
    }
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
