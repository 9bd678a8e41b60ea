//! Records are read back as they were written, also those of former versions.

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Record, SCHEMA};
use crate::flow::client::Client;
use crate::flow::context;
use crate::flow::effect::{Effect, Outcome};
use crate::flow::event::{Check, Event, FieldError, MfaProblem, PasswordProblem};
use crate::flow::execution::Execution;
use crate::flow::fold;
use crate::flow::input::{Canceller, Input, Request};
use crate::flow::model::InvalidResponseAction;
use crate::flow::plan::{Pinned, PlannedStage};
use crate::flow::timer::Deadline;
use crate::flow::verdict::{PlanChange, Target, When};
use crate::journal::{Kind, Version};
use crate::world::{Interrupted, Observation, PasswordAnswer};

/// One file per schema number. Once a version with that number is released, its file is never
/// edited: journals that were written then are opened for ever.
const GOLDEN: &[(u16, &str)] = &[(1, include_str!("../../../tests/golden/records/1.json"))];

fn golden() -> impl Iterator<Item = (u16, Vec<Value>)> {
    GOLDEN.iter().map(|(schema, text)| {
        let file: Value = serde_json::from_str(text).expect("a golden file is JSON");
        assert_eq!(file["schema"], *schema);
        let records = file["records"].as_array().expect("a list of records");
        (*schema, records.clone())
    })
}

#[test]
fn records_of_every_schema_are_read_for_ever() {
    for (schema, records) in golden() {
        for value in records {
            let record: Record = serde_json::from_value(value.clone())
                .unwrap_or_else(|error| panic!("schema {schema}: {error}"));
            let state = fold(&record.events);
            assert!(record.events.is_empty() || state.is_over(), "{state:?}");
            // Only the newest is also written like that.
            if schema == SCHEMA {
                assert_eq!(serde_json::to_value(&record).expect("JSON"), value);
            }
        }
    }
}

#[test]
fn the_newest_golden_records_hold_every_kind_there_is() {
    let (schema, records) = golden().last().expect("there is one");
    assert_eq!(schema, SCHEMA, "the newest schema has no golden records");
    let of = |part: &str| -> Vec<Value> {
        let parts = records.iter().filter_map(|it| it[part].as_array().cloned());
        parts.flatten().collect()
    };
    let (events, observations) = (of("events"), of("observations"));
    let inner = |key: &str| -> Vec<Value> { events.iter().map(|it| it[key].clone()).collect() };
    let requests: Vec<_> = records
        .iter()
        .map(|it| it["input"]["request"].clone())
        .collect();

    holds_all::<Event>("event", &events);
    holds_all::<Check>("check", &inner("check"));
    holds_all::<context::Value>("is", &inner("value"));
    holds_all::<Observation>("saw", &observations);
    holds_all::<Request>("kind", &requests);
    let reasons = inner("reason");
    let (mfa, password): (Vec<Value>, Vec<Value>) = reasons
        .into_iter()
        .partition(|it| it["because"].is_string());
    holds_all_words::<PasswordProblem>(&password);
    holds_all::<MfaProblem>("because", &mfa);
    holds_all::<Deadline>("for", &inner("of"));
    holds_all_words::<Canceller>(&inner("by"));
    holds_all::<Effect>("kind", &inner("what"));
    holds_all::<Outcome>("came_to", &inner("outcome"));
    holds_all_words::<When>(&inner("when"));
    holds_all::<PlanChange>("did", &inner("change"));
    holds_all::<Target>("of", &inner("target"));
    let interrupted = observations.iter().map(|it| it["interrupted"].clone());
    holds_all::<Interrupted>("by", &interrupted.collect::<Vec<_>>());
    let answers: Vec<_> = observations.iter().map(|it| it["answer"].clone()).collect();
    holds_all_words::<PasswordAnswer>(&answers);
}

fn holds_all<T: DeserializeOwned>(tag: &str, found: &[Value]) {
    let tags: Vec<Value> = found.iter().map(|it| it[tag].clone()).collect();
    are_all(variants::<T>(&json!({ tag: "?" })), &tags);
}

fn holds_all_words<T: DeserializeOwned>(found: &[Value]) {
    are_all(variants::<T>(&json!("?")), found);
}

fn are_all(expected: BTreeSet<String>, found: &[Value]) {
    let found: BTreeSet<_> = found.iter().filter_map(Value::as_str).collect();
    for variant in expected {
        assert!(found.contains(variant.as_str()), "no golden {variant:?}");
    }
}

/// The names of an enum's variants: whoever reads one that does not exist is told them.
fn variants<T: DeserializeOwned>(none_such: &Value) -> BTreeSet<String> {
    let Err(error) = T::deserialize(none_such) else {
        panic!("there is no such variant");
    };
    let error = error.to_string();
    let (_, names) = error.split_once("expected ").expect("the names are told");
    let names: BTreeSet<_> = names.split('`').skip(1).step_by(2).collect();
    assert!(names.len() > 1, "{error}");
    names.into_iter().map(str::to_owned).collect()
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        Just("\u{0}\u{1f}\u{7f}\u{85}\u{2028}\u{feff}".to_owned()),
        Just("\"\\</script>‹secret›🗝\u{10ffff}".to_owned()),
        Just(String::new()),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1000i32..1000).prop_map(|it| Value::from(f64::from(it) / 8.0)),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(texts(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn ids() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn moments() -> impl Strategy<Value = Timestamp> {
    let (least, most) = (
        Timestamp::MIN.as_nanosecond(),
        Timestamp::MAX.as_nanosecond(),
    );
    (least..=most).prop_map(|at| Timestamp::from_nanosecond(at).expect("within bounds"))
}

fn pins() -> impl Strategy<Value = Pinned> {
    (ids(), any::<u64>()).prop_map(|(id, version)| Pinned { id, version })
}

fn clients() -> impl Strategy<Value = Client> {
    (
        any::<std::net::IpAddr>(),
        texts(),
        texts(),
        any::<bool>(),
        prop::option::of(texts()),
    )
        .prop_map(|(address, user_agent, host, secure, language)| Client {
            address,
            user_agent,
            host,
            secure,
            language,
            outpost: None,
            device: None,
            mfa: None,
        })
}

fn plans() -> impl Strategy<Value = Vec<PlannedStage>> {
    let stages = (pins(), pins(), texts(), texts(), any::<bool>()).prop_map(
        |(binding, stage, kind, name, re_evaluate)| PlannedStage {
            binding,
            stage,
            kind,
            name,
            re_evaluate,
            on_invalid: InvalidResponseAction::Restart,
            settings: None,
            appended: false,
        },
    );
    prop::collection::vec(stages, 0..3)
}

fn contents() -> impl Strategy<Value = context::Value> {
    prop_oneof![
        values().prop_map(context::Value::Json),
        ids().prop_map(context::Value::User),
        texts().prop_map(|identifier| context::Value::Stranger { identifier }),
        ids().prop_map(context::Value::Group),
        ids().prop_map(context::Value::Secret),
        (texts(), texts()).prop_map(|(class, id)| context::Value::Object { class, id }),
        prop::collection::vec(ids().prop_map(context::Value::User), 0..3)
            .prop_map(context::Value::List),
        prop::collection::btree_map(texts(), ids().prop_map(context::Value::User), 0..3)
            .prop_map(context::Value::Map),
    ]
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        (ids(), pins(), texts(), ids(), clients(), texts()).prop_map(
            |(execution, flow, slug, session, client, query)| Event::Started {
                execution,
                flow,
                slug,
                session,
                client,
                query,
            }
        ),
        plans().prop_map(|stages| Event::Planned {
            plan: stages.into_iter().collect()
        }),
        (any::<u64>(), texts(), values()).prop_map(|(number, component, fields)| {
            Event::ChallengeIssued {
                number,
                component,
                fields,
            }
        }),
        (texts(), texts(), texts()).prop_map(|(field, string, code)| Event::ResponseRejected {
            errors: [(field, vec![FieldError { string, code }])].into(),
        }),
        (texts(), prop::option::of(contents()), texts())
            .prop_map(|(key, value, by)| Event::ContextChanged { key, value, by }),
        (
            ids(),
            ids(),
            moments(),
            any::<bool>(),
            prop::collection::vec(ids(), 0..3)
        )
            .prop_map(|(session, user, expires, persistent, terminated)| {
                Event::SessionStarted {
                    session,
                    user,
                    expires,
                    persistent,
                    terminated,
                    replaced: None,
                    device: None,
                }
            }),
        (texts(), texts()).prop_map(|(stage, message)| Event::Denied {
            check: Check::Stage { stage },
            message,
        }),
        texts().prop_map(|destination| Event::Completed { destination }),
    ]
}

fn inputs() -> impl Strategy<Value = Input> {
    let requests = prop_oneof![
        (ids(), ids(), ids()).prop_map(|(execution, session, flow)| Request::Begin {
            execution,
            session,
            flow,
            context: context::Context::default(),
            dead_link: None,
            link_until: None,
        }),
        prop::option::of(texts()).prop_map(|challenge| Request::Answer { challenge }),
        Just(Request::Visit),
    ];
    let bodies = prop::option::of(values());
    (moments(), clients(), texts(), requests, bodies).prop_map(
        |(at, client, query, request, body)| Input {
            at,
            client,
            query,
            request,
            body,
        },
    )
}

fn observations() -> impl Strategy<Value = Observation> {
    const KIND: Kind = Kind::new("user");
    let versions = || any::<u64>().prop_map(Version);
    prop_oneof![
        (ids(), prop::option::of(versions())).prop_map(|(id, version)| Observation::Object {
            kind: KIND,
            id,
            version,
        }),
        (
            texts(),
            texts(),
            prop::collection::vec((ids(), versions()), 0..3)
        )
            .prop_map(|(lookup, value, objects)| Observation::Found {
                kind: KIND,
                lookup,
                value,
                objects,
            }),
        ids().prop_map(|handle| Observation::Kept { handle }),
        (ids(), any::<bool>()).prop_map(|(handle, found)| Observation::Opened { handle, found }),
    ]
}

fn read_back<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let text = serde_json::to_vec(value).expect("JSON");
    serde_json::from_slice(&text).expect("what was written can be read")
}

proptest! {
    #[test]
    fn a_record_is_read_back_as_it_was_written(
        input in inputs(),
        observations in prop::collection::vec(observations(), 0..4),
        events in prop::collection::vec(events(), 0..6),
    ) {
        let state: Execution = fold(&events);
        prop_assert_eq!(&read_back(&state), &state);
        let record = Record { input, observations, events };
        prop_assert_eq!(&read_back(&record), &record);
    }
}
