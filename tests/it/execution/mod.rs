//! Executions that outlive the process.

mod crowd;
mod kill;
#[cfg(feature = "shifted-clock")]
mod time;
