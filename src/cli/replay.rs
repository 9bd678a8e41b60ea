//! `gatelog replay`: recorded executions, run again.

use std::path::Path;

use anyhow::Context;
use clap::Subcommand;

use crate::replay::bundle::Bundle;
use crate::settings::Settings;

use super::output::Output;

pub(super) mod since;
pub(super) mod told;
mod verify;
mod what_if;

pub(super) use verify::Undecided;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run executions again through this version's code, and say which come to something else.
    ///
    /// Ends with 0 if all come to the same events, with 1 if one does not, and with 2 if that
    /// cannot be said, also because there was nothing to compare.
    Verify(verify::Command),
    /// Say how recorded executions would go if blueprint files were applied, and write nothing
    WhatIf(what_if::Command),
}

pub(super) async fn run(
    command: &Command,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    match command {
        Command::Verify(command) => verify::run(command, settings, output).await,
        Command::WhatIf(command) => what_if::run(command, settings, output).await,
    }
}

/// The bundle in a file.
pub(super) fn bundle(file: &Path) -> anyhow::Result<Bundle> {
    read(file).with_context(|| file.display().to_string())
}

fn read(file: &Path) -> anyhow::Result<Bundle> {
    Ok(Bundle::read(&std::fs::read(file)?)?)
}
