//! Blueprints with policies, applied to a server and asked by it.

use serde_json::{Value, json};

use crate::handbook::first_block;
use crate::support::{LOGIN, TestServer, random, with_server};

/// A flow with one stage that a policy is bound to.
fn flow(slug: &str, expression: &str) -> String {
    let expression = expression.replace('\n', "\n        ");
    format!(
        "version: 1
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {{slug: {slug}}}
    attrs: {{name: {slug}, title: {slug}, designation: authentication}}
  - model: authentik_stages_dummy.dummystage
    id: stage
    identifiers: {{name: {slug}-stage}}
  - model: authentik_flows.flowstagebinding
    id: place
    identifiers: {{target: !KeyOf flow, stage: !KeyOf stage, order: 0}}
  - model: authentik_policies_expression.expressionpolicy
    id: policy
    identifiers: {{name: {slug}-policy}}
    attrs:
      expression: |
        {expression}
  - model: authentik_policies.policybinding
    identifiers: {{target: !KeyOf place, policy: !KeyOf policy, order: 0}}
"
    )
}

/// The first execution of a flow, told in sentences.
fn told(server: &TestServer, slug: &str) -> String {
    let list = server.gatelog(&["execution", "list", "--json"]);
    let list = list.succeeds().values();
    let of_flow = |it: &&Value| it["flow"] == slug || it["slug"] == slug;
    let found = list.iter().find(of_flow);
    let found = found.unwrap_or_else(|| panic!("no execution of {slug} in {list:#?}"));
    let id = found["execution"].as_str().expect("an id");
    let shown = server.gatelog(&["execution", "show", id]);
    shown.succeeds();
    shown.stdout
}

#[track_caller]
fn tells(story: &str, sentence: &str) {
    assert!(story.contains(sentence), "no {sentence:?} in {story}");
}

#[test]
fn a_policy_of_a_blueprint_decides_whether_its_stage_is_shown() {
    with_server(async |server| {
        for (slug, answer) in [("shown", "True"), ("hidden", "False")] {
            let expression = format!("ak_message(\"I say {answer}\")\nreturn {answer}");
            server.apply(&flow(slug, &expression));
            let mut visitor = server.visitor();
            let seen = visitor.opens(slug).await;
            if answer == "True" {
                seen.sees("ak-stage-dummy");
                visitor.answers(json!({})).await.is_redirected_to("/");
            } else {
                seen.is_redirected_to("/");
            }
        }
        let story = told(server, "shown");
        tells(
            &story,
            "policy shown-policy (expression, version 1, by binding",
        );
        tells(&story, ") passes, after");
        tells(&story, "says: I say True");
        tells(&story, "the policies of stage shown-stage pass (mode any)");
        let story = told(server, "hidden");
        tells(&story, ") does not pass, after");
        tells(&story, "says: I say False");
        tells(&story, "skipped stage hidden-stage for good");
    });
}

#[test]
fn a_blueprint_with_an_expression_that_is_not_understood_is_refused_whole() {
    with_server(async |server| {
        let broken = flow(
            "broken",
            "user = request.user\nif user.is_active\n    return True",
        );
        for is_up in [true, false] {
            if !is_up {
                server.stop().await;
            }
            for verb in ["check", "apply"] {
                let ran = server.gatelog_reading(&["blueprint", verb, "-"], &broken);
                ran.fails_with(1)
                    .says(
                        "-:18:9: entry 4 (policy, authentik_policies_expression.expressionpolicy)",
                    )
                    .says(": expression: Expression Syntax Error: ")
                    .says("(line 2, column 18)")
                    .says("nothing of it was written");
            }
        }
        server.begin().await;
        server.visitor().opens("broken").await.has_status(404);
        // Had the policy been written, it could not be made a second time.
        let fixed = flow("broken", "return True").replace(
            "    identifiers: {name: broken-policy}",
            "    state: must_created\n    identifiers: {name: broken-policy}",
        );
        server.apply(&fixed);
    });
}

/// Makes the default flow ask for the password on the page of the identifier.
const ON_ONE_PAGE: &str = "
version: 1
entries:
  - model: authentik_stages_identification.identificationstage
    identifiers: {name: default-authentication-identification}
    attrs:
      password_stage: !Find [authentik_stages_password.passwordstage, [name, default-authentication-password]]
";

const PASSWORD_POLICY: &str = "policy default-authentication-flow-password-stage (expression";

#[test]
fn the_default_flow_asks_for_the_password_once() {
    with_server(async |server| {
        let alice = server.person();
        server.visitor().logs_in(&alice).await;
        let story = told(server, LOGIN);
        tells(&story, PASSWORD_POLICY);
        tells(
            &story,
            "the policies of stage default-authentication-password pass (mode any)",
        );
        assert!(!story.contains("skipped stage"), "{story}");
    });
}

#[test]
fn the_default_flow_does_not_ask_again_for_a_password_that_was_checked_with_the_identifier() {
    with_server(async |server| {
        let alice = server.person();
        server.apply(ON_ONE_PAGE);
        let mut visitor = server.visitor();
        let asked = visitor.opens(LOGIN).await;
        asked
            .sees("ak-stage-identification")
            .with("password_fields", true);
        let wrong = json!({ "uid_field": alice.username, "password": random(12) });
        visitor
            .answers(wrong)
            .await
            .sees("ak-stage-identification")
            .with_error("non_field_errors", "invalid");
        let right = json!({ "uid_field": alice.username, "password": alice.password });
        visitor.answers(right).await.is_redirected_to("/");
        visitor.gets("/api/v3/core/users/me/").await.has_status(200);
        let story = told(server, LOGIN);
        tells(&story, PASSWORD_POLICY);
        tells(
            &story,
            "skipped stage default-authentication-password for good",
        );
    });
}

#[test]
fn a_deleted_policy_takes_its_bindings_along_and_the_stage_is_shown() {
    with_server(async |server| {
        server.apply(&flow("kept", "return False"));
        server.visitor().opens("kept").await.is_redirected_to("/");
        server.apply(
            "entries:
  - model: authentik_policies_expression.expressionpolicy
    state: absent
    identifiers: {name: kept-policy}
",
        );
        server.visitor().opens("kept").await.sees("ak-stage-dummy");
    });
}

/// A recovery flow whose e-mail, by which somebody proves who they are, this version cannot send.
const RECOVERY: &str = "
version: 1
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {slug: recovery}
    attrs: {name: Recovery, title: Reset your password, designation: recovery}
  - model: authentik_stages_identification.identificationstage
    id: identification
    identifiers: {name: recovery-identification}
    attrs: {user_fields: [username]}
  - model: authentik_stages_mtls.mutualtlsstage
    id: email
    identifiers: {name: recovery-email}
  - model: authentik_stages_user_login.userloginstage
    id: login
    identifiers: {name: recovery-login}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf identification, order: 10}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf email, order: 20}
  - model: authentik_flows.flowstagebinding
    identifiers: {target: !KeyOf flow, stage: !KeyOf login, order: 30}
";

#[test]
fn a_flow_that_misses_a_stage_lets_nobody_in_by_name_alone() {
    with_server(async |server| {
        let alice = server.person();
        let apply = ["blueprint", "apply", "--skip-unsupported", "-"];
        let ran = server.gatelog_reading(&apply, RECOVERY);
        ran.succeeds();
        for told in [
            "recovery-email",
            "target flow, stage email, order 20",
            "it builds on email, which is left out",
            "recovery-incomplete",
        ] {
            assert!(ran.stdout.contains(told), "no {told:?} in {}", ran.stdout);
        }
        let why = "This flow is incomplete: it misses stages or policies that this version does not have.";
        let mut visitor = server.visitor();
        visitor.opens("recovery").await.is_denied(why);
        let who = json!({ "uid_field": alice.username });
        visitor.answers(who).await;
        visitor.opens("recovery").await.is_denied(why);
        visitor.gets("/api/v3/core/users/me/").await.has_status(403);
        // Whoever removes the stage takes the flow as it is.
        server.apply(
            "entries:
  - model: authentik_stages_deny.denystage
    state: absent
    identifiers: {name: recovery-incomplete}
",
        );
        let mut visitor = server.visitor();
        visitor
            .opens("recovery")
            .await
            .sees("ak-stage-identification");
    });
}

/// The example of the manual.
fn example() -> String {
    let page = include_str!("../../../docs/policies.md");
    first_block(page, "yaml")
}

/// The same with the line that chooses what the visitor reads.
fn in_its_own_words() -> String {
    let page = include_str!("../../../docs/policies.md");
    let line = first_block(page, "python");
    let last = "        return True\n";
    let example = example();
    assert_eq!(example.matches(last).count(), 1, "{example}");
    example.replace(last, &format!("        {line}{last}"))
}

#[test]
fn the_example_of_the_manual_works() {
    with_server(async |server| {
        let alice = server.person();
        server.apply(&example());
        // The visitors of tests come from addresses that are kept for manuals.
        server
            .visitor()
            .opens("office-login")
            .await
            .is_denied("Log in from the office.");
        server.apply(&in_its_own_words());
        server.visitor().opens("office-login").await;
        tells(
            &told(server, "office-login"),
            "denied by stage office-login-outside: Log in from the office, not from 2001:db8:",
        );
        server.apply(&example().replace("127.0.0.0/8", "2001:db8::/32"));
        let mut visitor = server.visitor();
        visitor.opens("office-login").await;
        let who = json!({ "uid_field": alice.username });
        visitor.answers(who).await.sees("ak-stage-password");
        let what = json!({ "password": alice.password });
        visitor.answers(what).await.is_redirected_to("/");
        let story = told(server, "office-login");
        tells(&story, "policy office-login-outside (expression, version 3");
        tells(&story, "skipped stage office-login-outside for good");
    });
}
