//! `gatelog token`: keys with which programs call the API.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::settings::Settings;

use super::client::{once, segment};
use super::output::{Output, print_line, print_value, talk};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token for the API and print its key, which is shown this once
    Create {
        /// The user that it stands for
        username: String,
        /// What you call it: letters, digits, hyphens and underscores [default: the user's name and `-api`]
        #[arg(long)]
        name: Option<String>,
        /// When it ends: a moment, or a time such as 30d [default: never]
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
    },
    /// List all tokens, without their keys
    List,
    /// Take a token away: whoever has its key can do nothing with it any more
    Delete {
        /// What it is called
        name: String,
    },
}

pub(super) async fn run(
    command: &Command,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    match command {
        Command::Create {
            username,
            name,
            expires,
        } => {
            let name = name.clone().unwrap_or_else(|| format!("{username}-api"));
            let body = json!({ "username": username, "name": name, "expires": expires });
            let made = once(settings, "tokens", Some(&body)).await?;
            if output.is_json() {
                return print_value(&made);
            }
            talk(&format!(
                "Made the token {name} for {username}. Its key is not shown again:"
            ));
            print_line(made["key"].as_str().unwrap_or_default())
        }
        Command::List => {
            let answer = once(settings, "tokens", None).await?;
            list(&answer, output)
        }
        Command::Delete { name } => {
            let path = format!("tokens/{}/delete", segment(name));
            let gone = once(settings, &path, Some(&json!({}))).await?;
            if output.is_json() {
                return print_value(&gone);
            }
            talk(&format!("Took the token {name} away."));
            Ok(())
        }
    }
}

fn list(answer: &Value, output: &Output) -> anyhow::Result<()> {
    let all = answer["tokens"].as_array().map_or(&[][..], Vec::as_slice);
    if output.is_json() {
        return all.iter().try_for_each(print_value);
    }
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|it| {
            let ended = if it["is_expired"] == true {
                "yes"
            } else {
                "no"
            };
            let mut row: Vec<String> = ["name", "intent", "username", "expires"]
                .iter()
                .map(|key| text(&it[key]))
                .collect();
            row.push(ended.to_owned());
            row
        })
        .collect();
    output.table(&["NAME", "INTENT", "USER", "EXPIRES", "ENDED"], &rows)
}
