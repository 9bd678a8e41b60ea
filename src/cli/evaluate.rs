//! `gatelog evaluate`: the worker process of expressions, started by the server only.

use clap::Args;

use crate::expression::worker;

#[derive(Debug, Args)]
pub(super) struct Command {
    /// What the address space may grow by, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = worker::MEMORY)]
    memory: u64,
}

pub(super) fn run(command: &Command) -> anyhow::Result<()> {
    Ok(worker::run(command.memory)?)
}
