//! Logging in and out.

use std::time::Duration;

use serde_json::json;

use super::{Bench, login_stages};
use crate::directory::Session;
use crate::flow::event::Event;
use crate::replay;
use crate::stage::Kind;
use crate::world::record::KIND;

#[actix::test]
async fn the_right_password_logs_in_and_rotates_the_cookie() {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    let user = bench.user("alice", "correct horse").await;
    let mut alice = bench.visitor("login").with_query("next=%2Fhome");
    alice.opens().await.sees("ak-stage-identification");
    let before = alice.session_object().await.value;
    alice
        .answers(json!({"uid_field": "ALICE"}))
        .await
        .sees("ak-stage-password");
    alice.shows("pending_user", "alice");
    alice
        .answers(json!({"password": "wrong"}))
        .await
        .with_error("password", "invalid");
    alice
        .answers(json!({"password": "correct horse"}))
        .await
        .is_sent_to("/home");

    let after = alice.session_object().await.value;
    assert_eq!(after.user, Some(user.uuid));
    assert!(
        !after.is_current(&before.sid),
        "the cookie is the same as before the login"
    );
    bench.check().await;
}

#[actix::test]
async fn a_stranger_an_inactive_user_and_a_wrong_password_look_alike() {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    bench.user("alice", "correct horse").await;
    let mut locked = bench.user("bob", "correct horse").await;
    locked.is_active = false;
    let version = bench
        .stored::<crate::directory::User>(locked.uuid)
        .await
        .expect("bob")
        .version;
    bench
        .write(vec![crate::journal::object::put(&locked, version)])
        .await;

    let mut bodies = Vec::new();
    for (name, password) in [
        ("alice", "wrong"),
        ("bob", "correct horse"),
        ("carol", "wrong"),
    ] {
        let mut visitor = bench.visitor("login");
        visitor
            .answers(json!({"uid_field": name}))
            .await
            .sees("ak-stage-password");
        visitor
            .answers(json!({"password": password}))
            .await
            .with_error("password", "invalid");
        let mut body = visitor.body().clone();
        body.remove("pending_user");
        body.remove("pending_user_avatar");
        bodies.push(body);
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_eq!(bodies[0], bodies[2]);
    bench.check().await;
}

#[actix::test]
async fn the_fifth_wrong_password_ends_the_execution() {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    bench.user("alice", "correct horse").await;
    let mut alice = bench.visitor("login");
    alice.answers(json!({"uid_field": "alice"})).await;
    for attempt in 1..5 {
        alice
            .answers(json!({"password": format!("wrong {attempt}")}))
            .await;
        alice.with_error("password", "invalid");
    }
    alice
        .answers(json!({"password": "wrong 5"}))
        .await
        .sees("ak-stage-access-denied");
    alice.shows("error_message", "Invalid password");
    alice.opens().await.sees("ak-stage-identification");
    bench.check().await;
}

#[actix::test]
async fn an_embedded_password_stage_asks_both_at_once() {
    let bench = Bench::new();
    let stages = login_stages();
    let flow = bench.flow("parts", &stages[1..2]).await;
    let password = crate::catalog::stage::stage_by_name(bench.journal.as_ref(), "parts-0")
        .await
        .expect("a read")
        .expect("the stage");
    drop(flow);
    let identification =
        json!({"user_fields": ["email", "username"], "password_stage": password.value.pk});
    bench
        .flow(
            "login",
            &[
                (Kind::Identification, identification),
                (Kind::UserLogin, json!({})),
            ],
        )
        .await;
    bench.user("alice", "correct horse").await;
    let mut alice = bench.visitor("login");
    alice.opens().await.shows("password_fields", true);
    for (name, password) in [("alice", "wrong"), ("nobody", "correct horse")] {
        alice
            .answers(json!({"uid_field": name, "password": password}))
            .await;
        alice.with_error("non_field_errors", "invalid");
    }
    alice
        .answers(json!({"uid_field": "alice", "password": "correct horse"}))
        .await;
    alice.is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn staying_signed_in_is_asked_and_honoured() {
    let bench = Bench::new();
    let mut stages = login_stages();
    let settings = json!({"session_duration": "hours=1", "remember_me_offset": "days=30"});
    stages[2] = (Kind::UserLogin, settings);
    bench.flow("login", &stages).await;
    bench.user("alice", "correct horse").await;
    let mut alice = bench.visitor("login");
    alice.answers(json!({"uid_field": "alice"})).await;
    alice
        .answers(json!({"password": "correct horse"}))
        .await
        .sees("ak-stage-user-login");
    alice
        .answers(json!({"component": "ak-stage-user-login"}))
        .await;
    alice.with_error("remember_me", "required");
    alice
        .answers(json!({"remember_me": true}))
        .await
        .is_sent_to("/");
    let session = alice.session_object().await.value;
    let expected = bench.clock.now() + Duration::from_hours(30 * 24 + 1);
    assert_eq!(session.persistent, Some(expected));
    bench.check().await;
}

#[actix::test]
async fn logging_out_ends_the_session_and_what_was_under_way_in_it() {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    bench.flow("logout", &[(Kind::UserLogout, json!({}))]).await;
    bench.user("alice", "correct horse").await;
    let mut alice = bench.visitor("login");
    alice.answers(json!({"uid_field": "alice"})).await;
    alice
        .answers(json!({"password": "correct horse"}))
        .await
        .is_sent_to("/");
    let logged_in = alice.session_object().await.value;
    let mut other = alice.tab("login", "next=/other");
    other
        .answers(json!({"uid_field": "alice"}))
        .await
        .sees("ak-stage-password");

    alice
        .tab("logout", "next=%2Fbye")
        .opens()
        .await
        .is_sent_to("/bye");
    let session = alice.session_object().await.value;
    assert_eq!(session.user, None);
    let old =
        crate::directory::session_by_sid(bench.journal.as_ref(), &logged_in.sid, bench.clock.now());
    assert!(
        old.await.expect("a read").is_none(),
        "the old cookie is still honoured"
    );
    other.opens().await.sees("ak-stage-identification");
    bench.check().await;
}

#[actix::test]
async fn a_login_may_end_the_users_other_sessions() {
    let bench = Bench::new();
    let mut stages = login_stages();
    stages[2] = (Kind::UserLogin, json!({"terminate_other_sessions": true}));
    bench.flow("login", &stages).await;
    bench.user("alice", "correct horse").await;
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let mut alice = bench.visitor("login");
        alice.answers(json!({"uid_field": "alice"})).await;
        alice
            .answers(json!({"password": "correct horse"}))
            .await
            .is_sent_to("/");
        sessions.push(alice.session.expect("a session"));
    }
    assert!(bench.stored::<Session>(sessions[0]).await.is_none());
    assert!(bench.stored::<Session>(sessions[1]).await.is_some());
    bench.check().await;
}

#[actix::test]
async fn a_user_made_inactive_on_the_way_gets_no_further() {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    let mut user = bench.user("alice", "correct horse").await;
    let mut alice = bench.visitor("login");
    alice
        .answers(json!({"uid_field": "alice"}))
        .await
        .sees("ak-stage-password");
    user.is_active = false;
    let version = bench
        .stored::<crate::directory::User>(user.uuid)
        .await
        .expect("it")
        .version;
    bench
        .write(vec![crate::journal::object::put(&user, version)])
        .await;
    alice
        .answers(json!({"password": "correct horse"}))
        .await
        .sees("ak-stage-access-denied");
    bench.check().await;
}

#[actix::test]
async fn the_trail_of_a_login_holds_no_password() {
    let bench = Bench::new();
    bench.flow("login", &login_stages()).await;
    bench.user("alice", "correct horse").await;
    let mut alice = bench.visitor("login");
    alice
        .answers(json!({"uid_field": "alice", "password": "correct horse"}))
        .await;
    alice
        .answers(json!({"password": "correct horse", "extra": "correct horse"}))
        .await;
    let streams = bench
        .journal
        .streams(KIND, None, 10)
        .await
        .expect("streams");
    let entries = replay::entries(bench.journal.as_ref(), streams[0].id)
        .await
        .expect("entries");
    let text = serde_json::to_string(&entries).expect("JSON");
    assert!(!text.contains("correct horse"), "{text}");
    let verified = |event: &&Event| matches!(event, Event::PasswordVerified { .. });
    assert!(replay::events(&entries).iter().any(verified));
    bench.check().await;
}
