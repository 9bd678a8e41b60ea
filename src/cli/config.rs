//! `gatelog config`: what is set, and by whom.

use clap::Subcommand;
use serde_json::{Map, json};

use crate::settings::Shown;

use super::output::{Output, print_value, talk};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check the settings and say what is wrong with them
    Check,
    /// Show every setting and where its value comes from; secrets are not shown
    Show,
}

pub(super) fn run(command: &Command, shown: &[Shown], output: &Output) -> anyhow::Result<()> {
    match command {
        // Settings that are wrong were refused before this is reached.
        Command::Check if output.is_json() => print_value(&json!({ "valid": true })),
        Command::Check => {
            talk("The settings are valid.");
            Ok(())
        }
        Command::Show if output.is_json() => {
            let all: Map<_, _> = shown
                .iter()
                .map(|shown| {
                    let value = json!({ "value": shown.value, "origin": shown.origin.to_string() });
                    (shown.key.to_owned(), value)
                })
                .collect();
            print_value(&all.into())
        }
        Command::Show => {
            let rows: Vec<Vec<String>> = shown
                .iter()
                .map(|shown| {
                    let value = shown.value.clone().unwrap_or_else(|| "-".to_owned());
                    vec![shown.key.to_owned(), value, shown.origin.to_string()]
                })
                .collect();
            output.table(&["SETTING", "VALUE", "FROM"], &rows)
        }
    }
}
