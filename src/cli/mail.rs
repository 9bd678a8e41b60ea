//! `gatelog mail`: whether mails can be sent, and from which templates.

use anyhow::bail;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::settings::Settings;

use super::client::Operator;
use super::output::{Output, print_line, print_value};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Send a test mail at once, and say how that went
    Test {
        /// Whom it is sent to
        address: String,
        /// The e-mail stage whose mail server is used; that of the settings without it
        #[arg(long, value_name = "NAME")]
        stage: Option<String>,
    },
    /// List the mails that are not sent yet, and why
    List,
    /// List the templates of mails, and what is wrong with them
    Templates,
}

pub(super) async fn run(
    command: &Command,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    let operator = Operator::reach(settings).await?;
    let answer = match command {
        Command::Test { address, stage } => {
            let body = json!({ "address": address, "stage": stage });
            // A server that takes its time to judge a message is waited for.
            operator.post_long("mail/test", &body).await
        }
        Command::List => operator.get("mail").await,
        Command::Templates => operator.get("mail/templates").await,
    };
    operator.close().await?;
    match command {
        Command::Test { .. } => told(&answer?, output),
        Command::List => waiting(&answer?, output),
        Command::Templates => list(&answer?, output),
    }
}

/// How the test went, step by step. A mail that was not sent, or only perhaps, is a failure.
fn told(answer: &Value, output: &Output) -> anyhow::Result<()> {
    let texts = |field: &str| answer[field].as_str().unwrap_or_default();
    if output.is_json() {
        print_value(answer)?;
    } else {
        for step in answer["steps"].as_array().into_iter().flatten() {
            print_line(&format!("  {}", step.as_str().unwrap_or_default()))?;
        }
        match texts("outcome") {
            "sent" => print_line("sent")?,
            "unknown" => print_line("nobody knows whether it was sent")?,
            _ => print_line(&format!("not sent: {}", texts("problem")))?,
        }
        if let Some(said) = answer["said"].as_str() {
            print_line(&format!("the server said: {said}"))?;
        }
        if let Some(remedy) = answer["remedy"].as_str() {
            print_line(remedy)?;
        }
    }
    match texts("outcome") {
        "sent" => Ok(()),
        "unknown" => bail!("nobody knows whether the test mail was sent"),
        _ => bail!("the test mail was not sent"),
    }
}

fn waiting(answer: &Value, output: &Output) -> anyhow::Result<()> {
    let mails = answer["mails"].as_array().map_or(&[][..], Vec::as_slice);
    if output.is_json() {
        return mails.iter().try_for_each(print_value);
    }
    let rows: Vec<Vec<String>> = mails
        .iter()
        .map(|mail| {
            let text = |field: &str| mail[field].as_str().unwrap_or("-").to_owned();
            let tried = mail["attempts"].to_string();
            let (state, due) = (text("state"), text("due"));
            vec![
                text("mail"),
                text("execution"),
                tried,
                due,
                state,
                text("problem"),
            ]
        })
        .collect();
    let headings = ["MAIL", "EXECUTION", "TRIED", "DUE", "STATE", "LAST PROBLEM"];
    output.table(&headings, &rows)
}

fn list(answer: &Value, output: &Output) -> anyhow::Result<()> {
    let templates = answer["templates"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    if output.is_json() {
        return templates.iter().try_for_each(print_value);
    }
    let rows: Vec<Vec<String>> = templates
        .iter()
        .map(|template| {
            let text = |field: &str| template[field].as_str().unwrap_or_default().to_owned();
            vec![text("name"), text("label"), text("problem")]
        })
        .collect();
    output.table(&["NAME", "LABEL", "PROBLEM"], &rows)
}
