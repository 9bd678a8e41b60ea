//! Programs that use an application with a token, without a browser.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::browser::{AtApplication, Browser, application, for_group, has_wiki};
use crate::support::{Options, Person, TestServer, random, with_server, with_server_of};

/// Gives somebody a token.
fn has_token(server: &TestServer, person: &Person, intent: &str) -> String {
    let key = random(40);
    server.canaries().secret("a token's key", &key);
    server.apply(&format!(
        "version: 1\nentries:\n- model: authentik_core.token\n  identifiers: {{identifier: {intent}-{}}}\n  \
         attrs: {{intent: {intent}, key: {key}, expiring: false, user: !Find [authentik_core.user, \
         [username, {}]]}}\n",
        random(8),
        person.username
    ));
    key
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

#[test]
fn a_program_is_let_in_by_a_token_and_asked_the_same_policies() {
    with_server(async |server| {
        let (writer, reader) = (server.person(), server.person());
        server.has_group("writers", None, &[&writer]);
        let hosts = json!({ "hosts": ["https://press.example"] });
        server.apply(&for_group("press", &hosts, "writers"));
        let press = Browser::new(server).at(server, "press.example");
        let api = has_token(server, &writer, "api");
        let password = has_token(server, &writer, "app_password");
        let bearer = format!("Bearer {api}");
        for header in [bearer.clone(), basic(&writer.username, &password)] {
            let answer = press.asks_with("/", &[("authorization", &header)]).await;
            AtApplication::is_let_in(&answer, &writer);
            assert!(answer.cookie("gatelog_app").is_none());
        }
        let others = has_token(server, &reader, "api");
        let others = format!("Bearer {others}");
        let denied = press.asks_with("/", &[("authorization", &others)]).await;
        denied.has_status(403);
        for wrong in [
            format!("Bearer {password}"),
            format!("Bearer {api}x"),
            "Bearer ".to_owned(),
            basic(&writer.username, &api),
            basic(&reader.username, &password),
            basic(&writer.username, &writer.password),
            basic("", ""),
            "Basic x".to_owned(),
            "Digest x".to_owned(),
            "x".to_owned(),
        ] {
            let page = [("authorization", wrong.as_str()), ("accept", "text/html")];
            let answer = press.asks_with("/", &page).await;
            answer.has_status(401);
            assert_eq!(answer.header("cache-control"), "no-store", "{wrong}");
        }
    });
}

#[test]
fn a_token_that_is_gone_lets_nobody_in_any_more() {
    with_server(async |server| {
        let person = server.person();
        has_wiki(server, &json!({ "cache_seconds": 60 }));
        let wiki = Browser::new(server).at(server, "wiki.example");
        let key = has_token(server, &person, "api");
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str())];
        AtApplication::is_let_in(&wiki.asks_with("/", &headers).await, &person);
        AtApplication::is_let_in(&wiki.asks_with("/", &headers).await, &person);
        server.apply(&format!(
            "version: 1\nentries:\n- model: authentik_core.token\n  state: absent\n  identifiers: \
             {{user: !Find [authentik_core.user, [username, {}]]}}\n",
            person.username
        ));
        wiki.asks_with("/", &headers).await.has_status(401);
    });
}

#[test]
fn guessing_tokens_is_limited_as_guessing_passwords_is() {
    let few = Options::default()
        .with("GATELOG_WEB__POSTS_PER_SECOND", "1")
        .with("GATELOG_WEB__POSTS_AT_ONCE", "3");
    with_server_of(few, async |server| {
        let person = server.person();
        let hosts = json!({ "hosts": ["https://wiki.example"], "cache_seconds": 0 });
        server.apply(&application("wiki", &hosts));
        let key = has_token(server, &person, "api");
        let right = format!("Bearer {key}");
        let wiki = Browser::new(server).at(server, "wiki.example");
        // Those that are right do not count.
        for _ in 0..10 {
            let answer = wiki.asks_with("/", &[("authorization", &right)]).await;
            AtApplication::is_let_in(&answer, &person);
        }
        let mut statuses = Vec::new();
        for _ in 0..50 {
            let answer = wiki.asks_with("/", &[("authorization", "Bearer x")]).await;
            statuses.push(answer.status.as_u16());
        }
        assert!(statuses[..3].iter().all(|it| *it == 401), "{statuses:?}");
        assert!(statuses.contains(&429), "{statuses:?}");
    });
}
