//! `gatelog secret`: the root key.

use clap::Subcommand;
use serde_json::json;

use crate::settings::Settings;

use super::client::Operator;
use super::output::{Output, print_value, talk};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Replace the root key by a new one and wrap all other keys under it
    Rotate,
}

pub(super) async fn run(
    command: &Command,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    let Command::Rotate = command;
    let operator = Operator::reach(settings).await?;
    let answer = operator.post_long("secret/rotate", &json!({})).await;
    operator.close().await?;
    let answer = answer?;
    if output.is_json() {
        return print_value(&answer);
    }
    talk(&format!(
        "The root key in {} is a new one. Back it up now. The old one opens nothing here any more, \
         only backups of the directory `keys` from before.",
        settings.secret_key_file.display()
    ));
    Ok(())
}
