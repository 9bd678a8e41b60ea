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
