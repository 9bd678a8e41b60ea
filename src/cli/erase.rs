//! `gatelog user erase`: removes a person from everything that can be read.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};

use crate::settings::Settings;

use super::client::{Operator, segment};
use super::device::agreed;
use super::file::NewFile;
use super::output::{Output, print_line, print_value, talk};

/// Whom, and how.
#[derive(Debug, Args)]
pub(super) struct Command {
    /// What they log in with, their number, or their identifier
    user: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Also remove the executions of others in which they are named; without it these are listed
    #[arg(long)]
    others: bool,
    /// Show what would go, and change nothing
    #[arg(long, conflicts_with_all = ["yes", "certificate"])]
    dry_run: bool,
    /// Write the certificate into this file as well, which must not exist
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

pub(super) async fn run(
    command: &Command,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    let operator = Operator::reach(settings).await?;
    let erased = erase(command, &operator, output).await;
    operator.close().await?;
    erased
}

async fn erase(command: &Command, operator: &Operator, output: &Output) -> anyhow::Result<()> {
    let path = format!("users/{}", segment(&command.user));
    if command.dry_run || !command.yes {
        let preview = operator.get_long(&format!("{path}/erasure")).await?;
        if command.dry_run && output.is_json() {
            return print_value(&preview);
        }
        talk(&would_go(&preview, command.others));
        if command.dry_run {
            return Ok(());
        }
        let question = format!("Erase {}? It cannot be undone. [y/N] ", command.user);
        if !agreed(&question)? {
            bail!("nothing was erased");
        }
    }
    // Made before anything is done: what is done cannot be undone for a full disk.
    let certificate = command.certificate.as_ref();
    let file = certificate
        .map(|path| NewFile::begin(path, 0o600))
        .transpose()?;
    let wanted = json!({ "others": command.others });
    let answer = operator
        .post_long(&format!("{path}/erase"), &wanted)
        .await?;
    let (certificate, text) = (&answer["certificate"], answer["text"].as_str());
    if let Some(mut file) = file {
        let data = serde_json::to_string_pretty(certificate)?;
        let content = if output.is_json() {
            data
        } else {
            format!("{}\n\n{data}", text.unwrap_or_default().trim_end())
        };
        file.write(format!("{content}\n").as_bytes())?;
        file.finish()?;
    }
    if output.is_json() {
        return print_value(certificate);
    }
    for line in text.unwrap_or_default().lines() {
        print_line(line)?;
    }
    Ok(())
}

/// What would go, in words.
fn would_go(preview: &Value, others: bool) -> String {
    if preview["is_begun"] == true {
        return "This erasure was begun before; it goes on where it was interrupted.".to_owned();
    }
    let removed = &preview["removed"];
    let number = |name: &str| removed[name].as_u64().unwrap_or_default();
    let of_others = preview["others"].as_u64().unwrap_or_default();
    let of_others = match (of_others, others) {
        (0, _) => String::new(),
        (number, true) => format!(
            " THIS ALSO DESTROYS {number} executions of other people, in which they are named: nobody \
             will be able to read what those people did."
        ),
        (number, false) => format!(
            " {number} executions of other people in which they are named stay, and are listed; \
             --others destroys these as well."
        ),
    };
    format!(
        "This destroys the key of {} and removes {} objects, {} executions of theirs, {} executions \
         of nobody in which they are named, {} audit events, {} mails, {} invitations and {} counts \
         of attempts. They would stay named in {} other objects.{of_others}",
        preview["username"].as_str().unwrap_or_default(),
        number("objects"),
        number("executions"),
        number("executions_of_nobody"),
        number("events"),
        number("mails"),
        number("invitations"),
        number("attempts"),
        preview["remains"]
    )
}
