//! The flows for whom a source vouches, and the end of an application's session.

use serde_json::json;

use super::{PROMPT, listed, me};
use crate::support::{Person, TestServer, with_server};

#[test]
fn nobody_gets_in_by_the_address_of_a_sources_flow() {
    with_server(async |server| {
        for flow in ["default-source-authentication", "default-source-enrollment"] {
            let refused = server.visitor().opens(flow).await;
            refused.sees("ak-stage-access-denied");
        }
        for flow in [
            "default-source-pre-authentication",
            "default-provider-invalidation-flow",
        ] {
            server.visitor().opens(flow).await.is_redirected_to("/");
        }
    });
}

/// Makes a flow that leads to another one as a source does: with the mark that only a source leaves.
fn is_led_to(server: &TestServer, flow: &str, known: &str) {
    server.apply(&format!(
        "version: 1
entries:
- model: authentik_flows.flow
  id: flow
  identifiers: {{slug: as-a-source}}
  attrs: {{name: A source, title: A source, designation: authentication}}
- model: authentik_stages_redirect.redirectstage
  id: stage
  identifiers: {{name: as-a-source}}
  attrs:
    mode: flow
    target_flow: !Find [authentik_flows.flow, [slug, {flow}]]
    keep_context: true
- model: authentik_flows.flowstagebinding
  id: binding
  identifiers: {{target: !KeyOf flow, stage: !KeyOf stage, order: 0}}
- model: authentik_policies_expression.expressionpolicy
  id: policy
  identifiers: {{name: as-a-source}}
  attrs:
    expression: |
      plan = context[\"flow_plan\"].context
      plan[\"is_sso\"] = True
      {known}
      return True
- model: authentik_policies.policybinding
  identifiers: {{target: !KeyOf binding, policy: !KeyOf policy, order: 0}}
"
    ));
}

#[test]
fn whom_a_source_brings_is_asked_for_a_name_and_gets_an_account() {
    with_server(async |server| {
        let person = Person::new(server.canaries());
        let flow = "default-source-enrollment";
        let known = format!("plan[\"prompt_data\"] = {{\"email\": \"{}\"}}", person.mail);
        is_led_to(server, flow, &known);
        let mut visitor = server.visitor();
        let led = visitor.opens("as-a-source").await;
        led.is_redirected_to(&format!("/if/flow/{flow}/"));
        visitor.opens(flow).await.sees(PROMPT);
        let typed = json!({ "username": person.username });
        visitor.answers(typed).await.is_redirected_to("/");
        let known = me(&visitor).await;
        assert_eq!(known["username"], person.username.as_str());
        assert_eq!(known["email"], person.mail.as_str());
        assert!(listed(server, &person).is_some());
    });
}
