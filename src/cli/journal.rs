//! `gatelog journal`: the store itself.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app;
use crate::clock::Clock;
use crate::settings::Settings;

use super::client::{LONG, Operator, Refusal};
use super::output::Output;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check every hash of every record, and name the first damaged one
    Verify,
    /// Make the state anew from the log; the server must be stopped
    Rebuild,
    /// Write every record as one line of JSON, with its body opened
    Export {
        /// Write to this file, which must not exist, instead of standard output
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

pub(super) async fn run(
    command: &Command,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    match command {
        Command::Verify => verify(settings, output).await,
        Command::Rebuild => {
            let report = app::rebuild(settings, &Clock::system()).await?;
            if output.is_json() {
                return output.value(&report);
            }
            output.talk(&format!("The state is made anew: {}.", sentence(&report)));
            Ok(())
        }
        Command::Export { output: file } => {
            let operator = Operator::reach(settings).await?;
            let exported = export(&operator, file.as_ref(), output).await;
            operator.close().await?;
            exported
        }
    }
}

async fn verify(settings: &Settings, output: &Output) -> anyhow::Result<()> {
    let operator = Operator::reach(settings).await?;
    let answer = operator.post_long("journal/verify", &json!({})).await;
    operator.close().await?;
    match answer {
        Ok(report) if output.is_json() => output.value(&report),
        Ok(report) => {
            output.talk(&format!("The journal is whole: {}.", sentence(&report)));
            Ok(())
        }
        Err(error) => match error.downcast_ref::<Refusal>() {
            Some(refusal) if refusal.code == "journal_corrupt" => {
                for problem in &refusal.problems {
                    match problem.as_str() {
                        Some(text) if !output.is_json() => output.line(text)?,
                        _ => output.value(problem)?,
                    }
                }
                Err(error)
            }
            _ => Err(error),
        },
    }
}

/// The numbers of a report, as `12 records, 3 streams`.
fn sentence(report: &Value) -> String {
    let numbers = report.as_object().into_iter().flatten();
    let parts: Vec<String> = numbers
        .filter(|(_, number)| number.is_number())
        .map(|(name, number)| format!("{number} {}", name.replace('_', " ")))
        .collect();
    parts.join(", ")
}

async fn export(
    operator: &Operator,
    file: Option<&PathBuf>,
    output: &Output,
) -> anyhow::Result<()> {
    let mut target = match file {
        Some(path) => {
            use std::os::unix::fs::OpenOptionsExt;
            // Bodies are open in an export, so it is for its owner alone.
            let file = File::options()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)
                .with_context(|| format!("{} cannot be made", path.display()))?;
            Some(file)
        }
        None => None,
    };
    let mut response = operator
        .send(Method::POST, "journal/export", Some(&json!({})), LONG)
        .await?;
    let mut last = None;
    while let Some(chunk) = response.chunk().await.context("the export broke off")? {
        last = chunk.last().copied();
        match &mut target {
            Some(file) => file.write_all(&chunk)?,
            None => output.bytes(&chunk)?,
        }
    }
    if let Some(file) = target {
        file.sync_all()?;
    }
    // The server ends every record with a line break, so anything else is half a record.
    if last.is_some_and(|byte| byte != b'\n') {
        bail!("the export broke off within a record");
    }
    Ok(())
}
