//! How the answers of several bindings become one.

use serde_json::json;

use crate::support::{Flow, Person, Visitor, with_server};

const NAME: &str = "a-stage";

/// A flow whose only stage is asked for when the flow is planned.
fn flow(slug: &str, mode: &str) -> Flow {
    let binding = json!({
        "evaluate_on_plan": true,
        "re_evaluate_policies": false,
        "policy_engine_mode": mode,
    });
    Flow::new(slug).bound("dummy", &format!("{slug}-{NAME}"), json!({}), binding)
}

async fn shows(visitor: &mut Visitor, slug: &str, wanted: bool) {
    let answer = visitor.opens(slug).await;
    if wanted {
        answer.sees("ak-stage-dummy");
    } else {
        answer.is_redirected_to("/");
    }
}

#[test]
fn any_and_all_are_what_they_say() {
    with_server(async |server| {
        let stage = |slug: &str| format!("{slug}-{NAME}");
        for (slug, mode, answers, wanted) in [
            ("any-none", "any", &[][..], true),
            ("all-none", "all", &[][..], true),
            ("any-mixed", "any", &[false, true][..], true),
            ("all-mixed", "all", &[false, true][..], false),
            ("any-false", "any", &[false, false][..], false),
            ("all-true", "all", &[true, true][..], true),
        ] {
            let mut made = flow(slug, mode);
            for (number, answer) in answers.iter().enumerate() {
                let policy = format!("{slug}-{number}");
                made = made
                    .saying(&policy, *answer)
                    .asks(&stage(slug), &policy, json!({}));
            }
            server.has_flow(&made);
            shows(&mut server.visitor(), slug, wanted).await;
        }
    });
}

#[test]
fn a_binding_may_be_off_or_turned_round() {
    with_server(async |server| {
        for (slug, says, attrs, wanted) in [
            ("off", false, json!({ "enabled": false }), true),
            ("round", false, json!({ "negate": true }), true),
            ("round-again", true, json!({ "negate": true }), false),
        ] {
            let policy = format!("{slug}-policy");
            let made = flow(slug, "any").saying(&policy, says);
            server.has_flow(&made.asks(&format!("{slug}-{NAME}"), &policy, attrs));
            shows(&mut server.visitor(), slug, wanted).await;
        }
    });
}

#[test]
fn an_evaluation_that_fails_counts_as_its_binding_says() {
    with_server(async |server| {
        for (slug, attrs, wanted) in [
            ("fails", json!({}), false),
            ("fails-open", json!({ "failure_result": true }), true),
            // What went wrong is not turned round.
            ("fails-round", json!({ "negate": true }), false),
        ] {
            let policy = format!("{slug}-policy");
            let made = flow(slug, "any").expression(&policy, "return 1 / 0");
            server.has_flow(&made.asks(&format!("{slug}-{NAME}"), &policy, attrs));
            shows(&mut server.visitor(), slug, wanted).await;
        }
        let listed = server.gatelog(&["execution", "list", "--json"]).stdout;
        let newest: serde_json::Value =
            serde_json::from_str(listed.lines().next().expect("one")).expect("JSON");
        let id = newest["execution"].as_str().expect("an id");
        let shown = server.gatelog(&["execution", "show", id]).stdout;
        assert!(shown.contains("failed after"), "{shown}");
        assert!(shown.contains("ZeroDivisionError"), "{shown}");
        assert!(shown.contains("line 1"), "{shown}");
    });
}

#[test]
fn groups_and_users_are_those_of_whoever_is_going_through_the_flow() {
    with_server(async |server| {
        let (member, below, named, other) = (
            server.person(),
            server.person(),
            server.person(),
            server.person(),
        );
        server.has_group("crew", None, &[&member]);
        server.has_group("apprentices", Some("crew"), &[&below]);
        let who = json!({ "user_fields": ["username"] });
        let made = Flow::new("crew-only")
            .stage("identification", "crew-who", who)
            .dummy("crew-room")
            .stage("deny", "crew-deny", json!({}))
            .for_group(Some("crew-room"), "crew", json!({}))
            .for_user(Some("crew-room"), &named.username, json!({}));
        server.has_flow(&made);
        let arrives = async |person: &Person| {
            let mut visitor = server.visitor();
            visitor.opens("crew-only").await;
            visitor
                .answers(json!({ "uid_field": person.username }))
                .await
        };
        for person in [&member, &below, &named] {
            arrives(person).await.sees("ak-stage-dummy");
        }
        arrives(&other).await.sees("ak-stage-access-denied");
    });
}

#[test]
fn groups_count_as_one_answer_and_never_for_a_stranger() {
    with_server(async |server| {
        let person = server.person();
        server.has_group("one", None, &[&person]);
        server.has_group("two", None, &[]);
        for (slug, mode, negate, logged_in, anonymous) in [
            ("static-any", "any", false, true, false),
            ("static-all", "all", false, false, false),
            ("static-round", "any", true, true, false),
        ] {
            let stage = format!("{slug}-{NAME}");
            let made = flow(slug, mode)
                .for_group(Some(&stage), "one", json!({ "negate": negate }))
                .for_group(Some(&stage), "two", json!({ "negate": negate }));
            server.has_flow(&made.with("designation", "stage_configuration"));
            shows(&mut server.visitor(), slug, anonymous).await;
            let mut visitor = server.visitor();
            visitor.logs_in(&person).await;
            shows(&mut visitor, slug, logged_in).await;
        }
    });
}
