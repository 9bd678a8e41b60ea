//! When an event of one execution is like an event of another: what is drawn for each, and moments,
//! say nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::flow::Event;
use crate::replay::{Entry, mask};

/// Members of events that are other ones each time.
const VOLATILE: [&str; 7] = [
    "micros",
    "due",
    "until",
    "expires",
    "set",
    "transaction",
    "token",
];

/// What is drawn for one execution, by what it may be called in every one.
pub(super) struct Alike {
    began: Timestamp,
    drawn: BTreeMap<String, String>,
}

impl Alike {
    pub(super) fn of(began: Timestamp, entries: &[Entry]) -> Self {
        let mut own = Self {
            began,
            drawn: BTreeMap::new(),
        };
        for event in entries.iter().flat_map(|it| &it.record.events) {
            own.draws(event);
        }
        own
    }

    fn draws(&mut self, event: &Event) {
        match event {
            Event::Started {
                execution, session, ..
            } => {
                self.call(*execution, "the execution");
                self.call(*session, "the session");
            }
            Event::EffectRequested { effect, .. } => self.call(*effect, "effect"),
            Event::TimerSet { timer, .. } => self.call(*timer, "timer"),
            Event::LinkIssued { link, .. } => self.call(*link, "link"),
            Event::LinkConsumed { session, .. } => self.call(*session, "session"),
            Event::ContextChanged {
                value: Some(value), ..
            } => {
                let mut context = crate::flow::Context::default();
                context.set("", Some(value.clone()));
                for secret in context.secrets() {
                    self.call(secret, "secret");
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, id: Uuid, name: &str) {
        let of_it = self.drawn.values().filter(|it| it.starts_with(name));
        let number = of_it.count() + 1;
        let named = format!("{name} {number}");
        self.drawn.entry(id.to_string()).or_insert(named);
    }

    /// What can be compared of an event, as text.
    pub(super) fn event(&self, event: &Event) -> String {
        let mut shown = serde_json::to_value(mask::event(event)).unwrap_or_default();
        shown.sort_all_objects();
        self.strip(&mut shown);
        shown.to_string()
    }

    fn strip(&self, value: &mut Value) {
        match value {
            Value::Object(entries) => {
                entries.retain(|name, _| !VOLATILE.contains(&name.as_str()));
                entries.values_mut().for_each(|it| self.strip(it));
            }
            Value::Array(items) => items.iter_mut().for_each(|it| self.strip(it)),
            Value::String(text) => *text = self.text(text),
            _ => {}
        }
    }

    /// A text with what is drawn called by its name, and moments by how long after the beginning
    /// they are.
    pub(super) fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            if let Some(named) = rest.get(..36).and_then(|it| self.drawn.get(it)) {
                out.push_str(named);
                rest = &rest[36..];
            } else if let Some((after, length)) = self.moment(rest) {
                out.push_str(&after);
                rest = &rest[length..];
            } else {
                out.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
        out
    }

    /// The moment that a text begins with, and how long its own text is.
    fn moment(&self, text: &str) -> Option<(String, usize)> {
        const LONGEST: usize = 35;
        if !text.starts_with(|letter: char| letter.is_ascii_digit()) {
            return None;
        }
        let end = text.bytes().take(LONGEST).position(|byte| byte == b'Z')?;
        let moment: Timestamp = text.get(..=end)?.parse().ok()?;
        let after = moment.duration_since(self.began);
        Some((
            format!("{} s after the beginning", after.as_secs()),
            end + 1,
        ))
    }
}
