//! A world that answers at once, so that a bench measures the code that asks.
//!
//! Its objects come from a journal in memory the first time, and from a map ever after.

use std::collections::HashMap;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use gatelog::catalog::{Flow, FlowStageBinding, Stage};
use gatelog::clock::Clock;
use gatelog::directory::{NewUser, User};
use gatelog::expression::Workers;
use gatelog::flow::client::Client;
use gatelog::flow::input::{Input, Request};
use gatelog::flow::model::Designation;
use gatelog::flow::{Command, Context, Execution, decide, evolve};
use gatelog::geoip::Place;
use gatelog::journal::memory::MemoryJournal;
use gatelog::journal::object::{self, Versioned};
use gatelog::journal::{
    Commit, Durability, Journal, Key, KeyId, Kind, Object, Objects, Result, StreamId, Version,
    Write,
};
use gatelog::stage;
use gatelog::world::{
    Call, Change, Error, Evaluated, Fresh, Letter, Look, NewLink, PasswordAnswer, Record, Weighed,
    Work, World,
};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

/// The password of the one user there is.
const PASSWORD: &str = "correct horse";

/// Nanoseconds that one call of `work` takes, measured for a second, or less when in a hurry.
pub(crate) fn nanoseconds(clock: &Clock, mut work: impl FnMut()) -> f64 {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let time = Duration::from_millis(if quick { 100 } else { 1000 });
    work();
    let start = clock.monotonic();
    let mut calls = 0_u32;
    loop {
        for _ in 0..16 {
            work();
        }
        calls += 16;
        let took = clock.monotonic().duration_since(start);
        if took >= time {
            return took.as_secs_f64() * 1e9 / f64::from(calls);
        }
    }
}

/// Writes a record and reads it back: the least that keeping it costs.
pub(crate) fn round_trip(record: &Record) {
    let text = serde_json::to_vec(record).expect("JSON");
    let read: Record = serde_json::from_slice(&text).expect("what was written can be read");
    black_box(read);
}

/// The stages of a login, the flow and a user, in a journal in memory.
pub(crate) async fn furnish(clock: &Clock) -> (MemoryJournal, Uuid) {
    let journal = MemoryJournal::new(clock.clone());
    let slug = "login".parse().expect("a slug");
    let flow = Flow::new(clock, slug, "Welcome", Designation::Authentication);
    let mut user = NewUser::named("alice").into_user(1, clock);
    user.password = PASSWORD.into();
    let mut writes = vec![
        Write::CreateKey {
            id: KeyId(user.uuid),
            under: KeyId::SYSTEM,
        },
        object::put(&flow, Version::NONE),
        object::put(&user, Version::NONE),
    ];
    let stages = [
        (
            "identification",
            json!({"user_fields": ["username", "email"]}),
        ),
        (
            "password",
            json!({"backends": ["authentik.core.auth.InbuiltBackend"]}),
        ),
        ("user_login", json!({})),
    ];
    for ((kind, settings), order) in stages.into_iter().zip(0..) {
        let kind = stage::Kind::from_name(kind).expect("a kind");
        let settings = settings.as_object().cloned().unwrap_or_default();
        let settings = kind.validate(&settings).expect("valid settings");
        let stage = Stage::new(clock, kind.name(), kind.name(), settings);
        let binding = FlowStageBinding::new(clock, flow.pk, stage.pk, order);
        writes.push(object::put(&stage, Version::NONE));
        writes.push(object::put(&binding, Version::NONE));
    }
    let commit = Commit {
        writes,
        durability: Durability::Relaxed,
        fence: None,
        at: clock.now(),
        correlation: Uuid::nil(),
    };
    journal.commit(commit).await.expect("a commit");
    (journal, flow.pk)
}

/// A step of a login: what it is called, and what is asked with which answer.
pub(crate) type Step = (&'static str, Request, Option<Value>);

/// The steps of a login with one wrong password.
pub(crate) fn steps(flow: Uuid) -> Vec<Step> {
    let begin = Request::Begin {
        context: Context::default(),
        execution: Uuid::from_u128(1),
        session: Uuid::from_u128(2),
        flow,
        dead_link: None,
        link_until: None,
    };
    let answer = || Request::Answer { challenge: None };
    vec![
        ("begin", begin, None),
        ("look", Request::Visit, None),
        ("name", answer(), Some(json!({"uid_field": "alice"}))),
        (
            "wrong password",
            answer(),
            Some(json!({"password": "wrong"})),
        ),
        (
            "right password",
            answer(),
            Some(json!({"password": PASSWORD})),
        ),
    ]
}

/// The input of a step.
pub(crate) fn input(at: Timestamp, request: Request) -> Input {
    Input {
        at,
        client: Client {
            address: Ipv4Addr::LOCALHOST.into(),
            user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101".to_owned(),
            host: "id.example".to_owned(),
            secure: true,
            language: Some("en".to_owned()),
            outpost: None,
            device: None,
            mfa: None,
        },
        query: "next=%2Fhome".to_owned(),
        request,
        body: None,
    }
}

/// The commands that a login comes to in the core, carried out; the events that there were.
pub(crate) fn core(commands: &[Command]) -> usize {
    let mut state = Execution::default();
    let mut count = 0;
    for command in commands {
        for event in decide(&state, command.clone()).expect("a login") {
            state = evolve(state, &event);
            count += 1;
        }
    }
    let context = state.latest().map(|running| &running.context);
    black_box(context.map(Context::iter).map(Iterator::count));
    count
}

/// The world.
pub(crate) struct Shelf {
    now: Timestamp,
    objects: Remembered,
    /// What runs expressions, where something does.
    pub(crate) workers: Option<Workers>,
}

struct Remembered {
    journal: MemoryJournal,
    answers: Mutex<HashMap<String, Vec<Object>>>,
}

impl Shelf {
    pub(crate) fn new(journal: MemoryJournal, now: Timestamp) -> Self {
        let answers = Mutex::default();
        Self {
            now,
            objects: Remembered { journal, answers },
            workers: None,
        }
    }
}

impl Remembered {
    fn known(&self, question: &str) -> Option<Vec<Object>> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(question).cloned()
    }

    fn keep(&self, question: String, answer: Vec<Object>) -> Vec<Object> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(question, answer.clone());
        answer
    }
}

fn lookup(kind: Kind, key: &Key) -> String {
    format!("{kind} {} {:?}", key.name, key.value)
}

#[async_trait]
impl Objects for Remembered {
    async fn get(&self, stream: StreamId) -> Result<Option<Object>> {
        let question = stream.to_string();
        if let Some(mut known) = self.known(&question) {
            return Ok(known.pop());
        }
        let found = Journal::get(&self.journal, stream).await?;
        Ok(self.keep(question, found.into_iter().collect()).pop())
    }

    async fn get_at(&self, stream: StreamId, version: Version) -> Result<Option<Object>> {
        let question = format!("{stream}@{version}");
        if let Some(mut known) = self.known(&question) {
            return Ok(known.pop());
        }
        let found = Journal::get_at(&self.journal, stream, version).await?;
        Ok(self.keep(question, found.into_iter().collect()).pop())
    }

    async fn find(&self, kind: Kind, key: Key) -> Result<Option<Object>> {
        let question = lookup(kind, &key);
        if let Some(mut known) = self.known(&question) {
            return Ok(known.pop());
        }
        let found = Journal::find(&self.journal, kind, key).await?;
        Ok(self.keep(question, found.into_iter().collect()).pop())
    }

    async fn scan(
        &self,
        kind: Kind,
        key: Key,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Object>> {
        let question = lookup(kind, &key);
        if let Some(known) = self.known(&question) {
            return Ok(known);
        }
        let found = Journal::scan(&self.journal, kind, key, after, limit).await?;
        Ok(self.keep(question, found))
    }

    async fn list(&self, kind: Kind, after: Option<Uuid>, limit: usize) -> Result<Vec<Object>> {
        let question = kind.to_string();
        if let Some(known) = self.known(&question) {
            return Ok(known);
        }
        let found = Journal::list(&self.journal, kind, after, limit).await?;
        Ok(self.keep(question, found))
    }
}

#[async_trait(?Send)]
impl World for Shelf {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn objects(&self) -> &dyn Objects {
        &self.objects
    }

    async fn verify_password(
        &self,
        user: &Versioned<User>,
        password: &SecretString,
    ) -> std::result::Result<PasswordAnswer, Error> {
        let stored = user.value.password.expose_secret();
        Ok(if stored == password.expose_secret() {
            PasswordAnswer::Accepted
        } else {
            PasswordAnswer::Rejected
        })
    }

    async fn burn_password(&self) -> std::result::Result<(), Error> {
        Ok(())
    }

    fn is_secret(
        &self,
        _typed: &SecretString,
        _secret: &SecretString,
    ) -> std::result::Result<bool, Error> {
        Ok(false)
    }

    fn keep(&self, _secret: SecretString) -> std::result::Result<Uuid, Error> {
        Ok(Uuid::nil())
    }

    async fn open(&self, _handle: Uuid) -> std::result::Result<Option<SecretString>, Error> {
        Ok(None)
    }

    fn generate(&self, _what: Fresh) -> std::result::Result<SecretString, Error> {
        Ok(SecretString::default())
    }

    fn draw(&self) -> std::result::Result<Uuid, Error> {
        Ok(Uuid::nil())
    }

    async fn hash_password(
        &self,
        password: &SecretString,
    ) -> std::result::Result<SecretString, Error> {
        Ok(password.clone())
    }

    fn link(&self, _: NewLink) -> std::result::Result<Uuid, Error> {
        Ok(Uuid::nil())
    }

    async fn post(
        &self,
        _: Letter,
    ) -> std::result::Result<std::result::Result<Uuid, String>, Error> {
        Ok(Ok(Uuid::nil()))
    }

    fn request(&self, _: Call) -> std::result::Result<Uuid, Error> {
        Ok(Uuid::nil())
    }

    fn written(&self, _: Uuid) -> Option<Versioned<User>> {
        None
    }

    fn change(&self, change: Change) {
        black_box(change);
    }

    async fn evaluate<'w>(
        &'w self,
        _policy: Uuid,
        _deadline: Duration,
        work: Work<'w>,
    ) -> std::result::Result<Evaluated, Error> {
        let interrupted = work.await.err();
        Ok(Evaluated {
            micros: 0,
            interrupted,
        })
    }

    fn expressions(&self) -> Option<&Workers> {
        self.workers.as_ref()
    }

    async fn counter(&self, _name: &str) -> std::result::Result<i64, Error> {
        Ok(0)
    }

    async fn reputation(
        &self,
        _address: Option<IpAddr>,
        _identifier: Option<&str>,
    ) -> std::result::Result<i64, Error> {
        Ok(0)
    }

    fn place(&self, _address: IpAddr) -> std::result::Result<Place, Error> {
        Ok(Place::default())
    }

    async fn breaches(
        &self,
        _password: &SecretString,
    ) -> std::result::Result<std::result::Result<u64, String>, Error> {
        Ok(Ok(0))
    }

    async fn weigh(
        &self,
        _secret: &SecretString,
        _look: Look,
    ) -> std::result::Result<Weighed, Error> {
        Ok(Weighed::default())
    }

    async fn fits(
        &self,
        _of: Uuid,
        _encoded: &SecretString,
        _password: &SecretString,
    ) -> std::result::Result<bool, Error> {
        Ok(false)
    }
}
