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

/// Puts a policy in front of the flow's own, which does what a source does before it leads there.
fn is_led_to(server: &TestServer, flow: &str, known: &str) {
    server.apply(&format!(
        "version: 1
entries:
- model: authentik_policies_expression.expressionpolicy
  id: source
  identifiers: {{name: as-a-source}}
  attrs:
    expression: |
      plan = context[\"flow_plan\"].context
      plan[\"is_sso\"] = True
      {known}
      return True
- model: authentik_policies.policybinding
  identifiers:
    target: !Find [authentik_flows.flow, [slug, {flow}]]
    policy: !KeyOf source
    order: -1
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
        visitor.opens(flow).await.sees(PROMPT);
        let typed = json!({ "username": person.username });
        visitor.answers(typed).await.is_redirected_to("/");
        let known = me(&visitor).await;
        assert_eq!(known["username"], person.username.as_str());
        assert_eq!(known["email"], person.mail.as_str());
        assert!(listed(server, &person).is_some());
    });
}
