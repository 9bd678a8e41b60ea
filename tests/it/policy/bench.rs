//! A server without HTTP, whose expressions run in real worker processes, and whose journal is in
//! memory and its clock stands still. For tests of what policies see and do.
//!
//! Every test ends with [`Bench::check`]: running the recorded inputs again gives the same events.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gatelog::catalog::{Flow, FlowStageBinding, Policy, PolicyBinding, Stage};
use gatelog::clock::Clock;
use gatelog::directory::command::prepare;
use gatelog::directory::password::{self, pool::Pool};
use gatelog::directory::{Group, NewUser, Session, User, create_user};
use gatelog::execution::{Executions, Limits, Outside, Presence, Reply, Request};
use gatelog::expression::{Limits as Bounds, Options, Workers};
use gatelog::flow::Context;
use gatelog::flow::client::Client;
use gatelog::flow::event::Event;
use gatelog::flow::model::Designation;
use gatelog::flow::verdict::{PolicyEvaluated, PolicyFailed};
use gatelog::geoip::Geoip;
use gatelog::journal::object::{self, Stored, Versioned};
use gatelog::journal::{Commit, Durability, Journal, Version, Write, memory::MemoryJournal};
use gatelog::policy;
use gatelog::replay::{self, Verified};
use gatelog::stage;
use gatelog::traces::Parent;
use gatelog::world::record::KIND;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The server.
pub(crate) struct Bench {
    pub(crate) clock: Clock,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) executions: Executions,
    workers: Workers,
}

/// A flow and the places of its stages, in order.
pub(crate) struct Laid {
    pub(crate) flow: Flow,
    pub(crate) bindings: Vec<FlowStageBinding>,
    pub(crate) stages: Vec<Stage>,
}

/// What a policy came to when it was asked last.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    /// It answered.
    Answered(PolicyEvaluated),
    /// It failed.
    Failed(PolicyFailed),
}

impl Bench {
    /// A server with an installation and nothing else.
    pub(crate) async fn new() -> Self {
        Self::with(Geoip::default()).await
    }

    /// A server that knows where addresses are.
    pub(crate) async fn with(geoip: Geoip) -> Self {
        let geoip = Arc::new(geoip);
        Self::within(Outside {
            geoip,
            ..Outside::default()
        })
        .await
    }

    /// A server that asks all this; its expressions run in workers of its own.
    pub(crate) async fn within(outside: Outside) -> Self {
        Self::of(outside, Pool::no_op).await
    }

    /// A server that replaces the encodings of passwords by better ones.
    pub(crate) async fn that_hashes() -> Self {
        let pool = |clock| Pool::new(1, 8, 0, clock).expect("a thread");
        Self::of(Outside::default(), pool).await
    }

    async fn of(outside: Outside, pool: impl FnOnce(Clock) -> Pool) -> Self {
        let clock = Clock::fixed("2026-01-01T00:00:00Z".parse().expect("a moment"));
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new(clock.clone()));
        let options = Options {
            // Wall clock time, and the machine may be busy.
            limits: Bounds {
                time: Duration::from_secs(20),
                ..Bounds::default()
            },
            ..Options::of_program(PathBuf::from(env!("CARGO_BIN_EXE_gatelog")))
        };
        let workers = Workers::start(options, clock.clone()).expect("the thread starts");
        let outside = Outside {
            workers: Some(workers.clone()),
            ..outside
        };
        let pool = Arc::new(pool(clock.clone()));
        let limits = Limits::default();
        let executions = Executions::start(
            Arc::clone(&journal),
            clock.clone(),
            pool,
            limits,
            outside,
            1,
        );
        prepare(journal.as_ref(), &clock)
            .await
            .expect("an installation");
        Self {
            clock,
            journal,
            executions,
            workers,
        }
    }

    /// Writes objects.
    pub(crate) async fn write(&self, writes: Vec<Write>) {
        let commit = Commit {
            writes,
            durability: Durability::Durable,
            fence: None,
            at: self.clock.now(),
            correlation: Uuid::nil(),
        };
        self.journal.commit(commit).await.expect("a commit");
    }

    /// Writes a new object.
    pub(crate) async fn put<T: Stored>(&self, value: &T) {
        self.write(vec![object::put(value, Version::NONE)]).await;
    }

    /// An object as it is now.
    pub(crate) async fn stored<T: Stored>(&self, id: Uuid) -> Versioned<T> {
        let found = object::get(self.journal.as_ref(), id).await;
        found.expect("a read").expect("it is stored")
    }

    /// A flow whose stages come in the given order; their names are the slug and their place.
    pub(crate) async fn flow(&self, slug: &str, stages: &[(&str, Value)]) -> Laid {
        let parsed = slug.parse().expect("a slug");
        let flow = Flow::new(&self.clock, parsed, "Welcome", Designation::Authentication);
        let mut writes = vec![object::put(&flow, Version::NONE)];
        let mut laid = Laid {
            flow,
            bindings: Vec::new(),
            stages: Vec::new(),
        };
        for (order, (kind, settings)) in stages.iter().enumerate() {
            let stage = self.made(kind, &format!("{slug}-{order}"), settings);
            let order = i32::try_from(order).expect("few stages");
            let binding = FlowStageBinding::new(&self.clock, laid.flow.pk, stage.pk, order);
            writes.extend([
                object::put(&stage, Version::NONE),
                object::put(&binding, Version::NONE),
            ]);
            laid.bindings.push(binding);
            laid.stages.push(stage);
        }
        self.write(writes).await;
        laid
    }

    /// A flow of two stages that ask for nothing but an answer.
    pub(crate) async fn dummies(&self, slug: &str) -> Laid {
        self.flow(slug, &[("dummy", json!({})), ("dummy", json!({}))])
            .await
    }

    fn made(&self, kind: &str, name: &str, settings: &Value) -> Stage {
        let settings = settings.as_object().cloned().unwrap_or_default();
        let kind = stage::Kind::from_name(kind).expect("a kind of stage");
        let settings = kind.validate(&settings).expect("valid settings");
        Stage::new(&self.clock, kind.name(), name, settings)
    }

    /// A stage that is in no flow.
    pub(crate) async fn stage(&self, kind: &str, name: &str, settings: Value) -> Stage {
        let stage = self.made(kind, name, &settings);
        self.put(&stage).await;
        stage
    }

    /// A policy that is bound to nothing.
    pub(crate) async fn policy(&self, kind: &str, name: &str, settings: Value) -> Policy {
        let settings = settings.as_object().cloned().unwrap_or_default();
        let kind = policy::Kind::from_name(kind).expect("a kind of policy");
        let settings = kind.validate(&settings).expect("valid settings");
        let policy = Policy::new(&self.clock, kind.name(), name, settings);
        self.put(&policy).await;
        policy
    }

    /// An expression policy that is bound to nothing.
    pub(crate) async fn expression(&self, name: &str, source: &str) -> Policy {
        let settings = json!({ "expression": source });
        self.policy("expression", name, settings).await
    }

    /// Binds a policy to what has this identifier (`pbm`), after all that is bound to it.
    pub(crate) async fn bind(&self, target: Uuid, policy: &Policy) -> PolicyBinding {
        self.bind_with(target, policy, |_| ()).await
    }

    /// The same, with other fields of the binding.
    pub(crate) async fn bind_with(
        &self,
        target: Uuid,
        policy: &Policy,
        with: impl FnOnce(&mut PolicyBinding),
    ) -> PolicyBinding {
        let others = gatelog::catalog::conditions_of(self.journal.as_ref(), target).await;
        let order = i32::try_from(others.expect("a read").len()).expect("few bindings");
        let mut binding = PolicyBinding::new(&self.clock, target, order);
        binding.policy = Some(policy.pk);
        with(&mut binding);
        self.put(&binding).await;
        binding
    }

    /// A group.
    pub(crate) async fn group(&self, name: &str, attributes: Value) -> Group {
        let mut group = Group::new(&self.clock, name);
        group.attributes = attributes.as_object().cloned().unwrap_or_default();
        self.put(&group).await;
        group
    }

    /// A user whose password is `password`.
    pub(crate) async fn user(&self, name: &str, with: impl FnOnce(&mut NewUser)) -> User {
        let mut user = NewUser::named(name);
        user.password = Some(password::hash(&"password".into(), &self.clock));
        with(&mut user);
        let created = create_user(self.journal.as_ref(), &self.clock, user).await;
        created.expect("a user")
    }

    /// A browser at a flow.
    pub(crate) fn visitor(&self, slug: &str) -> Visitor<'_> {
        Visitor {
            bench: self,
            slug: slug.to_owned(),
            query: String::new(),
            address: Ipv4Addr::LOCALHOST.into(),
            session: None,
            last: None,
        }
    }

    /// Asks an expression about the first stage of a new flow of two dummy stages, on behalf of
    /// `user` or of nobody. `slug` names the flow and the policy.
    pub(crate) async fn asks(&self, slug: &str, source: &str, user: Option<&User>) -> Told {
        let laid = self.dummies(slug).await;
        let policy = self.expression(slug, source).await;
        self.bind(laid.bindings[0].pbm, &policy).await;
        let mut visitor = self.visitor(slug);
        if let Some(user) = user {
            visitor.logs_in(user).await;
        }
        visitor.opens().await;
        self.told(slug).await
    }

    /// What the expression prints, which must pass, when it is asked as [`Bench::asks`] does.
    pub(crate) async fn prints(&self, slug: &str, source: &str, user: Option<&User>) -> String {
        self.asks(slug, source, user).await.printed()
    }

    /// What became of the policy of this name when it was asked last, in any execution.
    pub(crate) async fn told(&self, policy: &str) -> Told {
        let told = |event: Event| match event {
            Event::PolicyEvaluated(told) if told.name == policy => Some(Told::Answered(told)),
            Event::PolicyFailed(told) if told.name == policy => Some(Told::Failed(told)),
            _ => None,
        };
        let events = self.events().await;
        let told = events.into_iter().rev().find_map(told);
        told.expect("the policy was asked")
    }

    /// The events of all executions, those of the oldest first.
    pub(crate) async fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for id in self.ids().await {
            let entries = replay::entries(self.journal.as_ref(), id).await;
            events.extend(
                replay::events(&entries.expect("entries"))
                    .into_iter()
                    .cloned(),
            );
        }
        events
    }

    /// The events that policies asked for: name and details.
    pub(crate) async fn custom_events(&self) -> Vec<(String, Value)> {
        let events = self.events().await.into_iter();
        let custom = events.filter_map(|event| match event {
            Event::CustomEvent {
                action, details, ..
            } => Some((action, details)),
            _ => None,
        });
        custom.collect()
    }

    /// All executions, the oldest first.
    pub(crate) async fn ids(&self) -> Vec<Uuid> {
        let streams = self.journal.streams(KIND, None, usize::MAX).await;
        let ids = streams.expect("streams").into_iter().map(|it| it.id);
        let mut ids: Vec<_> = ids.collect();
        ids.sort();
        ids
    }

    /// Folding gives the live state, and running everything again gives the same events.
    pub(crate) async fn check(&self) {
        let ids = self.ids().await;
        assert!(!ids.is_empty(), "nothing was executed");
        for id in ids {
            if let Some(live) = self.executions.snapshot(id).await.expect("a snapshot") {
                let compared = replay::compare(self.journal.as_ref(), id, live).await;
                assert_eq!(compared.expect("entries"), replay::Compared::Equal);
            }
            let verified = replay::verify(&self.journal, Some(&self.workers), id).await;
            let verified = verified.expect("a replay");
            assert!(matches!(verified, Verified::Same { .. }), "{verified:#?}");
        }
    }
}

impl Told {
    /// Whether it passes.
    #[track_caller]
    pub(crate) fn passes(&self) -> bool {
        match self {
            Self::Answered(told) => told.passing,
            Self::Failed(told) => panic!("it failed: {told:#?}"),
        }
    }

    /// What it said to the visitor.
    #[track_caller]
    pub(crate) fn messages(&self) -> &[String] {
        match self {
            Self::Answered(told) => &told.messages,
            Self::Failed(told) => panic!("it failed: {told:#?}"),
        }
    }

    /// The lines that it printed and logged, when it passed.
    #[track_caller]
    pub(crate) fn printed(&self) -> String {
        assert!(self.passes(), "{self:#?}");
        let Self::Answered(told) = self else {
            unreachable!("it passes")
        };
        let lines: Vec<_> = told.log.iter().map(|line| line.text.as_str()).collect();
        lines.join("\n")
    }

    /// What it failed with.
    #[track_caller]
    pub(crate) fn error(&self) -> &str {
        match self {
            Self::Failed(told) => &told.error,
            Self::Answered(told) => panic!("it did not fail: {told:#?}"),
        }
    }
}

/// A browser that keeps its session.
pub(crate) struct Visitor<'a> {
    bench: &'a Bench,
    slug: String,
    query: String,
    address: IpAddr,
    session: Option<Uuid>,
    last: Option<Reply>,
}

impl Visitor<'_> {
    /// Comes with this query string.
    pub(crate) fn with_query(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }

    /// Comes from this address.
    pub(crate) fn from(mut self, address: &str) -> Self {
        self.address = address.parse().expect("an address");
        self
    }

    /// Is logged in from now on, by a session that was not made by any flow.
    pub(crate) async fn logs_in(&mut self, user: &User) -> &mut Self {
        let Bench { clock, .. } = self.bench;
        let day = Duration::from_hours(24);
        let mut session = Session::anonymous(clock, clock.now(), day, self.address, "test");
        session.user = Some(user.uuid);
        self.bench.put(&session).await;
        self.session = Some(session.id);
        self
    }

    fn request(&self) -> Request {
        Request {
            session: self.session,
            sid: None,
            slug: self.slug.clone(),
            query: self.query.clone(),
            client: Client {
                address: self.address,
                user_agent: "test".to_owned(),
                host: "id.example".to_owned(),
                secure: true,
                language: Some("de".to_owned()),
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

    /// Opens the flow, or looks where it stands.
    pub(crate) async fn opens(&mut self) -> &mut Self {
        let reply = self.bench.executions.visit(self.request()).await;
        self.keep(reply.expect("a reply"))
    }

    /// Answers the open challenge.
    pub(crate) async fn answers(&mut self, body: Value) -> &mut Self {
        let reply = self.bench.executions.answer(self.request(), body).await;
        self.keep(reply.expect("a reply"))
    }

    /// Begins the flow anew, with what is known before its first stage.
    pub(crate) async fn begins_anew(&mut self, context: Context) -> &mut Self {
        if self.session.is_none() {
            self.opens().await;
        }
        // The later one has the greater id.
        self.bench.clock.advance(Duration::from_millis(1));
        let begun = self.bench.executions.begin_anew(self.request(), context);
        begun.await.expect("it begins");
        self
    }

    fn keep(&mut self, reply: Reply) -> &mut Self {
        self.session = Some(reply.session);
        self.last = Some(reply);
        self
    }

    /// What was answered last.
    #[track_caller]
    pub(crate) fn body(&self) -> &Map<String, Value> {
        let reply = self.last.as_ref().expect("a request was made");
        reply.body.as_object().expect("an object")
    }

    /// Is at the dummy stage of this name.
    #[track_caller]
    pub(crate) fn is_at(&self, stage: &str) -> &Self {
        self.sees("ak-stage-dummy").shows("name", stage)
    }

    /// Gets to see this component.
    #[track_caller]
    pub(crate) fn sees(&self, component: &str) -> &Self {
        assert_eq!(self.body()["component"], component, "{:#?}", self.body());
        self
    }

    /// Gets to see this value.
    #[track_caller]
    pub(crate) fn shows(&self, field: &str, value: impl Into<Value>) -> &Self {
        assert_eq!(self.body()[field], value.into(), "{:#?}", self.body());
        self
    }

    /// Is sent to this address.
    #[track_caller]
    pub(crate) fn is_sent_to(&self, to: &str) -> &Self {
        self.sees("xak-flow-redirect").shows("to", to)
    }
}
