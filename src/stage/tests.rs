//! The settings of stages are read, completed and blamed by field.

use crate::stage::Kind;
use serde_json::{Map, Value, json};

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[test]
fn defaults_are_filled_in_and_unknown_settings_dropped() {
    let settings = object(json!({"deny_message": "no", "template": "old.html"}));
    let validated = Kind::Deny.validate(&settings).expect("valid settings");
    assert_eq!(Value::Object(validated), json!({"deny_message": "no"}));
}

#[test]
fn a_wrong_value_is_blamed_on_its_field() {
    let settings = object(json!({"backends": [], "failed_attempts_before_cancel": "many"}));
    let errors = Kind::Password
        .validate(&settings)
        .expect_err("not a number");
    assert!(
        errors.contains_key("failed_attempts_before_cancel"),
        "{errors:?}"
    );
    let errors = Kind::Password
        .validate(&Map::new())
        .expect_err("no back ends");
    assert_eq!(errors["backends"][0].code, "required");
}
