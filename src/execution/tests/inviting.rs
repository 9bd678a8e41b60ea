//! Invitations: who may come by one, and that one for a single user makes no second.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, Visitor};
use crate::directory::command::prepare;
use crate::directory::invitation::Invitation;
use crate::directory::user::{user_by_username, users};
use crate::journal::Version;
use crate::journal::object;
use crate::stage::Kind;

const NOT_FOUND: &str = "Invalid invite/invite not found";

/// What the stage that makes a user says where the name has gone.
const NAME_TAKEN: &str = "Failed to update user. Please try again later.";

/// A flow that takes an invitation, asks once, and may write a user.
async fn bench(further: &[(Kind, Value)]) -> Bench {
    let bench = Bench::new();
    prepare(bench.journal.as_ref(), &bench.clock)
        .await
        .expect("an installation");
    let mut stages = vec![(Kind::Invitation, json!({})), (Kind::Dummy, json!({}))];
    stages.extend_from_slice(further);
    bench.flow("join", &stages).await;
    bench
}

async fn writing() -> Bench {
    bench(&[(Kind::UserWrite, json!({}))]).await
}

async fn invites(bench: &Bench, single_use: bool, data: Value) -> Invitation {
    let name = "friends".parse().expect("a slug");
    let mut invitation = Invitation::new(&bench.clock, name);
    invitation.single_use = single_use;
    invitation.fixed_data = data.as_object().cloned().unwrap_or_default();
    put(bench, &invitation).await;
    invitation
}

async fn put(bench: &Bench, invitation: &Invitation) {
    let write = object::put(invitation, Version::NONE);
    bench.write(vec![write]).await;
}

fn by<'a>(bench: &'a Bench, invitation: &Invitation) -> Visitor<'a> {
    let query = format!("itoken={}", invitation.pk.simple());
    bench.visitor("join").with_query(&query)
}

async fn is_there(bench: &Bench, invitation: &Invitation) -> bool {
    bench.stored::<Invitation>(invitation.pk).await.is_some()
}

async fn count(bench: &Bench) -> usize {
    let all = users(bench.journal.as_ref()).await;
    all.expect("a read").len()
}

#[actix::test]
async fn nobody_comes_without_an_invitation_unless_they_may() {
    let bench = writing().await;
    for query in [
        "",
        "itoken=x",
        "itoken=00000000-0000-0000-0000-000000000007",
    ] {
        let mut visitor = bench.visitor("join").with_query(query);
        visitor.opens().await.is_denied(NOT_FOUND);
    }
    let may = json!({"continue_flow_without_invitation": true});
    bench.flow("open", &[(Kind::Invitation, may)]).await;
    bench.visitor("open").opens().await.is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn an_invitation_that_has_ended_or_is_for_another_flow_is_none() {
    let bench = writing().await;
    let other = bench.flow("other", &[(Kind::Invitation, json!({}))]).await;
    let mut invitation = invites(&bench, false, json!({})).await;
    invitation.pk = bench.clock.opaque_id();
    invitation.flow = Some(other.pk);
    put(&bench, &invitation).await;
    by(&bench, &invitation).opens().await.is_denied(NOT_FOUND);
    let query = format!("itoken={}", invitation.pk);
    let mut visitor = bench.visitor("other").with_query(&query);
    visitor.opens().await.is_sent_to("/");
    let invitation = invites(&bench, false, json!({})).await;
    bench.clock.advance(Duration::from_hours(25));
    by(&bench, &invitation).opens().await.is_denied(NOT_FOUND);
    bench.executions.sweep().await.expect("a sweep");
    assert!(!is_there(&bench, &invitation).await);
    bench.check().await;
}

#[actix::test]
async fn what_is_in_an_invitation_is_written_and_one_for_many_stays() {
    let bench = writing().await;
    let data = json!({"username": "ann", "attributes": {"team": "a"}, "password": "tK7#pQ2v"});
    let invitation = invites(&bench, false, data).await;
    let mut visitor = by(&bench, &invitation);
    visitor.opens().await.sees("ak-stage-dummy");
    visitor.answers(json!({})).await.is_sent_to("/");
    let ann = user_by_username(bench.journal.as_ref(), "ann").await;
    let ann = ann.expect("a read").expect("she was made").value;
    assert_eq!(ann.attributes["team"], "a");
    assert!(is_there(&bench, &invitation).await);
    let trail = bench.trail().await;
    assert!(!trail.contains("tK7#pQ2v"), "a password is no plain data");
    assert!(trail.contains("invitation_used"));
    bench.check().await;
}

#[actix::test]
async fn an_invitation_may_be_typed_into_a_prompt() {
    let bench = Bench::new();
    prepare(bench.journal.as_ref(), &bench.clock)
        .await
        .expect("an installation");
    let stages = [
        (Kind::Dummy, json!({})),
        (Kind::Invitation, json!({})),
        (Kind::UserWrite, json!({})),
    ];
    bench.flow("join", &stages).await;
    let invitation = invites(&bench, true, json!({"name": "Ann"})).await;
    let mut visitor = bench.visitor("join");
    let data = json!({"token": invitation.pk, "username": "ann"});
    visitor.begins_with(json!({ "prompt_data": data })).await;
    visitor.answers(json!({})).await.is_sent_to("/");
    let ann = user_by_username(bench.journal.as_ref(), "ann").await;
    assert_eq!(
        ann.expect("a read").expect("she was made").value.name,
        "Ann"
    );
    assert!(
        !is_there(&bench, &invitation).await,
        "kept and used up at once"
    );
    bench.check().await;
}

#[actix::test]
async fn of_two_browsers_with_one_invitation_one_makes_a_user() {
    let bench = writing().await;
    let invitation = invites(&bench, true, json!({"username": "ann"})).await;
    let (mut one, mut two) = (by(&bench, &invitation), by(&bench, &invitation));
    one.opens().await.sees("ak-stage-dummy");
    two.opens().await.sees("ak-stage-dummy");
    tokio::join!(one.answers(json!({})), two.answers(json!({})));
    let (first, second) = if one.body().get("to") == Some(&json!("/")) {
        (&one, &two)
    } else {
        (&two, &one)
    };
    first.is_sent_to("/");
    // Whoever looked at the invitation just before the other one used it fails at the name.
    second.sees("ak-stage-access-denied");
    let message = second.body()["error_message"].clone();
    let is_late = message == NOT_FOUND || message == NAME_TAKEN;
    assert!(is_late, "{message}");
    assert_eq!(count(&bench).await, 1);
    assert!(!is_there(&bench, &invitation).await);
    bench.check().await;
}

#[actix::test]
async fn whoever_only_looks_takes_the_invitation_from_nobody() {
    let bench = bench(&[(Kind::Dummy, json!({})), (Kind::UserWrite, json!({}))]).await;
    let invitation = invites(&bench, true, json!({"username": "ann"})).await;
    let mut scanner = by(&bench, &invitation);
    scanner.opens().await.sees("ak-stage-dummy");
    let mut person = by(&bench, &invitation);
    person.opens().await.sees("ak-stage-dummy");
    person.answers(json!({})).await.sees("ak-stage-dummy");
    by(&bench, &invitation).opens().await.is_denied(NOT_FOUND);
    scanner.answers(json!({})).await.is_denied(NOT_FOUND);
    let trail = bench.trail().await;
    assert!(trail.contains("in use by another execution"), "{trail}");
    person.answers(json!({})).await.is_sent_to("/");
    assert_eq!(count(&bench).await, 1);
    bench.check().await;
}

#[actix::test]
async fn only_one_invitation_is_in_effect_in_an_execution() {
    let bench = Bench::new();
    prepare(bench.journal.as_ref(), &bench.clock)
        .await
        .expect("an installation");
    let stages = [
        (Kind::Dummy, json!({})),
        (Kind::Invitation, json!({})),
        (Kind::Invitation, json!({})),
        (Kind::UserWrite, json!({})),
    ];
    bench.flow("join", &stages).await;
    let second = invites(&bench, true, json!({"name": "Second"})).await;
    let first = invites(&bench, true, json!({"token": second.pk})).await;
    let mut visitor = bench.visitor("join");
    let data = json!({"token": first.pk, "username": "ann"});
    visitor.begins_with(json!({ "prompt_data": data })).await;
    visitor.answers(json!({})).await.is_denied(NOT_FOUND);
    assert_eq!(count(&bench).await, 0);
    assert!(is_there(&bench, &first).await && is_there(&bench, &second).await);
    bench.check().await;
}

#[actix::test]
async fn whoever_has_not_answered_yet_loses_an_invitation_that_expires() {
    let bench = bench(&[(Kind::Dummy, json!({})), (Kind::UserWrite, json!({}))]).await;
    let invitation = invites(&bench, true, json!({"username": "ann"})).await;
    let (mut slow, mut quick) = (by(&bench, &invitation), by(&bench, &invitation));
    bench.clock.advance(Duration::from_mins(24 * 60 - 5));
    slow.opens().await;
    quick.opens().await;
    quick.answers(json!({})).await.sees("ak-stage-dummy");
    bench.clock.advance(Duration::from_mins(10));
    slow.answers(json!({})).await.is_denied(NOT_FOUND);
    quick.answers(json!({})).await.is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn an_invitation_comes_back_when_its_execution_ends_without_a_user() {
    // A deny stage ends it in the same breath, a name that is taken later on.
    let at_once = bench(&[]).await;
    at_once
        .flow(
            "join-not",
            &[(Kind::Invitation, json!({})), (Kind::Deny, json!({}))],
        )
        .await;
    let invitation = invites(&at_once, true, json!({})).await;
    let query = format!("itoken={}", invitation.pk);
    let mut visitor = at_once.visitor("join-not").with_query(&query);
    visitor.opens().await.is_denied("Unknown error");
    by(&at_once, &invitation)
        .opens()
        .await
        .sees("ak-stage-dummy");
    at_once.check().await;

    let bench = writing().await;
    bench.user("ann", "x").await;
    let invitation = invites(&bench, true, json!({"username": "ann"})).await;
    let mut visitor = by(&bench, &invitation);
    visitor.opens().await;
    visitor.answers(json!({})).await;
    visitor.is_denied("Failed to update user. Please try again later.");
    let trail = bench.trail().await;
    assert!(trail.contains("the user name is taken"), "{trail}");
    by(&bench, &invitation).opens().await.sees("ak-stage-dummy");
    bench.check().await;
}

#[actix::test]
async fn whoever_gives_no_answer_for_long_loses_the_invitation_to_others() {
    let bench = bench(&[(Kind::Dummy, json!({})), (Kind::UserWrite, json!({}))]).await;
    let invitation = invites(&bench, true, json!({"username": "ann"})).await;
    let mut slow = by(&bench, &invitation);
    slow.opens().await;
    slow.answers(json!({})).await.sees("ak-stage-dummy");
    bench.clock.advance(Duration::from_mins(29));
    by(&bench, &invitation).opens().await.is_denied(NOT_FOUND);
    bench.clock.advance(Duration::from_mins(2));
    let mut other = by(&bench, &invitation);
    other.opens().await.sees("ak-stage-dummy");
    other.answers(json!({})).await.sees("ak-stage-dummy");
    slow.answers(json!({})).await.is_denied(NOT_FOUND);
    other.answers(json!({})).await.is_sent_to("/");
    assert_eq!(count(&bench).await, 1);
    bench.check().await;
}

#[actix::test]
async fn another_answer_keeps_the_invitation_for_longer() {
    let dummy = || (Kind::Dummy, json!({}));
    let bench = bench(&[dummy(), dummy(), (Kind::UserWrite, json!({}))]).await;
    let invitation = invites(&bench, true, json!({"username": "ann"})).await;
    let mut visitor = by(&bench, &invitation);
    visitor.opens().await;
    visitor.answers(json!({})).await.sees("ak-stage-dummy");
    bench.clock.advance(Duration::from_mins(20));
    visitor.answers(json!({})).await.sees("ak-stage-dummy");
    bench.clock.advance(Duration::from_mins(20));
    by(&bench, &invitation).opens().await.is_denied(NOT_FOUND);
    visitor.answers(json!({})).await.is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn a_flow_that_writes_nobody_uses_the_invitation_up_at_its_end() {
    let bench = bench(&[]).await;
    let invitation = invites(&bench, true, json!({})).await;
    let mut visitor = by(&bench, &invitation);
    visitor.opens().await;
    assert!(is_there(&bench, &invitation).await);
    visitor.answers(json!({})).await.is_sent_to("/");
    assert!(!is_there(&bench, &invitation).await);
    bench.check().await;
}

#[actix::test]
async fn an_invitation_that_was_taken_back_makes_no_user() {
    let bench = writing().await;
    let invitation = invites(&bench, true, json!({"username": "ann"})).await;
    let mut visitor = by(&bench, &invitation);
    visitor.opens().await;
    let found = bench.stored::<Invitation>(invitation.pk).await;
    let version = found.expect("it is there").version;
    bench
        .write(vec![object::delete::<Invitation>(invitation.pk, version)])
        .await;
    visitor.answers(json!({})).await.is_denied(NOT_FOUND);
    assert_eq!(count(&bench).await, 0);
    bench.check().await;
}
