//! `gatelog journal`: the store itself.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::bail;
use clap::Subcommand;
use reqwest::Method;
use serde_json::json;

use crate::app;
use crate::clock::Clock;
use crate::http::operator::UNNOTED;
use crate::settings::Settings;

use super::client::{LONG, Operator, next};
use super::file::NewFile;
use super::output::{Output, data, print_value, talk};

mod certificate;
mod copy;
mod prove;
mod verify;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check every hash of every record, and name the first damaged one.
    ///
    /// Also looks at exports, proofs and certificates alone, with nothing but a verifier key.
    Verify(verify::Command),
    /// Prove that records are in the journal, or that nothing was altered since a checkpoint
    Prove(prove::Prove),
    /// Sign what the journal is now, and print that
    Checkpoint(prove::Checkpoint),
    /// Copy the journal from a data directory into PostgreSQL, or back; no server may have it.
    ///
    /// Into a database it may be taken up again where it broke off.
    Copy(copy::Copy),
    /// Make the state anew from the log; the server must be stopped
    Rebuild,
    /// Write the whole journal, sealed as it is, as one compressed file: a backup.
    ///
    /// With --json, every record as a line of JSON instead, in which only the events of
    /// executions are opened.
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
        Command::Verify(command) => verify::run(command, settings, output).await,
        Command::Prove(command) => prove::prove(command, settings, output).await,
        Command::Checkpoint(command) => prove::checkpoint(command, settings, output).await,
        Command::Copy(command) => copy::run(command, settings, output).await,
        Command::Rebuild => {
            let position = app::rebuild(settings, &Clock::system())?;
            if output.is_json() {
                return print_value(&json!({ "position": position }));
            }
            talk(&format!(
                "The state is made anew up to position {}.",
                position.0
            ));
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

/// The journal is not as it was written.
#[derive(Debug, thiserror::Error)]
#[error("the journal is damaged: {0}")]
pub(super) struct Damaged(String);

/// A proof or a checkpoint does not hold.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refuted(String);

async fn export(
    operator: &Operator,
    file: Option<&PathBuf>,
    output: &Output,
) -> anyhow::Result<()> {
    if file.is_none() && !output.is_json() && std::io::stdout().is_terminal() {
        bail!("the export is not text; name a file with --output, or pipe it into one");
    }
    let route = if output.is_json() {
        "journal/records"
    } else {
        "journal/export"
    };
    // An export is for its owner alone, as the journal is.
    let mut target = file.map(|path| NewFile::begin(path, 0o600)).transpose()?;
    let mut response = operator
        .send(Method::POST, route, Some(&json!({})), LONG)
        .await?;
    if let Some(why) = response.headers().get(UNNOTED) {
        let why = why.to_str().unwrap_or("it cannot be written");
        talk(&format!("The journal does not tell of this export: {why}."));
    }
    while let Some(chunk) = next(&mut response, "the export").await? {
        match &mut target {
            Some(file) => file.write(&chunk)?,
            None => data(&chunk)?,
        }
    }
    target.map_or(Ok(()), NewFile::finish)
}
