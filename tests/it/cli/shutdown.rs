//! A server that is asked to end finishes what it has begun.

use std::time::Duration;

use serde_json::json;

use crate::support::{Flow, LOGIN, with_server};

#[test]
fn a_request_that_is_under_way_is_answered_before_the_end() {
    with_server(async |server| {
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        visitor
            .answers(json!({ "uid_field": alice.username }))
            .await;
        let body = json!({ "component": "ak-stage-password", "password": alice.password });
        let asked = visitor.try_to_answer(&body, &[]);
        let stopped = async {
            // Checking the password takes longer than this, so the request has arrived.
            tokio::time::sleep(Duration::from_millis(10)).await;
            server.stop().await;
        };
        let (answer, ()) = tokio::join!(asked, stopped);
        answer.expect("an answer").is_redirected_to("/");
        server.begin().await;
        let me = visitor.gets("/api/v3/core/users/me/").await;
        me.has_status(200);
    });
}

#[test]
fn a_stop_takes_no_longer_than_it_must_and_leaves_no_socket() {
    with_server(async |server| {
        server.has_flow(&Flow::new("one").dummy("first"));
        let mut visitor = server.visitor();
        let before = visitor.opens("one").await;
        let begin = gatelog::clock::Clock::system().monotonic();
        server.stop().await;
        let took = gatelog::clock::Clock::system().monotonic() - begin;
        assert!(took < Duration::from_secs(5), "{took:?}");
        assert!(!server.data().join("gatelog.sock").exists());
        server.begin().await;
        assert_eq!(visitor.looks().await.text, before.text);
    });
}

#[test]
fn whoever_follows_the_events_does_not_keep_a_server_from_its_end() {
    with_server(async |server| {
        let socket = server.data().join("gatelog.sock");
        let client = reqwest::Client::builder().unix_socket(socket).no_proxy();
        let client = client.build().expect("a client");
        let path = "http://localhost/operator/feed?after=0&format=json&follow=true";
        let mut told = client.get(path).send().await.expect("an answer");
        assert!(told.chunk().await.expect("lines").is_some());
        let begin = gatelog::clock::Clock::system().monotonic();
        server.stop().await;
        let took = gatelog::clock::Clock::system().monotonic() - begin;
        assert!(took < Duration::from_secs(10), "{took:?}");
        while told.chunk().await.expect("a proper end").is_some() {}
        server.begin().await;
    });
}

#[test]
fn an_interrupt_is_as_good_as_a_request_to_end() {
    with_server(async |server| {
        server.signal("INT");
        while server.is_running() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        server.has_ended_well();
    });
}

#[test]
fn a_server_that_has_only_just_started_stops_as_well_as_any_other() {
    with_server(async |server| {
        for _ in 0..5 {
            // Nothing between being ready and being asked to end.
            server.restart().await;
        }
    });
}
