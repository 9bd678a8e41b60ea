//! Users who are written, asked for consent, and deleted, on the running server.

use serde_json::json;

use crate::support::{Flow, Person, addresses, forms, text_of, with_server};

/// An expression that puts these entries into the context.
fn knows(entries: &[(&str, &str)]) -> String {
    let put = entries
        .iter()
        .map(|(key, value)| format!("context['flow_plan'].context['{key}'] = {value}\n"));
    format!("{}return True", put.collect::<String>())
}

#[test]
fn whoever_writes_their_account_keeps_their_session_and_logs_in_with_the_new_password() {
    with_server(async |server| {
        let ann = server.person();
        let mut changed = Person::new(server.canaries());
        changed.username.clone_from(&ann.username);
        let Person { name, password, .. } = &changed;
        let data = format!(
            "{{'name': '{name}', 'password': '{password}', 'attributes.settings.locale': 'de'}}"
        );
        let flow = Flow::new("settings")
            .dummy("settings-ask")
            .stage(
                "user_write",
                "settings-write",
                json!({"user_creation_mode": "never_create"}),
            )
            .expression("settings-known", &knows(&[("prompt_data", &data)]))
            .asks("settings-write", "settings-known", json!({}));
        server.has_flow(&flow);
        let mut visitor = server.visitor();
        visitor.opens("settings").await;
        let refused = visitor.answers(json!({})).await;
        refused.is_denied("No user found and can't create new user.");
        visitor.logs_in(&ann).await;
        visitor.opens("settings").await.sees("ak-stage-dummy");
        visitor.answers(json!({})).await.is_redirected_to("/");
        let me = visitor.gets("/api/v3/core/users/me/").await;
        me.has_status(200);
        assert_eq!(me.json()["user"]["name"], changed.name.as_str());
        visitor.as_somebody_else().logs_in(&changed).await;
    });
}

#[test]
fn a_consent_page_says_what_is_wanted_and_can_be_left() {
    with_server(async |server| {
        let ann = server.person();
        let known = [
            ("application", "{'pk': '7', 'name': 'App'}"),
            (
                "consent_permissions",
                "[{'name': 'Read your mail', 'id': 'mail'}]",
            ),
        ];
        let flow = Flow::new("allow")
            .stage("consent", "allow-ask", json!({"mode": "permanent"}))
            .expression("allow-known", &knows(&known))
            .asks("allow-ask", "allow-known", json!({}));
        server.has_flow(&flow);
        let mut visitor = server.visitor();
        visitor.logs_in(&ann).await;
        let page = visitor.gets("/if/flow/allow/").await;
        let text = text_of(&page.text);
        assert!(text.contains("Read your mail"), "{text}");
        assert!(text.contains(&ann.username), "{text}");
        assert!(addresses(&page.text).contains(&"/flows/-/cancel/".to_owned()));
        let form = forms(&page.text).remove(0);
        let wrong = form.clone().fill("token", "x");
        let again = visitor.submits(&wrong).await;
        again.shows("Invalid consent token, re-showing prompt");
        let form = forms(&again.text).remove(0);
        visitor.submits(&form).await.leads_to("/");
        visitor.gets("/if/flow/allow/").await.leads_to("/");
    });
}

#[test]
fn whoever_deletes_their_account_is_nowhere_any_more() {
    with_server(async |server| {
        let ann = server.person();
        let flow = Flow::new("leave")
            .stage("consent", "leave-ask", json!({"mode": "always_require"}))
            .stage("user_delete", "leave-delete", json!({}));
        server.has_flow(&flow);
        // Somebody else was there before.
        server.visitor().opens("leave").await;
        let mut visitor = server.visitor();
        visitor.logs_in(&ann).await;
        let asked = visitor.opens("leave").await;
        let theirs = server.latest();
        asked
            .sees("ak-stage-consent")
            .with("pending_user", ann.username.as_str());
        let token = asked.json()["token"].clone();
        visitor
            .answers(json!({ "token": token }))
            .await
            .is_redirected_to("/");
        visitor.gets("/api/v3/core/users/me/").await.has_status(403);
        let anew = visitor.opens("leave").await;
        anew.sees("ak-stage-consent").with("pending_user", "");
        let users = server.gatelog(&["user", "list"]);
        users.succeeds();
        assert!(!users.stdout.contains(&ann.username));
        let shown = server.gatelog(&["execution", "list", "--json"]);
        assert!(!shown.succeeds().stdout.contains(&ann.username));
        let page = server.gatelog(&["execution", "list", "--limit", "2", "--json"]);
        assert_eq!(
            page.values().len(),
            2,
            "those that are erased are counted as well"
        );
        let verified = server.gatelog(&["execution", "verify", &theirs]);
        verified.fails_with(66).says("can no longer be read");
        let exported = server.gatelog(&["journal", "export", "--json"]);
        assert!(!exported.succeeds().stdout.contains(&ann.username));
        server.kill().await;
        visitor.opens("leave").await.sees("ak-stage-consent");
    });
}
