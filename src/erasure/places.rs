//! Where in a record persons are named. Only computes.
//!
//! Most of what a record holds was written by this program or by whoever made the flow: moments, slugs,
//! the names of stages, methods. None of it is searched. What people typed or are is searched for all
//! that somebody is known by; what programs wrote in words, only for addresses and telephones.

use serde_json::{Map, Value};

use super::needles::is_in_text;
use crate::flow::context::key::IDENTIFICATION_HELD;

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// What somebody typed, or is called.
    Personal,
    /// What a program wrote.
    Written,
}

/// The members in which a person is named, wherever they are.
const PERSONAL: [&str; 21] = [
    "attributes",
    "body",
    "email",
    "fixed_data",
    "identifier",
    "initial_value",
    "login_hint",
    "next",
    "pending_user",
    "pending_user_identifier",
    "phone_number",
    "prompt_data",
    "query",
    "to_address",
    "to_email",
    "to_name",
    "typed",
    "uid_field",
    "upn",
    "user",
    "username",
];

/// The members that hold words of this program, of a browser, or of whoever made the flow.
const PROGRAM: [&str; 51] = [
    "action",
    "app",
    "asn",
    "at",
    "auth_method",
    "auth_method_args",
    "backend",
    "binding",
    "brand",
    "by",
    "came_to",
    "change",
    "check",
    "class",
    "client",
    "component",
    "created",
    "device_class",
    "due",
    "errors",
    "event",
    "expires",
    "flow",
    "from",
    "from_email",
    "geo",
    "groups",
    "host",
    "is",
    "kind",
    "language",
    "lookup",
    "means",
    "message",
    "messages",
    "method",
    "mode",
    "permissions",
    "place",
    "plan",
    "policy",
    "saw",
    "settings",
    "slug",
    "stage",
    "target",
    "template",
    "until",
    "user_agent",
    "user_agent_family",
    "when",
];

/// The same among what people typed: only what no form asks for.
const FORM: [&str; 4] = ["class", "component", "device_class", "is"];

/// The entries of a context that say how something went, and not who somebody is.
const HOW: [&str; 9] = [
    "auth_method",
    "auth_method_args",
    "captcha",
    "deny_message",
    "is_redirected",
    "is_restored",
    "is_sso",
    "user_backend",
    "application",
];

/// The parameters of links whose values are words: those of this program and of OAuth.
const PARAMETERS: [&str; 15] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "display",
    "flow_token",
    "grant_type",
    "inspector",
    "locale",
    "nonce",
    "prompt",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "theme",
];

/// Whether nobody is named by the value of a parameter.
pub(super) fn is_parameter(name: &str) -> bool {
    PARAMETERS.contains(&name)
}

/// Whether one of these needles is in a value, at a place where it means a person.
pub(super) fn is_named(needles: &[&String], value: &Value, place: Place) -> bool {
    match value {
        Value::String(text) => is_in_text(needles, text, place),
        Value::Array(items) => items.iter().any(|it| is_named(needles, it, place)),
        Value::Object(entries) => entries
            .iter()
            .filter_map(|(name, value)| Some((of(name, value, entries, place)?, value)))
            .any(|(place, value)| is_named(needles, value, place)),
        _ => false,
    }
}

/// What a member of an object is; `None` when it is not searched.
fn of(name: &str, value: &Value, entries: &Map<String, Value>, place: Place) -> Option<Place> {
    if place == Place::Personal {
        return (!FORM.contains(&name)).then_some(place);
    }
    match (name, entries.get("event"), entries.get("saw")) {
        // What came into the context of an execution.
        ("value", Some(event), _) if event == "context_changed" => {
            let key = entries.get("key").and_then(Value::as_str);
            Some(match key {
                Some(key) if is_how(key) => place,
                _ => Place::Personal,
            })
        }
        // What something was looked up by.
        ("value", _, Some(saw)) if saw == "found" => {
            let kind = entries.get("kind").and_then(Value::as_str);
            kind.is_some_and(|it| ["user", "device", "reputation"].contains(&it))
                .then_some(Place::Personal)
        }
        // The context with which an execution began: the others are data of audit events.
        ("context", _, _) if entries.contains_key("session") => Some(Place::Personal),
        // What was changed, where that was a user.
        ("name", _, _) if entries.get("model_name").is_some_and(|it| it == "user") => {
            Some(Place::Personal)
        }
        // The parameters of a request.
        ("args", _, _) if value.is_object() => Some(Place::Personal),
        _ if PERSONAL.contains(&name) => Some(Place::Personal),
        _ if PROGRAM.contains(&name) => None,
        _ => Some(place),
    }
}

/// Whether an entry of a context tells nothing of who somebody is.
fn is_how(key: &str) -> bool {
    let is_ours = key.starts_with("goauthentik.io/") || key.starts_with("gatelog/");
    HOW.contains(&key) || (is_ours && key != IDENTIFICATION_HELD)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nobody_is_named_by_what_programs_call_their_own() {
        let record = json!({
            "input": {
                "at": "2026-11-27T09:00:00Z",
                "client": { "address": "192.0.2.7", "user_agent": "b", "language": "en" },
                "query": "next=%2Fhome&theme=dark",
                "body": { "component": "ak-stage-password", "uid_field": "bob" },
            },
            "observations": [
                { "saw": "found", "kind": "flow", "lookup": "slug", "value": "default-flow" },
                { "saw": "counter", "name": "the-counter" },
            ],
            "events": [
                { "event": "started", "slug": "default-flow", "client": { "host": "a" } },
                { "event": "planned", "plan": [{ "name": "a-stage", "settings": { "x": "a@b.c" } }] },
                { "event": "stage_entered", "stage": "a-stage" },
                { "event": "challenge_issued", "fields": { "user_fields": ["username"] } },
                { "event": "response_rejected",
                  "errors": { "username": [{ "string": "Invalid password", "code": "invalid" }] } },
                { "event": "context_changed", "key": "auth_method", "by": "a-stage",
                  "value": { "is": "json", "value": "password" } },
                { "event": "denied", "message": "Write to a@b.c" },
            ],
        });
        for word in [
            "2026-11-27",
            "192.0.2.7",
            "dark",
            "ak-stage-password",
            "default-flow",
            "the-counter",
            "a-stage",
            "username",
            "invalid",
            "password",
            "json",
            "a@b.c",
            "en",
            "slug",
        ] {
            let needle = word.to_owned();
            assert!(!is_named(&[&needle], &record, Place::Written), "{word}");
        }
        assert!(is_named(&[&"bob".to_owned()], &record, Place::Written));
    }

    #[test]
    fn people_are_named_by_what_they_typed_and_are() {
        for value in [
            json!({ "input": { "body": { "anything": "Ann" } } }),
            json!({ "saw": "found", "kind": "user", "lookup": "username", "value": "ann" }),
            json!({ "event": "context_changed", "key": "prompt_data", "by": "x",
                    "value": { "is": "json", "value": { "slug": "ann" } } }),
            json!({ "event": "context_changed", "key": "pending_user", "by": "x",
                    "value": { "is": "stranger", "value": { "identifier": "ann" } } }),
            json!({ "event": "reputation_changed", "identifier": "ann" }),
            json!({ "kind": "begin", "session": "s", "context": { "x": { "value": "ann" } } }),
            json!({ "user": { "username": "ann" } }),
            json!({ "context": { "model": { "model_name": "user", "name": "ann" } } }),
            json!({ "context": { "http_request": { "args": { "login_hint": "ann" } } } }),
            json!({ "fixed_data": { "username": "ann" } }),
        ] {
            assert!(
                is_named(&[&"ann".to_owned()], &value, Place::Written),
                "{value}"
            );
        }
    }
}
