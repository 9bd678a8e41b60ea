//! Limits hold for all nodes together: whoever goes round them gets no more than on one.

use std::time::Duration;

use serde_json::{Value, json};

use super::{started, started_at};
use crate::support::{Answer, LOGIN, Options, TestServer, Visitor, block_on, database};

fn three() -> Options {
    Options::default()
        .with("GATELOG_EXECUTION__WRONG_PASSWORDS_AT_ONCE", "3")
        .with("GATELOG_EXECUTION__WRONG_PASSWORDS_PER_HOUR", "1")
}

async fn types(visitor: &mut Visitor, name: &str, password: &str) -> Answer {
    visitor.opens(LOGIN).await.sees("ak-stage-identification");
    visitor.answers(json!({ "uid_field": name })).await;
    visitor.answers(json!({ "password": password })).await
}

/// Somebody new types this password for this name.
async fn tries(server: &TestServer, name: &str, password: &str) -> Answer {
    types(&mut server.visitor(), name, password).await
}

/// How many wrong passwords the journal tells of.
fn rejected(server: &TestServer) -> usize {
    let events: Vec<Value> = server.histories().into_iter().flatten().collect();
    let is_one = |event: &&Value| event["event"] == "password_rejected";
    events.iter().filter(is_one).count()
}

#[test]
fn whoever_alternates_between_nodes_gets_as_many_wrong_passwords_as_on_one() {
    block_on(async {
        let Some((one, other)) = started(three()).await else {
            return;
        };
        let (ann, bob) = (one.person(), one.person());
        for server in [&one, &other, &one] {
            let wrong = tries(server, &ann.username, "not-the-password").await;
            wrong.with_error("password", "invalid");
        }
        for server in [&other, &one] {
            let wrong = tries(server, &ann.username, "not-the-password").await;
            wrong.has_status(429);
            let right = tries(server, &ann.username, &ann.password).await;
            right.has_status(429);
        }
        assert_eq!(rejected(&one), 3, "a refusal was carried out");
        let right = tries(&other, &bob.username, &bob.password).await;
        right.is_redirected_to("/");
        one.finish().await;
        other.finish().await;
    });
}

#[test]
fn of_many_who_guess_at_the_same_instant_no_more_are_heard_than_on_one_node() {
    block_on(async {
        let Some((one, other)) = started(three()).await else {
            return;
        };
        let ann = one.person();
        let mut visitors = Vec::new();
        for number in 0..12 {
            let mut visitor = one.visitor();
            visitor.opens(LOGIN).await.sees("ak-stage-identification");
            visitor.answers(json!({ "uid_field": ann.username })).await;
            if number % 2 == 0 {
                visitor.turns_to(&other);
            }
            visitors.push(visitor);
        }
        let guesses = visitors.iter_mut().map(async |visitor| {
            let wrong = json!({ "password": "not-the-password" });
            visitor.answers(wrong).await.status.as_u16()
        });
        let mut told = futures_util::future::join_all(guesses).await;
        told.sort_unstable();
        let (heard, refused) = told.split_at(3);
        assert_eq!(heard, [200; 3], "{told:?}");
        assert_eq!(refused, [429; 9], "{told:?}");
        assert_eq!(rejected(&one), 3);
        one.finish().await;
        other.finish().await;
    });
}

#[test]
fn whoever_logged_in_through_one_node_is_not_kept_out_of_another_by_others() {
    block_on(async {
        let Some((one, other)) = started(three()).await else {
            return;
        };
        let ann = one.person();
        let home = [0x2001, 0x0db8, 0xb, 0xb];
        one.visitor_at(&home).logs_in(&ann).await;
        for server in [&other, &one, &other] {
            let wrong = tries(server, &ann.username, "not-the-password").await;
            wrong.with_error("password", "invalid");
        }
        let kept_out = tries(&one, &ann.username, &ann.password).await;
        kept_out.has_status(429);
        let mut own = other.visitor_at(&home);
        let in_again = types(&mut own, &ann.username, &ann.password).await;
        in_again.is_redirected_to("/");
        // But nobody may guess for ever there either, whichever nodes they take.
        for server in [&one, &other, &one] {
            let mut there = server.visitor_at(&home);
            let wrong = types(&mut there, &ann.username, "not-the-password").await;
            wrong.with_error("password", "invalid");
        }
        let mut there = other.visitor_at(&home);
        let refused = types(&mut there, &ann.username, &ann.password).await;
        refused.has_status(429);
        one.finish().await;
        other.finish().await;
    });
}

#[test]
fn what_an_address_sent_to_one_node_is_missing_on_another() {
    block_on(async {
        // What is taken comes back so slowly that it plays no part here.
        let options = Options::default()
            .with("GATELOG_WEB__POSTS_PER_SECOND", "1")
            .with("GATELOG_WEB__POSTS_AT_ONCE", "100");
        let Some((one, other)) = started(options).await else {
            return;
        };
        let mut visitor = one.visitor();
        visitor.opens(LOGIN).await;
        let mut sent = [0, 0];
        for (number, server) in [&one, &other].into_iter().enumerate() {
            visitor.turns_to(server);
            while sent[number] < 1_000 && visitor.answers(json!({})).await.status != 429 {
                sent[number] += 1;
                // Nodes tell each other a little later.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        // One gave all that it had. What it told is missing on the other, but for a tenth.
        assert!(sent[0] >= 100, "{sent:?}");
        assert!(sent[1] < 70, "{sent:?}");
        one.finish().await;
        other.finish().await;
    });
}

#[test]
fn when_guesses_cannot_be_counted_no_password_is_judged() {
    block_on(async {
        let Some(database) = database::server() else {
            return;
        };
        let address = database.address();
        let (one, other) = started_at(&address, three().with_one_key()).await;
        let ann = one.person();
        let mut visitor = one.visitor();
        visitor.opens(LOGIN).await.sees("ak-stage-identification");
        let name = json!({ "uid_field": ann.username });
        visitor.answers(name).await.sees("ak-stage-password");
        database.sql_at(&address, "ALTER TABLE span RENAME TO elsewhere");
        for server in [&one, &other] {
            visitor.turns_to(server);
            for password in ["not-the-password", &ann.password] {
                let refused = visitor.answers(json!({ "password": password })).await;
                refused.has_status(503);
            }
        }
        database.sql_at(&address, "ALTER TABLE elsewhere RENAME TO span");
        assert_eq!(rejected(&one), 0);
        // The question is still there.
        let right = json!({ "password": ann.password });
        visitor.answers(right).await.is_redirected_to("/");
        one.finish().await;
        other.finish().await;
    });
}
