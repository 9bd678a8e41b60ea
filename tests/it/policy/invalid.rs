//! What an answer that is not accepted leads to.

use serde_json::json;

use crate::support::{Flow, with_server};

fn who(slug: &str, action: &str) -> (serde_json::Value, serde_json::Value) {
    let _ = slug;
    (
        json!({ "user_fields": ["email"], "pretend_user_exists": false }),
        json!({ "invalid_response_action": action }),
    )
}

#[test]
fn an_unknown_name_may_be_tried_again() {
    with_server(async |server| {
        let (attrs, binding) = who("again", "retry");
        server.has_flow(&Flow::new("again").bound("identification", "again-who", attrs, binding));
        let mut visitor = server.visitor();
        visitor.opens("again").await;
        let answer = visitor
            .answers(json!({ "uid_field": "nobody@example.com" }))
            .await;
        answer.sees("ak-stage-identification");
        answer.with_error("non_field_errors", "invalid");
        let text = &answer.json()["response_errors"]["non_field_errors"][0]["string"];
        assert_eq!(text, "Failed to authenticate.");
    });
}

#[test]
fn a_flow_that_begins_again_forgets_what_its_stages_and_policies_learnt() {
    with_server(async |server| {
        for (slug, action, wanted) in [
            ("forgets", "restart", "/"),
            ("remembers", "restart_with_context", "/noted"),
        ] {
            // The first time, the policy notes something; it is asked again after the restart.
            let notes = "plan = context[\"flow_plan\"]\n\
                         if \"seen\" in plan.context:\n\
                         \x20   plan.context[\"redirect\"] = \"/noted\"\n\
                         plan.context[\"seen\"] = True\n\
                         return True";
            let (attrs, binding) = who(slug, action);
            let first = format!("{slug}-first");
            let policy = format!("{slug}-notes");
            let flow = Flow::new(slug)
                .expression(&policy, notes)
                .bound(
                    "dummy",
                    &first,
                    json!({}),
                    json!({ "evaluate_on_plan": true, "re_evaluate_policies": false }),
                )
                .bound("identification", &format!("{slug}-who"), attrs, binding)
                .asks(&first, &policy, json!({}));
            server.has_flow(&flow);
            let person = server.person();
            let mut visitor = server.visitor();
            visitor.opens(slug).await.with("name", first.as_str());
            visitor
                .answers(json!({}))
                .await
                .sees("ak-stage-identification");
            let again = visitor
                .answers(json!({ "uid_field": "nobody@example.com" }))
                .await;
            again.with("name", first.as_str());
            visitor
                .answers(json!({}))
                .await
                .sees("ak-stage-identification");
            let end = visitor.answers(json!({ "uid_field": person.mail })).await;
            end.is_redirected_to(wanted);
        }
    });
}

#[test]
fn a_stage_that_a_policy_appended_is_there_after_the_flow_began_again() {
    with_server(async |server| {
        let appends = "from authentik.flows.models import Stage\n\
                       plan = context[\"flow_plan\"]\n\
                       if \"appended\" not in plan.context:\n\
                       \x20   plan.context[\"appended\"] = True\n\
                       \x20   plan.append_stage(Stage.objects.get(name=\"tail\"))\n\
                       return True";
        let (attrs, binding) = who("tailed", "restart_with_context");
        let flow = Flow::new("tailed")
            .expression("appends", appends)
            .unbound("dummy", "tail", json!({}))
            .dummy("head")
            .bound("identification", "tailed-who", attrs, binding)
            .asks("head", "appends", json!({}));
        server.has_flow(&flow);
        let person = server.person();
        let mut visitor = server.visitor();
        visitor.opens("tailed").await.with("name", "head");
        visitor
            .answers(json!({}))
            .await
            .sees("ak-stage-identification");
        let again = visitor
            .answers(json!({ "uid_field": "nobody@example.com" }))
            .await;
        again.with("name", "head");
        visitor
            .answers(json!({}))
            .await
            .sees("ak-stage-identification");
        let tail = visitor.answers(json!({ "uid_field": person.mail })).await;
        tail.with("name", "tail");
        visitor.answers(json!({})).await.is_redirected_to("/");
    });
}

#[test]
fn a_field_that_is_missing_is_said_to_be() {
    with_server(async |server| {
        let person = server.person();
        server.has_flow(&Flow::new("asks").identification_and_password());
        let mut visitor = server.visitor();
        visitor.opens("asks").await;
        visitor
            .answers(json!({ "uid_field": person.username }))
            .await;
        let answer = visitor.answers(json!({})).await;
        answer.with_error("password", "required");
    });
}

#[test]
fn a_password_that_one_user_gave_lets_in_no_other() {
    with_server(async |server| {
        let mallory = server.person();
        // Whoever is denied begins again with what is known; the password stage is left out for
        // whom a back end has checked a password.
        let checked = "plan = context[\"flow_plan\"]\n\
                       if plan.context.get(\"user_backend\"):\n\
                       \x20   return False\n\
                       return not hasattr(plan.context.get(\"pending_user\"), \"backend\")";
        let again = json!({ "invalid_response_action": "restart_with_context" });
        let flow = Flow::new("proof")
            .expression("unless-checked", checked)
            .expression("not-root", "return request.user.username != \"akadmin\"")
            .stage(
                "identification",
                "proof-who",
                json!({ "user_fields": ["username"] }),
            )
            .stage(
                "password",
                "proof-password",
                json!({ "backends": ["authentik.core.auth.InbuiltBackend"] }),
            )
            .bound("deny", "proof-deny", json!({}), again)
            .stage("user_login", "proof-login", json!({}))
            .asks("proof-password", "unless-checked", json!({}))
            .asks("proof-deny", "not-root", json!({}));
        server.has_flow(&flow);
        let mut visitor = server.visitor();
        visitor.opens("proof").await;
        let name = json!({ "uid_field": mallory.username });
        visitor.answers(name).await.sees("ak-stage-password");
        let own = json!({ "password": mallory.password });
        visitor.answers(own).await.sees("ak-stage-identification");
        let other = json!({ "uid_field": "akadmin" });
        visitor.answers(other).await.sees("ak-stage-password");
        let wrong = json!({ "password": mallory.password });
        visitor
            .answers(wrong)
            .await
            .with_error("password", "invalid");
        visitor.gets("/api/v3/core/users/me/").await.has_status(403);
    });
}

#[test]
fn what_a_policy_appends_whenever_the_flow_is_planned_is_there_once() {
    with_server(async |server| {
        let appends = "from authentik.flows.models import Stage\n\
                       plan = context[\"flow_plan\"]\n\
                       plan.append_stage(Stage.objects.get(name=\"once\"))\n\
                       return True";
        let on_plan = json!({ "evaluate_on_plan": true, "re_evaluate_policies": false });
        let (attrs, binding) = who("planned", "restart");
        let flow = Flow::new("planned")
            .expression("appends-once", appends)
            .unbound("dummy", "once", json!({}))
            .bound("identification", "planned-who", attrs, binding)
            .bound("dummy", "planned-head", json!({}), on_plan)
            .asks("planned-head", "appends-once", json!({}));
        server.has_flow(&flow);
        let person = server.person();
        let mut visitor = server.visitor();
        visitor.opens("planned").await;
        for _ in 0..3 {
            let refused = visitor.answers(json!({ "uid_field": "nobody@example.com" }));
            refused.await.sees("ak-stage-identification");
        }
        let mut shown = visitor.answers(json!({ "uid_field": person.mail })).await;
        let mut names = Vec::new();
        while shown.component() == "ak-stage-dummy" {
            names.push(shown.json()["name"].as_str().expect("a name").to_owned());
            shown = visitor.answers(json!({})).await;
        }
        names.sort();
        assert_eq!(names, ["once", "planned-head"]);
    });
}
