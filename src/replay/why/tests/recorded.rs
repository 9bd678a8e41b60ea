//! Short lists of events, as the journal has them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::flow::client::Client;
use crate::flow::event::Event;
use crate::flow::input::{Input, Request};
use crate::flow::model::InvalidResponseAction;
use crate::flow::plan::{Pinned, Plan, PlannedStage};
use crate::journal::Version;
use crate::replay::Entry;
use crate::replay::why::tests::golden;
use crate::replay::why::{Way, Why, why};
use crate::world::Record;

pub(super) const USER: Uuid = Uuid::from_u128(0xa11ce);
pub(super) const DEVICE: Uuid = Uuid::from_u128(0xde);
pub(super) const EFFECT: Uuid = Uuid::from_u128(0xef);

/// An execution as it was recorded.
pub(super) struct Recorded {
    entries: Vec<Entry>,
    at: Timestamp,
    number: u64,
}

pub(super) fn pinned(id: u128) -> Pinned {
    Pinned {
        id: Uuid::from_u128(id),
        version: 1,
    }
}

/// A stage of this kind.
pub(super) fn stage(kind: &str) -> PlannedStage {
    let id = kind
        .bytes()
        .fold(1, |sum: u128, byte| sum * 31 + u128::from(byte));
    PlannedStage {
        binding: pinned(id + 1),
        stage: pinned(id),
        kind: kind.to_owned(),
        name: format!("my-{kind}").replace('_', "-"),
        re_evaluate: false,
        on_invalid: InvalidResponseAction::Retry,
        settings: None,
        appended: false,
    }
}

pub(super) fn entered(kind: &str) -> Event {
    let stage = stage(kind);
    Event::StageEntered {
        binding: stage.binding.id,
        stage: stage.name,
    }
}

pub(super) fn passed(kind: &str) -> Event {
    let stage = stage(kind);
    Event::StageCompleted {
        binding: stage.binding.id,
        stage: stage.name,
    }
}

/// What the API calls an event.
pub(super) fn event(json: Value) -> Event {
    serde_json::from_value(json).expect("an event")
}

impl Recorded {
    /// Begins a flow with stages of these kinds, and comes to the first.
    pub(super) fn of(kinds: &[&str]) -> Self {
        let mut own = Self {
            entries: Vec::new(),
            at: "2026-01-01T00:00:00Z".parse().expect("a moment"),
            number: 0,
        };
        let client = client();
        let plan: Plan = kinds.iter().map(|it| stage(it)).collect();
        let started = Event::Started {
            execution: Uuid::from_u128(7),
            flow: pinned(1),
            slug: "login".to_owned(),
            session: Uuid::from_u128(2),
            client,
            query: String::new(),
        };
        own.record(begin(), None, vec![started, Event::Planned { plan }]);
        own
    }

    fn record(&mut self, request: Request, body: Option<Value>, events: Vec<Event>) {
        let input = Input {
            at: self.at,
            client: client(),
            query: String::new(),
            request,
            body,
        };
        self.entries.push(Entry {
            version: Version(self.entries.len() as u64 + 1),
            at: self.at,
            correlation: Uuid::nil(),
            record: Record {
                input,
                observations: Vec::new(),
                events,
            },
        });
        self.at += SignedDuration::from_secs(5);
    }

    /// The visitor loads the page, and this happens.
    pub(super) fn sees(mut self, events: Vec<Event>) -> Self {
        self.record(Request::Visit, None, events);
        self
    }

    /// The visitor comes to the stage, which asks.
    pub(super) fn is_asked_by(mut self, kind: &str) -> Self {
        let asked = self.asked();
        self.record(Request::Visit, None, vec![entered(kind), asked]);
        self
    }

    pub(super) fn asked(&mut self) -> Event {
        self.number += 1;
        Event::ChallengeIssued {
            number: self.number,
            component: "ak-stage".to_owned(),
            fields: json!({}),
        }
    }

    /// The visitor answers with this field, and this happens.
    pub(super) fn answers(mut self, field: &str, mut events: Vec<Event>) -> Self {
        let received = Event::ResponseReceived {
            number: self.number,
            fields: vec![field.to_owned()],
        };
        events.insert(0, received);
        let body = json!({ field: "‹secret›" });
        self.record(Request::Answer { challenge: None }, Some(body), events);
        self
    }

    /// An answer comes that is to nothing, and this happens.
    pub(super) fn answers_late(mut self, events: Vec<Event>) -> Self {
        self.record(Request::Answer { challenge: None }, None, events);
        self
    }

    /// An answer is judged that waited.
    pub(super) fn takes_up(mut self, mut events: Vec<Event>) -> Self {
        events.insert(0, Event::Resumed { effect: EFFECT });
        self.record(Request::Visit, None, events);
        self
    }

    /// Something comes from outside.
    pub(super) fn hears(mut self, events: Vec<Event>) -> Self {
        self.record(Request::Visit, None, events);
        self
    }

    pub(super) fn why(&self) -> Why {
        why(&self.entries, None).expect("it began")
    }

    #[track_caller]
    pub(super) fn is(&self, way: Way) {
        golden(way, &self.why());
    }
}

fn client() -> Client {
    Client {
        address: "192.0.2.7".parse().expect("an address"),
        ..Client::nobody()
    }
}

fn begin() -> Request {
    Request::Begin {
        execution: Uuid::from_u128(7),
        session: Uuid::from_u128(2),
        flow: Uuid::from_u128(1),
        context: crate::flow::Context::default(),
        dead_link: None,
        link_until: None,
    }
}

/// Somebody typed a name, and it is a user's.
pub(super) fn known() -> Vec<Event> {
    vec![
        Event::UserIdentified {
            user: Some(USER),
            active: true,
        },
        event(json!({
            "event": "context_changed", "key": "pending_user", "by": "my-identification",
            "value": {"is": "user", "value": USER},
        })),
    ]
}

pub(super) fn denied(kind: &str, message: &str) -> Event {
    event(json!({
        "event": "denied", "message": message,
        "check": {"check": "stage", "stage": stage(kind).name},
    }))
}
