//! Two executions side by side, two points of one, and one entry of what an execution knew.

use std::time::Duration;

use serde_json::json;

use super::{Bench, login_stages};
use crate::journal::Version;
use crate::replay::diff::{Diff, Side, diff};
use crate::replay::watch::watch;
use crate::replay::{self, Entry};
use crate::stage::Kind;
use crate::world::record::KIND;

/// The records of all executions, the oldest first.
async fn all(bench: &Bench) -> Vec<Vec<Entry>> {
    let streams = bench.journal.streams(KIND, None, usize::MAX).await;
    let mut ids: Vec<_> = streams.expect("streams").iter().map(|it| it.id).collect();
    ids.sort();
    let mut all = Vec::new();
    for id in ids {
        let entries = replay::entries(bench.journal.as_ref(), id).await;
        all.push(entries.expect("entries"));
    }
    all
}

async fn logs_in(bench: &Bench, passwords: &[&str]) {
    bench.clock.advance(Duration::from_mins(1));
    let mut visitor = bench.visitor("login");
    visitor.answers(json!({"uid_field": "alice"})).await;
    for password in passwords {
        visitor.answers(json!({ "password": password })).await;
    }
}

async fn bench() -> Bench {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    bench.user("alice", "correct horse").await;
    bench
}

fn compared(left: &[Entry], right: &[Entry]) -> Diff {
    let side = |entries| Side::of(entries, None).expect("its end");
    diff(&side(left), &side(right)).expect("both began")
}

#[actix::test]
async fn two_logins_that_went_alike_are_the_same_but_for_what_the_first_one_left() {
    let bench = bench().await;
    logs_in(&bench, &["correct horse"]).await;
    logs_in(&bench, &["correct horse"]).await;
    logs_in(&bench, &["correct horse"]).await;
    let all = all(&bench).await;
    // The first login knew no device, the others came from where somebody had logged in.
    let first = compared(&all[0], &all[1]);
    let told = first.first.expect("a difference");
    assert_eq!(
        told.left.as_ref().expect("an event").kind,
        "context_changed"
    );
    assert!(told.left.expect("an event").lines[0].contains("known_device"));
    let later = compared(&all[1], &all[2]);
    assert!(later.is_same, "{:#?} {:#?}", later.first, later.facts);
    assert_eq!(later.alike, later.events.len());
    bench.check().await;
}

#[actix::test]
async fn a_wrong_password_is_what_differs_first_and_the_rest_lies_side_by_side() {
    let bench = bench().await;
    logs_in(&bench, &["correct horse"]).await;
    logs_in(&bench, &["correct horse"]).await;
    logs_in(&bench, &["wrong", "correct horse"]).await;
    let all = all(&bench).await;
    let diff = compared(&all[1], &all[2]);
    assert!(!diff.is_same);
    let first = diff.first.as_ref().expect("a difference");
    let kinds = |pair: &replay::diff::Pair| {
        let kind = |seen: &Option<replay::diff::Seen>| seen.as_ref().map(|it| it.kind.clone());
        (kind(&pair.left), kind(&pair.right))
    };
    let expected = (
        "password_verified".to_owned(),
        "password_rejected".to_owned(),
    );
    assert_eq!(kinds(first), (Some(expected.0), Some(expected.1)));
    let alone: Vec<_> = diff.events.iter().filter(|it| it.left.is_none()).collect();
    let alone: Vec<_> = alone.iter().filter_map(|it| kinds(it).1).collect();
    assert!(alone.contains(&"password_rejected".to_owned()), "{alone:?}");
    assert!(alone.contains(&"response_rejected".to_owned()), "{alone:?}");
    let missing = diff.events.iter().filter(|it| it.right.is_none()).count();
    assert_eq!(missing, 0, "the longer one has all that the other has");
    let text = serde_json::to_string(&diff).expect("JSON");
    assert!(!text.contains("wrong\"") && !text.contains("correct horse"));
    bench.check().await;
}

#[actix::test]
async fn two_points_of_one_execution() {
    let bench = bench().await;
    logs_in(&bench, &["correct horse"]).await;
    let all = all(&bench).await;
    let entries = &all[0];
    let at = |version| Side::of(entries, Some(Version(version)));
    let (first, last) = (
        at(1).expect("a record"),
        Side::of(entries, None).expect("an end"),
    );
    let diff = diff(&first, &last).expect("it began");
    let of_first = entries[0].record.events.len();
    assert_eq!(diff.alike, of_first);
    assert!(diff.first.as_ref().is_some_and(|it| it.left.is_none()));
    let changed = |what: &str| {
        let found = diff.facts.iter().find(|it| it.what == what);
        found.map(|it| (it.was.clone(), it.is.clone()))
    };
    let state = changed("state").expect("it went on");
    assert_eq!(
        state,
        (Some("running".to_owned()), Some("completed".to_owned()))
    );
    assert!(
        changed("context auth_method").is_some(),
        "{:#?}",
        diff.facts
    );
    assert!(at(99).is_none());
    let same = crate::replay::diff::diff(&last, &Side::of(entries, None).expect("an end"));
    assert!(same.expect("it began").is_same);
    bench.check().await;
}

#[actix::test]
async fn an_entry_is_followed_from_its_first_writing_to_its_last() {
    let bench = Bench::new();
    let stages = [
        (Kind::Identification, json!({"user_fields": ["username"]})),
        (Kind::Dummy, json!({})),
        (Kind::Deny, json!({})),
    ];
    let flow = bench.flow("login", &stages).await;
    let alice = bench.user("alice", "x").await;
    let bindings = crate::catalog::bindings_of(bench.journal.as_ref(), flow.pk).await;
    let mut last = bindings.expect("bindings").pop().expect("a stage");
    last.value.invalid_response_action = crate::flow::model::InvalidResponseAction::Restart;
    let write = crate::journal::object::put(&last.value, last.version);
    bench.write(vec![write]).await;
    let mut visitor = bench.visitor("login");
    visitor.answers(json!({"uid_field": "whiterabbit"})).await;
    visitor
        .answers(json!({}))
        .await
        .sees("ak-stage-identification");
    visitor.answers(json!({"uid_field": "alice"})).await;
    let all = all(&bench).await;
    let watched = watch(&all[0], "pending_user");
    let told: Vec<_> = watched
        .writes
        .iter()
        .map(|it| {
            let text = |held: &Option<replay::watch::Held>| held.as_ref().map(|it| it.text.clone());
            (
                it.event.as_str(),
                it.by.as_str(),
                text(&it.before),
                text(&it.after),
            )
        })
        .collect();
    let stranger = Some("nobody, who typed \"whiterabbit\"".to_owned());
    let user = Some(format!("user {}", alice.uuid));
    assert_eq!(
        told,
        [
            ("context_changed", "login-0", None, stranger.clone()),
            ("restarted", "the flow, which began again", stranger, None),
            ("context_changed", "login-0", None, user),
        ]
    );
    assert!(watched.keys.contains(&"pending_user".to_owned()));
    assert_eq!(watch(&all[0], "colour").writes, []);
    bench.check().await;
}

#[actix::test]
async fn what_has_the_name_of_a_secret_is_masked_also_here() {
    let bench = Bench::new();
    bench.flow("one", &[(Kind::Dummy, json!({}))]).await;
    let mut visitor = bench.visitor("one");
    visitor
        .begins_with(json!({"api_key": "Zx9-canary", "colour": "red"}))
        .await;
    let all = all(&bench).await;
    let entries = all.last().expect("an execution");
    let watched = serde_json::to_string(&watch(entries, "api_key")).expect("JSON");
    assert!(watched.contains(replay::mask::MASK) && !watched.contains("Zx9-canary"));
    let diff = serde_json::to_string(&compared(&all[0], entries)).expect("JSON");
    assert!(
        diff.contains("colour") && !diff.contains("Zx9-canary"),
        "{diff}"
    );
}
