//! Signing up with an invitation.

use serde_json::json;

use super::{PROMPT, listed, me};
use crate::support::{Person, TestServer, with_server};

const FLOW: &str = "invitation-enrollment-flow";

/// Makes an invitation as docs/flows.md says; its key.
fn invited(server: &TestServer, email: &str) -> String {
    let yaml = format!(
        "version: 1
entries:
- model: authentik_stages_invitation.invitation
  identifiers: {{name: welcome}}
  attrs:
    flow: !Find [authentik_flows.flow, [slug, {FLOW}]]
    single_use: true
    expires: 2099-01-01T00:00:00Z
    fixed_data: {{email: {email}}}
"
    );
    let made = server.gatelog_reading(&["blueprint", "apply", "--json", "-"], &yaml);
    let made = made.succeeds().values();
    let pk = made[0]["result"]["entries"][0]["pk"].as_str();
    pk.expect("an invitation has a key").to_owned()
}

#[test]
fn only_whoever_is_invited_signs_up_and_only_once() {
    with_server(async |server| {
        let on = server.gatelog(&["blueprint", "enable", "invitation"]);
        on.succeeds().says("invitation").says(FLOW);
        let mut stranger = server.visitor();
        let refused = stranger.opens(FLOW).await;
        refused.sees("ak-stage-access-denied");

        let person = Person::new(server.canaries());
        let token = invited(server, &person.mail);
        let query = format!("itoken={token}");
        let mut visitor = server.visitor();
        let shown = visitor.opens_with(FLOW, &query).await;
        shown.sees(PROMPT).shows(&person.mail);
        let typed = json!({
            "username": person.username,
            "name": person.name,
            "email": person.mail,
            "password": person.password,
            "password_repeat": person.password,
        });
        visitor.answers(typed).await.is_redirected_to("/");
        assert_eq!(me(&visitor).await["email"], person.mail.as_str());
        assert!(listed(server, &person).is_some());
        let mut late = server.visitor();
        let refused = late.opens_with(FLOW, &query).await;
        refused.sees("ak-stage-access-denied");
    });
}
