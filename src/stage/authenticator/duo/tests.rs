//! What settings are refused, and what of an enrolment is written down.

use serde_json::{Map, Value, json};

use super::*;
use crate::flow::Context;
use crate::stage::Kind;

fn validated(more: &Value) -> Result<Map<String, Value>, Vec<String>> {
    let mut settings = json!({
        "api_hostname": "api-12345678.duosecurity.com",
        "client_id": "DIKEY",
        "client_secret": "secret",
    });
    let all = settings.as_object_mut().expect("settings");
    all.extend(more.as_object().expect("settings").clone());
    let kind = Kind::from_name("authenticator_duo").expect("a kind");
    kind.validate(all)
        .map_err(|errors| errors.into_keys().collect())
}

#[test]
fn the_keys_of_the_admin_api_and_the_flow_may_be_left_out() {
    let settings = validated(&json!({})).expect("they are good");
    assert_eq!(settings["admin_integration_key"], "");
    assert_eq!(settings["friendly_name"], "");
    assert_eq!(settings["configure_flow"], Value::Null);
    let stage = catalog::Stage {
        pk: Uuid::nil(),
        name: "duo".to_owned(),
        kind: "authenticator_duo".to_owned(),
        settings,
    };
    let settings = AuthenticatorDuo::of(&stage).expect("it is one");
    assert_eq!(settings.account().key, "DIKEY");
    assert!(settings.admin_account().is_none());
    let other = catalog::Stage {
        kind: "dummy".to_owned(),
        ..stage
    };
    assert!(AuthenticatorDuo::of(&other).is_none());
}

#[test]
fn an_account_needs_a_host_and_both_keys() {
    for (more, field) in [
        (json!({ "api_hostname": " " }), "api_hostname"),
        (
            json!({ "api_hostname": "https://api.example/" }),
            "api_hostname",
        ),
        (
            json!({ "api_hostname": "http://192.0.2.1:80" }),
            "api_hostname",
        ),
        (json!({ "client_id": "" }), "client_id"),
        (json!({ "client_secret": "" }), "client_secret"),
    ] {
        assert_eq!(validated(&more), Err(vec![field.to_owned()]), "{more}");
    }
    let here = json!({ "api_hostname": "http://127.0.0.1:8000" });
    assert!(validated(&here).is_ok());
}

#[test]
fn half_of_the_admin_keys_is_none() {
    for (more, is_complete) in [
        (json!({ "admin_integration_key": "DIADMIN" }), false),
        (json!({ "admin_secret_key": "secret" }), false),
        (
            json!({ "admin_integration_key": "DIADMIN", "admin_secret_key": "secret" }),
            true,
        ),
    ] {
        let settings = validated(&more).expect("they are good");
        let settings: AuthenticatorDuo = settings::read(&settings).expect("they were validated");
        assert_eq!(settings.admin_account().is_some(), is_complete, "{more}");
    }
}

#[test]
fn what_is_enrolled_is_read_back_from_the_context() {
    let codes = Uuid::from_u128(7);
    let entries = [
        ("user_id".to_owned(), context::Value::text("DU1")),
        ("codes".to_owned(), context::Value::Secret(codes)),
    ];
    let mut kept = Context::default();
    assert_eq!(Enrolling::of(&kept), None);
    let enrolling = context::Value::map(entries.into());
    kept.set(key::AUTHENTICATOR_DUO, Some(enrolling));
    let user_id = "DU1".to_owned();
    assert_eq!(Enrolling::of(&kept), Some(Enrolling { user_id, codes }));
    assert!(kept.secrets().contains(&codes), "the vault keeps it");
    // What a policy puts there is none.
    let foreign = context::Value::Json(json!({ "user_id": "DU1" }));
    kept.set(key::AUTHENTICATOR_DUO, Some(foreign));
    assert_eq!(Enrolling::of(&kept), None);
}

#[test]
fn a_refusal_is_told_from_what_was_asked_for() {
    assert_eq!(refusal(&json!("success")), None);
    assert_eq!(refusal(&json!({ "txid": "t" })), None);
    let refused = json!({ "refused": "Received 400", "code": 40002 });
    assert_eq!(refusal(&refused), Some((Some(40002), "Received 400")));
    // In a replay the vault says nothing that could be read.
    assert!(Codes::read(&"‹secret›".into()).is_none());
}
