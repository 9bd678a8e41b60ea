//! Somebody is erased, with a crash at every commit of it: afterwards they are named nowhere.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::*;
use crate::courier::outbox::{self, Mail, State};
use crate::directory::change::Author;
use crate::directory::command::{create_user, prepare};
use crate::directory::password::Pool;
use crate::directory::reputation::Rules;
use crate::directory::{AuditEvent, Group, Invitation, NewUser, Reputation, Session};
use crate::execution::{Limits, Outside};
use crate::journal::faulty::{Fault, Faulty};
use crate::journal::memory::MemoryJournal;
use crate::journal::{Commit, Durability, Position, StreamId};
use crate::replay;
use crate::world::record::KIND;

const NAMES: [&str; 3] = ["ann-the-canary", "ann@canary.example", "ann canary-smith"];

/// An installation in which Ann is known, and named in many places.
struct Scene {
    journal: MemoryJournal,
    clock: Clock,
    ann: Uuid,
    /// Hers; nobody's, with her address; nobody's, in her browser; Bob's, with her name.
    go: [Uuid; 4],
    /// Nobody's and Bob's, in which she is not.
    stay: [Uuid; 2],
    group: Uuid,
    bob: Uuid,
}

impl Scene {
    async fn new() -> Self {
        let clock = Clock::fixed("2026-01-01T00:00:00Z".parse().expect("a moment"));
        let journal = MemoryJournal::new(clock.clone());
        prepare(&journal, &clock).await.expect("an installation");
        let mut new = NewUser::named(NAMES[0]);
        new.email = NAMES[1].to_uppercase();
        new.name = NAMES[2].to_owned();
        let ann = create_user(&journal, &clock, new)
            .await
            .expect("a user")
            .uuid;
        let bob = NewUser::named("bob");
        let bob = create_user(&journal, &clock, bob)
            .await
            .expect("a user")
            .uuid;
        let mut scene = Self {
            go: [(); 4].map(|()| clock.ordered_id()),
            stay: [(); 2].map(|()| clock.ordered_id()),
            group: Uuid::nil(),
            journal,
            clock,
            ann,
            bob,
        };
        let browser = scene.browser().await;
        let [hers, nobodys, in_her_browser, bobs] = scene.go;
        scene
            .execution(hers, Some(ann), json!({ "body": NAMES[0] }))
            .await;
        scene
            .execution(nobodys, None, json!({ "body": { "uid_field": NAMES[1] } }))
            .await;
        let begun = json!({ "request": { "session": browser }, "body": "a typing mistake" });
        scene.execution(in_her_browser, None, begun).await;
        let query = format!("next=%2F%3Fhint%3D{}", NAMES[1].replace('@', "%2540"));
        scene
            .execution(bobs, Some(bob), json!({ "query": query }))
            .await;
        scene
            .execution(scene.stay[0], None, json!({ "body": "carol" }))
            .await;
        scene
            .execution(scene.stay[1], Some(bob), json!({ "body": "bob" }))
            .await;
        scene.objects(bob).await;
        scene
    }

    async fn write(&self, writes: Vec<Write>) {
        let commit = Commit {
            writes,
            durability: Durability::Durable,
            fence: None,
            at: self.clock.now(),
            correlation: self.clock.ordered_id(),
        };
        self.journal.commit(commit).await.expect("it is written");
    }

    async fn execution(&self, id: Uuid, of: Option<Uuid>, input: Value) {
        self.record(id, of, json!({ "input": input })).await;
    }

    async fn record(&self, id: Uuid, of: Option<Uuid>, record: Value) {
        let writes = vec![
            Write::CreateKey {
                id: KeyId(id),
                under: of.map_or(KeyId::SYSTEM, KeyId),
            },
            Write::Append {
                stream: StreamId::new(KIND, id),
                expected: Version::NONE,
                key: KeyId(id),
                schema: 1,
                body: serde_json::to_vec(&record).expect("JSON"),
            },
        ];
        self.write(writes).await;
    }

    /// A browser in which Ann has logged in.
    async fn browser(&self) -> Uuid {
        let address = "192.0.2.77".parse().expect("an address");
        let (clock, now) = (&self.clock, self.clock.now());
        let day = Duration::from_hours(24);
        let mut session = Session::anonymous(clock, now, day, address, "a browser");
        self.write(vec![put(&session, Version::NONE)]).await;
        let (sid, csrf) = (clock.random_text(32), clock.random_text(32));
        session.log_in(self.ann, sid, csrf, now, None, day);
        self.write(vec![put(&session, Version(1))]).await;
        session.id
    }

    async fn objects(&mut self, bob: Uuid) {
        let (clock, now) = (&self.clock, self.clock.now());
        let address = "192.0.2.78".parse().expect("an address");
        let row = Reputation::new(clock, NAMES[1], address, now, Rules::default());
        let other = Reputation::new(clock, "carol", address, now, Rules::default());
        let mut invitation = Invitation::new(clock, "for-ann".parse().expect("a slug"));
        invitation
            .fixed_data
            .insert("email".to_owned(), NAMES[1].into());
        let mut group = Group::new(clock, "friends");
        group.attributes.insert("of".to_owned(), NAMES[0].into());
        let event = |key, about: Option<Uuid>, typed: &str| AuditEvent {
            pk: clock.ordered_id(),
            about,
            key,
            authenticated_as: None,
            concerns: None,
            user: serde_json::Map::new(),
            action: "login_failed".to_owned(),
            app: String::new(),
            context: serde_json::Map::from_iter([("typed".to_owned(), typed.into())]),
            client_ip: None,
            created: now,
            expires: None,
            brand: serde_json::Map::new(),
        };
        let mail = Mail {
            id: clock.ordered_id(),
            to_name: String::new(),
            to_address: NAMES[1].to_owned(),
            from: None,
            subject: String::new(),
            html: String::new(),
            text: String::new(),
            server: None,
            execution: None,
            created: now,
            until: now,
            attempts: 0,
            due: now,
            state: State::Waiting,
        };
        let mut writes = vec![
            put(&row, Version::NONE),
            put(&other, Version::NONE),
            put(&invitation, Version::NONE),
            put(&group, Version::NONE),
            put(&event(KeyId(bob), Some(bob), NAMES[1]), Version::NONE),
            put(&event(KeyId(self.go[1]), None, NAMES[1]), Version::NONE),
            put(
                &event(KeyId(self.ann), Some(self.ann), NAMES[0]),
                Version::NONE,
            ),
            put(&event(KeyId(bob), Some(bob), "bob"), Version::NONE),
        ];
        writes.extend(outbox::enqueue(&mail));
        self.write(writes).await;
        self.group = group.pk;
    }

    fn tools(&self, journal: Arc<dyn Journal>) -> Tools {
        let clock = self.clock.clone();
        let pool = Arc::new(Pool::no_op(clock.clone()));
        let executions = Executions::start(
            Arc::clone(&journal),
            clock.clone(),
            pool,
            Limits::default(),
            Outside::default(),
            1,
        );
        Tools {
            correlation: clock.ordered_id(),
            letters: None,
            author: Author::operator(),
            journal,
            clock,
            executions,
        }
    }

    /// Everything that can be read, with its kind.
    async fn readable(&self) -> Vec<(StreamId, String)> {
        let last = self.journal.last();
        let mut records = self.journal.follow(Position(0));
        let mut found = Vec::new();
        while let Some(record) = records.next().await {
            let (position, envelope) = record.expect("it opens");
            let body = envelope.body.unwrap_or_default();
            let body = String::from_utf8_lossy(&body).to_lowercase();
            found.push((envelope.stream, body.replace("%2540", "@")));
            if position == last {
                return found;
            }
        }
        found
    }

    async fn is_clean(&self, certificate: &Certificate) {
        for (stream, body) in self.readable().await {
            let is_named = NAMES.iter().any(|name| body.contains(name));
            assert!(!is_named || stream.id == self.group, "{stream}: {body}");
            assert!(!body.contains("192.0.2.77"), "{stream}: {body}");
        }
        self.journal.verify().expect("the chain is whole");
        assert_eq!(certificate.remains.len(), 1, "{certificate:?}");
        assert_eq!(certificate.remains[0].id, self.group);
        assert!(certificate.keys.still_there.is_empty());
        let gone: BTreeSet<Uuid> = certificate.keys.executions.iter().copied().collect();
        assert_eq!(gone, self.go.into());
        let events = object::all::<AuditEvent>(&self.journal)
            .await
            .expect("reads");
        assert_eq!(events.len(), 1, "only what tells of Bob");
        let rows = object::all::<Reputation>(&self.journal)
            .await
            .expect("reads");
        assert_eq!(rows.len(), 1, "only Carol's");
        for kind in [Mail::KIND, Invitation::KIND, Session::KIND, Sought::KIND] {
            let left = Journal::list(&self.journal, kind, None, 10).await;
            assert!(left.expect("reads").is_empty(), "{kind}");
        }
        let wrapper = self.journal.wrapper(Sought::key(self.ann)).await;
        assert!(wrapper.expect("reads").is_none());
        for id in self.stay {
            let stream = StreamId::new(KIND, id);
            let records = self.journal.read(stream, Version::NONE).await;
            assert!(
                records.expect("reads")[0].body.is_some(),
                "{id} went as well"
            );
        }
    }

    async fn why(&self, execution: Uuid) -> replay::Why {
        match replay::entries(&self.journal, execution).await {
            Err(replay::Error::Erased(gone)) => gone.why,
            other => panic!("{other:?}"),
        }
    }
}

async fn whole(tools: &Tools, user: Uuid) -> std::result::Result<Certificate, Error> {
    match erase(tools, user, true).await? {
        Some(certificate) => Ok(certificate),
        None => certify(tools, user, Chain::default(), &|_, _| None).await,
    }
}

#[actix::test]
async fn whoever_is_erased_is_named_nowhere_and_everything_else_is_as_it_was() {
    let scene = Scene::new().await;
    let tools = scene.tools(Arc::new(scene.journal.clone()));
    let preview = preview(&scene.journal, None, scene.ann, &mut Freely::default())
        .await
        .expect("it reads");
    let certificate = whole(&tools, scene.ann).await.expect("it is done");
    scene.is_clean(&certificate).await;
    let removed = certificate.removed;
    assert_eq!(
        (preview.others, preview.removed.executions_of_others),
        (1, 0)
    );
    assert_eq!(removed.executions_of_others, 1);
    assert_eq!(removed.executions_of_nobody, 2);
    assert_eq!(removed.events, 3, "one of them under their own key");
    assert_eq!(
        (preview.removed.objects, preview.removed.events),
        (removed.objects, removed.events)
    );
    assert_eq!(
        (
            preview.removed.executions,
            preview.removed.mails,
            preview.remains
        ),
        (removed.executions, removed.mails, 1),
        "{removed:?}"
    );
    for (execution, expected) in
        scene
            .go
            .into_iter()
            .zip([Why::Theirs, Why::OfNobody, Why::OfNobody, Why::OfOthers])
    {
        let replay::Why::Erased { user, because, .. } = scene.why(execution).await else {
            panic!("it says nothing of an erasure");
        };
        assert_eq!((user, because), (scene.ann, expected));
    }
    let again = whole(&tools, scene.ann).await.expect("it is shown again");
    assert_eq!(again, certificate);
    let words = text(&certificate);
    assert!(
        words.contains("1 theirs, 2 of nobody and 1 of others"),
        "{words}"
    );
    assert!(!NAMES.iter().any(|name| words.to_lowercase().contains(name)));
}

#[actix::test]
async fn a_crash_at_any_commit_leaves_what_the_same_command_finishes() {
    for fault in [Fault::Before, Fault::After] {
        let mut crashes = 0;
        loop {
            let scene = Scene::new().await;
            let journal = Faulty::over(Arc::new(scene.journal.clone()), None);
            let good = std::iter::repeat_n(Fault::None, crashes);
            journal.fail(good.chain([fault]));
            let broken = scene.tools(journal);
            let first = whole(&broken, scene.ann).await;
            let tools = scene.tools(Arc::new(scene.journal.clone()));
            let certificate = whole(&tools, scene.ann).await.expect("it is finished");
            scene.is_clean(&certificate).await;
            if first.is_ok() {
                break;
            }
            crashes += 1;
        }
        assert!(crashes >= 7, "only {crashes} commits were tried");
    }
}

#[actix::test]
async fn an_erasure_that_was_interrupted_is_found_by_the_name_until_it_is_finished() {
    let scene = Scene::new().await;
    let tools = scene.tools(Arc::new(scene.journal.clone()));
    erase(&tools, scene.ann, true)
        .await
        .expect("two steps of three");
    let found = named(&scene.journal, NAMES[0]).await;
    assert_eq!(found.expect("by the name"), scene.ann);
    assert_eq!(
        interrupted(&scene.journal).await.expect("reads"),
        [scene.ann]
    );
    whole(&tools, scene.ann).await.expect("it is finished");
    assert!(interrupted(&scene.journal).await.expect("reads").is_empty());
    let found = named(&scene.journal, NAMES[0]).await;
    assert!(matches!(found, Err(Error::Unknown(_))), "{found:?}");
    let by_id = named(&scene.journal, &scene.ann.to_string()).await;
    assert_eq!(by_id.expect("by the identifier"), scene.ann);
}

mod others;
