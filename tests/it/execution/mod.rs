//! Executions that outlive the process.

mod crowd;
mod kill;
