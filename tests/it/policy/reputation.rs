//! Names and addresses that fail too often.

use serde_json::{Value, json};

use crate::handbook::first_block;
use crate::support::{Flow, LOGIN, Person, Visitor, with_server};

/// A flow that denies whom `settings` let pass, and else asks who it is.
fn guarded(slug: &str, settings: Value) -> Flow {
    let policy = format!("{slug}-failing");
    let deny = format!("{slug}-deny");
    let who = json!({ "user_fields": ["username"], "pretend_user_exists": false });
    let again = json!({ "invalid_response_action": "restart_with_context" });
    Flow::new(slug)
        .policy("reputation", &policy, settings)
        .stage("deny", &deny, json!({}))
        .bound("identification", &format!("{slug}-who"), who, again)
        .asks(&deny, &policy, json!({}))
}

#[test]
fn an_unknown_name_is_denied_in_the_same_answer_where_that_is_once_too_often() {
    with_server(async |server| {
        for (slug, settings) in [
            ("both", json!({ "threshold": -1 })),
            (
                "address",
                json!({ "threshold": -1, "check_username": false }),
            ),
            ("name", json!({ "threshold": -1, "check_ip": false })),
        ] {
            server.has_flow(&guarded(slug, settings));
            let mut visitor = server.visitor();
            visitor.opens(slug).await.sees("ak-stage-identification");
            let unknown = json!({ "uid_field": format!("nobody-{slug}@example.com") });
            let answer = visitor.answers(unknown).await;
            answer.sees("ak-stage-access-denied");
        }
    });
}

#[test]
fn a_restart_does_not_reset_a_score_and_others_are_not_concerned() {
    with_server(async |server| {
        server.has_flow(&guarded("guarded", json!({ "threshold": -2 })));
        let mut visitor = server.visitor();
        let unknown = json!({ "uid_field": "nobody@example.com" });
        visitor
            .opens("guarded")
            .await
            .sees("ak-stage-identification");
        let first = visitor.answers(unknown.clone()).await;
        first.sees("ak-stage-identification");
        server.restart().await;
        visitor
            .opens("guarded")
            .await
            .sees("ak-stage-identification");
        let second = visitor.answers(unknown).await;
        second.sees("ak-stage-access-denied");
        server.kill().await;
        let mut later = visitor.in_another_tab();
        later.opens("guarded").await.sees("ak-stage-access-denied");
        let mut other = server.visitor();
        other.opens("guarded").await.sees("ak-stage-identification");
    });
}

/// The example of the manual.
fn example() -> String {
    let page = include_str!("../../../docs/policies.md");
    let (_, section) = page.split_once("### Reputation").expect("the section");
    first_block(section, "yaml")
}

/// A tab of the browser in which somebody said who they are.
async fn says_who(visitor: &Visitor, person: &Person) -> Visitor {
    let mut tab = visitor.in_another_tab();
    tab.opens(LOGIN).await.sees("ak-stage-identification");
    let who = json!({ "uid_field": person.username });
    tab.answers(who).await.sees("ak-stage-password");
    tab
}

async fn fails(visitor: &Visitor, person: &Person) {
    let mut tab = says_who(visitor, person).await;
    let wrong = json!({ "password": "wrong password" });
    tab.answers(wrong).await.with_error("password", "invalid");
    tab.gets("/flows/-/cancel/").await;
}

const TOO_MANY: &str = "Too many failed attempts. Please try again tomorrow.";

#[test]
fn the_example_of_the_manual_stops_somebody_who_guesses_passwords() {
    with_server(async |server| {
        server.apply(&example());
        let (ann, bob) = (server.person(), server.person());
        let guesser = server.visitor();
        for person in [&ann, &bob, &ann, &bob, &ann] {
            fails(&guesser, person).await;
        }
        let mut guesser = guesser.in_another_tab();
        guesser.opens(LOGIN).await.sees("ak-stage-identification");
        let who = json!({ "uid_field": ann.username });
        guesser.answers(who).await.is_denied(TOO_MANY);
        // From elsewhere ann still gets in.
        server.visitor().logs_in(&ann).await;
    });
}

#[test]
fn the_example_of_the_manual_logs_nobody_in_who_opened_many_logins_before_they_failed() {
    with_server(async |server| {
        server.apply(&example());
        let (ann, bob) = (server.person(), server.person());
        let mut opened = Vec::new();
        for person in [&ann, &bob, &ann] {
            // Another browser in the same network.
            let mut guesser = server.visitor();
            guesser.goes_to(&[0x2001, 0x0db8, 0, 1]);
            opened.push((says_who(&guesser, person).await, person));
        }
        let mut guesser = server.visitor();
        guesser.goes_to(&[0x2001, 0x0db8, 0, 1]);
        for _ in 0..5 {
            fails(&guesser, &bob).await;
        }
        for (mut tab, person) in opened {
            let wrong = json!({ "password": "wrong password" });
            tab.answers(wrong).await.with_error("password", "invalid");
            let right = json!({ "password": person.password });
            tab.answers(right).await.is_denied(TOO_MANY);
        }
        server.visitor().logs_in(&ann).await;
    });
}
