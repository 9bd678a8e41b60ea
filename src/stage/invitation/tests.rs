//! How what is in an invitation and what was typed become one.

use serde_json::json;

use super::*;

fn both(value: Value, fixed: Value) -> Known {
    merged(&Known::Json(value), Known::Json(fixed))
}

#[test]
fn mappings_go_into_each_other_and_lists_one_behind_the_other() {
    let typed = json!({"name": "Ann", "deep": {"a": 1, "b": 2}, "list": [1, 2]});
    let fixed = json!({"deep": {"b": 3, "c": 4}, "list": [2, 3], "email": "ann@example.com"});
    let result = json!({
        "name": "Ann",
        "deep": {"a": 1, "b": 3, "c": 4},
        "list": [1, 2, 2, 3],
        "email": "ann@example.com",
    });
    assert_eq!(both(typed, fixed), Known::Json(result));
}

#[test]
fn a_value_of_another_sort_is_replaced() {
    for (typed, fixed) in [(json!([1]), json!({"a": 1})), (json!({"a": 1}), json!("x"))] {
        assert_eq!(
            both(typed.clone(), fixed.clone()),
            Known::Json(fixed.clone())
        );
        let kept = over(&Known::Json(typed), &Known::Json(fixed.clone()));
        assert_eq!(kept, Known::Json(fixed));
    }
}

#[test]
fn what_is_fixed_stays_whatever_is_typed_and_again_and_again() {
    let fixed = Known::Json(json!({"email": "ann@example.com", "list": [1], "deep": {"a": 1}}));
    let typed = json!({"email": "eve@example.com", "list": [2], "deep": {"a": 2, "b": 3}, "x": 1});
    let held = over(&Known::Json(typed), &fixed);
    let result = json!({
        "email": "ann@example.com", "list": [2, 1], "deep": {"a": 1, "b": 3}, "x": 1,
    });
    assert_eq!(held, Known::Json(result));
    assert_eq!(over(&held, &fixed), held);
}

#[test]
fn a_fixed_secret_stays_the_secret_that_it_is() {
    let secret = Known::Secret(Uuid::from_u128(1));
    let fixed = Known::map(BTreeMap::from([(PASSWORD.to_owned(), secret.clone())]));
    let other = Known::Secret(Uuid::from_u128(2));
    let typed = Known::map(BTreeMap::from([(PASSWORD.to_owned(), other)]));
    let held = over(&typed, &fixed).entries().expect("a mapping");
    assert_eq!(held[PASSWORD], secret);
}
