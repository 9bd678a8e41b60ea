//! Filters, counts and edits, on events that were made up.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::count::{Stats, Top, Volume};
use super::edit::{apply, timedelta};
use super::filter::Filter;
use super::*;

fn event(action: &str, hour: i64, pk: i64) -> AuditEvent {
    let created = Timestamp::from_second(1_767_225_600 + hour * 3600).expect("in range");
    let map = |value: Value| value.as_object().cloned().expect("an object");
    AuditEvent {
        pk: Uuid::from_u128(7),
        about: None,
        key: KeyId::SYSTEM,
        authenticated_as: None,
        concerns: None,
        user: map(json!({ "username": "Jane", "pk": pk })),
        action: action.to_owned(),
        app: "authentik.events.signals".to_owned(),
        context: map(json!({
            "username": "typed", "model": { "pk": "0a0b", "model_name": "flow", "app": "flows" },
        })),
        client_ip: "192.0.2.7".parse().ok(),
        created,
        expires: None,
        brand: map(json!({ "name": "Default brand" })),
    }
}

#[test]
fn each_condition_admits_what_has_it_and_nothing_else() {
    let one = event("login_failed", 0, 5);
    for (query, admitted) in [
        ("", true),
        ("action=LOGIN", true),
        ("action=logout", false),
        ("actions=logout&actions=login_failed", true),
        ("actions=login", false),
        ("client_ip=192.0.2", true),
        ("username=Jane", true),
        ("username=typed", true),
        ("username=jan", false),
        ("brand_name=Default+brand", true),
        ("context_model_pk=0a-0b", true),
        ("context_model_pk=0a", false),
        ("context_model_name=flow&context_model_app=flows", true),
        ("context_device=1", false),
        ("search=jane+FAILED", true),
        ("search=jane+nothing", false),
    ] {
        assert_eq!(Filter::of(query).admits(&one), admitted, "{query}");
    }
}

#[test]
fn volumes_are_counted_in_buckets_of_six_hours() {
    let mut volume = Volume::default();
    for (action, hour) in [("login", 0), ("login", 5), ("login", 6), ("logout", 1)] {
        volume.take(&event(action, hour, 1));
    }
    let expected = json!([
        { "action": "login", "time": "2026-01-01T00:00:00Z", "count": 2 },
        { "action": "logout", "time": "2026-01-01T00:00:00Z", "count": 1 },
        { "action": "login", "time": "2026-01-01T06:00:00Z", "count": 1 },
    ]);
    assert_eq!(volume.told(), expected);
}

#[test]
fn users_are_counted_once_and_steps_reach_back_from_now() {
    let now = event("", 10, 0).created;
    let steps = ["hours=1", "days=1"].map(|it| (slug(it), timedelta(it).expect("a duration")));
    let mut stats = Stats::new(now, steps.to_vec());
    for (hour, pk) in [(0, 1), (9, 1), (10, 2)] {
        stats.take(&event("login", hour, pk));
    }
    let expected = json!({ "unique_users": 2, "count_step": { "hours1": 2, "days1": 3 } });
    assert_eq!(stats.told(), expected);
    assert_eq!(timedelta("fortnights=1"), None);
}

#[test]
fn applications_are_told_by_how_much_they_are_used() {
    let mut top = Top::default();
    for (name, pk) in [("one", 1), ("two", 1), ("two", 2), ("two", 2)] {
        let mut event = event("authorize_application", 0, pk);
        let application = json!({ "name": name });
        event
            .context
            .insert("authorized_application".to_owned(), application);
        top.take(&event);
    }
    top.take(&event("login", 0, 9));
    let expected = json!([
        { "application": { "name": "two" }, "counted_events": 3, "unique_users": 2 },
    ]);
    assert_eq!(top.told(1), expected);
}

#[test]
fn what_is_wrong_with_an_event_is_told_field_by_field() {
    let mut one = event("login", 0, 1);
    let given = |value: Value| value.as_object().cloned().unwrap_or_default();
    let Err(Error::Fields(wrong)) = apply(&mut one, &Map::new(), false) else {
        panic!("nothing is wrong");
    };
    assert_eq!(wrong.keys().copied().collect::<Vec<_>>(), ["action", "app"]);
    let bad = given(json!({
        "action": "nonsense", "client_ip": "x", "expires": "soon", "context": [],
    }));
    let Err(Error::Fields(wrong)) = apply(&mut one, &bad, true) else {
        panic!("nothing is wrong");
    };
    assert_eq!(wrong["action"], "\"nonsense\" is not a valid choice.");
    assert_eq!(wrong.len(), 4, "{wrong:?}");
    let good = given(json!({ "action": "custom_it", "client_ip": null }));
    apply(&mut one, &good, true).expect("nothing is wrong");
    assert_eq!((one.action.as_str(), one.client_ip), ("custom_it", None));
}

#[test]
fn every_action_is_named_once() {
    let actions = actions();
    let all = actions.as_array().expect("a list");
    assert_eq!(all.len(), 33);
    assert_eq!(all[32]["component"], "custom_");
}
