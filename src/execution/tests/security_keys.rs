//! Security keys and passkeys: registered, shown as a second factor, as the only one and beside a
//! name; and whatever is not good for that.

mod registering;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Bench, Visitor, login_stages};
use crate::directory::User;
use crate::directory::device::{Authenticator, Credential, Device, devices_of};
use crate::journal::object::Versioned;
use crate::stage::Kind;
use crate::webauthn::device::{Algorithm, Attestation, SecurityKey};

const ORIGIN: &str = "https://id.example";
const SETUP: &str = "ak-stage-authenticator-webauthn";
const VALIDATE: &str = "ak-stage-authenticator-validate";

/// A flow that knows who somebody is and registers a key.
const REGISTERS: &str = "registers";
/// One that asks for a name, a password and a key.
const ASKS: &str = "asks";
/// One that asks for nothing but a key.
const PASSKEY: &str = "passkey";

async fn bench_with(setup: Value, validate: Value) -> (Bench, User) {
    let bench = Bench::new();
    let mut stages = login_stages();
    stages.insert(2, (Kind::AuthenticatorWebauthn, setup));
    bench.flow(REGISTERS, &stages).await;
    let mut stages = login_stages();
    stages.insert(2, (Kind::AuthenticatorValidate, validate.clone()));
    bench.flow(ASKS, &stages).await;
    let stages = [
        (Kind::AuthenticatorValidate, validate),
        (Kind::UserLogin, json!({})),
    ];
    bench.flow(PASSKEY, &stages).await;
    let user = bench.user("alice", "pw").await;
    bench.user("bob", "pw").await;
    (bench, user)
}

async fn bench() -> (Bench, User) {
    bench_with(json!({}), json!({})).await
}

fn key() -> SecurityKey {
    SecurityKey::new(Algorithm::Es256, ORIGIN)
}

/// Comes as far as the question for a key.
async fn comes<'a>(bench: &'a Bench, flow: &str, name: &str) -> Visitor<'a> {
    let mut visitor = bench.visitor(flow);
    visitor.opens().await;
    visitor.answers(json!({ "uid_field": name })).await;
    visitor.answers(json!({ "password": "pw" })).await;
    visitor
}

/// What the browser is asked to have signed.
fn asked(visitor: &Visitor<'_>) -> Value {
    let body = visitor.body();
    let offers = &body.get("device_challenges").cloned().unwrap_or_default();
    let places = [
        body.get("registration"),
        body.get("passkey_challenge").filter(|it| it.is_object()),
        offers.as_array().and_then(|offers| {
            let found = offers.iter().find(|it| it["device_class"] == "webauthn");
            found.map(|it| &it["challenge"])
        }),
    ];
    let found = places.into_iter().flatten().next();
    let found = found
        .unwrap_or_else(|| panic!("no key is asked for: {body:#?}"))
        .clone();
    assert!(
        found["challenge"].as_str().is_some_and(|it| it.len() == 86),
        "{found:#?}"
    );
    found
}

async fn registers(bench: &Bench, name: &str, key: &mut SecurityKey) {
    let mut visitor = comes(bench, REGISTERS, name).await;
    visitor.sees(SETUP);
    let made = key.register(&asked(&visitor));
    visitor
        .answers(json!({ "response": made }))
        .await
        .is_sent_to("/");
}

async fn devices(bench: &Bench, user: Uuid) -> Vec<Versioned<Device>> {
    let found = devices_of(bench.journal.as_ref(), user).await;
    found.expect("a read")
}

async fn credential(bench: &Bench, user: Uuid) -> Credential {
    let device = devices(bench, user).await.remove(0).value;
    match device.of {
        Authenticator::Webauthn(credential) => *credential,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn says(visitor: &Visitor<'_>, field: &str, text: &str) {
    let said = &visitor.body()["response_errors"][field][0]["string"];
    assert_eq!(said, text, "{:#?}", visitor.body());
}

#[actix::test]
async fn nobody_who_only_has_a_key_needs_a_name() {
    let (bench, alice) = bench().await;
    let mut key = key();
    registers(&bench, "alice", &mut key).await;
    let mut visitor = bench.visitor(PASSKEY);
    visitor.opens().await.sees(VALIDATE);
    let options = asked(&visitor);
    assert_eq!(options["allowCredentials"], json!([]));
    visitor
        .answers(json!({ "webauthn": key.assert(&options) }))
        .await
        .is_sent_to("/");
    assert_eq!(visitor.session_object().await.value.user, Some(alice.uuid));
    let trail = bench.trail().await;
    assert!(trail.contains("auth_webauthn_pwl"));
    bench.check().await;
}

#[actix::test]
async fn a_passkey_is_as_good_as_a_name() {
    let (bench, alice) = bench().await;
    let mut key = key();
    registers(&bench, "alice", &mut key).await;
    let validate = Kind::AuthenticatorValidate;
    let settings = validate
        .validate(&serde_json::Map::new())
        .expect("settings");
    let beside = crate::catalog::Stage::new(&bench.clock, validate.name(), "beside", settings);
    bench
        .write(vec![crate::journal::object::put(
            &beside,
            crate::journal::Version::NONE,
        )])
        .await;
    let who = json!({ "user_fields": ["username"], "webauthn_stage": beside.pk });
    let stages = [(Kind::Identification, who), (Kind::UserLogin, json!({}))];
    bench.flow("autofill", &stages).await;
    let mut visitor = bench.visitor("autofill");
    visitor.opens().await.sees("ak-stage-identification");
    let options = asked(&visitor);
    assert_eq!(options["rpId"], "id.example");
    visitor.answers(json!({ "passkey": { "id": "x" } })).await;
    says(&visitor, "non_field_errors", "Invalid device");
    // Whoever shows a key for what was asked before is as late.
    visitor
        .answers(json!({ "passkey": key.assert(&options) }))
        .await;
    says(&visitor, "non_field_errors", "Assertion failed");
    let shown = key.assert(&asked(&visitor));
    visitor
        .answers(json!({ "passkey": shown }))
        .await
        .is_sent_to("/");
    assert_eq!(visitor.session_object().await.value.user, Some(alice.uuid));
    let device = devices(&bench, alice.uuid).await.remove(0).value;
    assert_eq!(device.last_used, Some(bench.clock.now()));
    let mut typed = bench.visitor("autofill");
    typed.opens().await;
    typed
        .answers(json!({ "uid_field": "bob" }))
        .await
        .is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn an_answer_is_good_once() {
    let (bench, alice) = bench().await;
    let mut key = key();
    registers(&bench, "alice", &mut key).await;
    let mut visitor = comes(&bench, ASKS, "alice").await;
    let mut spoilt = key.assert(&asked(&visitor));
    let good = spoilt.clone();
    spoilt["response"]["signature"] = "AAAA".into();
    visitor.answers(json!({ "webauthn": spoilt })).await;
    says(&visitor, "webauthn", "Assertion failed");
    visitor.answers(json!({ "webauthn": good })).await;
    says(&visitor, "webauthn", "Assertion failed");
    assert_eq!(credential(&bench, alice.uuid).await.sign_count, 1);
    // From two requests at once one logs in, and the other finds that it is over.
    let shown = json!({ "webauthn": key.assert(&asked(&visitor)) });
    let (one, other) = tokio::join!(
        bench.executions.answer(visitor.request(), shown.clone()),
        bench.executions.answer(visitor.request(), shown),
    );
    visitor.keep(one.expect("a reply")).is_sent_to("/");
    visitor.keep(other.expect("a reply"));
    assert_eq!(credential(&bench, alice.uuid).await.sign_count, 3);
    let logins = bench.trail().await.matches("\"mfa_verified\"").count();
    assert_eq!(logins, 1);
    bench.check().await;
}

#[actix::test]
async fn a_counter_is_good_once_also_for_two_at_the_same_instant() {
    let (bench, alice) = bench().await;
    let mut key = key();
    registers(&bench, "alice", &mut key).await;
    let mut one = comes(&bench, ASKS, "alice").await;
    let mut other = comes(&bench, ASKS, "alice").await;
    // A copy of the key counts on from where it was copied.
    let first = key.assert(&asked(&one));
    key.count = Some(1);
    let second = key.assert(&asked(&other));
    let (first, second) = tokio::join!(
        bench
            .executions
            .answer(one.request(), json!({ "webauthn": first })),
        bench
            .executions
            .answer(other.request(), json!({ "webauthn": second })),
    );
    one.keep(first.expect("a reply"));
    other.keep(second.expect("a reply"));
    let passed = [&one, &other].map(|it| it.body()["component"] == "xak-flow-redirect");
    assert_eq!(passed.iter().filter(|it| **it).count(), 1, "{passed:?}");
    let refused = if passed[0] { &other } else { &one };
    says(refused, "webauthn", "Assertion failed");
    assert_eq!(credential(&bench, alice.uuid).await.sign_count, 2);
    assert!(
        bench
            .trail()
            .await
            .contains("its counter did not go on: it was 2 and is 2")
    );
    bench.check().await;
}

#[actix::test]
async fn a_key_that_does_not_count_is_good_as_often_as_it_is_shown() {
    let (bench, alice) = bench().await;
    let mut key = key();
    key.count = None;
    registers(&bench, "alice", &mut key).await;
    for _ in 0..2 {
        let mut visitor = comes(&bench, ASKS, "alice").await;
        let shown = key.assert(&asked(&visitor));
        visitor
            .answers(json!({ "webauthn": shown }))
            .await
            .is_sent_to("/");
    }
    assert_eq!(credential(&bench, alice.uuid).await.sign_count, 0);
    bench.check().await;
}

#[actix::test]
async fn a_key_that_is_not_good_for_this_is_refused() {
    type Fault = (fn(&mut SecurityKey), &'static str);
    let faults: [Fault; 4] = [
        (
            |key| key.origin = "https://evil.example".to_owned(),
            "Unexpected client data origin",
        ),
        (
            |key| key.site = Some("evil.example".to_owned()),
            "Unexpected RP ID hash",
        ),
        (|key| key.verified = false, "User verification is required"),
        (|key| key.present = false, "User was not present"),
    ];
    for (spoil, why) in faults {
        let required = json!({ "webauthn_user_verification": "required" });
        let (bench, alice) = bench_with(json!({}), required).await;
        let mut key = key();
        registers(&bench, "alice", &mut key).await;
        spoil(&mut key);
        let mut visitor = comes(&bench, ASKS, "alice").await;
        visitor
            .answers(json!({ "webauthn": key.assert(&asked(&visitor)) }))
            .await;
        says(&visitor, "webauthn", "Assertion failed");
        assert_eq!(credential(&bench, alice.uuid).await.sign_count, 1);
        assert!(bench.trail().await.contains(why), "{why}");
        bench.check().await;
    }
}

#[actix::test]
async fn somebody_elses_key_and_one_that_nobody_has_are_refused() {
    let (bench, _alice) = bench().await;
    let (mut hers, mut his, mut nobodys) = (key(), key(), key());
    registers(&bench, "alice", &mut hers).await;
    registers(&bench, "bob", &mut his).await;
    let mut visitor = comes(&bench, ASKS, "alice").await;
    let named = asked(&visitor)["allowCredentials"].clone();
    assert_eq!(
        named,
        json!([{ "id": hers.credential_id(), "type": "public-key" }])
    );
    for key in [&mut his, &mut nobodys] {
        visitor
            .answers(json!({ "webauthn": key.assert(&asked(&visitor)) }))
            .await;
        says(&visitor, "webauthn", "Invalid device");
    }
    // With her credential's name he still has not her key.
    his.id.clone_from(&hers.id);
    visitor
        .answers(json!({ "webauthn": his.assert(&asked(&visitor)) }))
        .await;
    says(&visitor, "webauthn", "Assertion failed");
    let shown = hers.assert(&asked(&visitor));
    visitor
        .answers(json!({ "webauthn": shown }))
        .await
        .is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn a_model_that_is_not_allowed_is_not_asked_for() {
    let yubikey = "cb69481e-8ff7-4039-93ec-0a2729a154a8";
    let settings = json!({
        "webauthn_allowed_device_types": [yubikey],
        "not_configured_action": "deny",
    });
    let (bench, _alice) = bench_with(json!({}), settings).await;
    let mut key = key();
    key.model = [0x11; 16];
    registers(&bench, "alice", &mut key).await;
    let visitor = comes(&bench, ASKS, "alice").await;
    visitor.is_denied("No (allowed) MFA authenticator configured.");
    let mut visitor = bench.visitor(PASSKEY);
    visitor.opens().await;
    visitor
        .answers(json!({ "webauthn": key.assert(&asked(&visitor)) }))
        .await;
    let text = "Invalid device type. Contact your Gatelog administrator for help.";
    says(&visitor, "webauthn", text);
    bench.check().await;
}
