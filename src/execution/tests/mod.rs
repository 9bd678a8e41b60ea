//! Executions over a journal in memory, with a clock that stands still.
//!
//! Every test ends with [`Bench::check`]: folding gives the live state, and running the
//! recorded inputs again gives the same events.

mod attacks;
mod comparing;
mod consenting;
mod conversation;
mod crashes;
mod deleting;
mod entering;
mod factors;
mod faults;
mod handed_over;
mod inviting;
mod laws;
mod links;
mod login;
mod redirections;
mod reputation;
mod secrets;
mod security_keys;
mod supposing;
mod waiting;
mod why;
mod writing;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Error, Executions, Limits, Outside, Presence, Reply, Request};
use crate::catalog::{Flow, FlowStageBinding, Stage};
use crate::clock::Clock;
use crate::courier::template::Templates;
use crate::directory::command::prepare;
use crate::directory::password::pool::Pool;
use crate::directory::{Keeping, NewUser, Session, User, create_user, set_password};
use crate::flow::Context;
use crate::flow::client::Client;
use crate::flow::model::Designation;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Commit, Durability, Journal, Version, Write, memory::MemoryJournal};
use crate::replay::{self, Verified};
use crate::stage::Kind;
use crate::traces::Parent;
use crate::world::record::KIND;

/// A server without HTTP.
pub(super) struct Bench {
    pub(super) clock: Clock,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) executions: Executions,
    limits: Limits,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(Limits::default())
    }

    pub(super) fn with(limits: Limits) -> Self {
        let clock = Clock::fixed("2026-01-01T00:00:00Z".parse().expect("a moment"));
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new(clock.clone()));
        let executions = start(&journal, &clock, &limits);
        Self {
            clock,
            journal,
            executions,
            limits,
        }
    }

    /// A server over a journal that is there already.
    pub(super) fn over(journal: Arc<dyn Journal>, clock: Clock) -> Self {
        let limits = Limits::default();
        let executions = start(&journal, &clock, &limits);
        Self {
            clock,
            journal,
            executions,
            limits,
        }
    }

    /// The same server once more.
    pub(super) fn twin(&self) -> Self {
        Self {
            clock: self.clock.clone(),
            journal: Arc::clone(&self.journal),
            executions: self.executions.clone(),
            limits: self.limits.clone(),
        }
    }

    /// The same journal under new actors, as after a restart.
    pub(super) fn restart(&mut self) {
        self.executions = start(&self.journal, &self.clock, &self.limits);
    }

    /// Every record of every execution, as text.
    pub(super) async fn trail(&self) -> String {
        let streams = self.journal.streams(KIND, None, usize::MAX).await;
        let mut text = String::new();
        for stream in streams.expect("streams") {
            let records = self.journal.read(stream, Version::NONE).await;
            for record in records.expect("records") {
                let body = record.body.unwrap_or_default();
                text.push_str(&String::from_utf8(body).expect("JSON is text"));
            }
        }
        text
    }

    pub(super) async fn write(&self, writes: Vec<Write>) {
        let commit = Commit {
            writes,
            durability: Durability::Durable,
            fence: None,
            at: self.clock.now(),
            correlation: Uuid::nil(),
        };
        self.journal.commit(commit).await.expect("a commit");
    }

    /// A flow whose stages come in the given order.
    pub(super) async fn flow(&self, slug: &str, stages: &[(Kind, Value)]) -> Flow {
        let slug = slug.parse().expect("a slug");
        let flow = Flow::new(&self.clock, slug, "Welcome", Designation::Authentication);
        let mut writes = vec![object::put(&flow, Version::NONE)];
        for (order, (kind, settings)) in stages.iter().enumerate() {
            let settings = settings.as_object().cloned().unwrap_or_default();
            let settings = kind.validate(&settings).expect("valid settings");
            let name = format!("{}-{order}", flow.slug);
            let stage = Stage::new(&self.clock, kind.name(), &name, settings);
            let order = i32::try_from(order).expect("few stages");
            let binding = FlowStageBinding::new(&self.clock, flow.pk, stage.pk, order);
            writes.extend([
                object::put(&stage, Version::NONE),
                object::put(&binding, Version::NONE),
            ]);
        }
        self.write(writes).await;
        flow
    }

    pub(super) async fn user(&self, name: &str, password: &str) -> User {
        prepare(self.journal.as_ref(), &self.clock)
            .await
            .expect("an installation");
        let user = NewUser::named(name);
        let user = create_user(self.journal.as_ref(), &self.clock, user)
            .await
            .expect("a user");
        let encoded = crate::directory::password::hash(&password.into(), &self.clock);
        set_password(
            self.journal.as_ref(),
            &self.clock,
            user.uuid,
            encoded,
            Keeping::default(),
        )
        .await
        .expect("a password")
    }

    pub(super) async fn stored<T: Stored>(&self, id: Uuid) -> Option<Versioned<T>> {
        object::get(self.journal.as_ref(), id)
            .await
            .expect("a read")
    }

    pub(super) fn visitor(&self, slug: &str) -> Visitor<'_> {
        Visitor {
            bench: self,
            slug: slug.to_owned(),
            query: String::new(),
            session: None,
            last: None,
        }
    }

    /// Folding gives the live state, and the second run gives the events of the first.
    pub(super) async fn check(&self) {
        let checked = self.check_if_any().await;
        assert!(checked > 0, "nothing was executed");
    }

    /// The same, where nothing may have been executed; how many executions there were.
    pub(super) async fn check_if_any(&self) -> usize {
        let streams = self.journal.streams(KIND, None, usize::MAX).await;
        let streams = streams.expect("streams");
        for stream in &streams {
            let entries = match replay::entries(self.journal.as_ref(), stream.id).await {
                // Nothing is left to compare of somebody who was deleted.
                Err(replay::Error::Erased(_)) => continue,
                entries => entries.expect("entries"),
            };
            let folded = replay::fold(&entries);
            if let Some(live) = self
                .executions
                .snapshot(stream.id)
                .await
                .expect("a snapshot")
            {
                assert_eq!(live, folded, "folding {stream} gives another state");
            }
            let verified = replay::verify(&self.journal, None, stream.id)
                .await
                .expect("a replay");
            assert!(
                matches!(verified, Verified::Same { .. }),
                "{stream}: {verified:#?}"
            );
        }
        streams.len()
    }
}

fn start(journal: &Arc<dyn Journal>, clock: &Clock, limits: &Limits) -> Executions {
    let pool = Arc::new(Pool::no_op(clock.clone()));
    let (journal, clock) = (Arc::clone(journal), clock.clone());
    let outside = Outside {
        letters: Some(Arc::new(Templates::load(None).expect("templates"))),
        public_url: Some("https://id.example".to_owned()),
        ..Outside::default()
    };
    Executions::start(journal, clock, pool, limits.clone(), outside, 2)
}

/// A browser that keeps its session.
pub(super) struct Visitor<'a> {
    pub(super) bench: &'a Bench,
    slug: String,
    query: String,
    pub(super) session: Option<Uuid>,
    pub(super) last: Option<Reply>,
}

impl Visitor<'_> {
    /// The same browser in another tab.
    pub(super) fn tab(&self, slug: &str, query: &str) -> Self {
        let (slug, query) = (slug.to_owned(), query.to_owned());
        Self {
            bench: self.bench,
            slug,
            query,
            session: self.session,
            last: None,
        }
    }

    pub(super) fn with_query(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }

    pub(super) fn request(&self) -> Request {
        Request {
            session: self.session,
            sid: None,
            slug: self.slug.clone(),
            query: self.query.clone(),
            client: Client {
                address: Ipv4Addr::LOCALHOST.into(),
                user_agent: "test".to_owned(),
                host: "id.example".to_owned(),
                secure: true,
                language: None,
                outpost: None,
                device: None,
                mfa: None,
            },
            challenge: None,
            received: self.bench.clock.monotonic(),
            correlation: Uuid::nil(),
            trace: Parent::default(),
            presence: Presence::default(),
        }
    }

    pub(super) async fn opens(&mut self) -> &mut Self {
        let reply = self
            .bench
            .executions
            .visit(self.request())
            .await
            .expect("a reply");
        self.keep(reply)
    }

    pub(super) async fn answers(&mut self, body: Value) -> &mut Self {
        let reply = self
            .bench
            .executions
            .answer(self.request(), body)
            .await
            .expect("a reply");
        self.keep(reply)
    }

    /// Comes to the flow with what is known already.
    pub(super) async fn begins_with(&mut self, known: Value) -> &mut Self {
        let known = known.as_object().cloned().expect("an object");
        self.begins_in(Context::of_json(known)).await
    }

    /// The same, where what is known is more than plain data.
    pub(super) async fn begins_in(&mut self, context: Context) -> &mut Self {
        if self.session.is_none() {
            self.opens().await;
        }
        // The later execution has the greater id.
        self.bench.clock.advance(Duration::from_millis(1));
        let begun = self.bench.executions.begin_anew(self.request(), context);
        begun.await.expect("it begins");
        self
    }

    #[track_caller]
    pub(super) fn is_denied(&self, message: &str) -> &Self {
        self.sees("ak-stage-access-denied")
            .shows("error_message", message)
    }

    /// Answers, and does not mind when that fails.
    pub(super) async fn tries(&mut self, body: Value) -> Result<(), Error> {
        let reply = self.bench.executions.answer(self.request(), body).await?;
        self.keep(reply);
        Ok(())
    }

    pub(super) async fn tries_to_open(&mut self) -> Result<(), Error> {
        let reply = self.bench.executions.visit(self.request()).await?;
        self.keep(reply);
        Ok(())
    }

    pub(super) fn keep(&mut self, reply: Reply) -> &mut Self {
        // Whoever only opened a link has got none.
        let made = Some(reply.session).filter(|session| !session.is_nil());
        self.session = made.or(self.session);
        self.last = Some(reply);
        self
    }

    pub(super) fn body(&self) -> &Map<String, Value> {
        let reply = self.last.as_ref().expect("a request was made");
        reply.body.as_object().expect("an object")
    }

    #[track_caller]
    pub(super) fn sees(&self, component: &str) -> &Self {
        assert_eq!(self.body()["component"], component, "{:#?}", self.body());
        self
    }

    #[track_caller]
    pub(super) fn shows(&self, field: &str, value: impl Into<Value>) -> &Self {
        assert_eq!(self.body()[field], value.into());
        self
    }

    #[track_caller]
    pub(super) fn with_error(&self, field: &str, code: &str) -> &Self {
        let errors = &self.body()["response_errors"][field];
        assert_eq!(errors[0]["code"], code, "{:#?}", self.body());
        self
    }

    #[track_caller]
    pub(super) fn without_errors(&self) -> &Self {
        assert_eq!(self.body().get("response_errors"), None);
        self
    }

    #[track_caller]
    pub(super) fn is_sent_to(&self, to: &str) -> &Self {
        self.sees("xak-flow-redirect").shows("to", to)
    }

    pub(super) async fn session_object(&self) -> Versioned<Session> {
        let id = self.session.expect("a session");
        self.bench.stored(id).await.expect("the session is stored")
    }
}

/// The settings of the usual stages of a login.
pub(super) fn login_stages() -> Vec<(Kind, Value)> {
    vec![
        (
            Kind::Identification,
            json!({"user_fields": ["username", "email"]}),
        ),
        (
            Kind::Password,
            json!({"backends": ["authentik.core.auth.InbuiltBackend"]}),
        ),
        (Kind::UserLogin, json!({})),
    ]
}
