//! The served description against that of authentik, where somebody has it: `GATELOG_REFERENCE`
//! names the folder. It is not part of this project.
//!
//! What authentik has and this server does not is printed, with what differs. A difference that is
//! not explained below fails.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::support::with_server;

mod explained;
mod shape;
mod yaml;

/// An operation, as far as it is compared.
struct Operation {
    place: String,
    parameters: BTreeMap<String, String>,
    body: String,
    answers: BTreeMap<String, String>,
}

/// Where the description is; none where nobody has it.
fn reference() -> Option<Value> {
    let folder = std::env::var_os("GATELOG_REFERENCE")?;
    let text = std::fs::read_to_string(Path::new(&folder).join("openapi.yml")).ok()?;
    Some(yaml::read(&text))
}

#[test]
fn what_is_described_is_what_authentik_describes() {
    let Some(reference) = reference() else {
        // Data of another project, and no tool that could be installed: nobody has to have it.
        say("skipped: GATELOG_REFERENCE names no folder with openapi.yml");
        return;
    };
    with_server(async |server| {
        let path = "/api/v3/schema/?format=json";
        let served = server.visitor().gets(path).await;
        let served = served.has_status(200).json();
        let found = differences(&reference, &served);
        let (explained, unexplained): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|it| explained::is(it));
        say(&format!(
            "{} differences are explained:\n{}",
            explained.len(),
            explained.join("\n")
        ));
        assert!(
            unexplained.is_empty(),
            "{} differences are not explained:\n{}",
            unexplained.len(),
            unexplained.join("\n")
        );
    });
}

fn differences(reference: &Value, served: &Value) -> Vec<String> {
    let (known, ours) = (operations(reference), operations(served));
    let tags: BTreeSet<&str> = ours.keys().filter_map(|id| id.split('_').next()).collect();
    let missing: Vec<&str> = known
        .keys()
        .map(String::as_str)
        .filter(|id| !ours.contains_key(*id))
        .filter(|id| id.split('_').next().is_some_and(|tag| tags.contains(tag)))
        .collect();
    say(&format!(
        "{} of {} operations are served; of the same groups these are not:\n{}",
        ours.keys().filter(|id| known.contains_key(*id)).count(),
        known.len(),
        missing.join("\n")
    ));
    let mut found = Vec::new();
    for (id, own) in &ours {
        let Some(other) = known.get(id) else {
            found.push(format!("operation {id}: is not authentik's"));
            continue;
        };
        let mut compare = |what: &str, other: &str, own: &str| {
            if other != own {
                found.push(format!("operation {id}: {what} is {own}, not {other}"));
            }
        };
        compare("place", &other.place, &own.place);
        compare("body", &other.body, &own.body);
        let absent = "absent".to_owned();
        let names: BTreeSet<_> = other
            .parameters
            .keys()
            .chain(own.parameters.keys())
            .collect();
        for name in names {
            let of = |it: &Operation| it.parameters.get(name).unwrap_or(&absent).clone();
            compare(&format!("parameter {name}"), &of(other), &of(own));
        }
        for (status, other) in &other.answers {
            let own = own.answers.get(status).unwrap_or(&absent);
            compare(&format!("answer {status}"), other, own);
        }
    }
    let schemas = |of: &Value| of["components"]["schemas"].as_object().cloned();
    let (known, ours) = (
        schemas(reference).unwrap_or_default(),
        schemas(served).unwrap_or_default(),
    );
    for (name, own) in &ours {
        match known.get(name) {
            Some(other) => found.extend(
                shape::differences(other, own)
                    .into_iter()
                    .map(|it| format!("schema {name}: {it}")),
            ),
            None => found.push(format!("schema {name}: is not authentik's")),
        }
    }
    found
}

fn operations(description: &Value) -> BTreeMap<String, Operation> {
    let mut found = BTreeMap::new();
    for (path, item) in description["paths"].as_object().into_iter().flatten() {
        for (method, it) in item.as_object().into_iter().flatten() {
            let Some(id) = it["operationId"].as_str() else {
                continue;
            };
            let parameters = it["parameters"].as_array().into_iter().flatten();
            let parameters = parameters.map(|it| {
                let it = follow(description, it);
                let text = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
                let shape = shape::brief(&it["schema"]);
                (format!("{} in {}", text("name"), text("in")), shape)
            });
            let answers = it["responses"].as_object().into_iter().flatten();
            let answers = answers
                .filter(|(status, _)| status.starts_with('2'))
                .map(|(status, it)| (status.clone(), content(it)));
            found.insert(
                id.to_owned(),
                Operation {
                    place: format!("{method} {path}"),
                    parameters: parameters.collect(),
                    body: content(&it["requestBody"]),
                    answers: answers.collect(),
                },
            );
        }
    }
    found
}

/// What a body or an answer holds, in a word.
fn content(of: &Value) -> String {
    let Some(content) = of["content"].as_object() else {
        return "nothing".to_owned();
    };
    match content.get("application/json") {
        Some(json) => shape::brief(&json["schema"]),
        None => content.keys().cloned().collect::<Vec<_>>().join(" or "),
    }
}

/// What a reference leads to.
fn follow<'a>(description: &'a Value, it: &'a Value) -> &'a Value {
    match it["$ref"].as_str().and_then(|it| it.strip_prefix('#')) {
        Some(pointer) => description.pointer(pointer).unwrap_or(it),
        None => it,
    }
}

fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
