//! Which events a request asks for.
//!
//! Source: authentik `events/api/events.py`.

use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::directory::AuditEvent;

/// What events have to have.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// Conditions by the name of their parameter, in the order in which they were given.
    conditions: Vec<(String, String)>,
    /// One of these actions, where there are any.
    actions: Vec<String>,
    /// Words that are somewhere in it.
    words: Vec<String>,
}

/// The parameters that are conditions.
pub(super) const CONDITIONS: [&str; 9] = [
    "action",
    "brand_name",
    "client_ip",
    "context_authorized_app",
    "context_device",
    "context_model_app",
    "context_model_name",
    "context_model_pk",
    "username",
];

impl Filter {
    /// Reads a query string.
    pub(super) fn of(query: &str) -> Self {
        let mut filter = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                _ if value.is_empty() => {}
                "actions" => filter.actions.push(value.into_owned()),
                "search" => {
                    let words = value.to_lowercase();
                    filter
                        .words
                        .extend(words.split_whitespace().map(ToOwned::to_owned));
                }
                name if CONDITIONS.contains(&name) => {
                    filter
                        .conditions
                        .push((name.to_owned(), value.into_owned()));
                }
                _ => {}
            }
        }
        filter
    }

    /// Whether an event has all of it.
    pub(super) fn admits(&self, event: &AuditEvent) -> bool {
        (self.actions.is_empty() || self.actions.contains(&event.action))
            && self
                .conditions
                .iter()
                .all(|(name, value)| holds(event, name, value))
            && self.finds(event)
    }

    fn finds(&self, event: &AuditEvent) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let ip = event.client_ip.map(|it| it.to_string()).unwrap_or_default();
        let texts = [
            event.pk.to_string(),
            text(&event.user),
            event.action.to_lowercase(),
            event.app.to_lowercase(),
            text(&event.context),
            ip,
        ];
        let found = |word: &String| texts.iter().any(|text| text.contains(word.as_str()));
        self.words.iter().all(found)
    }
}

fn text(entries: &Map<String, Value>) -> String {
    serde_json::to_string(entries)
        .unwrap_or_default()
        .to_lowercase()
}

fn holds(event: &AuditEvent, name: &str, wanted: &str) -> bool {
    let within = |of: &str, name: &str| event.context.get(of).and_then(|it| it.get(name));
    match name {
        "action" => contains(&event.action, wanted),
        "client_ip" => event
            .client_ip
            .is_some_and(|ip| contains(&ip.to_string(), wanted)),
        "brand_name" => is(event.brand.get("name"), wanted),
        "username" => {
            is(event.user.get("username"), wanted) || is(event.context.get("username"), wanted)
        }
        "context_model_pk" => is_key(within("model", "pk"), wanted),
        "context_model_name" => is(within("model", "model_name"), wanted),
        "context_model_app" => is(within("model", "app"), wanted),
        "context_authorized_app" => is_key(within("authorized_application", "pk"), wanted),
        "context_device" => is_key(within("device", "pk"), wanted),
        _ => true,
    }
}

fn contains(text: &str, wanted: &str) -> bool {
    text.to_lowercase().contains(&wanted.to_lowercase())
}

fn is(value: Option<&Value>, wanted: &str) -> bool {
    value.and_then(Value::as_str) == Some(wanted)
}

/// A key is written with or without dashes, or is a number.
fn is_key(value: Option<&Value>, wanted: &str) -> bool {
    match value {
        Some(Value::Number(number)) => number.to_string() == wanted,
        value => is(value, &wanted.replace('-', "")) || is(value, wanted),
    }
}
