//! `gatelog completions` and `gatelog man`: what a shell completes, and the pages of the manual. Both are made
//! from the commands themselves, for whoever packages the program. Reads no settings and opens no data.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::Cli;
use super::output::{data, talk};

/// The name under which the program is called.
const NAME: &str = "gatelog";

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// For which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// Where to put them; made if it is not there, and pages of the same names are replaced
    #[arg(value_name = "DIRECTORY")]
    directory: PathBuf,
}

/// Prints what the shell is to read.
pub(super) fn completions(command: &Completions) -> anyhow::Result<()> {
    let mut script = Vec::new();
    generate(command.shell, &mut Cli::command(), NAME, &mut script);
    data(&script)
}

/// Writes a page for the program and one for each of its commands.
pub(super) fn man(command: &Man) -> anyhow::Result<()> {
    let directory = &command.directory;
    let cannot = || format!("the manual cannot be written to {}", directory.display());
    fs::create_dir_all(directory).with_context(cannot)?;
    clap_mangen::generate_to(Cli::command(), directory).with_context(cannot)?;
    talk(&format!(
        "The manual is in {0}: man {0}/gatelog.1",
        directory.display()
    ));
    Ok(())
}
