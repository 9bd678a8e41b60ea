//! Our description of settings beside authentik's, where somebody has that: `GATELOG_REFERENCE` names
//! a folder with its `openapi.yml`.

#![expect(clippy::print_stderr, reason = "what differs must be read")]

use std::collections::BTreeSet;
use std::path::Path;

use granit_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value, json};

use crate::catalog::schema::Described;
use crate::{policy, stage};

/// What we say otherwise, and why.
const DELIBERATE: &[(&str, &str)] = &[
    // Words that this version does not tell apart from others: any text fits.
    ("EventMatcherPolicy.app", "a text"),
    ("EventMatcherPolicy.model", "a text"),
    // Secrets that authentik shows again.
    ("AuthenticatorEmailStage.password", "write-only"),
    ("AuthenticatorSMSStage.auth", "write-only"),
    ("AuthenticatorSMSStage.auth_password", "write-only"),
    // Numbers that mean nothing beyond these bounds.
    ("AuthenticatorEmailStage.port", "a port"),
    ("AuthenticatorEmailStage.timeout", "not below zero"),
    ("AuthenticatorStaticStage.token_count", "at most 1000"),
    ("DummyPolicy.wait_max", "not below zero"),
    ("DummyPolicy.wait_min", "not below zero"),
    ("EmailStage.port", "a port"),
    ("EmailStage.timeout", "not below zero"),
    ("GeoIPPolicy.asns", "not below zero"),
    // Asking for less than authentik does.
    ("GeoIPPolicy.required", "no countries are needed"),
];

fn kinds() -> Vec<Described> {
    let stages = stage::Kind::ALL.iter().map(|kind| kind.described());
    let policies = policy::Kind::ALL.iter().map(|kind| kind.described());
    stages.chain(policies).collect()
}

#[test]
fn settings_are_described_as_authentik_describes_them() {
    let Some(folder) = std::env::var_os("GATELOG_REFERENCE") else {
        eprintln!("skipped: GATELOG_REFERENCE names no folder with openapi.yml");
        return;
    };
    let path = Path::new(&folder).join("openapi.yml");
    let text = std::fs::read_to_string(path).expect("openapi.yml");
    let reference = yaml(&text);
    let schemas = &reference["components"]["schemas"];
    let mut found = BTreeSet::new();
    for described in kinds() {
        let name = &described.name;
        let theirs = &schemas[format!("{name}Request")];
        assert!(theirs.is_object(), "there is no {name}Request");
        let ours = serde_json::to_value(&described.settings).expect("JSON");
        for (property, ours, theirs) in both(&ours["properties"], &theirs["properties"]) {
            if ours != theirs {
                eprintln!("{name}.{property}: {ours} is {theirs} in the reference");
                found.insert(format!("{name}.{property}"));
            }
        }
        let (ours, theirs) = (words(&ours["required"]), words(&theirs["required"]));
        if ours != theirs {
            eprintln!("{name} needs {ours:?}, and {theirs:?} in the reference");
            found.insert(format!("{name}.required"));
        }
        for (word, schema) in &described.refers {
            let ours = serde_json::to_value(schema).expect("JSON");
            let (ours, theirs) = (words(&ours["enum"]), words(&schemas[word]["enum"]));
            if ours != theirs {
                eprintln!("{word}: {ours:?} are {theirs:?} in the reference");
                found.insert(word.clone());
            }
        }
    }
    let deliberate = DELIBERATE.iter().map(|(what, _)| (*what).to_owned());
    assert_eq!(found, deliberate.collect());
}

/// What every stage and every policy has besides its settings.
const COMMON: &[&str] = &["name", "execution_logging"];

fn both(ours: &Value, theirs: &Value) -> Vec<(String, Value, Value)> {
    let empty = Map::new();
    let [ours, theirs] = [ours, theirs].map(|it| it.as_object().unwrap_or(&empty));
    let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let names = names
        .into_iter()
        .filter(|it| !COMMON.contains(&it.as_str()));
    let plain = |of: &Map<String, Value>, name| of.get(name).map_or(Value::Null, plain);
    names
        .map(|name| (name.clone(), plain(ours, name), plain(theirs, name)))
        .collect()
}

fn words(list: &Value) -> BTreeSet<String> {
    let words = list
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    words
        .filter(|word| !COMMON.contains(word))
        .map(str::to_owned)
        .collect()
}

/// A property without what is said to people, in one spelling for both versions of `OpenAPI`.
fn plain(property: &Value) -> Value {
    let mut plain = property.as_object().cloned().unwrap_or_default();
    for talk in ["description", "title", "default"] {
        plain.remove(talk);
    }
    let mut nullable = plain.remove("nullable") == Some(json!(true));
    if let Some(Value::Array(names)) = plain.get("type").cloned() {
        nullable |= names.contains(&json!("null"));
        let name = names.into_iter().find(|name| *name != "null");
        plain.insert("type".to_owned(), name.expect("a type"));
    }
    for list in ["allOf", "oneOf"] {
        let Some(Value::Array(parts)) = plain.remove(list) else {
            continue;
        };
        nullable |= parts.contains(&json!({ "type": "null" }));
        let part = parts.into_iter().find(|part| part.get("$ref").is_some());
        plain.insert(
            "$ref".to_owned(),
            part.expect("a reference")["$ref"].clone(),
        );
    }
    if let Some(items) = plain.get_mut("items") {
        *items = self::plain(items);
    }
    if nullable {
        plain.insert("nullable".to_owned(), json!(true));
    }
    plain.into()
}

/// The one document of a text, without what YAML has beyond JSON.
fn yaml(text: &str) -> Value {
    let mut parser = Parser::new_from_str(text);
    let mut next = || parser.next().expect("an event").expect("YAML").0;
    loop {
        let event = next();
        if !matches!(event, Event::StreamStart | Event::DocumentStart(..)) {
            return value(event, &mut next);
        }
    }
}

fn value<'a>(event: Event<'a>, next: &mut impl FnMut() -> Event<'a>) -> Value {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, ..) => serde_json::from_str(&text)
            .ok()
            .filter(|value: &Value| !value.is_string())
            .unwrap_or_else(|| json!(text)),
        Event::Scalar(text, ..) => json!(text),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match next() {
                    Event::SequenceEnd => return items.into(),
                    event => items.push(value(event, next)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut map = Map::new();
            loop {
                match next() {
                    Event::MappingEnd => return map.into(),
                    Event::Scalar(key, ..) => {
                        let event = next();
                        map.insert(key.into_owned(), value(event, next));
                    }
                    other => panic!("no key: {other:?}"),
                }
            }
        }
        other => panic!("no value: {other:?}"),
    }
}
