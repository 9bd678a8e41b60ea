//! `gatelog journal`: the store itself.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Subcommand;
use reqwest::Method;
use serde_json::json;

use crate::app;
use crate::clock::Clock;
use crate::settings::Settings;

use super::client::{LONG, Operator};
use super::output::{Output, data, print_line, print_value, talk};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check every hash of every record, and name the first damaged one
    Verify,
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
        Command::Verify => verify(settings, output).await,
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

/// A journal that is damaged cannot be served, so one that nobody serves is read directly.
async fn verify(settings: &Settings, output: &Output) -> anyhow::Result<()> {
    let report = if let Some(report) = app::verify(settings, &Clock::system())? {
        serde_json::to_value(report)?
    } else {
        let operator = Operator::reach(settings).await?;
        let answer = operator.post_long("journal/verify", &json!({})).await;
        operator.close().await?;
        answer?
    };
    if output.is_json() {
        print_value(&report)?;
    }
    let findings = report["findings"].as_array().map_or(&[][..], Vec::as_slice);
    let Some(first) = findings.first() else {
        if !output.is_json() {
            talk(&format!(
                "The journal is whole. Records: {}, checkpoints: {}, records after the last one: {}.",
                report["records"], report["checkpoints"], report["after_checkpoints"]
            ));
        }
        // The server writes one every thousand commits or ten seconds, and when it stops.
        if report["after_checkpoints"].as_u64() > Some(SELDOM) {
            talk(
                "The file `checkpoints` is missing or too short, so nobody could tell if the end \
                 of the log had been cut off. Compare it with a copy that is kept elsewhere.",
            );
        }
        return Ok(());
    };
    if !output.is_json() {
        for finding in findings {
            print_line(finding.as_str().unwrap_or_default())?;
        }
    }
    Err(Damaged(first.as_str().unwrap_or_default().to_owned()).into())
}

/// After more records than this without a checkpoint, somebody may have removed one.
const SELDOM: u64 = 10_000;

/// The journal is not as it was written.
#[derive(Debug, thiserror::Error)]
#[error("the journal is damaged: {0}")]
pub(super) struct Damaged(String);

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
    let mut target = match file {
        Some(path) => {
            use std::os::unix::fs::OpenOptionsExt;
            // An export is for its owner alone, as the journal is.
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
        .send(Method::POST, route, Some(&json!({})), LONG)
        .await?;
    while let Some(chunk) = response.chunk().await.context("the export broke off")? {
        match &mut target {
            Some(file) => file.write_all(&chunk)?,
            None => data(&chunk)?,
        }
    }
    if let Some(file) = target {
        file.sync_all()?;
    }
    Ok(())
}
