//! `gatelog journal prove` and `gatelog journal checkpoint`: evidence for somebody else.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use crate::cli::client;
use crate::cli::file;
use crate::cli::output::{Output, data, print_line, print_value};
use crate::settings::Settings;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(in crate::cli) struct Prove {
    /// That the record at this position is in the journal
    #[arg(long, value_name = "N", group = "what")]
    position: Option<u64>,
    /// The same for every record of this execution
    #[arg(long, value_name = "ID", group = "what")]
    execution: Option<String>,
    /// That nothing was altered since the last checkpoint in this file
    #[arg(long, value_name = "FILE", group = "what")]
    from: Option<PathBuf>,
    /// ... until the last checkpoint in this one, instead of until now
    #[arg(long, value_name = "FILE", requires = "from")]
    to: Option<PathBuf>,
    /// Write to this file, which must not exist, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Checkpoint {
    /// Print the key that checks checkpoints and proofs, instead of a checkpoint
    #[arg(long)]
    key: bool,
    /// Write to this file, which must not exist, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) async fn prove(
    command: &Prove,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    let wanted = if let Some(position) = command.position {
        json!({ "position": position })
    } else if let Some(execution) = &command.execution {
        json!({ "execution": execution })
    } else {
        let read = |path: &PathBuf| {
            std::fs::read_to_string(path)
                .with_context(|| format!("{} cannot be read", path.display()))
        };
        let from = command.from.as_ref().map(read).transpose()?;
        let to = command.to.as_ref().map(read).transpose()?;
        json!({ "consistency": { "from": from, "to": to } })
    };
    let answer = client::once(settings, "journal/prove", Some(&wanted)).await?;
    let proofs = answer["proofs"].as_array().map_or(&[][..], Vec::as_slice);
    if output.is_json() && command.out.is_none() {
        return proofs.iter().try_for_each(print_value);
    }
    let texts = proofs.iter().filter_map(|proof| proof["proof"].as_str());
    put(&texts.collect::<String>(), command.out.as_ref())
}

pub(super) async fn checkpoint(
    command: &Checkpoint,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    let answer = client::once(settings, "journal/checkpoint", Some(&json!({}))).await?;
    if output.is_json() && command.out.is_none() {
        return print_value(&answer);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if command.key {
        let key = text(&answer["key"]);
        return match &command.out {
            Some(_) => put(&format!("{key}\n"), command.out.as_ref()),
            None => print_line(&key),
        };
    }
    put(&text(&answer["checkpoint"]), command.out.as_ref())
}

/// Evidence is for others, so everybody may read the file.
fn put(text: &str, file: Option<&PathBuf>) -> anyhow::Result<()> {
    match file {
        Some(path) => file::put(path, 0o644, text.as_bytes()),
        None => data(text.as_bytes()),
    }
}
