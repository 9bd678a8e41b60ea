//! `gatelog blueprint export`: flows as a file.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::json;

use crate::cli::client;
use crate::cli::output::{Output, data, print_value, talk};
use crate::settings::Settings;

#[derive(Debug, Args)]
pub(in crate::cli) struct Wanted {
    /// The slugs of the flows
    #[arg(required_unless_present = "all", value_name = "SLUG")]
    flows: Vec<String>,
    /// All flows
    #[arg(long, conflicts_with = "flows")]
    all: bool,
    /// Write the blueprint into this file instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn run(
    wanted: &Wanted,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    let body = json!({ "flows": wanted.flows });
    let answer = client::once(settings, "blueprints/export", Some(&body)).await?;
    let content = answer["content"].as_str().unwrap_or_default();
    match &wanted.output {
        Some(file) => std::fs::write(file, content)
            .with_context(|| format!("{} cannot be written", file.display()))?,
        None if output.is_json() => return print_value(&answer),
        None => data(content.as_bytes())?,
    }
    for note in super::items(&answer["notes"]) {
        talk(note.as_str().unwrap_or_default());
    }
    Ok(())
}
