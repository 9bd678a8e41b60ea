//! `gatelog policy`: which policies there are, and what one says of somebody.

use std::net::IpAddr;

use anyhow::bail;
use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::settings::Settings;

use super::client::Operator;
use super::output::{Output, print_line, print_value};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List all policies
    List,
    /// Ask a policy about somebody; nothing of it takes effect
    Test {
        /// The policy's name
        name: String,
        /// What the user logs in with whom it is asked about; nobody without it
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// What an execution would have learnt, as a JSON object
        #[arg(long, value_name = "JSON", default_value = "{}", value_parser = object)]
        context: Map<String, Value>,
        /// The address that the request comes from; without it there is no request
        #[arg(long, value_name = "IP")]
        address: Option<IpAddr>,
        /// The host that the request asks for: it decides about the brand
        #[arg(long, value_name = "HOST", requires = "address")]
        host: Option<String>,
    },
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("the context is no JSON object, such as {\"is_sso\": true}".to_owned()),
        Err(error) => Err(format!("the context is no JSON: {error}")),
    }
}

pub(super) async fn run(
    command: &Command,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    let operator = Operator::reach(settings).await?;
    let answer = match command {
        Command::List => operator.get("policies").await,
        Command::Test {
            name,
            user,
            context,
            address,
            host,
        } => {
            let mut body = json!({ "policy": name, "user": user, "context": context });
            // A server that runs and is older knows nothing of these.
            if let Some(address) = address {
                body["address"] = json!(address);
                body["host"] = json!(host);
            }
            operator.post("policies/test", &body).await
        }
    };
    operator.close().await?;
    match command {
        Command::List => list(&answer?, output),
        Command::Test { .. } => told(&answer?, output),
    }
}

fn list(answer: &Value, output: &Output) -> anyhow::Result<()> {
    let policies = items(&answer["policies"]);
    if output.is_json() {
        return policies.iter().try_for_each(print_value);
    }
    let rows: Vec<Vec<String>> = policies
        .iter()
        .map(|policy| {
            vec![
                text(&policy["name"]).to_owned(),
                text(&policy["kind"]).to_owned(),
                policy["bindings"].to_string(),
                text(&policy["pk"]).to_owned(),
            ]
        })
        .collect();
    output.table(&["NAME", "KIND", "BINDINGS", "ID"], &rows)
}

/// What the policy said. One that failed has no answer, so the command failed too.
fn told(answer: &Value, output: &Output) -> anyhow::Result<()> {
    let failed = answer["error"].as_str();
    if output.is_json() {
        print_value(answer)?;
    } else {
        let verdict = match (failed, answer["passing"].as_bool()) {
            (Some(_), _) => "failed",
            (None, Some(true)) => "passes",
            (None, _) => "does not pass",
        };
        let (name, kind) = (text(&answer["policy"]), text(&answer["kind"]));
        let about = match answer["user"].as_str() {
            Some(user) => format!("user {user}"),
            None => "nobody".to_owned(),
        };
        let version = &answer["version"];
        let line = format!("policy {name} ({kind}, version {version}) {verdict} for {about}");
        output.heading(&line)?;
        if failed.is_none() {
            for message in items(&answer["messages"]) {
                print_line(&format!("  says: {}", text(message)))?;
            }
        }
        for line in items(&answer["log"]) {
            print_line(&format!(
                "  {}: {}",
                text(&line["level"]),
                text(&line["text"])
            ))?;
        }
        for line in text(&answer["traceback"]).lines() {
            print_line(&format!("  {line}"))?;
        }
    }
    match failed {
        Some(error) => bail!("the policy could not be evaluated: {error}"),
        None => Ok(()),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_an_object() {
        let context = object(r#"{"a": 1}"#).expect("an object");
        assert_eq!(context["a"], 1);
        assert!(object("[1]").expect_err("a list").contains("object"));
        assert!(object("{a}").expect_err("no JSON").contains("no JSON"));
    }
}
