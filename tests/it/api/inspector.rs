//! What an execution has passed and has before it (scenario 49), and who gets to see it.

use reqwest::Method;
use serde_json::{Value, json};

use super::clients::with_token;
use crate::support::{Flow, Visitor};

const FLOW: &str = "inspected";
const INSPECTOR: &str = "/api/v3/flows/inspector/inspected/";

/// A flow that asks who somebody is and for something secret, and then does nothing.
fn flow() -> Flow {
    let identification = json!({ "user_fields": ["username"], "pretend_user_exists": true });
    let secret = json!({ "backends": ["authentik.core.auth.InbuiltBackend"] });
    Flow::new(FLOW)
        .stage("identification", "who", identification)
        .stage("password", "secret", secret)
        .dummy("nothing")
}

async fn inspects(visitor: &Visitor) -> Value {
    visitor.gets(INSPECTOR).await.has_status(200).json()
}

/// The name of the stage in a plan.
fn stage<'a>(plan: &'a Value, which: &str) -> &'a str {
    let name = plan[which]["stage_obj"]["name"].as_str();
    name.unwrap_or_default()
}

#[test]
fn an_administrator_sees_what_is_passed_and_what_is_ahead_without_secrets() {
    with_token(async |server, token| {
        server.has_flow(&flow());
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.logs_in(&server.administrator).await;
        let none = visitor.gets(INSPECTOR).await;
        none.has_status(400);
        visitor.opens(FLOW).await.sees("ak-stage-identification");
        let seen = inspects(&visitor).await;
        assert_eq!(seen["plans"], json!([]));
        assert_eq!(seen["is_completed"], false);
        assert_eq!(stage(&seen["current_plan"], "current_stage"), "who");
        assert_eq!(stage(&seen["current_plan"], "next_planned_stage"), "secret");

        let answer = json!({ "uid_field": alice.username });
        visitor.answers(answer).await.sees("ak-stage-password");
        let answer = json!({ "password": alice.password });
        visitor.answers(answer).await.sees("ak-stage-dummy");
        let seen = inspects(&visitor).await;
        let plans = seen["plans"].as_array().expect("plans");
        let passed: Vec<_> = plans.iter().map(|it| stage(it, "current_stage")).collect();
        assert_eq!(passed, ["who", "secret"]);
        assert_eq!(stage(&seen["current_plan"], "current_stage"), "nothing");
        let next = &seen["current_plan"]["next_planned_stage"];
        assert_eq!(next["stage"], Value::Null);
        let context = &seen["current_plan"]["plan_context"];
        assert_eq!(context["pending_user"]["username"], alice.username.as_str());
        assert!(!seen.to_string().contains(&alice.password));

        visitor.answers(json!({})).await.is_redirected_to("/");
        let seen = inspects(&visitor).await;
        assert_eq!(seen["is_completed"], true);
        assert_eq!(stage(&seen["current_plan"], "current_stage"), "nothing");

        // A program names the execution, since it has no session.
        let trail = server.gatelog(&["execution", "list", "--json"]);
        let trail = trail.succeeds().values();
        let newest = trail[0]["execution"].as_str().expect("an execution");
        let path = format!("{INSPECTOR}?execution={newest}");
        let bearer = format!("Bearer {token}");
        let bearer = [("authorization", bearer.as_str())];
        let program = server.visitor();
        let shown = program.sends(Method::GET, &path, &bearer, "").await;
        assert_eq!(shown.has_status(200).json()["is_completed"], true);
        let shown = program.sends(Method::GET, INSPECTOR, &bearer, "").await;
        shown.has_status(400);
    });
}

#[test]
fn what_opens_something_is_masked() {
    with_token(async |server, _| {
        server.has_flow(&flow());
        let mut visitor = server.visitor();
        visitor.logs_in(&server.administrator).await;
        visitor.opens(FLOW).await.sees("ak-stage-identification");
        // Somebody pasted an address where a name belongs.
        let answer = json!({ "uid_field": "/app?token=sesame" });
        visitor.answers(answer).await.sees("ak-stage-password");
        let seen = inspects(&visitor).await.to_string();
        assert!(seen.contains("/app?token="), "{seen}");
        assert!(!seen.contains("sesame"), "{seen}");
    });
}

#[test]
fn others_see_their_own_alone_and_nothing_of_whom_they_name() {
    with_token(async |server, _| {
        server.has_flow(&flow());
        let (alice, bob) = (server.person(), server.person());
        server.visitor().gets(INSPECTOR).await.has_status(403);
        for (name, status) in [
            (alice.username.as_str(), 200),
            (bob.username.as_str(), 404),
            ("nobody-of-this-name", 404),
        ] {
            let mut visitor = server.visitor();
            visitor.logs_in(&alice).await;
            visitor.opens(FLOW).await.sees("ak-stage-identification");
            inspects(&visitor).await;
            let answer = json!({ "uid_field": name });
            visitor.answers(answer).await.sees("ak-stage-password");
            visitor.gets(INSPECTOR).await.has_status(status);
        }
        let trail = server.gatelog(&["execution", "list", "--json"]);
        let trail = trail.succeeds().values();
        let newest = trail[0]["execution"].as_str().expect("an execution");
        let mut other = server.visitor();
        other.logs_in(&bob).await;
        let path = format!("{INSPECTOR}?execution={newest}");
        other.gets(&path).await.has_status(404);
        let unknown = "/api/v3/flows/inspector/unknown/";
        other.gets(unknown).await.has_status(404);
    });
}
