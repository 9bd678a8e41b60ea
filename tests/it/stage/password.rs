//! The password stage.

use serde_json::{Value, json};

use crate::support::{Flow, LOGIN, Person, TestServer, Visitor, with_server};

/// Somebody in front of the password stage of the default flow.
async fn in_front(server: &TestServer, person: &Person) -> Visitor {
    let mut visitor = server.visitor();
    visitor.opens(LOGIN).await;
    let who = json!({ "uid_field": person.username });
    visitor.answers(who).await.sees("ak-stage-password");
    visitor
}

/// Somebody with a hash that another system made.
fn import(server: &TestServer, hash: &str) -> Person {
    let person = Person::new(server.canaries());
    let Person { username, name, .. } = &person;
    server.canaries().secret("an imported hash", hash);
    server.apply(&format!(
        "version: 1\nentries:\n- model: authentik_core.user\n  identifiers:\n    username: \
         {username}\n  attrs:\n    name: {name}\n    password_hash: '{hash}'\n"
    ));
    person
}

#[test]
fn what_is_missing_is_said_by_field() {
    with_server(async |server| {
        let alice = server.person();
        let mut visitor = in_front(server, &alice).await;
        for (body, code) in [
            (json!({}), "required"),
            (json!({ "password": "" }), "blank"),
            (json!({ "password": null }), "null"),
            (json!({ "password": ["a"] }), "invalid"),
        ] {
            let refused = visitor.answers(body).await;
            refused
                .sees("ak-stage-password")
                .with_error("password", code);
        }
        let end = visitor.answers(json!({ "password": alice.password })).await;
        end.is_redirected_to("/");
    });
}

#[test]
fn a_password_is_taken_as_it_is_typed() {
    with_server(async |server| {
        let mut alice = Person::new(server.canaries());
        alice.password = format!("  {}  ", alice.password);
        server.create_user(&alice);
        let mut visitor = in_front(server, &alice).await;
        let trimmed = json!({ "password": alice.password.trim() });
        visitor
            .answers(trimmed)
            .await
            .with_error("password", "invalid");
        let end = visitor.answers(json!({ "password": alice.password })).await;
        end.is_redirected_to("/");
    });
}

#[test]
fn the_fifth_wrong_password_ends_the_flow() {
    with_server(async |server| {
        let alice = server.person();
        let mut visitor = in_front(server, &alice).await;
        let wrong = json!({ "password": "not-the-password" });
        for _ in 0..4 {
            visitor
                .answers(wrong.clone())
                .await
                .with_error("password", "invalid");
        }
        visitor.answers(wrong).await.is_denied("Invalid password");
        visitor.opens(LOGIN).await.sees("ak-stage-identification");
        // The account is not locked.
        server.visitor().logs_in(&alice).await;
    });
}

#[test]
fn how_many_wrong_passwords_end_the_flow_is_a_setting() {
    with_server(async |server| {
        let alice = server.person();
        for (slug, allowed, tries) in [("two", 2, 2), ("none", 0, 1)] {
            let who = json!({ "user_fields": ["username"] });
            let what = json!({
                "backends": ["authentik.core.auth.InbuiltBackend"],
                "failed_attempts_before_cancel": allowed,
            });
            let flow = Flow::new(slug).stage("identification", &format!("{slug}-who"), who);
            server.has_flow(&flow.stage("password", &format!("{slug}-what"), what));
            let mut visitor = server.visitor();
            visitor.opens(slug).await;
            let who = json!({ "uid_field": alice.username });
            visitor.answers(who).await;
            let wrong = json!({ "password": "not-the-password" });
            for _ in 1..tries {
                visitor
                    .answers(wrong.clone())
                    .await
                    .with_error("password", "invalid");
            }
            visitor.answers(wrong).await.is_denied("Invalid password");
        }
    });
}

#[test]
fn without_somebody_to_ask_about_it_refuses() {
    with_server(async |server| {
        let what = json!({ "backends": ["authentik.core.auth.InbuiltBackend"] });
        server.has_flow(&Flow::new("alone").stage("password", "alone-what", what));
        let mut visitor = server.visitor();
        visitor.opens("alone").await.sees("ak-stage-password");
        let refused = visitor
            .answers(json!({ "password": "anything-at-all" }))
            .await;
        refused.is_denied("Unknown error");
    });
}

#[test]
fn a_wrong_password_may_begin_the_flow_anew() {
    with_server(async |server| {
        let alice = server.person();
        for (slug, action, shown) in [
            ("restart", "restart", ""),
            ("keep", "restart_with_context", alice.username.as_str()),
        ] {
            let what = json!({ "backends": ["authentik.core.auth.InbuiltBackend"] });
            let binding = json!({ "invalid_response_action": action });
            let who = json!({ "user_fields": ["username"] });
            let flow = Flow::new(slug).with("title", "[%(user)s]");
            let flow = flow.stage("identification", &format!("{slug}-who"), who);
            let flow = flow.bound("password", &format!("{slug}-what"), what, binding);
            server.has_flow(&flow);
            let mut visitor = server.visitor();
            visitor.opens(slug).await;
            visitor
                .answers(json!({ "uid_field": alice.username }))
                .await;
            let wrong = json!({ "password": "not-the-password" });
            let again = visitor.answers(wrong).await;
            again.sees("ak-stage-identification").without_errors();
            let title = again.json()["flow_info"]["title"].clone();
            assert_eq!(title, format!("[{shown}]"));
        }
    });
}

#[test]
fn a_password_of_djangos_is_taken_and_written_anew() {
    with_server(async |server| {
        // The password is "django-wrote-this", hashed with few rounds to be quick.
        let hash = "pbkdf2_sha256$1000$Pq0yXbVt8sWzLd3k$VKNL4FQ0fzJ6RkBW5d5jW+8b+4rQq2Vm";
        let salt = "Pq0yXbVt8sWzLd3k";
        let digest = pbkdf2::pbkdf2_hmac_array::<sha2::Sha256, 32>(
            b"django-wrote-this",
            salt.as_bytes(),
            1000,
        );
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest);
        let (prefix, _) = hash.rsplit_once('$').expect("it has four parts");
        let mut alice = import(server, &format!("{prefix}${encoded}"));
        alice.password = "django-wrote-this".to_owned();
        let mut visitor = in_front(server, &alice).await;
        let wrong = json!({ "password": "django-wrote-that" });
        visitor
            .answers(wrong)
            .await
            .with_error("password", "invalid");
        let right = json!({ "password": alice.password });
        visitor.answers(right).await.is_redirected_to("/");
        // Now it is a hash of ours, and still the same password.
        server.kill().await;
        server.visitor().logs_in(&alice).await;
    });
}

#[test]
fn an_account_without_a_password_refuses_every_password() {
    with_server(async |server| {
        let bare = Person::new(server.canaries());
        let create = ["user", "create", &bare.username, "--no-password"];
        server.gatelog(&create).succeeds();
        for typed in [" ", "!", "anything-at-all"] {
            let mut visitor = in_front(server, &bare).await;
            let body: Value = json!({ "password": typed });
            visitor
                .answers(body)
                .await
                .with_error("password", "invalid");
        }
    });
}

#[test]
fn an_answer_beyond_all_measure_is_refused_and_not_kept() {
    with_server(async |server| {
        let alice = server.person();
        let mut visitor = in_front(server, &alice).await;
        let long = json!({ "password": "long".repeat(10_000) });
        visitor
            .answers(long)
            .await
            .with_error("password", "max_length");
        let null = json!({ "password": "nothing\u{0}here" });
        let refused = visitor.answers(null).await;
        refused.with_error("password", "null_characters_not_allowed");
    });
}

#[test]
fn an_app_password_is_as_good_as_the_password_while_its_user_is_active() {
    with_server(async |server| {
        let alice = server.person();
        let key = crate::support::random(40);
        server.canaries().secret("an app password", &key);
        let Person { username, .. } = &alice;
        server.apply(&format!(
            "version: 1\nentries:\n- model: authentik_core.token\n  identifiers:\n    \
             identifier: app-of-alice\n  attrs:\n    key: {key}\n    intent: app_password\n    \
             user: !Find [authentik_core.user, [username, {username}]]\n    expiring: false\n"
        ));
        let mut visitor = in_front(server, &alice).await;
        let body = json!({ "password": key });
        visitor.answers(body.clone()).await.is_redirected_to("/");
        server.apply(&format!(
            "version: 1\nentries:\n- model: authentik_core.user\n  identifiers:\n    username: \
             {username}\n  attrs:\n    is_active: false\n"
        ));
        let mut visitor = in_front(server, &alice).await;
        let refused = visitor.answers(body).await;
        refused.with_error("password", "invalid");
        // A token for the API opens no door here.
        let bob = server.person();
        let key = crate::support::random(40);
        server.canaries().secret("an API token", &key);
        server.apply(&format!(
            "version: 1\nentries:\n- model: authentik_core.token\n  identifiers:\n    \
             identifier: api-of-bob\n  attrs:\n    key: {key}\n    intent: api\n    user: \
             !Find [authentik_core.user, [username, {}]]\n    expiring: false\n",
            bob.username
        ));
        let mut visitor = in_front(server, &bob).await;
        let refused = visitor.answers(json!({ "password": key })).await;
        refused.with_error("password", "invalid");
    });
}
