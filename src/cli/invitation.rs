//! `gatelog invitation`: links that let somebody into a flow.

use anyhow::Context;
use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::settings::Settings;

use super::client::{once, segment};
use super::output::{Output, print_line, print_value, talk};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an invitation and print its link
    Create {
        /// What you call it: letters, digits, hyphens and underscores
        name: String,
        /// The only flow that it is for; without it the link has no path
        #[arg(long, value_name = "SLUG")]
        flow: Option<String>,
        /// When it ends: a moment, or a time such as 3d [default: 1d]
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
        /// It is good for one user only
        #[arg(long)]
        single_use: bool,
        /// What is known of whoever comes by it, as a JSON object of prompt data
        #[arg(long, value_name = "JSON")]
        fixed_data: Option<String>,
    },
    /// List all invitations
    List,
    /// Take an invitation back
    Delete {
        /// Its key, which is also in its link
        key: String,
    },
}

pub(super) async fn run(
    command: &Command,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    match command {
        Command::Create {
            name,
            flow,
            expires,
            single_use,
            fixed_data,
        } => {
            let data: Map<String, Value> = match fixed_data {
                Some(text) => {
                    serde_json::from_str(text).context("--fixed-data is no JSON object")?
                }
                None => Map::new(),
            };
            let body = json!({
                "name": name,
                "flow": flow,
                "expires": expires,
                "single_use": single_use,
                "data": data,
            });
            let made = once(settings, "invitations", Some(&body)).await?;
            if output.is_json() {
                return print_value(&made);
            }
            talk(&format!("Made the invitation {name}."));
            if let Some(path) = made["path"].as_str() {
                return print_line(path);
            }
            let key = made["pk"].as_str().unwrap_or_default();
            print_line(&format!("/if/flow/<slug>/?itoken={key}"))
        }
        Command::List => {
            let answer = once(settings, "invitations", None).await?;
            list(&answer, output)
        }
        Command::Delete { key } => {
            let path = format!("invitations/{}/delete", segment(key));
            let gone = once(settings, &path, Some(&json!({}))).await?;
            if output.is_json() {
                return print_value(&gone);
            }
            let name = gone["name"].as_str().unwrap_or_default();
            talk(&format!("Took the invitation {name} back."));
            Ok(())
        }
    }
}

fn list(answer: &Value, output: &Output) -> anyhow::Result<()> {
    let all = answer["invitations"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    if output.is_json() {
        return all.iter().try_for_each(print_value);
    }
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        _ => "-".to_owned(),
    };
    let keys = ["pk", "name", "flow", "expires", "single_use", "is_reserved"];
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|it| keys.iter().map(|key| text(&it[key])).collect())
        .collect();
    let headings = ["KEY", "NAME", "FLOW", "EXPIRES", "SINGLE USE", "IN USE"];
    output.table(&headings, &rows)
}
