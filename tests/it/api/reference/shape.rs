//! Schemas of both versions of `OpenAPI`, as far as a client can tell them apart.

use std::collections::BTreeSet;

use serde_json::Value;

/// How two schemas of one name differ.
pub(super) fn differences(other: &Value, own: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, other: String, own: String| {
        if other != own {
            found.push(format!("{what} is {own}, not {other}"));
        }
    };
    if other.get("enum").is_some() || own.get("enum").is_some() {
        compare("enum", words(other), words(own));
        return found;
    }
    if other.get("oneOf").is_some() || own.get("oneOf").is_some() {
        compare("choice", brief(other), brief(own));
        return found;
    }
    let members = |of: &Value| of["properties"].as_object().cloned().unwrap_or_default();
    let (known, ours) = (members(other), members(own));
    let (needed, promised) = (required(other), required(own));
    let names: BTreeSet<&String> = known.keys().chain(ours.keys()).collect();
    for name in names {
        match (known.get(name), ours.get(name)) {
            (Some(other), Some(own)) => {
                compare(&format!("member {name}"), brief(other), brief(own));
                let word = |is: bool| if is { "required" } else { "optional" }.to_owned();
                compare(
                    &format!("member {name}"),
                    word(needed.contains(name)),
                    word(promised.contains(name)),
                );
            }
            (Some(_), None) => compare(name, "there".to_owned(), "missing".to_owned()),
            (None, _) => compare(name, "missing".to_owned(), "there".to_owned()),
        }
    }
    found
}

fn required(schema: &Value) -> BTreeSet<String> {
    let all = schema["required"].as_array().into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn words(schema: &Value) -> String {
    let all = schema["enum"].as_array().into_iter().flatten();
    let all: BTreeSet<&str> = all.filter_map(Value::as_str).collect();
    all.into_iter().collect::<Vec<_>>().join(" | ")
}

/// A schema in a few words, the same in both versions.
pub(super) fn brief(schema: &Value) -> String {
    let mut parts = BTreeSet::new();
    collect(schema, &mut parts);
    parts.into_iter().collect::<Vec<_>>().join(" | ")
}

fn collect(schema: &Value, parts: &mut BTreeSet<String>) {
    if schema["nullable"] == true {
        parts.insert("null".to_owned());
    }
    if let Some(reference) = schema["$ref"].as_str() {
        parts.insert(reference.rsplit('/').next().unwrap_or_default().to_owned());
        return;
    }
    for several in ["allOf", "oneOf", "anyOf"] {
        if let Some(all) = schema[several].as_array() {
            for it in all {
                collect(it, parts);
            }
            return;
        }
    }
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => vec!["anything"],
    };
    for kind in types {
        let shown = match kind {
            "array" => format!("list of {}", brief(&schema["items"])),
            "object" => match &schema["additionalProperties"] {
                Value::Object(of) if !of.is_empty() => {
                    format!("object of {}", brief(&schema["additionalProperties"]))
                }
                _ => "object".to_owned(),
            },
            "string" => match schema["format"].as_str() {
                Some(format @ ("uuid" | "date-time" | "binary")) => format!("string {format}"),
                _ => "string".to_owned(),
            },
            kind => kind.to_owned(),
        };
        parts.insert(shown);
    }
}
