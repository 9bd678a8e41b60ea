//! Random commits, against a model that is a few maps.

use std::collections::BTreeMap;

use gatelog::journal::{Error, StreamId, Version, Write};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{LAMP, RUN, Subject, append, delete, in_room, lamp, named, put, run};

/// What the journal has to show.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    /// The bodies of each stream's records.
    streams: BTreeMap<StreamId, Vec<Option<Vec<u8>>>>,
    /// Name and room of each object.
    objects: BTreeMap<StreamId, (String, String)>,
    counters: BTreeMap<String, i64>,
}

#[derive(Clone, Debug)]
enum Step {
    Append {
        id: u128,
        skew: i8,
    },
    Put {
        id: u128,
        skew: i8,
        name: u8,
        room: u8,
    },
    Delete {
        id: u128,
        skew: i8,
    },
    Add {
        counter: u8,
        delta: i8,
    },
}

#[derive(Debug, PartialEq)]
enum Refusal {
    Conflict(StreamId),
    Taken,
}

fn step() -> impl Strategy<Value = Step> {
    // Mostly the right version, so that most commits succeed.
    let skew = prop_oneof![12 => Just(0_i8), 1 => -1..=1_i8];
    prop_oneof![
        (0..3_u128, skew.clone()).prop_map(|(id, skew)| Step::Append { id, skew }),
        (0..4_u128, skew.clone(), 0..5_u8, 0..2_u8).prop_map(|(id, skew, name, room)| Step::Put {
            id,
            skew,
            name,
            room
        }),
        (0..4_u128, skew).prop_map(|(id, skew)| Step::Delete { id, skew }),
        (0..2_u8, any::<i8>()).prop_map(|(counter, delta)| Step::Add { counter, delta }),
    ]
}

impl Model {
    fn version(&self, stream: StreamId) -> u64 {
        self.streams.get(&stream).map_or(0, |all| all.len() as u64)
    }

    /// The writes of the steps, and the model after them if they are allowed.
    fn after(&self, steps: &[Step]) -> (Vec<Write>, Result<Self, Refusal>) {
        let mut model = self.clone();
        let mut refusal = None;
        let mut writes = Vec::new();
        for (number, step) in steps.iter().enumerate() {
            let (stream, skew) = match step {
                Step::Append { id, skew } => (run(*id), *skew),
                Step::Put { id, skew, .. } | Step::Delete { id, skew } => (lamp(*id), *skew),
                Step::Add { counter, delta } => {
                    writes.push(model.add(&format!("counter {counter}"), i64::from(*delta)));
                    continue;
                }
            };
            let actual = model.version(stream);
            let expected = actual.saturating_add_signed(i64::from(skew));
            if expected != actual {
                refusal.get_or_insert(Refusal::Conflict(stream));
            }
            let (write, body) = match step {
                Step::Put { name, room, .. } => {
                    let (name, room) = (format!("name {name}"), format!("room {room}"));
                    let body = format!("{name} in {room}");
                    let write = put(stream, expected, &name, &room);
                    model.objects.insert(stream, (name, room));
                    (write, Some(body))
                }
                Step::Delete { .. } => {
                    model.objects.remove(&stream);
                    (delete(stream, expected), None)
                }
                _ => {
                    let body = format!("event {number}");
                    (append(stream, expected, &body), Some(body))
                }
            };
            let body = body.map(String::into_bytes);
            model.streams.entry(stream).or_default().push(body);
            writes.push(write);
        }
        (writes, refusal.map_or(Ok(model), Err))
    }

    fn add(&mut self, counter: &str, delta: i64) -> Write {
        let value = self.counters.entry(counter.into()).or_default();
        *value = (*value + delta).clamp(-100, 100);
        Write::Add {
            counter: counter.into(),
            delta,
            min: -100,
            max: 100,
            expires: None,
        }
    }

    /// Whether two objects have the same name. A commit in whose middle that is so may be
    /// refused too, so the steps of one commit touch each object once.
    fn has_clash(&self) -> bool {
        let mut names: Vec<&String> = self.objects.values().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| pair[0] == pair[1])
    }

    async fn compare(&self, subject: &Subject) {
        let journal = &subject.journal;
        for (stream, bodies) in &self.streams {
            let read = journal.read(*stream, Version::NONE).await;
            let read = read.expect("the journal can be read");
            let read: Vec<_> = read.into_iter().map(|envelope| envelope.body).collect();
            assert_eq!(&read, bodies, "{stream}");
        }
        for kind in [LAMP, RUN] {
            let listed = journal.streams(kind, None, usize::MAX).await;
            let expected: Vec<StreamId> = self.streams.keys().rev().copied().collect();
            let expected = expected.into_iter().filter(|stream| stream.kind == kind);
            assert_eq!(
                listed.expect("the journal can be read"),
                expected.collect::<Vec<_>>()
            );
        }
        let listed = journal.list(LAMP, None, usize::MAX).await;
        let listed: Vec<_> = listed
            .expect("the journal can be read")
            .into_iter()
            .map(|object| (object.stream, object.version, object.body.to_vec()))
            .collect();
        let expected: Vec<_> = self
            .objects
            .iter()
            .map(|(stream, (name, room))| {
                let body = format!("{name} in {room}").into_bytes();
                (*stream, Version(self.version(*stream)), body)
            })
            .collect();
        assert_eq!(listed, expected);
        self.compare_lookups(subject).await;
        for (counter, value) in &self.counters {
            let stands = journal
                .counter(counter.as_bytes(), Timestamp::UNIX_EPOCH)
                .await;
            assert_eq!(stands.expect("the journal can be read"), *value);
        }
    }

    async fn compare_lookups(&self, subject: &Subject) {
        let objects = &self.objects;
        for name in (0..5).map(|name| format!("name {name}")) {
            let holder = objects.values().find(|object| object.0 == name);
            let expected = holder.map(|(name, room)| format!("{name} in {room}").into_bytes());
            assert_eq!(subject.found(named(&name)).await, expected, "{name}");
        }
        for room in (0..2).map(|room| format!("room {room}")) {
            let expected: Vec<Vec<u8>> = objects
                .values()
                .filter(|object| object.1 == room)
                .map(|(name, room)| format!("{name} in {room}").into_bytes())
                .collect();
            assert_eq!(
                subject.bodies_under(in_room(&room)).await,
                expected,
                "{room}"
            );
        }
    }
}

/// Leaves out steps on objects that the commit has touched already.
fn one_step_per_object(steps: Vec<Step>) -> Vec<Step> {
    let mut touched = Vec::new();
    let mut kept = Vec::new();
    for step in steps {
        if let Step::Put { id, .. } | Step::Delete { id, .. } = &step {
            if touched.contains(id) {
                continue;
            }
            touched.push(*id);
        }
        kept.push(step);
    }
    kept
}

async fn compare_all(subject: Subject, commits: Vec<Vec<Step>>) {
    let mut model = Model::default();
    for steps in commits {
        let (writes, after) = model.after(&one_step_per_object(steps));
        let after = after.and_then(|after| {
            if after.has_clash() {
                Err(Refusal::Taken)
            } else {
                Ok(after)
            }
        });
        let refusal = match subject.commit(writes).await {
            Ok(_) => None,
            Err(Error::Conflict { stream, .. }) => Some(Refusal::Conflict(stream)),
            Err(Error::Taken { .. }) => Some(Refusal::Taken),
            Err(other) => panic!("{other}"),
        };
        match after {
            Ok(after) => {
                assert_eq!(refusal, None);
                model = after;
            }
            Err(expected) => assert_eq!(refusal, Some(expected)),
        }
        model.compare(&subject).await;
    }
}

/// Runs the whole comparison over many random histories.
pub(in super::super) fn random_commits_do_what_a_simple_model_does(
    subject: fn() -> Option<Subject>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    let config = Config {
        cases: 48,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&vec(vec(step(), 1..6), 1..12), |commits| {
            if let Some(subject) = subject() {
                runtime.block_on(compare_all(subject, commits));
            }
            Ok(())
        })
        .expect("the journal does what the model does");
}
