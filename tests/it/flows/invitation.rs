//! Signing up with an invitation.

use serde_json::json;

use super::{PROMPT, listed, me};
use crate::support::{Person, TestServer, with_server};

const FLOW: &str = "invitation-enrollment-flow";

/// Makes an invitation as docs/flows.md says; the query string of its link.
fn invited(server: &TestServer, email: &str) -> String {
    let data = json!({ "email": email }).to_string();
    let create = [
        "invitation",
        "create",
        "welcome",
        "--flow",
        FLOW,
        "--single-use",
        "--expires",
        "7d",
        "--fixed-data",
        &data,
    ];
    let made = server.gatelog(&create);
    let path = made.succeeds().stdout.trim();
    let query = path.strip_prefix(&format!("/if/flow/{FLOW}/?"));
    query
        .unwrap_or_else(|| panic!("no path of a link: {made:?}"))
        .to_owned()
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
        let query = invited(server, &person.mail);
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
