//! Values: what fits, what is shown, what survives the crossing.

use super::{DEPTH, Object, SIZE, Value};

#[test]
fn every_value_survives_the_crossing() {
    let values = Value::List(vec![
        Value::None,
        Value::Int(i64::MIN),
        Value::Float(f64::INFINITY),
        Value::Float(0.1),
        Value::Bytes(vec![0, 255]),
        Value::Tuple(vec![Value::text("é")]),
        Value::Dict(vec![(Value::Int(1), Value::Set(vec![Value::Bool(true)]))]),
        Value::Object(
            Object::new("User", "7").with("attributes", Value::dict([("a", true.into())])),
        ),
        Value::Secret("password".into()),
    ]);
    let written = serde_json::to_vec(&values).expect("serialises");
    let read: Value = serde_json::from_slice(&written).expect("reads back");
    assert_eq!(read, values);
}

#[test]
fn what_is_too_deep_or_too_large_does_not_fit() {
    let nested = |depth| (0..depth).fold(Value::None, |inner, _| Value::List(vec![inner]));
    assert!(nested(DEPTH - 1).fits());
    assert!(!nested(DEPTH).fits());
    assert!(!nested(100_000 / 50).fits());
    assert!(!Value::text("a".repeat(SIZE)).fits());
    assert!(!Value::List(vec![Value::None; SIZE / 16]).fits());
}

#[test]
fn a_secret_is_masked_wherever_a_value_is_shown() {
    let value = Value::dict([("password", Value::Secret("vault:1".into()))]);
    assert_eq!(value.shown(), "{\"password\": ‹secret›}");
    assert_eq!(value.to_json(), serde_json::json!({"password": "‹secret›"}));
}

#[test]
fn truth_is_pythons() {
    assert!(!Value::Dict(vec![]).truthy());
    assert!(!Value::Float(0.0).truthy());
    assert!(Value::text("0").truthy());
    assert!(Value::Object(Object::new("User", "1")).truthy());
}
