//! What is a name, and where it is one.

use serde_json::json;

use super::super::places::{Place, is_named};
use super::*;

fn sought(identifiers: &[&str]) -> Sought {
    let mut sought = Sought::default();
    for it in identifiers {
        identifier(it, &mut sought);
    }
    sought
}

fn named(needle: &str, value: &Value, place: Place) -> bool {
    is_named(&[&needle.to_owned()], value, place)
}

#[test]
fn an_address_is_found_wherever_it_stands_and_however_it_is_encoded() {
    for place in [
        json!({ "body": { "uid_field": "Ann@Example.com" } }),
        json!(["a mail to <ann@example.com> was not sent"]),
        json!({ "query": "next=%2F%3Flogin_hint%3Dann%2540example.com" }),
        json!("https://x.example/?q=ann%40example.com&r=1"),
        json!("550 no such mailbox ann@example.com."),
    ] {
        assert!(named("ann@example.com", &place, Place::Written), "{place}");
    }
    for other in [
        "joann at example.com",
        "joann@example.com",
        "jo.ann@example.com",
        "ann@example.com.au",
    ] {
        assert!(!named("ann@example.com", &json!(other), Place::Personal));
    }
}

#[test]
fn a_name_that_is_also_a_word_is_found_only_where_it_is_a_name() {
    for place in [
        json!({ "value": "Admin" }),
        json!("user admin is blocked"),
        json!("the user was admin."),
        json!("?next=%2F&login_hint=admin"),
    ] {
        assert!(named("admin", &place, Place::Personal), "{place}");
        assert!(!named("admin", &place, Place::Written), "{place}");
    }
    for place in [
        json!("next=%2Fif%2Fadmin%2F"),
        json!("next=%2F&theme=admin"),
        json!("/if/admin/"),
        json!("POST /if/admin/ now"),
        json!("akadmin and admin-2 and admin.x"),
        json!({ "component": "admin" }),
    ] {
        assert!(!named("admin", &place, Place::Personal), "{place}");
    }
}

#[test]
fn a_telephone_is_what_looks_like_one_and_is_called_so() {
    let mut sought = Sought::default();
    for (key, value) in [
        ("phone", "+49 170 1234567"),
        ("mobile", "2026-11-27"),
        ("mobilephone", "27.11.2026"),
        ("phone_2", "192.0.2.77"),
        ("born", "170 7654321"),
        ("department", "Sales and more"),
    ] {
        of_attribute(key, &json!(value), &mut sought);
    }
    assert_eq!(sought.identifiers, ["+49 170 1234567"]);
    assert!(sought.details.is_empty(), "{sought:?}");
    let is_in = |text: &str| named("+49 170 1234567", &json!(text), Place::Written);
    assert!(is_in("to +49 170 1234567.") && is_in("+491701234567"));
    assert!(!is_in("to +49 170 12345678"));
    assert!(!named(
        "1701234567",
        &json!("at 11701234567"),
        Place::Written
    ));
}

#[test]
fn what_else_is_known_is_a_detail_however_it_looks() {
    let mut sought = Sought::default();
    detail("2026-11-27", &mut sought);
    detail("192.0.2.77", &mut sought);
    detail("Ann", &mut sought);
    of_attribute("manager", &json!("boss@example.com"), &mut sought);
    assert!(sought.identifiers.is_empty());
    assert_eq!(
        sought.details,
        ["2026-11-27", "192.0.2.77", "boss@example.com"]
    );
}

#[test]
fn what_another_account_is_known_by_too_is_shared() {
    let mut sought = sought(&["family@example.com", "ann"]);
    share(
        &mut sought,
        &BTreeSet::from(["family@example.com".to_owned()]),
    );
    assert_eq!(sought.identifiers, ["ann"]);
    assert_eq!(sought.shared, ["family@example.com"]);
}
