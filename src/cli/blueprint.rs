//! `gatelog blueprint`: files that describe flows, stages and whatever else is configured.

use std::path::PathBuf;

use anyhow::{anyhow, bail};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::blueprint::Ready;
use crate::settings::Settings;

use super::client::{Operator, Refusal};
use super::output::{Output, data, print_value, talk};

pub(super) mod diff;
mod export;
pub(super) mod files;
mod status;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say what applying the files would do, and do nothing
    Check(Files),
    /// Apply the files, each all together or not at all, in the order given
    Apply(Files),
    /// Show what applying the files would change: exit code 0 if nothing, 1 if something
    Diff(Files),
    /// Print flows with everything that they need, as a blueprint
    Export(export::Wanted),
    /// Say what came of the files of the watched folder
    Status,
    /// Switch on a flow that comes with the server, and lead people to it
    Enable {
        /// Which one
        #[arg(value_parser = PossibleValuesParser::new(ready()))]
        name: String,
    },
    /// Print the blueprint of such a flow, to make one of your own of it
    Show {
        /// Which one
        #[arg(value_parser = PossibleValuesParser::new(ready()))]
        name: String,
    },
}

/// What can be switched on.
fn ready() -> impl Iterator<Item = &'static str> {
    Ready::ALL.iter().map(|it| it.as_str())
}

#[derive(Debug, Args)]
pub(super) struct Files {
    /// Blueprint files, or folders of them; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Leave out entries of models that are not supported, and say which
    #[arg(long)]
    skip_unsupported: bool,
}

pub(super) async fn run(
    command: &Command,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    let (path, files, verb) = match command {
        Command::Check(files) => ("blueprints/check", files, "is valid"),
        Command::Apply(files) => ("blueprints/apply", files, "is applied"),
        Command::Diff(files) => return diff::run(files, settings, output).await,
        Command::Export(wanted) => return export::run(wanted, settings, output).await,
        Command::Status => return status::run(settings, output).await,
        Command::Enable { name } => return enable(name, settings, output).await,
        Command::Show { name } => {
            let ready: Ready = name.parse().map_err(anyhow::Error::msg)?;
            return data(ready.source().as_bytes());
        }
    };
    let bodies = files::read(&files.files)?;
    let operator = Operator::reach(settings).await?;
    let mut refused = 0;
    let mut failure = Ok(());
    for (name, content) in bodies {
        let body = json!({
            "name": name,
            "content": content,
            "skip_unsupported": files.skip_unsupported,
        });
        let told = match operator.post(path, &body).await {
            Ok(answer) => accepted(&name, verb, &answer, output),
            Err(error) => match error.downcast::<Refusal>() {
                Ok(refusal) if refusal.code == "blueprint" => {
                    refused += 1;
                    rejected(&name, &refusal, output)
                }
                Ok(refusal) => Err(refusal.into()),
                Err(error) => Err(error),
            },
        };
        // A file may rest on the one before it, so nothing is applied after a refusal.
        let applying = matches!(command, Command::Apply(_));
        if told.is_err() || (applying && refused > 0) {
            failure = told;
            break;
        }
    }
    operator.close().await?;
    failure?;
    match refused {
        0 => Ok(()),
        1 => bail!("one file was refused; nothing of it was written"),
        number => bail!("{number} files were refused; nothing of them was written"),
    }
}

/// The error; what is wrong with files is told before.
pub(super) fn refused(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<Refusal>() {
        Ok(refusal) if refusal.code == "blueprint" => {
            for problem in &refusal.problems {
                talk(problem.as_str().unwrap_or_default());
            }
            anyhow!("the files cannot be applied")
        }
        Ok(refusal) => refusal.into(),
        Err(error) => error,
    }
}

async fn enable(name: &str, settings: &Settings, output: &Output) -> anyhow::Result<()> {
    let operator = Operator::reach(settings).await?;
    let answer = operator
        .post("blueprints/enable", &json!({ "name": name }))
        .await;
    operator.close().await?;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => match error.downcast::<Refusal>() {
            Ok(refusal) if refusal.code == "blueprint" => {
                rejected(name, &refusal, output)?;
                bail!("{name} does not fit in here; nothing was written");
            }
            Ok(refusal) => return Err(refusal.into()),
            Err(error) => return Err(error),
        },
    };
    accepted(name, "is switched on", &answer["report"], output)?;
    let flow = answer["flow"].as_str().unwrap_or_default();
    if answer["kept"] == true {
        talk(&format!(
            "The flow {flow} was there already, and was left as it is."
        ));
    }
    talk(&format!("Its page is /if/flow/{flow}/."));
    for need in items(&answer["needs"]) {
        talk(need.as_str().unwrap_or_default());
    }
    Ok(())
}

fn accepted(name: &str, verb: &str, answer: &Value, output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return print_value(&json!({ "file": name, "result": answer }));
    }
    for note in items(&answer["notes"]) {
        let text = note["text"].as_str().unwrap_or_default();
        talk(&format!("{name}:{}: {text}", note["span"]["line"]));
    }
    talk(&format!("{name} {verb}."));
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let entries = items(&answer["entries"]);
    if entries.is_empty() {
        return Ok(());
    }
    let mut keys = vec!["outcome", "model", "name"];
    let mut heads = vec!["OUTCOME", "MODEL", "OBJECT"];
    if entries.iter().any(|entry| entry["why"].is_string()) {
        keys.push("why");
        heads.push("WHY");
    }
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| keys.iter().map(|key| text(&entry[*key])).collect())
        .collect();
    output.table(&heads, &rows)
}

fn rejected(name: &str, refusal: &Refusal, output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return print_value(&json!({ "file": name, "problems": refusal.problems }));
    }
    for problem in &refusal.problems {
        talk(problem.as_str().unwrap_or(&problem.to_string()));
    }
    if refusal.problems.is_empty() {
        talk(&format!("{name}: {}", refusal.message));
    }
    Ok(())
}

pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
