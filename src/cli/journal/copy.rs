//! `gatelog journal copy`: from a data directory into PostgreSQL, and back.

use serde_json::json;

use crate::app::copy::{self, End};
use crate::cli::output::{Output, print_value, talk};
use crate::clock::Clock;
use crate::settings::Settings;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Copy {
    #[arg(
        long,
        value_name = "DIRECTORY|URL",
        help = "Where the journal is: a data directory, or postgres://user@host/database"
    )]
    from: String,
    /// Where it goes: the other of the two, and empty
    #[arg(long, value_name = "DIRECTORY|URL")]
    to: String,
}

/// So often it is told how far the copy is, in records.
const STRIDE: u64 = 100_000;

pub(super) async fn run(
    command: &Copy,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    let (from, to) = (End::parse(&command.from), End::parse(&command.to));
    let last = std::cell::Cell::new(0);
    let told = |records: u64| {
        if records / STRIDE > last.replace(records) / STRIDE {
            talk(&format!("{records} records ..."));
        }
    };
    let copied = copy::run(from, to, settings, &Clock::system(), told).await?;
    let root = base16ct::lower::encode_string(&copied.root.0);
    if output.is_json() {
        return print_value(&json!({
            "records": copied.records,
            "before": copied.before,
            "root": root,
        }));
    }
    if copied.before > 0 {
        talk(&format!("{} records were there already.", copied.before));
    }
    talk(&format!(
        "{} records are copied. Both journals have the root {root}.",
        copied.records
    ));
    Ok(())
}
