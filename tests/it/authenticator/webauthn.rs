//! Security keys and passkeys, over HTTP.

use serde_json::{Value, json};

use crate::support::{
    Algorithm, Flow, LOGIN, Person, SecurityKey, TestServer, Visitor, with_server,
};

const SETUP_FLOW: &str = "default-authenticator-webauthn-setup";
const SETUP: &str = "ak-stage-authenticator-webauthn";
const VALIDATE: &str = "ak-stage-authenticator-validate";

fn key(server: &TestServer) -> SecurityKey {
    SecurityKey::new(Algorithm::Es256, server.base())
}

/// Logs in without a second factor and registers a key.
async fn registers(server: &TestServer, person: &Person, key: &mut SecurityKey) -> Visitor {
    let mut visitor = server.visitor();
    visitor.logs_in(person).await;
    let asked = visitor.opens(SETUP_FLOW).await;
    asked.sees(SETUP);
    let made = key.register(&asked.json()["registration"]);
    let made = visitor.answers(json!({ "response": made })).await;
    made.is_redirected_to("/");
    visitor
}

/// What a browser is asked to have signed.
fn offered(challenge: &Value) -> Value {
    let offers = challenge["device_challenges"].as_array().expect("offers");
    let found = offers.iter().find(|it| it["device_class"] == "webauthn");
    found.expect("a key is asked for")["challenge"].clone()
}

fn asks_for_keys() -> Flow {
    Flow::new("keys")
        .identification_and_password()
        .stage("authenticator_validate", "keys-validate", json!({}))
        .stage("user_login", "keys-login", json!({}))
}

async fn comes(server: &TestServer, person: &Person) -> (Visitor, Value) {
    let mut visitor = server.visitor();
    visitor.opens("keys").await;
    let who = json!({ "uid_field": person.username });
    visitor.answers(who).await.sees("ak-stage-password");
    let asked = visitor
        .answers(json!({ "password": person.password }))
        .await;
    asked.sees(VALIDATE);
    (visitor, offered(&asked.json()))
}

#[test]
fn the_setup_flow_asks_for_what_the_wire_says() {
    with_server(async |server| {
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.opens(SETUP_FLOW).await.has_status(200);
        assert_ne!(visitor.looks().await.component(), SETUP);
        visitor.logs_in(&alice).await;
        let asked = visitor.opens(SETUP_FLOW).await.json();
        assert_eq!(asked["pending_user"], alice.username);
        let mut options = asked["registration"].clone();
        let options = options.as_object_mut().expect("options");
        let challenge = options.remove("challenge").expect("a challenge");
        assert_eq!(challenge.as_str().map(str::len), Some(86));
        let user = options.remove("user").expect("a user");
        assert_eq!(user["name"], alice.username);
        assert_eq!(user["displayName"], alice.name);
        let algorithms = [-7, -8, -36, -37, -38, -39, -257, -258, -259];
        let algorithms = algorithms.map(|alg| json!({ "type": "public-key", "alg": alg }));
        let expected = json!({
            "rp": { "name": "Gatelog", "id": "127.0.0.1" },
            "pubKeyCredParams": algorithms,
            "timeout": 60000,
            "excludeCredentials": [],
            "authenticatorSelection": {
                "residentKey": "preferred",
                "requireResidentKey": false,
                "userVerification": "preferred",
            },
            "attestation": "direct",
        });
        assert_eq!(Value::from(options.clone()), expected);
    });
}

#[test]
fn a_key_is_registered_and_is_the_second_factor_from_then_on() {
    with_server(async |server| {
        server.has_flow(&asks_for_keys());
        let (alice, bob) = (server.person(), server.person());
        let (mut hers, mut his) = (key(server), key(server));
        registers(server, &alice, &mut hers).await;
        registers(server, &bob, &mut his).await;
        let (mut visitor, asked) = comes(server, &alice).await;
        let expected = json!([{ "id": hers.credential_id(), "type": "public-key" }]);
        assert_eq!(asked["allowCredentials"], expected);
        let refused = visitor
            .answers(json!({ "webauthn": his.assert(&asked) }))
            .await;
        refused.sees(VALIDATE).with_error("webauthn", "invalid");
        let asked = offered(&refused.json());
        let shown = json!({ "webauthn": hers.assert(&asked) });
        visitor.answers(shown.clone()).await.is_redirected_to("/");
        // Sent again it leads nowhere: a new login asks for something else.
        let (mut thief, _) = comes(server, &alice).await;
        let again = thief.answers(shown).await;
        again.sees(VALIDATE).with_error("webauthn", "invalid");
    });
}

#[test]
fn what_is_asked_is_the_same_after_the_server_was_killed() {
    with_server(async |server| {
        server.has_flow(&asks_for_keys());
        let alice = server.person();
        let mut hers = key(server);
        registers(server, &alice, &mut hers).await;
        let (mut visitor, asked) = comes(server, &alice).await;
        let shown = hers.assert(&asked);
        server.kill().await;
        let after = visitor.looks().await;
        assert_eq!(offered(&after.json()), asked);
        visitor
            .answers(json!({ "webauthn": shown }))
            .await
            .is_redirected_to("/");
    });
}

#[test]
fn whoever_has_a_passkey_needs_neither_name_nor_password() {
    with_server(async |server| {
        let on = server.gatelog(&["blueprint", "enable", "passwordless"]);
        on.succeeds().says("default-passwordless-flow");
        let alice = server.person();
        let mut hers = key(server);
        // Registered before anything asks for it.
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        registers(server, &alice, &mut hers).await;

        let login = visitor.looks().await.json();
        let link = login["passwordless_url"].as_str().expect("a link");
        assert!(link.contains("default-passwordless-flow"), "{link}");
        visitor
            .opens("default-passwordless-flow")
            .await
            .sees(VALIDATE);
        let asked = offered(&visitor.looks().await.json());
        assert_eq!(asked["allowCredentials"], json!([]));
        assert_eq!(asked["userVerification"], "required");
        hers.verified = false;
        let refused = visitor
            .answers(json!({ "webauthn": hers.assert(&asked) }))
            .await;
        refused.sees(VALIDATE).with_error("webauthn", "invalid");
        hers.verified = true;
        let asked = offered(&refused.json());
        let shown = visitor
            .answers(json!({ "webauthn": hers.assert(&asked) }))
            .await;
        shown.is_redirected_to("/");

        // The browser offers it beside the question who somebody is.
        let mut visitor = server.visitor();
        let asked = visitor.opens(LOGIN).await.json()["passkey_challenge"].clone();
        assert_eq!(asked["rpId"], "127.0.0.1");
        let shown = visitor
            .answers(json!({ "passkey": hers.assert(&asked) }))
            .await;
        shown.is_redirected_to("/");
        let me = visitor.gets("/api/v3/core/users/me/").await.json();
        assert_eq!(me["user"]["username"], alice.username);
    });
}

#[test]
fn only_pages_that_ask_for_a_key_run_our_script() {
    with_server(async |server| {
        server.has_flow(&asks_for_keys());
        let alice = server.person();
        let mut visitor = server.visitor();
        let page = visitor.gets(&format!("/if/flow/{LOGIN}/")).await;
        page.has_status(200).hides("webauthn.js");
        visitor.logs_in(&alice).await;
        let page = visitor.gets(&format!("/if/flow/{SETUP_FLOW}/")).await;
        let policy = page.header("content-security-policy").to_owned();
        assert!(
            policy.starts_with("connect-src 'self'; script-src 'self'; default-src 'none'"),
            "{policy}"
        );
        let scripts = page.text.split("<script type=\"module\" src=\"").skip(1);
        let mut scripts = scripts.filter_map(|rest| rest.split('"').next());
        let script = scripts.find(|it| it.contains("webauthn"));
        let script = script.expect("a script");
        let script = visitor.gets(&script.replace("&#x2f;", "/")).await;
        script.has_status(200);
        assert!(script.text.contains("navigator.credentials.create"));
    });
}
