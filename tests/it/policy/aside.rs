//! Policies that are asked where no execution has begun.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use gatelog::catalog::{Flow, Policy, PolicyBinding};
use gatelog::clock::Clock;
use gatelog::directory::command::prepare;
use gatelog::directory::password::Pool;
use gatelog::directory::{NewUser, create_user};
use gatelog::execution::{Executions, Limits, Outside};
use gatelog::expression::{Options, Workers};
use gatelog::flow::Context;
use gatelog::flow::client::Client;
use gatelog::flow::model::Designation;
use gatelog::flow::query::Query;
use gatelog::journal::memory::MemoryJournal;
use gatelog::journal::object::{self, Stored, Versioned};
use gatelog::journal::{Commit, Durability, Journal, Position, Version};
use gatelog::policy::Asker;
use serde_json::json;
use uuid::Uuid;

/// Everything but HTTP.
struct Bench {
    clock: Clock,
    journal: Arc<dyn Journal>,
    executions: Executions,
}

impl Bench {
    fn new() -> Self {
        let clock = Clock::system();
        let journal: Arc<dyn Journal> = Arc::new(MemoryJournal::new(clock.clone()));
        let options = Options::of_program(PathBuf::from(env!("CARGO_BIN_EXE_gatelog")));
        let outside = Outside {
            workers: Some(Workers::start(options, clock.clone()).expect("the thread starts")),
            ..Outside::default()
        };
        let pool = Arc::new(Pool::no_op(clock.clone()));
        let limits = Limits::default();
        let own = Arc::clone(&journal);
        let executions = Executions::start(own, clock.clone(), pool, limits, outside, 1);
        Self {
            clock,
            journal,
            executions,
        }
    }

    /// Where the journal ends after one more write.
    async fn put<T: Stored>(&self, value: &T, version: Version) -> Position {
        let commit = Commit {
            writes: vec![object::put(value, version)],
            durability: Durability::Durable,
            fence: None,
            at: self.clock.now(),
            correlation: Uuid::nil(),
        };
        self.journal.commit(commit).await.expect("a commit")
    }

    fn expression(&self, source: &str) -> Versioned<Policy> {
        let settings = json!({ "expression": source });
        let settings = settings.as_object().cloned().expect("an object");
        Versioned {
            version: Version(1),
            value: Policy::new(&self.clock, "expression", "tried", settings),
        }
    }
}

fn client() -> Client {
    Client {
        address: Ipv4Addr::LOCALHOST.into(),
        user_agent: "test".to_owned(),
        host: "id.example".to_owned(),
        secure: true,
        language: None,
        outpost: None,
        device: None,
        mfa: None,
    }
}

fn asker<'a>(client: &'a Client, query: &'a Query) -> Asker<'a> {
    Asker {
        client,
        query,
        path: "/flows/-/default/authentication/".to_owned(),
        is_answer: false,
        user: None,
    }
}

#[test]
fn what_a_tried_policy_changes_is_gone_and_nothing_is_written() {
    actix_web::rt::System::new().block_on(async {
        let bench = Bench::new();
        let (journal, clock) = (&*bench.journal, &bench.clock);
        prepare(journal, clock).await.expect("an installation");
        let ann = create_user(journal, clock, NewUser::named("ann"));
        let ann = ann.await.expect("a user");
        let found = object::get(journal, ann.uuid).await.expect("a read");
        let user: Versioned<gatelog::directory::User> = found.expect("ann is stored");
        let mut context = Context::default();
        let given = gatelog::flow::context::Value::Json(json!({ "left": 1 }));
        context.set("given", Some(given));
        let changes = bench.expression(
            "context['new'] = 1\n\
             context['given']['left'] += 1\n\
             ak_message('seen')\n\
             return context['given']['left'] == 2",
        );
        let policy = changes.value.clone();
        let before = bench.put(&policy, Version::NONE).await;
        for _ in 0..2 {
            let user = Some(user.clone());
            let tested = bench
                .executions
                .test_policy(&changes, user, context.clone(), None);
            let tested = tested.await.expect("an answer");
            assert!(tested.failed.is_none(), "{:?}", tested.failed);
            assert!(tested.judged.passing, "the first try is gone");
            assert_eq!(tested.judged.messages, ["seen"]);
            assert!(!tested.judged.changes.is_empty(), "it did change something");
        }
        let after = bench.put(&policy, Version(1)).await;
        assert_eq!(after, Position(before.0 + 1), "nothing else was written");
        bench.executions.stop().await;
    });
}

#[test]
fn a_policy_that_fails_says_where() {
    actix_web::rt::System::new().block_on(async {
        let bench = Bench::new();
        let policy = bench.expression("a = 1\nreturn a / 0");
        let tested = bench
            .executions
            .test_policy(&policy, None, Context::default(), None)
            .await
            .expect("an answer");
        assert!(!tested.judged.passing);
        let failed = tested.failed.expect("it failed");
        assert!(failed.error.contains("zero"), "{failed:?}");
        let traceback = failed.traceback.expect("a traceback");
        assert!(traceback.contains("line 2"), "{traceback}");
        bench.executions.stop().await;
    });
}

#[test]
fn a_flow_is_for_those_whom_its_policies_pass() {
    actix_web::rt::System::new().block_on(async {
        let bench = Bench::new();
        let slug = "login".parse().expect("a slug");
        let flow = Flow::new(&bench.clock, slug, "Welcome", Designation::Authentication);
        let (client, query) = (client(), Query::default());
        let applies = async |query: &Query| {
            let applies = bench.executions.applies(&flow, asker(&client, query));
            applies.await.expect("an answer")
        };
        assert!(applies(&query).await, "there are no policies");
        let settings = json!({ "result": false });
        let settings = settings.as_object().cloned().expect("an object");
        let mut policy = Policy::new(&bench.clock, "dummy", "gate", settings);
        bench.put(&policy, Version::NONE).await;
        let mut binding = PolicyBinding::new(&bench.clock, flow.pbm, 0);
        binding.policy = Some(policy.pk);
        let before = bench.put(&binding, Version::NONE).await;
        assert!(!applies(&query).await);
        policy.settings.insert("result".to_owned(), true.into());
        let after = bench.put(&policy, Version(1)).await;
        assert_eq!(after, Position(before.0 + 1), "asking writes nothing");
        assert!(applies(&query).await);
        bench.executions.stop().await;
    });
}
