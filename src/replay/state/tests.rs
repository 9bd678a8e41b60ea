//! The state of an execution after each event.

use serde_json::json;
use uuid::Uuid;

use super::How::{Ahead, Flow, Here, Passed, Skipped};
use super::*;
use crate::flow::event::error;
use crate::flow::input::{Input, Request};
use crate::flow::plan::{Plan, PlannedStage};
use crate::flow::verdict::When;
use crate::replay::mask::MASK;
use crate::world::Record;

const DENIED: &str = include_str!("../../../tests/golden/step/denied.jsonl");
const COMPLETED: &str = include_str!("../../../tests/golden/step/completed.jsonl");

fn recorded(lines: &str) -> Vec<Entry> {
    let lines = lines.lines().map(serde_json::from_str);
    lines.map(|it| it.expect("a record")).collect()
}

fn entry(version: u64, events: Vec<Event>) -> Entry {
    let at = Timestamp::from_second(1_800_000_000).expect("a moment");
    Entry {
        version: Version(version),
        at,
        correlation: Uuid::from_u128(9),
        record: Record {
            input: Input {
                at,
                client: Client::nobody(),
                query: String::new(),
                request: Request::Visit,
                body: None,
            },
            observations: Vec::new(),
            events,
        },
    }
}

fn begun() -> Vec<Event> {
    let pinned = Pinned {
        id: Uuid::from_u128(1),
        version: 1,
    };
    let stage = |id: u128, name: &str| PlannedStage {
        binding: Pinned {
            id: Uuid::from_u128(id),
            version: 1,
        },
        stage: pinned,
        kind: "dummy".to_owned(),
        name: name.to_owned(),
        ..PlannedStage::nowhere()
    };
    vec![
        Event::Started {
            execution: Uuid::from_u128(2),
            flow: pinned,
            slug: "orders".to_owned(),
            session: Uuid::from_u128(3),
            client: Client::nobody(),
            query: String::new(),
        },
        Event::Planned {
            plan: Plan::from_iter([stage(11, "one"), stage(12, "two"), stage(13, "three")]),
        },
        Event::StageEntered {
            binding: Uuid::from_u128(11),
            stage: "one".to_owned(),
        },
        Event::ChallengeIssued {
            number: 1,
            component: "ak-stage-dummy".to_owned(),
            fields: json!({ "name": "one", "token": "shown to nobody" }),
        },
    ]
}

fn wrote(key: &str, value: context::Value) -> Event {
    Event::ContextChanged {
        key: key.to_owned(),
        value: Some(value),
        by: "one".to_owned(),
    }
}

fn at(entries: &[Entry], version: u64, event: usize) -> State {
    state(entries, Some(Version(version)), Some(event)).expect("there is such a place")
}

fn names(state: &State) -> Vec<(&str, How)> {
    state.way.iter().map(|it| (&*it.name, it.how)).collect()
}

#[test]
fn every_place_can_be_asked_for_and_no_other() {
    for entries in [recorded(DENIED), recorded(COMPLETED)] {
        for known in states(&entries) {
            let Place { version, event } = known.place;
            assert_eq!(at(&entries, version.0, event), known);
        }
        let last = states(&entries).pop().expect("something happened");
        assert_eq!(state(&entries, None, None).as_ref(), Some(&last));
        let Place { version, event } = last.place;
        assert_eq!(state(&entries, Some(version), Some(event + 1)), None);
        assert_eq!(state(&entries, Some(version.next()), None), None);
        assert_eq!(state(&entries, Some(Version::NONE), None), None);
        // Before the first event of a record it is as it was after the last of the one before.
        let earlier = at(&entries, 2, 0);
        assert!(earlier.changes.is_empty() && earlier.event.is_none());
        let before = state(&entries, Some(Version(1)), None).expect("it began");
        assert_eq!(earlier.way, before.way);
    }
    assert_eq!(state(&[], None, None), None);
}

#[test]
fn the_changes_of_all_events_add_up_to_the_state() {
    for entries in [recorded(DENIED), recorded(COMPLETED)] {
        let mut facts = changes::Facts::new();
        for state in states(&entries) {
            for Change { what, was, is } in state.changes {
                assert_eq!(facts.get(&what), was.as_ref(), "{what}");
                match is {
                    Some(is) => facts.insert(what, is),
                    None => facts.remove(&what),
                };
            }
        }
        let (_, execution) = crate::replay::fold(&entries);
        assert_eq!(facts, changes::facts(&execution));
    }
}

#[test]
fn secrets_are_masked_and_people_are_references() {
    let user = Uuid::from_u128(7);
    let handle = Uuid::from_u128(0xdead_beef);
    let mut events = begun();
    events.push(wrote("pending_user", context::Value::User(user)));
    events.push(wrote("seed", context::Value::Secret(handle)));
    events.push(wrote("api_key", context::Value::text("hush")));
    events.push(wrote(
        "mixed",
        context::Value::Map([("a".to_owned(), context::Value::Secret(handle))].into()),
    ));
    let state = state(&[entry(1, events)], None, None).expect("a state");
    let whole = json!(state).to_string();
    for hidden in ["hush", "shown to nobody", &handle.to_string()] {
        assert!(!whole.contains(hidden), "{hidden} is shown: {whole}");
    }
    let known = |key: &str| {
        let found = state.context.iter().find(|it| it.key == key);
        found.map(|it| it.value.clone()).expect("it is known")
    };
    assert_eq!(
        known("pending_user"),
        json!({ "is": "user", "value": user })
    );
    assert_eq!(known("seed"), json!({ "is": "secret", "value": MASK }));
    assert_eq!(known("api_key"), json!({ "is": "json", "value": MASK }));
    let shown = state.shown.expect("something is asked");
    assert_eq!(shown.fields, json!({ "name": "one", "token": MASK }));
    let author = state.context[0].by.as_deref();
    assert_eq!(author, Some("one"));
}

#[test]
fn a_refused_answer_is_shown_until_the_next_one() {
    let received = Event::ResponseReceived {
        number: 1,
        fields: vec![],
    };
    let errors = [("name".to_owned(), vec![error("Too short.", "invalid")])];
    let rejected = Event::ResponseRejected {
        errors: errors.into(),
    };
    let entries = [
        entry(1, begun()),
        entry(2, vec![received.clone(), rejected]),
        entry(3, vec![received]),
    ];
    let errors = |state: State| state.shown.and_then(|it| it.errors);
    assert_eq!(errors(at(&entries, 1, 4)), None);
    assert_eq!(errors(at(&entries, 2, 1)), None);
    let refused = at(&entries, 2, 2);
    assert_eq!(refused.way[1].refused, 1);
    let body = refused.shown.as_ref().map(Shown::body);
    let said = body.map(|it| it["response_errors"]["name"][0]["string"].clone());
    assert_eq!(said, Some("Too short.".into()));
    assert_eq!(errors(at(&entries, 3, 1)), None);
}

#[test]
fn the_way_has_what_was_passed_left_out_and_is_ahead() {
    let passed = |binding: u128, stage: &str| Event::StageCompleted {
        binding: Uuid::from_u128(binding),
        stage: stage.to_owned(),
    };
    let skipped = Event::StageSkipped {
        binding: Uuid::from_u128(12),
        stage: "two".to_owned(),
        when: When::Run,
    };
    let entries = [
        entry(1, begun()),
        entry(2, vec![passed(11, "one"), skipped]),
        entry(3, vec![Event::Restarted { keep_context: true }]),
        entry(4, vec![Event::Expired]),
    ];
    let start = at(&entries, 1, 4);
    assert_eq!(
        names(&start),
        [
            ("orders", Flow),
            ("one", Here),
            ("two", Ahead),
            ("three", Ahead)
        ]
    );
    let later = at(&entries, 2, 2);
    assert_eq!(
        names(&later),
        [
            ("orders", Flow),
            ("one", Passed),
            ("two", Skipped),
            ("three", Ahead)
        ]
    );
    let place = |version, event| {
        let version = Version(version);
        Some(Place { version, event })
    };
    assert_eq!(
        (later.way[1].from, later.way[1].to),
        (place(1, 3), place(2, 1))
    );
    let again = at(&entries, 3, 1);
    let last = again.way.last().expect("it began again");
    assert_eq!((last.how, last.to), (Flow, place(3, 1)));
    assert_eq!(at(&entries, 4, 1).state, "expired");
}

#[test]
fn a_stage_that_is_left_out_says_which_policy_it_was() {
    let entries = recorded(DENIED);
    let state = state(&entries, None, None).expect("a state");
    let terms = state.way.iter().find(|it| it.name == "terms");
    let terms = terms.expect("it is on the way");
    assert_eq!(terms.how, How::Skipped);
    assert!(
        terms.reasons.iter().any(|it| it.contains("outside office")),
        "{:?}",
        terms.reasons
    );
    assert!(!terms.reasons.iter().any(|it| it.contains("weekend")));
    let closed = state.way.last().expect("a last one");
    assert_eq!((closed.how, &*closed.name), (How::Denied, "closed"));
    assert!(closed.reasons.iter().any(|it| it.contains("weekend")));
    assert_eq!(
        state.shown.expect("a page").component,
        "ak-stage-access-denied"
    );
}
