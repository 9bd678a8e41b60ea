//! Finds what is personal in a bundle, by type, and puts other words in its place.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::pseudonyms::Pseudonyms;
use super::{Bundle, secrets};
use crate::catalog::prompt::{Prompt, PromptType};
use crate::clock::Clock;
use crate::directory::{Device, Invitation, Login, Reputation, Session, User};
use crate::flow::context::{self, Context};
use crate::flow::event::Event;
use crate::flow::input::{Input, Request, SECRET};
use crate::geoip::Place;
use crate::journal::object::Stored;
use crate::replay::{Error, mask};
use crate::world::Observation;

/// Fields of stages of ours in which somebody types what is personal.
const TYPED: [&str; 3] = ["uid_field", "email", "phone_number"];

/// Names whose texts say what something is, not what somebody is called.
pub(super) const WORDS: [&str; 15] = [
    "answer",
    "by",
    "check",
    "class",
    "code",
    "component",
    "event",
    "is",
    "kind",
    "level",
    "lookup",
    "method",
    "mode",
    "saw",
    "type",
];

/// The fewest characters of a text under the name of a secret that is taken for one.
const SHORTEST_SECRET: usize = 6;

/// Replaces what is personal, unless that is to be kept, and what has the name of a secret.
/// Returns what was replaced.
///
/// # Errors
/// [`Error::Broken`] when what is left cannot be read any more, which is a fault of ours.
pub(super) fn redact(bundle: &mut Bundle, clock: &Clock) -> Result<Vec<Pseudonyms>, Error> {
    let mut hidden = Pseudonyms::new(clock);
    secrets_by_name(bundle, &mut hidden);
    everywhere(bundle, &hidden)?;
    if bundle.personal {
        return Ok(vec![hidden]);
    }
    let mut words = Pseudonyms::new(clock);
    persons(bundle, &mut words);
    for entry in &mut bundle.records {
        let record = &mut entry.record;
        input(&mut record.input, &words)?;
        for note in &mut record.observations {
            observation(note, &words)?;
        }
        for event in &mut record.events {
            *event = rewritten(event, |value| within(value, &words))?;
        }
    }
    for held in &mut bundle.objects {
        object(held, &words);
    }
    invitations(bundle, clock)?;
    Ok(vec![hidden, words])
}

/// What an expression, or whoever wrote one, calls a secret.
fn secrets_by_name(bundle: &mut Bundle, hidden: &mut Pseudonyms) {
    for entry in &mut bundle.records {
        for event in &mut entry.record.events {
            let json = match event {
                Event::ContextChanged { key, value, .. } => {
                    Some(serde_json::json!({ key.as_str(): value }))
                }
                Event::CustomEvent { details, .. } => Some(details.clone()),
                Event::Planned { plan } => {
                    plan.0.iter_mut().for_each(made_up);
                    None
                }
                _ => None,
            };
            if let Some(json) = json {
                named_secrets("", &json, hidden);
            }
        }
    }
}

fn made_up(stage: &mut crate::flow::plan::PlannedStage) {
    if let Some(settings) = &mut stage.settings {
        secrets::settings_of(settings);
    }
}

fn named_secrets(name: &str, value: &Value, hidden: &mut Pseudonyms) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                // The values of a context are wrapped in what they are, and that is no secret.
                if key == "is" {
                    continue;
                }
                let is_wrapper = matches!(key.as_str(), "value" | "identifier");
                named_secrets(if is_wrapper { name } else { key }, value, hidden);
            }
        }
        Value::Array(items) => items.iter().for_each(|it| named_secrets(name, it, hidden)),
        Value::String(text)
            if mask::is_secret(name)
                && text.len() >= SHORTEST_SECRET
                && text != SECRET
                && text.parse::<uuid::Uuid>().is_err() =>
        {
            hidden.learn(text);
        }
        _ => {}
    }
}

/// Replaces words in all that there is, the sources of expressions included.
fn everywhere(bundle: &mut Bundle, hidden: &Pseudonyms) -> Result<(), Error> {
    if hidden.is_empty() {
        return Ok(());
    }
    for entry in &mut bundle.records {
        entry.record = rewritten(&entry.record, |value| within(value, hidden))?;
    }
    for held in &mut bundle.objects {
        held.body = within(held.body.take(), hidden);
    }
    Ok(())
}

/// Everything personal that is known by its type.
fn persons(bundle: &Bundle, words: &mut Pseudonyms) {
    let mut fields: BTreeSet<String> = TYPED.map(ToOwned::to_owned).into();
    let mut shown: BTreeSet<String> = BTreeSet::new();
    for held in &bundle.objects {
        let body = &held.body;
        let mut learn = |name: &str| leaves(&body[name], words);
        if held.kind == User::KIND {
            for field in ["username", "name", "email"] {
                learn(field);
            }
            attributes(&body["attributes"], words);
        } else if held.kind == Device::KIND {
            for field in ["phone_number", "email", "duo_user_id"] {
                learn(field);
            }
            words.learn_given(body["name"].as_str().unwrap_or_default());
        } else if held.kind == Invitation::KIND {
            learn("fixed_data");
        } else if held.kind == Reputation::KIND {
            learn("identifier");
            address(&body["ip"], words);
        } else if held.kind == Session::KIND {
            words.learn_given(body["last_user_agent"].as_str().unwrap_or_default());
            address(&body["last_ip"], words);
        } else if held.kind == Login::KIND {
            address(&body["address"], words);
        } else if held.kind == Prompt::KIND
            && let Ok(prompt) = serde_json::from_value::<Prompt>(body.clone())
            && is_free(prompt.kind)
        {
            let list = if is_shown(prompt.kind) {
                &mut shown
            } else {
                &mut fields
            };
            list.insert(prompt.field_key);
        }
    }
    let typed = |field: &str, value: &Value, words: &mut Pseudonyms| {
        if fields.contains(field) {
            leaves(value, words);
        } else if shown.contains(field) {
            words.learn_given(value.as_str().unwrap_or_default());
        }
    };
    for entry in &bundle.records {
        let record = &entry.record;
        words.learn_address(record.input.client.address);
        words.learn_given(&record.input.client.user_agent);
        if let Some(Value::Object(body)) = &record.input.body {
            body.iter()
                .for_each(|(field, value)| typed(field, value, words));
        }
        for note in &record.observations {
            match note {
                Observation::Reputation {
                    address,
                    identifier,
                    ..
                } => {
                    if let Some(address) = address {
                        words.learn_address(*address);
                    }
                    if let Some(identifier) = identifier {
                        words.learn(identifier);
                    }
                }
                Observation::Place { address, .. } => words.learn_address(*address),
                _ => {}
            }
        }
        for event in &record.events {
            match event {
                Event::ReputationChanged { identifier, .. } => words.learn(identifier),
                Event::ContextChanged {
                    key,
                    value: Some(value),
                    ..
                } => {
                    strangers(value, words);
                    if let (context::key::PROMPT_DATA, Some(data)) = (key.as_str(), value.entries())
                    {
                        for (field, value) in &data {
                            typed(field, &serde_json::json!(value)["value"], words);
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

/// Whether a form shows it, and browsers send it back as it was.
fn is_shown(kind: PromptType) -> bool {
    matches!(
        kind,
        PromptType::TextReadOnly | PromptType::TextAreaReadOnly
    )
}

/// Whether somebody types what they like.
fn is_free(kind: PromptType) -> bool {
    matches!(
        kind,
        PromptType::Text
            | PromptType::TextArea
            | PromptType::TextReadOnly
            | PromptType::TextAreaReadOnly
            | PromptType::Username
            | PromptType::Email
            | PromptType::File
    )
}

fn strangers(value: &context::Value, words: &mut Pseudonyms) {
    match value {
        context::Value::Stranger { identifier } => words.learn(identifier),
        context::Value::List(items) => items.iter().for_each(|it| strangers(it, words)),
        context::Value::Map(entries) => entries.values().for_each(|it| strangers(it, words)),
        _ => {}
    }
}

/// What is known of a user besides; what they set for themselves is not personal.
fn attributes(value: &Value, words: &mut Pseudonyms) {
    for (name, value) in value.as_object().into_iter().flatten() {
        if name != "settings" {
            leaves(value, words);
        }
    }
}

fn leaves(value: &Value, words: &mut Pseudonyms) {
    match value {
        Value::String(text) if text != SECRET => words.learn(text),
        Value::Array(items) => items.iter().for_each(|it| leaves(it, words)),
        Value::Object(entries) => entries.values().for_each(|it| leaves(it, words)),
        _ => {}
    }
}

fn address(value: &Value, words: &mut Pseudonyms) {
    if let Some(address) = value.as_str().and_then(|it| it.parse().ok()) {
        words.learn_address(address);
    }
}

fn input(input: &mut Input, words: &Pseudonyms) -> Result<(), Error> {
    input.client.address = words.address(input.client.address);
    input.client.user_agent = words.within(&input.client.user_agent);
    input.query = words.within(&input.query);
    if let Request::Begin { context, .. } = &mut input.request {
        *context = rewritten::<Context>(context, |value| within(value, words))?;
    }
    if let Request::Conclude { outcome, .. } = &mut input.request {
        *outcome = rewritten(outcome, |value| within(value, words))?;
    }
    if let Some(body) = input.body.take() {
        input.body = Some(within(body, words));
    }
    Ok(())
}

fn observation(note: &mut Observation, words: &Pseudonyms) -> Result<(), Error> {
    match note {
        Observation::Place { address, place } => {
            *address = words.address(*address);
            coarse(place);
        }
        Observation::Reputation {
            address,
            identifier,
            ..
        } => {
            *address = address.map(|it| words.address(it));
            *identifier = identifier.as_ref().map(|it| words.within(it));
        }
        Observation::Found { value, .. } => *value = words.within(value),
        Observation::Counter { name, .. } => *name = words.within(name),
        Observation::EvaluationEnded { .. }
        | Observation::Weighed { .. }
        | Observation::Posted { .. }
        | Observation::Breached { .. } => {
            *note = rewritten(note, |value| within(value, words))?;
        }
        _ => {}
    }
    Ok(())
}

/// A place to about a hundred kilometres.
fn coarse(place: &mut Place) {
    if let Some(city) = &mut place.city {
        city.city.clear();
        city.lat = city.lat.map(f64::round);
        city.long = city.long.map(f64::round);
    }
}

/// Whether a revision is about somebody. What operators configured is not, and words in it are there
/// to be compared.
pub(super) fn is_about_persons(held: &super::Held) -> bool {
    let kinds = [
        User::KIND,
        Device::KIND,
        Invitation::KIND,
        Reputation::KIND,
        Session::KIND,
        Login::KIND,
    ];
    kinds.contains(&held.kind)
}

fn object(held: &mut super::Held, words: &Pseudonyms) {
    if !is_about_persons(held) {
        return;
    }
    held.body = within(held.body.take(), words);
    if let Ok(mut place) = serde_json::from_value::<Place>(held.body["place"].clone()) {
        coarse(&mut place);
        held.body["place"] = serde_json::json!(place);
    }
    for name in ["geo", "asn"] {
        if held.kind == Reputation::KIND {
            held.body[name] = Value::Null;
        }
    }
}

/// An invitation is used by whoever knows its identifier, so it gets another one.
fn invitations(bundle: &mut Bundle, clock: &Clock) -> Result<(), Error> {
    let kept: BTreeSet<_> = bundle
        .objects
        .iter()
        .filter(|held| held.kind == Invitation::KIND)
        .map(|held| held.id)
        .collect();
    if kept.is_empty() {
        return Ok(());
    }
    let others: Vec<_> = kept.into_iter().map(|id| (id, clock.opaque_id())).collect();
    let json = serde_json::to_string(bundle).map_err(broken)?;
    let json = others.iter().fold(json, |json, (id, other)| {
        let json = json.replace(&id.to_string(), &other.to_string());
        json.replace(&id.simple().to_string(), &other.simple().to_string())
    });
    *bundle = serde_json::from_str(&json).map_err(broken)?;
    Ok(())
}

/// The value with words in it replaced, but for those that say what something is.
fn within(value: Value, words: &Pseudonyms) -> Value {
    match value {
        Value::String(text) => words.within(&text).into(),
        Value::Array(items) => items.into_iter().map(|it| within(it, words)).collect(),
        Value::Object(entries) => {
            let entries = entries.into_iter().map(|(name, value)| {
                let is_word = WORDS.contains(&name.as_str()) && value.is_string();
                let value = if is_word { value } else { within(value, words) };
                (name, value)
            });
            Value::Object(entries.collect())
        }
        other => other,
    }
}

fn rewritten<T: Serialize + DeserializeOwned>(
    it: &T,
    rewrite: impl FnOnce(Value) -> Value,
) -> Result<T, Error> {
    let value = serde_json::to_value(it).map_err(broken)?;
    serde_json::from_value(rewrite(value)).map_err(broken)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the form that map_err asks for"
)]
pub(super) fn broken(error: serde_json::Error) -> Error {
    Error::Broken(format!("the bundle cannot be made: {error}"))
}
