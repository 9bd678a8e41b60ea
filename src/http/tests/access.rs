//! Every operation of the API, called by those who may not: they get nothing, and change nothing.

use std::collections::BTreeMap;

use actix_web::http::Method as Verb;

use super::*;
use crate::directory::token::Intent;
use crate::directory::{Token, change};
use crate::http::api::operation::{Access, Method, Operation};
use crate::http::api::operations;

/// What everybody may call. Whatever else is opened to everybody has to be named here as well.
const PUBLIC: &[&str] = &[
    "core_brands_current_retrieve",
    "flows_executor_get",
    "flows_executor_solve",
    "policies_geoip_iso3166_list",
    "root_config_retrieve",
    "schema_retrieve",
    "stages_authenticator_duo_enrollment_status_create",
];

/// What everybody who is logged in may call, because it shows or changes only what is theirs.
const OWN: &[&str] = &[
    "authenticators_",
    "core_authenticated_sessions_",
    "core_tokens_",
    "core_user_consent_",
    "core_users_me_retrieve",
    // Their own executions.
    "flows_inspector_get",
    "sources_all_user_settings_list",
    "stages_all_user_settings_list",
    // What there is to choose from, which is the same for everybody.
    "events_events_actions_list",
    "policies_all_types_list",
    "propertymappings_all_types_list",
    "sources_all_types_list",
    "stages_all_types_list",
    "stages_email_templates_list",
    // What is allowed depends on what is in the file.
    "flows_instances_import_create",
    "managed_blueprints_import_create",
];

/// Who calls.
struct Intruder {
    name: &'static str,
    headers: Vec<(&'static str, String)>,
    /// Whether they are stopped before anything else is looked at, and with which words.
    refused: Option<&'static str>,
    /// Whether only what changes something is refused.
    only_writes: bool,
}

impl Intruder {
    fn bearer(name: &'static str, key: &str, refused: Option<&'static str>) -> Self {
        Self {
            name,
            headers: vec![("authorization", format!("Bearer {key}"))],
            refused,
            only_writes: false,
        }
    }
}

fn is_own(operation: &Operation) -> bool {
    let id = operation.id.as_str();
    OWN.iter().any(|it| id.starts_with(it)) && !id.starts_with("authenticators_admin")
}

/// The path of an operation, with keys of objects that are there where there are some.
fn path(operation: &Operation, known: &BTreeMap<&str, String>) -> String {
    let mut path = format!("/api/v3{}", operation.path);
    for parameter in operation.parameters.iter().filter(|it| it.in_path) {
        let key = known.get(parameter.name.as_str()).cloned();
        let key = key.unwrap_or_else(|| match parameter.schema["format"].as_str() {
            Some("uuid") => uuid::Uuid::from_u128(7).to_string(),
            _ => "1".to_owned(),
        });
        path = path.replace(&format!("{{{}}}", parameter.name), &key);
    }
    path
}

fn verb(method: Method) -> Verb {
    match method {
        Method::Get => Verb::GET,
        Method::Post => Verb::POST,
        Method::Put => Verb::PUT,
        Method::Patch => Verb::PATCH,
        Method::Delete => Verb::DELETE,
    }
}

async fn intruders(server: &Server) -> Vec<Intruder> {
    let mallory = server.user("mallory", "correct horse").await;
    let mut gone = server.user("gone", "correct horse").await;
    gone.is_active = false;
    let found: Option<object::Versioned<User>> = object::get(&*server.state.journal, gone.uuid)
        .await
        .expect("it is read");
    let version = found.expect("it is there").version;
    server.write(vec![object::put(&gone, version)]).await;
    let clock = &server.state.clock;
    let mut keys = BTreeMap::new();
    for (name, intent, user) in [
        ("old", Intent::Api, &mallory),
        ("app", Intent::AppPassword, &mallory),
        ("gone", Intent::Api, &gone),
    ] {
        let token = Token::new(clock, name.parse().expect("a slug"), intent, user.uuid);
        let key = secrecy::ExposeSecret::expose_secret(&token.key).to_owned();
        server.put(&token).await;
        keys.insert(name, key);
    }
    // The old token ends after a day; the session of the administrator and another token begin
    // after that.
    clock.advance(Duration::from_hours(25));
    let fresh = Token::new(
        clock,
        "fresh".parse().expect("a slug"),
        Intent::Api,
        mallory.uuid,
    );
    server.put(&fresh).await;
    let fresh = secrecy::ExposeSecret::expose_secret(&fresh.key).to_owned();
    let mut browser = server.browser();
    browser.logs_in("akadmin", "battery staple").await.is(200);
    let cookie = format!(
        "authentik_session={}; authentik_csrf={}",
        browser.session().expect("a session"),
        browser.csrf()
    );
    let session = |name, more: &[(&'static str, String)]| Intruder {
        name,
        headers: std::iter::once(("cookie", cookie.clone()))
            .chain(more.iter().cloned())
            .collect(),
        refused: Some("CSRF Failed: "),
        only_writes: true,
    };
    let invalid = Some("Token invalid/expired");
    vec![
        Intruder {
            name: "nobody",
            headers: Vec::new(),
            refused: Some("Authentication credentials were not provided."),
            only_writes: false,
        },
        Intruder::bearer("an unknown token", "nothing", invalid),
        Intruder::bearer("an expired token", &keys["old"], invalid),
        Intruder::bearer("an app password", &keys["app"], invalid),
        Intruder::bearer("the token of somebody disabled", &keys["gone"], invalid),
        Intruder::bearer("somebody without rights", &fresh, None),
        session("a session without a CSRF token", &[]),
        session(
            "a session with another CSRF token",
            &[("x-authentik-csrf", "other".to_owned())],
        ),
        session(
            "a form of another site",
            &[
                ("x-authentik-csrf", browser.csrf()),
                ("origin", "https://evil.example".to_owned()),
            ],
        ),
    ]
}

/// Keys of objects that are there.
async fn known(server: &Server) -> BTreeMap<&'static str, String> {
    let journal = &*server.state.journal;
    let stages: Vec<object::Versioned<Stage>> = object::all(journal).await.expect("stages");
    let bindings: Vec<object::Versioned<FlowStageBinding>> =
        object::all(journal).await.expect("bindings");
    BTreeMap::from([
        ("slug", "login".to_owned()),
        ("flow_slug", "login".to_owned()),
        ("stage_uuid", stages[0].value.pk.to_string()),
        ("fsb_uuid", bindings[0].value.pk.to_string()),
    ])
}

/// How many changes there were from outside of executions.
async fn changes(server: &Server) -> usize {
    let streams = server.state.journal.streams(change::KIND, None, 10_000);
    streams.await.expect("the notes").len()
}

#[actix_web::test]
async fn whoever_may_not_call_an_operation_gets_nothing() {
    let server = Server::new().await;
    let intruders = intruders(&server).await;
    let known = known(&server).await;
    let app = App::new()
        .app_data(server.state.clone())
        .wrap(from_fn(request::around))
        .configure(configure);
    let service = init_service(app).await;
    let before = changes(&server).await;
    let mut wrong = Vec::new();
    for operation in operations() {
        if operation.access == Access::Public {
            assert!(
                PUBLIC.contains(&operation.id.as_str()),
                "{} is open to everybody",
                operation.id
            );
            continue;
        }
        for intruder in &intruders {
            let reads = operation.method == Method::Get;
            if (intruder.only_writes && reads) || (intruder.refused.is_none() && is_own(operation))
            {
                continue;
            }
            let mut request = TestRequest::with_uri(&path(operation, &known))
                .method(verb(operation.method))
                .peer_addr("192.0.2.1:5000".parse().expect("an address"));
            for (name, value) in &intruder.headers {
                request = request.insert_header((*name, value.as_str()));
            }
            if !reads {
                request = request.set_json(json!({}));
            }
            let response = call_service(&service, request.to_request()).await;
            let status = response.status().as_u16();
            let body = to_bytes(response.into_body()).await.expect("a body");
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            let detail = body["detail"].as_str().unwrap_or_default();
            let is_right = match intruder.refused {
                Some(words) => status == 403 && detail.starts_with(words),
                None => matches!(status, 403 | 404) && !detail.is_empty(),
            };
            if !is_right {
                wrong.push(format!(
                    "{} ({:?} {}), called by {}: {status} {body}",
                    operation.id, operation.method, operation.path, intruder.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(before, changes(&server).await, "something was changed");
}
