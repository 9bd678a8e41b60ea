//! Which stages a plan holds, and which leave it on the way.

use serde_json::{Value, json};

use crate::support::{Flow, Person, TestServer, with_server};

/// Three stages; the policy `middle` is asked when the turn of the second comes.
fn three(slug: &str) -> Flow {
    Flow::new(slug)
        .saying("middle", true)
        .dummy("a")
        .dummy("b")
        .dummy("c")
        .asks("b", "middle", json!({}))
}

/// Makes the policy say this from now on.
fn says(server: &TestServer, policy: &str, result: bool) {
    server.has_policy("dummy", policy, &json!({ "result": result }));
}

/// The events of the newest execution.
fn events(server: &TestServer) -> Vec<Value> {
    let listed = server.gatelog(&["execution", "list", "--json"]);
    let listed: Value =
        serde_json::from_str(listed.stdout.lines().next().expect("an execution")).expect("JSON");
    let id = listed["execution"].as_str().expect("an id");
    let shown = server.gatelog(&["execution", "show", id, "--json"]);
    shown
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .flat_map(|record| {
            record["record"]["events"]
                .as_array()
                .cloned()
                .expect("events")
        })
        .collect()
}

/// The events of this name.
fn named(events: &[Value], name: &str) -> Vec<Value> {
    let events = events.iter().filter(|event| event["event"] == name);
    events.cloned().collect()
}

#[test]
fn a_last_stage_that_stops_passing_is_removed_and_the_flow_is_over() {
    with_server(async |server| {
        let flow = Flow::new("two").saying("last", true).dummy("a").dummy("b");
        server.has_flow(&flow.asks("b", "last", json!({})));
        let mut visitor = server.visitor();
        visitor.opens("two").await.with("name", "a");
        visitor.answers(json!({})).await.with("name", "b");
        says(server, "last", false);
        visitor.looks().await.is_redirected_to("/");
        let skipped = named(&events(server), "stage_skipped");
        assert_eq!(skipped.len(), 1, "{skipped:?}");
        assert_eq!(skipped[0]["stage"], "b");
        assert_eq!(skipped[0]["when"], "run");
    });
}

#[test]
fn an_answer_to_a_stage_that_leaves_the_plan_reaches_no_other() {
    with_server(async |server| {
        server.has_flow(&three("three"));
        let mut visitor = server.visitor();
        visitor.opens("three").await.with("name", "a");
        visitor.answers(json!({})).await.with("name", "b");
        says(server, "middle", false);
        // The answer was meant for `b`. What comes after it is shown, and not passed by it.
        visitor.answers(json!({})).await.with("name", "c");
        visitor.answers(json!({})).await.is_redirected_to("/");
    });
}

#[test]
fn stages_that_do_not_pass_are_passed_over_in_one_go() {
    with_server(async |server| {
        let flow = Flow::new("four").saying("never", false);
        let flow = flow.dummy("a").dummy("b").dummy("c").dummy("d");
        let flow = flow
            .asks("b", "never", json!({}))
            .asks("c", "never", json!({}));
        server.has_flow(&flow);
        let mut visitor = server.visitor();
        visitor.opens("four").await.with("name", "a");
        visitor.answers(json!({})).await.with("name", "d");
        visitor.answers(json!({})).await.is_redirected_to("/");
    });
}

#[test]
fn stages_that_pass_are_all_shown() {
    with_server(async |server| {
        server.has_flow(&three("three"));
        let mut visitor = server.visitor();
        visitor.opens("three").await.with("name", "a");
        visitor.answers(json!({})).await.with("name", "b");
        visitor.answers(json!({})).await.with("name", "c");
        visitor.answers(json!({})).await.is_redirected_to("/");
        let decided = named(&events(server), "engine_decided");
        assert!(
            decided
                .iter()
                .all(|it| it["target"]["stage"] == "b" && it["passing"] == true),
            "{decided:?}"
        );
    });
}

#[test]
fn a_removal_is_for_good() {
    with_server(async |server| {
        server.has_flow(&three("three"));
        let mut visitor = server.visitor();
        visitor.opens("three").await;
        visitor.answers(json!({})).await.with("name", "b");
        says(server, "middle", false);
        visitor.looks().await.with("name", "c");
        says(server, "middle", true);
        visitor.looks().await.with("name", "c");
        server.kill().await;
        visitor.looks().await.with("name", "c");
        visitor.answers(json!({})).await.is_redirected_to("/");
    });
}

#[test]
fn a_stage_that_does_not_pass_while_planning_never_comes() {
    with_server(async |server| {
        let on_plan = json!({ "evaluate_on_plan": true, "re_evaluate_policies": false });
        let only = Flow::new("only")
            .saying("never", false)
            .bound("dummy", "a", json!({}), on_plan.clone())
            .asks("a", "never", json!({}));
        server.has_flow(&only);
        server.visitor().opens("only").await.is_redirected_to("/");
        let skipped = named(&events(server), "stage_skipped");
        assert_eq!(skipped[0]["when"], "plan");

        // What was decided while planning stays decided.
        let kept = Flow::new("kept")
            .saying("at-first", true)
            .dummy("first")
            .bound("dummy", "second", json!({}), on_plan)
            .asks("second", "at-first", json!({}));
        server.has_flow(&kept);
        let mut visitor = server.visitor();
        visitor.opens("kept").await.with("name", "first");
        says(server, "at-first", false);
        visitor.answers(json!({})).await.with("name", "second");
        visitor.answers(json!({})).await.is_redirected_to("/");
    });
}

#[test]
fn looking_again_asks_again_but_writes_nothing_down() {
    with_server(async |server| {
        let flow = Flow::new("one").saying("asked", true).dummy("a");
        server.has_flow(&flow.asks("a", "asked", json!({})));
        let mut visitor = server.visitor();
        for _ in 0..5 {
            visitor.opens("one").await.with("name", "a");
        }
        assert_eq!(named(&events(server), "engine_decided").len(), 1);
    });
}

#[test]
fn an_expression_puts_things_into_the_plan() {
    with_server(async |server| {
        let told = "context[\"flow_plan\"].context[\"redirect\"] = \"https://away.example/x\"\n\
                    return True";
        let flow = Flow::new("away").expression("sends-away", told).dummy("a");
        server.has_flow(&flow.asks("a", "sends-away", json!({})));
        let mut visitor = server.visitor();
        visitor.opens("away").await.with("name", "a");
        let end = visitor.answers(json!({})).await;
        end.is_redirected_to("https://away.example/x");

        let told = "context[\"flow_plan\"].context[\"deny_message\"] = \"not on Sundays\"\n\
                    return True";
        let flow = Flow::new("denies").expression("tells", told);
        let flow = flow.stage("deny", "denial", json!({}));
        server.has_flow(&flow.asks("denial", "tells", json!({})));
        let denied = server.visitor().opens("denies").await;
        denied.is_denied("not on Sundays");
    });
}

#[test]
fn an_expression_says_who_is_going_through_the_flow() {
    with_server(async |server| {
        let person: Person = server.person();
        let told = format!(
            "context[\"flow_plan\"].context[\"pending_user\"] = ak_user_by(username=\"{}\")\n\
             return True",
            person.username
        );
        let flow = Flow::new("known")
            .expression("knows", &told)
            .dummy("a")
            .stage(
                "password",
                "known-password",
                json!({ "backends": ["authentik.core.auth.InbuiltBackend"] }),
            )
            .stage("user_login", "known-login", json!({}));
        server.has_flow(&flow.asks("a", "knows", json!({})));
        let mut visitor = server.visitor();
        visitor.opens("known").await.with("name", "a");
        let password = visitor.answers(json!({})).await;
        password.sees("ak-stage-password");
        password.with("pending_user", person.username.as_str());
        let done = visitor
            .answers(json!({ "password": person.password }))
            .await;
        done.is_redirected_to("/");
        assert_eq!(named(&events(server), "user_identified").len(), 1);
    });
}

#[test]
fn what_a_policy_changed_on_its_own_copy_is_gone() {
    with_server(async |server| {
        let own = "context[\"redirect\"] = \"/elsewhere\"\nreturn True";
        let flow = Flow::new("own").expression("scribbles", own).dummy("a");
        server.has_flow(&flow.asks("a", "scribbles", json!({})));
        let mut visitor = server.visitor();
        visitor.opens("own").await;
        visitor.answers(json!({})).await.is_redirected_to("/");
    });
}

#[test]
fn a_policy_that_puts_a_stage_in_front_of_its_own_for_ever_is_ended() {
    with_server(async |server| {
        let inserts = "from authentik.flows.models import Stage\n\
                       stage = Stage.objects.get(name=\"goes-by\")\n\
                       context[\"flow_plan\"].insert_stage(stage, index=0)\n\
                       return True";
        let flow = Flow::new("endless")
            .expression("inserts", inserts)
            .unbound("user_logout", "goes-by", json!({}))
            .dummy("endless-stage")
            .asks("endless-stage", "inserts", json!({}));
        server.has_flow(&flow);
        let answer = server.visitor().opens("endless").await;
        answer.is_denied("Too many attempts. Please start again.");
    });
}

#[test]
fn what_is_no_answer_is_none_when_it_is_run_again() {
    with_server(async |server| {
        // The policy has something new to say each time, so that each request is written down.
        let says = "ak_create_event(\"seen\")\nreturn True";
        let flow = Flow::new("noisy").expression("says", says).dummy("noisy-a");
        let flow = flow.dummy("noisy-b").asks("noisy-a", "says", json!({}));
        server.has_flow(&flow);
        let mut visitor = server.visitor();
        visitor.opens("noisy").await.with("name", "noisy-a");
        let foreign = json!({ "component": "ak-stage-other" });
        for body in [json!({ "foo": 1 }), foreign] {
            visitor.challenge = None;
            let answer = visitor.answers_exactly(&body, &[]).await;
            answer.with("name", "noisy-a");
        }
        visitor.answers(json!({})).await.with("name", "noisy-b");
        // Every server is checked at its end for whether a replay comes to the same.
    });
}
