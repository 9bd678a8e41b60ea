//! A refusal takes as long as any other, whoever is refused.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use super::Backend;
use crate::catalog::{Flow, FlowStageBinding, Stage};
use crate::clock::Clock;
use crate::directory::{NewUser, User};
use crate::expression::Workers;
use crate::flow::Context;
use crate::flow::Execution;
use crate::flow::client::Client;
use crate::flow::input::{Input, Request};
use crate::flow::model::Designation;
use crate::geoip::Place;
use crate::journal::memory::MemoryJournal;
use crate::journal::object::{self, Versioned};
use crate::journal::{Commit, Durability, Journal, KeyId, Objects, Version, Write};
use crate::stage::{Handled, Kind, handle};
use crate::world::{Call, Change, Error, Letter, NewLink, PasswordAnswer, World};
use crate::world::{Evaluated, Fresh, Look, Weighed, Work};

/// A world in which every password is wrong, and which counts what that costs.
struct Counting {
    journal: MemoryJournal,
    hashes: AtomicUsize,
}

#[async_trait(?Send)]
impl World for Counting {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn objects(&self) -> &dyn Objects {
        &self.journal
    }

    async fn verify_password(
        &self,
        _user: &Versioned<User>,
        _password: &SecretString,
    ) -> Result<PasswordAnswer, Error> {
        self.hashes.fetch_add(1, Ordering::Relaxed);
        Ok(PasswordAnswer::Rejected)
    }

    async fn burn_password(&self) -> Result<(), Error> {
        self.hashes.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn is_secret(&self, _typed: &SecretString, _secret: &SecretString) -> Result<bool, Error> {
        Ok(false)
    }

    fn keep(&self, _secret: SecretString) -> Result<Uuid, Error> {
        Ok(Uuid::nil())
    }

    async fn open(&self, _handle: Uuid) -> Result<Option<SecretString>, Error> {
        Ok(None)
    }

    fn generate(&self, _what: Fresh) -> Result<SecretString, Error> {
        Ok(SecretString::default())
    }

    fn draw(&self) -> Result<Uuid, Error> {
        Ok(Uuid::nil())
    }

    async fn hash_password(&self, password: &SecretString) -> Result<SecretString, Error> {
        Ok(password.clone())
    }

    fn link(&self, _: NewLink) -> Result<Uuid, Error> {
        Ok(Uuid::nil())
    }

    async fn post(&self, _: Letter) -> Result<Result<Uuid, String>, Error> {
        Ok(Ok(Uuid::nil()))
    }

    fn request(&self, _: Call) -> Result<Uuid, Error> {
        Ok(Uuid::nil())
    }

    fn written(&self, _: Uuid) -> Option<Versioned<User>> {
        None
    }

    fn change(&self, _change: Change) {}

    async fn evaluate<'w>(&'w self, _: Uuid, _: Duration, _: Work<'w>) -> Result<Evaluated, Error> {
        unreachable!("nothing here has a policy")
    }

    fn expressions(&self) -> Option<&Workers> {
        None
    }

    async fn counter(&self, _name: &str) -> Result<i64, Error> {
        Ok(0)
    }

    async fn reputation(
        &self,
        _address: Option<IpAddr>,
        _identifier: Option<&str>,
    ) -> Result<i64, Error> {
        Ok(0)
    }

    fn place(&self, _address: IpAddr) -> Result<Place, Error> {
        Ok(Place::default())
    }

    async fn breaches(&self, _password: &SecretString) -> Result<Result<u64, String>, Error> {
        Ok(Ok(0))
    }

    async fn weigh(&self, _: &SecretString, _: Look) -> Result<Weighed, Error> {
        Ok(Weighed::default())
    }

    async fn fits(&self, _: Uuid, _: &SecretString, _: &SecretString) -> Result<bool, Error> {
        Ok(false)
    }
}

/// A flow that asks for a name and then for a password, and two users, one of them inactive.
async fn world(backends: &[Backend]) -> (Counting, Uuid) {
    let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
    let journal = MemoryJournal::new(clock.clone());
    let slug = "login".parse().expect("a slug");
    let flow = Flow::new(&clock, slug, "Welcome", Designation::Authentication);
    let mut writes = vec![object::put(&flow, Version::NONE)];
    let stages = [
        (Kind::Identification, json!({"user_fields": ["username"]})),
        (Kind::Password, json!({ "backends": backends })),
    ];
    for ((kind, settings), order) in stages.into_iter().zip(0..) {
        let settings = settings.as_object().cloned().unwrap_or_default();
        let stage = Stage::new(&clock, kind.name(), kind.name(), settings);
        let binding = FlowStageBinding::new(&clock, flow.pk, stage.pk, order);
        writes.push(object::put(&stage, Version::NONE));
        writes.push(object::put(&binding, Version::NONE));
    }
    for (name, pk) in [("alice", 1), ("bob", 2)] {
        let mut user = NewUser::named(name).into_user(pk, &clock);
        user.is_active = name == "alice";
        let (id, under) = (KeyId(user.uuid), KeyId::SYSTEM);
        writes.push(Write::CreateKey { id, under });
        writes.push(object::put(&user, Version::NONE));
    }
    let commit = Commit {
        writes,
        durability: Durability::Relaxed,
        fence: None,
        at: clock.now(),
        correlation: Uuid::nil(),
    };
    journal.commit(commit).await.expect("a commit");
    let hashes = AtomicUsize::new(0);
    (Counting { journal, hashes }, flow.pk)
}

async fn step(
    world: &Counting,
    state: Execution,
    request: Request,
    body: serde_json::Value,
) -> Handled {
    let input = Input {
        at: world.now(),
        client: Client {
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            user_agent: String::new(),
            host: "id.example".to_owned(),
            secure: true,
            language: None,
            outpost: None,
            device: None,
            mfa: None,
        },
        query: String::new(),
        request,
        body: None,
    };
    handle(state, &input, Some(&body), world)
        .await
        .expect("a step")
}

#[actix::test]
async fn a_refusal_costs_one_hash_whoever_it_is_and_whatever_the_back_ends_are() {
    for backends in [
        &[Backend::Inbuilt][..],
        &[Backend::Token],
        &[Backend::Token, Backend::Inbuilt],
        &[Backend::Ldap],
        &[],
    ] {
        for name in ["alice", "bob", "nobody"] {
            let (world, flow) = world(backends).await;
            let begin = Request::Begin {
                context: Context::default(),
                execution: Uuid::from_u128(1),
                session: Uuid::from_u128(2),
                flow,
                dead_link: None,
                link_until: None,
            };
            let named = step(
                &world,
                Execution::default(),
                begin,
                json!({"uid_field": name}),
            )
            .await;
            assert_eq!(world.hashes.load(Ordering::Relaxed), 0);
            let answer = Request::Answer { challenge: None };
            step(&world, named.state, answer, json!({"password": "x"})).await;
            let hashes = world.hashes.load(Ordering::Relaxed);
            assert_eq!(hashes, 1, "{name} with {backends:?}");
        }
    }
}
