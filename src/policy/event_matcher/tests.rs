//! Each criterion alone, two together, and what is wrong with settings.

use std::sync::Arc;

use serde_json::{Map, json};

use super::*;
use crate::clock::Clock;
use crate::flow::Context;
use crate::flow::context::Value as Known;
use crate::journal::memory::MemoryJournal;
use crate::policy::Kind;
use crate::policy::request::{Object, Scope, Subject};
use crate::world::{Recorded, Revisions};

fn event() -> Value {
    json!({
        "action": "model_created",
        "app": "authentik.core",
        "client_ip": "192.0.2.1",
        "user": {"pk": 1, "username": "ann"},
        "context": {"model": {"app": "authentik_core", "model_name": "user", "pk": 2}},
    })
}

/// What a policy says, and in which words.
async fn judged(event: Option<Value>, settings: Value) -> Result<(bool, Vec<String>), String> {
    let clock = Clock::fixed(jiff::Timestamp::UNIX_EPOCH);
    let journal = Arc::new(MemoryJournal::new(clock.clone()));
    let revisions = Arc::new(Revisions::of(journal));
    let world = Recorded::new(revisions, clock.now(), Vec::new(), None);
    let mut context = Context::default();
    context.set("event", event.map(Known::Json));
    let scope = Scope::new(context, None, Vec::new());
    let request = Request::new(&world, &Subject::Anonymous, None, Object::None, &scope);
    let policy: EventMatcher = serde_json::from_value(settings).expect("settings");
    let judged = policy.judge(&request).await;
    judged
        .map(|it| (it.passing, it.messages))
        .map_err(|error| error.to_string())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it is compared with what may have failed"
)]
fn says(passing: bool, messages: &[&str]) -> Result<(bool, Vec<String>), String> {
    let messages = messages.iter().map(|it| (*it).to_owned()).collect();
    Ok((passing, messages))
}

#[tokio::test]
async fn each_criterion_matches_or_not_and_says_its_word_in_either_case() {
    for (criterion, right, wrong, message) in [
        (
            "query",
            r#"user.username = "ann""#,
            r#"user.username = "bob""#,
            "Query matched.",
        ),
        ("action", "model_created", "login", "Action matched."),
        ("client_ip", "192.0.2.1", "192.0.2.2", "Client IP matched."),
        ("app", "authentik.core", "authentik.flows", "App matched."),
        (
            "model",
            "authentik_core.user",
            "authentik_core.group",
            "Model matched.",
        ),
    ] {
        for (value, passing) in [(right, true), (wrong, false)] {
            let said = judged(Some(event()), json!({ criterion: value })).await;
            assert_eq!(said, says(passing, &[message]), "{criterion} {value}");
        }
    }
}

#[tokio::test]
async fn all_criteria_have_to_match_and_speak_in_their_order() {
    let both = json!({"app": "authentik.core", "action": "model_created"});
    let messages = ["Action matched.", "App matched."];
    assert_eq!(judged(Some(event()), both).await, says(true, &messages));
    for one in [
        json!({"app": "authentik.flows", "action": "model_created"}),
        json!({"app": "authentik.core", "action": "login"}),
    ] {
        assert_eq!(judged(Some(event()), one).await, says(false, &messages));
    }
    let all = json!({
        "model": "authentik_core.user",
        "app": "authentik.core",
        "client_ip": "192.0.2.1",
        "action": "model_created",
        "query": r#"action = "model_created""#,
    });
    let messages = [
        "Query matched.",
        "Action matched.",
        "Client IP matched.",
        "App matched.",
        "Model matched.",
    ];
    assert_eq!(judged(Some(event()), all).await, says(true, &messages));
}

#[tokio::test]
async fn without_an_event_nothing_matches_and_nothing_is_said() {
    let settings = json!({"action": "login"});
    assert_eq!(judged(None, settings.clone()).await, says(false, &[]));
    assert_eq!(judged(Some(Value::Null), settings).await, says(false, &[]));
    assert_eq!(judged(None, json!({})).await, says(false, &[]));
}

#[tokio::test]
async fn without_criteria_every_event_matches() {
    assert_eq!(judged(Some(event()), json!({})).await, says(true, &[]));
    let empty = json!({"action": "", "query": null});
    assert_eq!(judged(Some(event()), empty).await, says(true, &[]));
}

#[tokio::test]
async fn what_is_no_event_matches_nothing() {
    let settings = json!({"action": "login"});
    let odd = judged(Some(json!("login")), settings).await;
    assert_eq!(odd, says(false, &["Action matched."]));
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_a_failure() {
    let judged = judged(Some(event()), json!({"query": "action ="})).await;
    let error = judged.expect_err("the query is wrong");
    assert!(
        error.starts_with("the query is wrong: Line 1, col 9:"),
        "{error}"
    );
}

fn problems(settings: &Value) -> Vec<(String, String)> {
    let settings: Map<_, _> = settings.as_object().cloned().expect("an object");
    let Err(errors) = Kind::EventMatcher.validate(&settings) else {
        return Vec::new();
    };
    errors
        .into_iter()
        .flat_map(|(field, errors)| {
            errors
                .into_iter()
                .map(move |error| (field.clone(), error.string))
        })
        .collect()
}

#[test]
fn settings_are_checked_when_they_are_saved() {
    let said = |field: &str, text: &str| vec![(field.to_owned(), text.to_owned())];
    let empty = json!({"action": "", "client_ip": null, "app": "", "model": ""});
    assert_eq!(
        problems(&empty),
        said("non_field_errors", "At least one criteria must be set.")
    );
    assert_eq!(
        problems(&json!({"action": "logni"})),
        said("action", "\"logni\" is not a valid choice.")
    );
    assert_eq!(
        problems(&json!({"query": "action = \"login\" and"})),
        said(
            "query",
            "Line 1, col 21: expected the name of a field, but the query ends"
        )
    );
    for right in [
        json!({}),
        json!({"action": "login", "client_ip": null}),
        json!({"action": "custom_of_our_own"}),
        json!({"app": "an.app.of.somebody", "model": "an.model"}),
        json!({"query": "action in (\"login\", \"logout\")"}),
    ] {
        assert_eq!(problems(&right), [], "{right}");
    }
}
