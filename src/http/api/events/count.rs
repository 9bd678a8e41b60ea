//! Events counted. Only computes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::directory::AuditEvent;

/// The length of a bucket, in seconds.
const BUCKET: i64 = 6 * 3600;

/// How many events of each action there were, in buckets of six hours.
#[derive(Default)]
pub(super) struct Volume(BTreeMap<(Timestamp, String), u64>);

impl Volume {
    pub(super) fn take(&mut self, event: &AuditEvent) {
        let second = event.created.as_second();
        let start = second - second.rem_euclid(BUCKET);
        let start = Timestamp::from_second(start).unwrap_or(event.created);
        *self.0.entry((start, event.action.clone())).or_default() += 1;
    }

    pub(super) fn told(self) -> Value {
        let buckets = self.0.into_iter();
        buckets
            .map(
                |((time, action), count)| json!({ "action": action, "time": time, "count": count }),
            )
            .collect()
    }
}

/// How many users events are about, and how many events there were in the last so and so long.
pub(super) struct Stats {
    now: Timestamp,
    users: BTreeSet<i64>,
    steps: Vec<(String, Timestamp, u64)>,
}

impl Stats {
    pub(super) fn new(now: Timestamp, steps: Vec<(String, Duration)>) -> Self {
        let steps = steps.into_iter().map(|(name, long)| {
            let long = SignedDuration::try_from(long).unwrap_or(SignedDuration::MAX);
            let since = now.checked_sub(long).unwrap_or(Timestamp::MIN);
            (name, since, 0)
        });
        Self {
            now,
            users: BTreeSet::new(),
            steps: steps.collect(),
        }
    }

    pub(super) fn take(&mut self, event: &AuditEvent) {
        self.users
            .extend(event.user.get("pk").and_then(Value::as_i64));
        for (_, since, count) in &mut self.steps {
            *count += u64::from((*since..=self.now).contains(&event.created));
        }
    }

    pub(super) fn told(self) -> Value {
        let steps = self.steps.into_iter();
        let steps: Map<String, Value> =
            steps.map(|(name, _, count)| (name, count.into())).collect();
        json!({ "unique_users": self.users.len(), "count_step": steps })
    }
}

/// The applications that most events tell of, and how many users those are about.
#[derive(Default)]
pub(super) struct Top(BTreeMap<String, (Value, u64, BTreeSet<i64>)>);

impl Top {
    pub(super) fn take(&mut self, event: &AuditEvent) {
        let Some(application) = event.context.get("authorized_application") else {
            return;
        };
        let entry = self.0.entry(application.to_string());
        let (_, count, users) = entry.or_insert((application.clone(), 0, BTreeSet::new()));
        *count += 1;
        users.extend(event.user.get("pk").and_then(Value::as_i64));
    }

    pub(super) fn told(self, most: usize) -> Value {
        let mut all: Vec<_> = self.0.into_values().collect();
        all.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
        let first = all.into_iter().take(most);
        first
            .map(|(application, count, users)| {
                json!({
                    "application": application,
                    "counted_events": count,
                    "unique_users": users.len(),
                })
            })
            .collect()
    }
}
