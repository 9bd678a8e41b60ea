//! Visitors who are in a hurry, confused or mean.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Bench, login_stages};
use crate::catalog::binding::bindings_of;
use crate::catalog::stage::stage_by_name;
use crate::catalog::{Flow, Stage};
use crate::directory::{Session, User, command};
use crate::execution::{Error, Limits, Unfinished};
use crate::flow::event::Event;
use crate::flow::model::{Authentication, InvalidResponseAction};
use crate::journal::faulty::Faulty;
use crate::journal::{Journal, Version, object};
use crate::replay;
use crate::stage::Kind;
use crate::world::record::KIND;

fn dummies(count: usize) -> Vec<(Kind, Value)> {
    vec![(Kind::Dummy, json!({})); count]
}

#[actix::test]
async fn an_answer_sent_twice_arrives_when_all_is_over_and_leads_to_the_same_place() {
    let bench = Bench::new();
    bench.flow("one", &dummies(1)).await;
    let mut visitor = bench.visitor("one").with_query("next=/x");
    visitor.opens().await;
    let late = visitor.request();
    visitor.answers(json!({})).await.is_sent_to("/x");
    let reply = bench.executions.answer(late, json!({})).await;
    assert_eq!(reply.expect("a reply").body["to"], "/x");
    // The same words after the reply are the first answer to a new execution.
    visitor.answers(json!({})).await.is_sent_to("/x");
    let streams = bench.journal.streams(KIND, None, 10).await;
    assert_eq!(streams.expect("streams").len(), 2);
    bench.check().await;
}

#[actix::test]
async fn a_stale_answer_in_between_does_not_make_a_doubled_one_count() {
    let bench = Bench::new();
    bench.flow("three", &dummies(3)).await;
    let mut visitor = bench.visitor("three");
    visitor.opens().await;
    let doubled = visitor.request();
    visitor.answers(json!({})).await.shows("name", "three-1");
    let stale = json!({"component": "ak-stage-password", "password": "x"});
    visitor.answers(stale).await.shows("name", "three-1");
    let reply = bench.executions.answer(doubled, json!({})).await;
    assert_eq!(reply.expect("a reply").body["name"], "three-1");
    bench.check().await;
}

#[actix::test]
async fn a_wrong_password_sent_twice_is_one_attempt_and_shows_its_error_twice() {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    bench.user("alice", "correct horse").await;
    let mut alice = bench.visitor("login");
    alice.answers(json!({"uid_field": "alice"})).await;
    let wrong = json!({"password": "wrong"});
    let (one, two) = tokio::join!(
        bench.executions.answer(alice.request(), wrong.clone()),
        bench.executions.answer(alice.request(), wrong),
    );
    let (one, two) = (one.expect("a reply"), two.expect("a reply"));
    assert_eq!(one, two);
    assert_eq!(
        one.body["response_errors"]["password"][0]["code"],
        "invalid"
    );
    bench.check().await;
}

#[actix::test]
async fn the_session_belongs_to_the_browser_that_logged_in_and_not_to_whoever_planted_it() {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    bench.user("alice", "correct horse").await;
    let mut mallory = bench.visitor("login");
    mallory.opens().await;
    let mut request = mallory.request();
    request.client.address = Ipv4Addr::new(198, 51, 100, 7).into();
    request.client.user_agent = "Alice's browser".to_owned();
    for body in [
        json!({"uid_field": "alice"}),
        json!({"password": "correct horse"}),
    ] {
        let reply = bench.executions.answer(request.clone(), body).await;
        reply.expect("a reply");
    }
    let session = mallory.session_object().await.value;
    assert!(session.user.is_some());
    assert_eq!(session.last_ip, request.client.address);
    assert_eq!(session.last_user_agent, "Alice's browser");
    bench.check().await;
}

#[actix::test]
async fn a_user_deleted_on_the_way_leaves_the_browser_free_to_begin_again() {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    let alice = bench.user("alice", "correct horse").await;
    let mut visitor = bench.visitor("login");
    visitor.answers(json!({"uid_field": "alice"})).await;
    visitor.sees("ak-stage-password");
    let stored = bench.stored::<User>(alice.uuid).await.expect("alice");
    let writes = command::deletion(bench.journal.as_ref(), &stored, &[]).await;
    bench.write(writes.expect("a read")).await;
    // The actor may know the execution still, or it may have to read what nobody can read.
    for restarted in [false, true] {
        let mut bench = bench.twin();
        if restarted {
            bench.restart();
        }
        let mut later = bench.visitor("login");
        later.session = visitor.session;
        later.opens().await.sees("ak-stage-identification");
    }
    bench.check().await;
}

#[actix::test]
async fn a_login_into_a_session_that_is_gone_is_not_said_to_have_happened() {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    bench.user("alice", "correct horse").await;
    let mut alice = bench.visitor("login");
    alice.answers(json!({"uid_field": "alice"})).await;
    let session = alice.session_object().await;
    let gone = object::delete::<Session>(session.value.id, session.version);
    bench.write(vec![gone]).await;
    let reply = alice.tries(json!({"password": "correct horse"})).await;
    assert!(matches!(reply, Err(Error::Busy)), "{reply:?}");
    for stream in bench
        .journal
        .streams(KIND, None, 10)
        .await
        .expect("streams")
    {
        let entries = replay::entries(bench.journal.as_ref(), stream.id).await;
        let entries = entries.expect("entries");
        let started = |event: &&Event| matches!(event, Event::SessionStarted { .. });
        assert!(!replay::events(&entries).iter().any(started));
    }
    bench.check().await;
}

async fn begins_again(bench: &Bench, flow: &Flow) {
    let bindings = bindings_of(bench.journal.as_ref(), flow.pk).await;
    for mut binding in bindings.expect("a read") {
        binding.value.invalid_response_action = InvalidResponseAction::Restart;
        bench
            .write(vec![object::put(&binding.value, binding.version)])
            .await;
    }
}

#[actix::test]
async fn a_flow_that_begins_again_lets_somebody_pass_who_has_logged_in_meanwhile() {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    bench.user("alice", "correct horse").await;
    let asks = json!({"user_fields": ["username"], "pretend_user_exists": false});
    let mut flow = bench.flow("other", &[(Kind::Identification, asks)]).await;
    flow.authentication = Authentication::RequireUnauthenticated;
    bench.write(vec![object::put(&flow, Version(1))]).await;
    begins_again(&bench, &flow).await;

    let mut first = bench.visitor("other").with_query("next=/home");
    first.opens().await.sees("ak-stage-identification");
    let mut second = first.tab("login", "");
    second.answers(json!({"uid_field": "alice"})).await;
    second.answers(json!({"password": "correct horse"})).await;
    second.is_sent_to("/");
    first.answers(json!({"uid_field": "nobody"})).await;
    first.is_sent_to("/home");
    bench.check().await;
}

/// The password stage of the flow `parts`, and a flow `login` that asks for it on one page.
async fn on_one_page(bench: &Bench) -> object::Versioned<Stage> {
    bench.flow("parts", &login_stages()[1..2]).await;
    let password = stage_by_name(bench.journal.as_ref(), "parts-0").await;
    let password = password.expect("a read").expect("the stage");
    let asks = json!({"user_fields": ["username"], "password_stage": password.value.pk});
    let stages = [(Kind::Identification, asks), (Kind::UserLogin, json!({}))];
    bench.flow("login", &stages).await;
    password
}

#[actix::test]
async fn a_stage_that_could_not_judge_asks_again_once_it_can() {
    let bench = Bench::new();
    bench.user("alice", "correct horse").await;
    let mut password = on_one_page(&bench).await;
    let mut alice = bench.visitor("login");
    alice.opens().await.sees("ak-stage-identification");
    let gone = object::delete::<Stage>(password.value.pk, password.version);
    bench.write(vec![gone]).await;
    let body = json!({"uid_field": "alice", "password": "correct horse"});
    alice
        .answers(body.clone())
        .await
        .sees("ak-stage-flow-error");
    alice.opens().await.sees("ak-stage-flow-error");
    password.version = password.version.next();
    let back = object::put(&password.value, password.version);
    bench.write(vec![back]).await;
    alice.opens().await.sees("ak-stage-identification");
    alice.answers(body).await.is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn an_answer_to_a_flow_whose_first_stage_fails_is_replayed_like_a_look() {
    let bench = Bench::new();
    let asks = json!({"user_fields": ["username"], "password_stage": Uuid::nil()});
    bench.flow("broken", &[(Kind::Identification, asks)]).await;
    let mut visitor = bench.visitor("broken");
    visitor.answers(json!({"uid_field": "alice"})).await;
    visitor.sees("ak-stage-flow-error");
    bench.check().await;
}

#[actix::test]
async fn answers_that_are_no_objects_are_refused_and_replayed() {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    let mut visitor = bench.visitor("login");
    visitor.opens().await;
    for body in [
        Value::Null,
        json!(123_456),
        json!(1.5),
        json!("x"),
        json!([{}]),
        json!(true),
    ] {
        visitor.answers(body).await.sees("ak-stage-identification");
        let errors = &visitor.body()["response_errors"]["non_field_errors"];
        assert!(errors.is_array(), "{errors}");
    }
    bench.check().await;
    assert!(!bench.trail().await.contains("123456"));
}

/// How many executions there are that nobody has ended.
async fn under_way(bench: &Bench) -> usize {
    let found = Journal::list(
        bench.journal.as_ref(),
        object::stream::<Unfinished>(Uuid::nil()).kind,
        None,
        1000,
    );
    found.await.expect("a read").len()
}

#[actix::test]
async fn one_address_begins_only_so_many_at_once() {
    let bench = Bench::with(Limits {
        begun_at_once: 2,
        begun_per_second: 1,
        ..Limits::default()
    });
    bench.flow("two", &dummies(2)).await;
    let mut first = bench.visitor("two");
    first.opens().await;
    bench.visitor("two").opens().await;
    let third = bench.visitor("two").tries_to_open().await;
    assert!(matches!(third, Err(Error::Throttled(_))));
    // Whoever is under way goes on.
    first.answers(json!({})).await.shows("name", "two-1");
    bench.check().await;
}

#[actix::test]
async fn no_more_are_in_memory_than_may_be_and_those_that_left_it_go_on() {
    let bench = Bench::with(Limits {
        awake: 2,
        ..Limits::default()
    });
    bench.flow("two", &dummies(2)).await;
    let mut visitors: Vec<_> = (0..6).map(|_| bench.visitor("two")).collect();
    for visitor in &mut visitors {
        visitor.opens().await;
        visitor.answers(json!({})).await.shows("name", "two-1");
    }
    let vitals = bench.executions.vitals().await.expect("numbers");
    assert!(vitals.awake <= 2, "{vitals:?}");
    for visitor in &mut visitors {
        visitor.answers(json!({})).await.is_sent_to("/");
    }
    bench.check().await;
}

fn crowded() -> Bench {
    Bench::with(Limits {
        unanswered_per_address: 2,
        ..Limits::default()
    })
}

#[actix::test]
async fn what_ended_at_first_sight_does_not_count_as_waiting() {
    let bench = crowded();
    bench.flow("two", &dummies(2)).await;
    bench.flow("empty", &[]).await;
    let mut patient = bench.visitor("two");
    patient.opens().await;
    let challenge = patient.body().clone();
    for _ in 0..4 {
        bench.visitor("empty").opens().await.is_sent_to("/");
    }
    patient.opens().await;
    assert_eq!(*patient.body(), challenge, "the execution had to go");
    bench.check().await;
}

#[actix::test]
async fn a_first_post_that_answers_nothing_counts_as_waiting_and_one_that_does_not() {
    let bench = crowded();
    bench.flow("two", &dummies(2)).await;
    let mut busy = bench.visitor("two");
    busy.answers(json!({})).await.shows("name", "two-1");
    for _ in 0..4 {
        let nonsense = json!({"component": "ak-stage-password"});
        bench.visitor("two").answers(nonsense).await;
    }
    assert_eq!(under_way(&bench).await, 3);
    busy.opens().await.shows("name", "two-1");
    bench.check().await;
}

#[actix::test]
async fn one_damaged_execution_keeps_no_other_from_ending() {
    let memory = Bench::new();
    let journal = Faulty::over(Arc::clone(&memory.journal), Some(KIND));
    let mut bench = Bench::over(journal.clone(), memory.clock.clone());
    bench.flow("two", &dummies(2)).await;
    let mut first = bench.visitor("two");
    first.opens().await;
    for _ in 0..3 {
        bench.visitor("two").opens().await;
    }
    let session = first.session;
    let streams = bench.journal.streams(KIND, None, 10).await;
    for stream in streams.expect("streams").iter().step_by(2) {
        journal.damage(stream.id);
    }
    bench.restart();
    bench.clock.advance(Duration::from_hours(25));
    bench.executions.sweep().await.expect("a sweep");
    assert_eq!(under_way(&bench).await, 0);
    let mut first = bench.visitor("two");
    first.session = session;
    first.opens().await.shows("name", "two-0");
}

#[actix::test]
async fn any_number_of_expired_sessions_goes_at_once() {
    let bench = Bench::new();
    let now = bench.clock.now();
    for _ in 0..3 {
        let sessions = (0..150).map(|_| {
            let (hour, ip) = (Duration::from_hours(1), Ipv4Addr::LOCALHOST.into());
            let session = Session::anonymous(&bench.clock, now, hour, ip, "");
            object::put(&session, Version::NONE)
        });
        bench.write(sessions.collect()).await;
    }
    bench.clock.advance(Duration::from_hours(2));
    bench.executions.sweep().await.expect("a sweep");
    let left = object::all::<Session>(bench.journal.as_ref()).await;
    assert!(left.expect("a read").is_empty());
}
