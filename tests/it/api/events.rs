//! Audit events: what people do, as authentik's clients read it.

use std::time::Duration;

use gatelog::clock::Clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    LOGIN, LOGOUT, MailSink, Options, Person, TestServer, Visitor, random, with_server,
    with_server_of,
};

const EVENTS: &str = "/api/v3/events/events/";

/// How long an event may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The administrator, logged in.
async fn administrator(server: &TestServer) -> Visitor {
    let mut visitor = server.visitor();
    visitor.logs_in(&server.administrator.clone()).await;
    visitor
}

/// The events that a query finds, the newest first, once there are so many.
async fn events(visitor: &Visitor, query: &str, count: usize) -> Vec<Value> {
    let clock = Clock::system();
    let deadline = clock.monotonic() + PATIENCE;
    loop {
        let answer = visitor.gets(&format!("{EVENTS}?{query}")).await;
        let found = answer.has_status(200).json();
        let results = found["results"].as_array().cloned().expect("a list");
        if results.len() >= count {
            assert_eq!(results.len(), count, "{results:#?}");
            return results;
        }
        assert!(clock.monotonic() < deadline, "{query}: {results:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A request of the administrator that acts.
async fn acts(
    visitor: &Visitor,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> crate::support::Answer {
    let csrf = visitor.cookies().get("authentik_csrf").expect("a token");
    let mut headers = vec![("x-authentik-csrf", csrf.as_str())];
    if body.is_some() {
        headers.push(("content-type", "application/json"));
    }
    let body = body.map_or_else(String::new, |body| body.to_string());
    visitor.sends(method, path, &headers, body).await
}

async fn types_wrong_password(server: &TestServer, person: &Person) {
    let mut visitor = server.visitor();
    visitor.opens(LOGIN).await;
    let who = json!({ "uid_field": person.username });
    visitor.answers(who).await.sees("ak-stage-password");
    let what = json!({ "password": "not the password" });
    visitor.answers(what).await.sees("ak-stage-password");
}

#[test]
fn a_login_a_failure_and_a_logout_are_told_with_who_and_where() {
    with_server(async |server| {
        let person = server.person();
        types_wrong_password(server, &person).await;
        let mut visitor = server.visitor();
        visitor.logs_in(&person).await;
        visitor.opens(LOGOUT).await.is_redirected_to("/");
        let administrator = administrator(server).await;
        let query = format!("username={}", person.username);
        let told = events(&administrator, &query, 3).await;
        let actions: Vec<&str> = told.iter().filter_map(|it| it["action"].as_str()).collect();
        let [logout, login, failed] = &told[..] else {
            panic!("{actions:?}");
        };
        assert_eq!(actions, ["logout", "login", "login_failed"]);
        assert_eq!(failed["context"]["username"], person.username.as_str());
        assert_eq!(failed["context"]["password"], "*".repeat(20));
        let stage = &failed["context"]["stage"];
        assert_eq!(stage["model_name"], "passwordstage");
        assert_eq!(login["context"]["auth_method"], "password");
        assert_eq!(login["context"]["auth_method_args"]["known_device"], false);
        assert_eq!(login["app"], "authentik.events.signals");
        let request = &login["context"]["http_request"];
        let path = format!("/api/v3/flows/executor/{LOGIN}/");
        assert_eq!(request["path"], path.as_str());
        assert_eq!(request["method"], "POST");
        for it in [logout, login, failed] {
            assert_eq!(it["user"]["username"], person.username.as_str());
            assert_eq!(it["user"]["email"], person.mail.as_str());
            assert!(it["user"]["pk"].is_i64(), "{it:#}");
            assert_eq!(it["brand"]["name"], "Default brand");
            assert!(it["client_ip"].is_string() && it["expires"].is_string());
        }
    });
}

#[test]
fn a_recovery_tells_of_its_mail_without_the_link_and_of_the_new_password() {
    let sink = MailSink::start();
    with_server_of(sink.serves(Options::default()), async |server| {
        server
            .gatelog(&["blueprint", "enable", "recovery"])
            .succeeds();
        let person = server.person();
        let mut visitor = server.visitor();
        visitor.opens("default-recovery-flow").await;
        visitor.answers(json!({ "uid_field": person.mail })).await;
        let link = sink.wait_for(1).await.remove(0).letter().link();
        let query = link.split_once('?').expect("a query").1.to_owned();
        let secret = query.split_once("flow_token=").expect("a secret").1;
        server.canaries().secret("the secret of a link", secret);
        let asked = visitor.opens_with("default-recovery-flow", &query).await;
        let token = asked.json()["token"].clone();
        visitor.answers(json!({ "token": token })).await;
        let password = random(20);
        server.canaries().secret("a new password", &password);
        let typed = json!({ "password": password, "password_repeat": password });
        visitor.answers(typed).await.is_redirected_to("/");

        let administrator = administrator(server).await;
        let sent = events(&administrator, "action=email_sent", 1)
            .await
            .remove(0);
        assert_eq!(sent["user"], json!({}));
        assert_eq!(sent["context"]["to_email"], json!([person.mail]));
        assert_eq!(sent["context"]["body"], "");
        let message = format!("Email to {} sent", person.mail);
        assert_eq!(sent["context"]["message"], message.as_str());
        let query = format!("username={}&action=password_set", person.username);
        events(&administrator, &query, 1).await;
        let query = format!("username={}&action=user_write", person.username);
        let written = events(&administrator, &query, 1).await.remove(0);
        assert_eq!(written["context"]["password"], "*".repeat(20));
        assert_eq!(written["context"]["created"], false);
        let query = format!("{EVENTS}?search={}", &password[..12]);
        let found = administrator.gets(&query).await.json();
        assert_eq!(found["pagination"]["count"], 0);
    });
}

#[test]
fn a_deleted_user_takes_their_events_along() {
    with_server(async |server| {
        let person = server.person();
        types_wrong_password(server, &person).await;
        server.visitor().logs_in(&person).await;
        let administrator = administrator(server).await;
        let query = format!("username={}", person.username);
        events(&administrator, &query, 2).await;
        server.apply(&format!(
            "version: 1\nentries:\n- model: authentik_core.user\n  state: absent\n  \
             identifiers:\n    username: {}\n",
            person.username
        ));
        events(&administrator, &query, 0).await;
        let found = administrator
            .gets(&format!("{EVENTS}?search={}", person.username))
            .await
            .json();
        assert_eq!(found["pagination"]["count"], 0, "{found:#}");
        server.restart().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        events(&administrator, &query, 0).await;
    });
}

#[test]
fn events_outlive_a_kill_and_none_comes_twice() {
    with_server(async |server| {
        let people = [server.person(), server.person(), server.person()];
        for person in &people {
            server.visitor().logs_in(person).await;
            server.kill().await;
        }
        let administrator = administrator(server).await;
        for person in &people {
            let query = format!("username={}&actions=login", person.username);
            events(&administrator, &query, 1).await;
        }
    });
}

#[test]
fn events_are_made_changed_counted_and_removed_by_whoever_may() {
    with_server(async |server| {
        let mut nobody = server.visitor();
        nobody.logs_in(&server.person()).await;
        nobody.gets(EVENTS).await.has_status(403);
        let administrator = administrator(server).await;
        let given = json!({ "action": "custom_door", "app": "door", "context": { "open": true } });
        let made = acts(&administrator, Method::POST, EVENTS, Some(given)).await;
        let made = made.has_status(201).json();
        let path = format!("{EVENTS}{}/", made["pk"].as_str().expect("a key"));
        let change = json!({ "client_ip": "192.0.2.9" });
        let changed = acts(&administrator, Method::PATCH, &path, Some(change)).await;
        changed.has_status(200).with("client_ip", "192.0.2.9");
        changed.with("action", "custom_door");
        let counted = administrator
            .gets(&format!("{EVENTS}volume/?action=custom_door"))
            .await;
        assert_eq!(counted.has_status(200).json()[0]["count"], 1);
        let counted = administrator
            .gets(&format!(
                "{EVENTS}stats/?count_steps=hours%3D1&action=custom_door"
            ))
            .await;
        assert_eq!(counted.has_status(200).json()["count_step"]["hours1"], 1);
        let actions = administrator
            .gets(&format!("{EVENTS}actions/"))
            .await
            .json();
        assert!(actions.as_array().is_some_and(|it| it.len() == 33));
        let top = administrator.gets(&format!("{EVENTS}top_per_user/")).await;
        assert_eq!(top.has_status(200).json(), json!([]));
        acts(&administrator, Method::DELETE, &path, None)
            .await
            .has_status(204);
        administrator.gets(&path).await.has_status(404);
    });
}

#[test]
fn whoever_looks_at_the_key_of_a_token_or_replaces_it_is_told_of() {
    with_server(async |server| {
        let administrator = administrator(server).await;
        let tokens = "/api/v3/core/tokens/";
        let given = json!({ "identifier": "watched", "intent": "api" });
        let made = acts(&administrator, Method::POST, tokens, Some(given)).await;
        made.has_status(201);
        let shown = administrator
            .gets(&format!("{tokens}watched/view_key/"))
            .await;
        let key = shown.has_status(200).json()["key"].clone();
        let key = key.as_str().expect("a key");
        server.canaries().secret("the key of a token", key);
        let seen = events(&administrator, "action=secret_view", 1).await;
        assert_eq!(seen[0]["context"]["secret"]["model_name"], "token");
        assert_eq!(seen[0]["context"]["secret"]["name"], "watched");
        assert_eq!(seen[0]["user"]["username"], "akadmin");
        let other = random(40);
        server.canaries().secret("another key of a token", &other);
        let path = format!("{tokens}watched/set_key/");
        let set = acts(
            &administrator,
            Method::POST,
            &path,
            Some(json!({ "key": other })),
        )
        .await;
        set.has_status(204);
        let rotated = events(&administrator, "action=secret_rotate", 1).await;
        assert_eq!(rotated[0]["context"]["secret"]["name"], "watched");
    });
}

#[test]
fn an_objects_history_says_who_wrote_each_revision_and_shows_no_secret() {
    with_server(async |server| {
        let yaml = |text: &str| {
            format!(
                "version: 1\nentries:\n- model: authentik_stages_dummy.dummystage\n  \
                 identifiers:\n    name: {text}\n"
            )
        };
        server.apply(&yaml("remembered"));
        let administrator = administrator(server).await;
        let found = events(&administrator, "context_model_name=dummystage", 1).await;
        let model = &found[0]["context"]["model"];
        assert_eq!(model["name"], "remembered");
        assert_eq!(found[0]["action"], "model_created");
        let path = format!(
            "/api/v3/gatelog/history/stage/{}/",
            model["pk"].as_str().expect("a key")
        );
        let history = administrator.gets(&path).await.has_status(200).json();
        let revision = &history["revisions"][0];
        assert_eq!(revision["did"], "created");
        assert_eq!(revision["author"]["means"], "operator");
        assert_eq!(revision["object"]["name"], "remembered");
        let mut nobody = server.visitor();
        nobody.logs_in(&server.person()).await;
        nobody.gets(&path).await.has_status(403);
        let unknown = format!("/api/v3/gatelog/history/session/{}/", uuid::Uuid::nil());
        administrator.gets(&unknown).await.has_status(404);
    });
}
