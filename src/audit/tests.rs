//! From records to events, over a journal in memory.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Auditor, Options};
use crate::clock::Clock;
use crate::directory::change::{self, Means};
use crate::directory::command::{creation, deletion, prepare};
use crate::directory::{AuditEvent, Author, NewUser, User, install};
use crate::flow::client::Client;
use crate::flow::context::{self, key};
use crate::flow::event::{Event, PasswordProblem};
use crate::flow::input::{Input, Request};
use crate::flow::model::InvalidResponseAction;
use crate::flow::plan::{Pinned, Plan, PlannedStage};
use crate::journal::faulty::Faulty;
use crate::journal::memory::MemoryJournal;
use crate::journal::object::{self, Versioned, put};
use crate::journal::{Commit, Durability, Journal, KeyId, Position, StreamId, Version, Write};
use crate::world::Record;
use crate::world::record::{KIND, SCHEMA};

struct World {
    journal: Arc<dyn Journal>,
    clock: Clock,
}

impl World {
    async fn new() -> Self {
        let clock = Clock::fixed("2026-01-02T03:04:05Z".parse().expect("a moment"));
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new(clock.clone()));
        prepare(&*journal, &clock).await.expect("prepared");
        Self { journal, clock }
    }

    async fn user(&self, name: &str) -> User {
        let new = NewUser {
            email: format!("{name}@example.org"),
            ..NewUser::named(name)
        };
        // By nobody who is noted, so that no event tells of it.
        let install = install(&*self.journal).await.expect("a read");
        let install = install.expect("it is prepared");
        let (user, writes) = creation(&install, &self.clock, new);
        self.commit(writes).await;
        user
    }

    async fn commit(&self, writes: Vec<Write>) {
        self.commit_as(writes, self.clock.ordered_id()).await;
    }

    async fn commit_as(&self, writes: Vec<Write>, correlation: Uuid) {
        let commit = Commit {
            writes,
            durability: Durability::Durable,
            fence: None,
            at: self.clock.now(),
            correlation,
        };
        self.journal.commit(commit).await.expect("it is written");
    }

    /// Writes an execution of one record for each list of events.
    async fn execution(&self, user: Option<&User>, records: Vec<Vec<Event>>) -> Uuid {
        let execution = self.clock.ordered_id();
        let under = user.map_or(KeyId::SYSTEM, |user| KeyId(user.uuid));
        let id = KeyId(execution);
        self.commit(vec![Write::CreateKey { id, under }]).await;
        for (version, events) in records.into_iter().enumerate() {
            let record = Record {
                input: Input {
                    at: self.clock.now(),
                    client: client(),
                    query: "next=%2Fhome&flow_token=abc".to_owned(),
                    request: Request::Answer { challenge: None },
                    body: None,
                },
                observations: Vec::new(),
                events,
            };
            let append = Write::Append {
                stream: StreamId::new(KIND, execution),
                expected: Version(version as u64),
                key: KeyId(execution),
                schema: SCHEMA,
                body: serde_json::to_vec(&record).expect("JSON"),
            };
            self.commit(vec![append]).await;
        }
        execution
    }

    fn auditor(&self) -> Auditor {
        let options = options();
        Auditor::start(Arc::clone(&self.journal), self.clock.clone(), &options)
    }

    async fn all(&self) -> Vec<AuditEvent> {
        let all: Vec<Versioned<AuditEvent>> =
            object::all(&*self.journal).await.expect("they can be read");
        all.into_iter().map(|it| it.value).collect()
    }

    /// Waits until there are so many events, and then a little, in case there are more.
    async fn events(&self, count: usize) -> Vec<AuditEvent> {
        for _ in 0..200 {
            if self.all().await.len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        self.all().await
    }
}

fn options() -> Options {
    Options {
        kept: Some(Duration::from_hours(24)),
        geoip: Arc::default(),
        sender: "login@example.org".to_owned(),
        failing: Gauge::default(),
        fence: None,
    }
}

fn client() -> Client {
    let address: IpAddr = "192.0.2.7".parse().expect("a literal");
    Client {
        address,
        user_agent: "Browser/1".to_owned(),
        host: "id.example".to_owned(),
        secure: true,
        ..Client::nobody()
    }
}

fn pinned() -> Pinned {
    Pinned {
        id: Uuid::from_u128(5),
        version: 1,
    }
}

fn begin() -> Vec<Event> {
    let stage = PlannedStage {
        binding: pinned(),
        stage: pinned(),
        kind: "password".to_owned(),
        name: "the password".to_owned(),
        re_evaluate: false,
        on_invalid: InvalidResponseAction::Retry,
        settings: None,
        appended: false,
    };
    vec![
        Event::Started {
            execution: Uuid::from_u128(1),
            flow: pinned(),
            slug: "login".to_owned(),
            session: Uuid::from_u128(2),
            client: client(),
            query: String::new(),
        },
        Event::Planned {
            plan: Plan::from_iter([stage]),
        },
    ]
}

fn failure(user: Option<Uuid>, typed: &str) -> Vec<Event> {
    vec![
        Event::PasswordRejected {
            user,
            reason: PasswordProblem::Wrong,
        },
        Event::ReputationChanged {
            identifier: typed.to_owned(),
            amount: -1,
        },
    ]
}

fn login(user: Uuid, clock: &Clock) -> Vec<Event> {
    let set = |key: &str, value| Event::ContextChanged {
        key: key.to_owned(),
        value: Some(value),
        by: "the password".to_owned(),
    };
    vec![
        set(key::PENDING_USER, context::Value::User(user)),
        set(key::AUTH_METHOD, context::Value::text("password")),
        Event::SessionStarted {
            session: Uuid::from_u128(2),
            user,
            expires: clock.now(),
            persistent: false,
            terminated: Vec::new(),
            replaced: None,
            device: None,
        },
    ]
}

#[tokio::test]
async fn logins_and_failures_become_events_with_their_context() {
    let world = World::new().await;
    let jane = world.user("jane").await;
    let records = vec![
        begin(),
        failure(Some(jane.uuid), "jane"),
        login(jane.uuid, &world.clock),
    ];
    world.execution(Some(&jane), records).await;
    let auditor = world.auditor();
    let events = world.events(2).await;
    auditor.stop().await;
    assert_eq!(events.len(), 2, "{events:#?}");
    let (failed, login) = (&events[0], &events[1]);
    assert_eq!(failed.action, "login_failed");
    assert_eq!(failed.context["username"], "jane");
    assert_eq!(failed.context["password"], "*".repeat(20));
    assert_eq!(
        failed.context["stage"],
        json!({
            "app": "authentik_stages_password", "model_name": "passwordstage",
            "pk": Uuid::from_u128(5).simple().to_string(), "name": "the password",
        })
    );
    assert_eq!(login.action, "login");
    assert_eq!(login.context["auth_method"], "password");
    let request = &login.context["http_request"];
    assert_eq!(request["path"], "/api/v3/flows/executor/login/");
    assert_eq!(request["method"], "POST");
    let args = json!({ "next": "/home", "flow_token": "*".repeat(20) });
    assert_eq!(request["args"], args);
    let expected = json!({ "pk": jane.pk, "username": "jane", "email": "jane@example.org" });
    assert_eq!(Value::Object(login.user.clone()), expected);
    assert_eq!(login.client_ip, Some(client().address));
    assert_eq!(login.about, Some(jane.uuid));
    assert_eq!(login.created, world.clock.now());
    assert_eq!(
        login.expires,
        Some(world.clock.now() + Duration::from_hours(24))
    );
}

#[tokio::test]
async fn an_event_is_written_once_however_often_it_is_begun() {
    let world = World::new().await;
    let jane = world.user("jane").await;
    let records = vec![begin(), login(jane.uuid, &world.clock)];
    world.execution(Some(&jane), records.clone()).await;
    for _ in 0..3 {
        let auditor = world.auditor();
        assert_eq!(world.events(1).await.len(), 1);
        auditor.stop().await;
    }
    let auditor = world.auditor();
    world.execution(Some(&jane), records).await;
    assert_eq!(world.events(2).await.len(), 2);
    auditor.stop().await;
}

#[tokio::test]
async fn events_fall_with_the_account_and_none_comes_afterwards() {
    let world = World::new().await;
    let (jane, joe) = (world.user("jane").await, world.user("joe").await);
    for user in [&jane, &joe] {
        let records = vec![begin(), login(user.uuid, &world.clock)];
        world.execution(Some(user), records).await;
    }
    let auditor = world.auditor();
    assert_eq!(world.events(2).await.len(), 2);
    let found = object::get(&*world.journal, jane.uuid).await;
    let found: Versioned<User> = found.expect("it reads").expect("she is there");
    let writes = deletion(&*world.journal, &found, &[]);
    world.commit(writes.await.expect("writes")).await;
    let events = world.events(2).await;
    auditor.stop().await;
    let told: Vec<&str> = events.iter().map(|it| it.action.as_str()).collect();
    assert_eq!(told, ["login", "model_deleted"]);
    assert_eq!(events[0].about, Some(joe.uuid));
    let text = serde_json::to_string(&events).expect("JSON");
    assert!(!text.contains("jane"), "{text}");
}

#[tokio::test]
async fn a_stranger_is_told_of_by_what_they_typed() {
    let world = World::new().await;
    let records = vec![begin(), failure(None, "nobody-here")];
    let execution = world.execution(None, records).await;
    let auditor = world.auditor();
    let events = world.events(1).await;
    auditor.stop().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].key, KeyId(execution));
    assert_eq!(events[0].user["username"], "nobody-here");
    assert_eq!(events[0].user["pk"], Value::Null);
    assert_eq!(events[0].user["authenticated_as"]["is_anonymous"], true);
}

#[tokio::test]
async fn a_change_names_its_author_and_only_numbers_other_people() {
    let world = World::new().await;
    let (jane, joe) = (world.user("jane").await, world.user("joe").await);
    let author = Author {
        user: Some(jane.uuid),
        address: Some(client().address),
        request: Some("PATCH /api/v3/core/users/2/".to_owned()),
        ..Author::by(Means::Api)
    };
    let mut changed = joe.clone();
    changed.set_password("another".into(), world.clock.now() + Duration::from_secs(1));
    let mut writes = vec![put(&changed, Version(1))];
    let correlation = world.clock.ordered_id();
    change::note(&mut writes, &author, correlation);
    world.commit_as(writes, correlation).await;
    let auditor = world.auditor();
    let events = world.events(2).await;
    auditor.stop().await;
    let told: Vec<&str> = events.iter().map(|it| it.action.as_str()).collect();
    assert_eq!(told, ["password_set", "model_updated"]);
    let updated = &events[1];
    assert_eq!(updated.user["username"], "jane");
    assert_eq!(updated.about, Some(jane.uuid));
    assert_eq!(updated.concerns, Some(joe.uuid));
    assert_eq!(
        updated.context["model"],
        json!({ "app": "authentik_core", "model_name": "user", "pk": joe.pk, "name": "" })
    );
    assert_eq!(
        updated.context["http_request"]["path"],
        "/api/v3/core/users/2/"
    );
}

#[tokio::test]
async fn what_has_expired_is_removed() {
    let world = World::new().await;
    let jane = world.user("jane").await;
    let records = vec![begin(), login(jane.uuid, &world.clock)];
    world.execution(Some(&jane), records).await;
    let auditor = world.auditor();
    assert_eq!(world.events(1).await.len(), 1);
    auditor.stop().await;
    world.clock.advance(Duration::from_hours(23));
    let removed = super::expire::remove(&*world.journal, &world.clock, None).await;
    assert_eq!(removed.expect("it reads"), 0);
    world.clock.advance(Duration::from_hours(2));
    let removed = super::expire::remove(&*world.journal, &world.clock, None).await;
    assert_eq!(removed.expect("it writes"), 1);
    assert!(world.all().await.is_empty());
}

#[tokio::test]
async fn what_lies_before_a_damaged_record_is_told_and_the_rest_once_it_can_be_read() {
    let mut world = World::new().await;
    let jane = world.user("jane").await;
    let records = vec![begin(), failure(Some(jane.uuid), "jane")];
    world.execution(Some(&jane), records).await;
    let journal = Faulty::over(Arc::clone(&world.journal), None);
    world.journal = journal.clone();
    journal.tear(Some(Position(journal.last().0 + 1)));
    let records = vec![begin(), login(jane.uuid, &world.clock)];
    world.execution(Some(&jane), records).await;
    let options = options();
    let auditor = Auditor::start(journal.clone(), world.clock.clone(), &options);
    let told = world.events(1).await;
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0].action, "login_failed");
    assert_eq!(options.failing.get(), 1);
    journal.tear(None);
    while world.all().await.len() < 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    auditor.stop().await;
    let told = world.all().await;
    assert_eq!(told.len(), 2, "{told:#?}");
    assert_eq!(options.failing.get(), 0);
}
