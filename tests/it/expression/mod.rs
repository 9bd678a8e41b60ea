//! Expressions in real worker processes.

mod hostile;
mod processes;
mod shipped;

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use gatelog::clock::Clock;
use gatelog::expression::{
    Call, Error, Evaluation, Failure, Host, Object, Options, Outcome, Value, Workers,
};
use secrecy::SecretString;

/// A host that knows one user, and notes what it is asked.
#[derive(Default)]
struct FakeHost {
    asked: RefCell<Vec<String>>,
    /// How long an answer takes.
    slowness: Duration,
}

impl FakeHost {
    async fn note(&self, what: String) {
        self.asked.borrow_mut().push(what);
        if !self.slowness.is_zero() {
            tokio::time::sleep(self.slowness).await;
        }
    }
}

#[async_trait(?Send)]
impl Host for FakeHost {
    async fn name(&self, name: &str) -> Result<Option<Value>, Failure> {
        self.note(name.to_owned()).await;
        Ok(None)
    }

    async fn import(&self, module: &str, name: Option<&str>) -> Result<Option<Value>, Failure> {
        self.note(format!("import {module} {name:?}")).await;
        Ok(name
            .filter(|_| module == "authentik.core.models")
            .map(Value::text))
    }

    async fn attribute(&self, object: &Object, name: &str) -> Result<Option<Value>, Failure> {
        self.note(format!("{}.{name}", object.class)).await;
        Ok(match (object.class.as_str(), name) {
            ("User", "username" | "name" | "email") => Some(Value::text("akadmin")),
            ("PolicyRequest", "http_request") => Some(Object::new("HttpRequest", "").into()),
            ("HttpRequest", "tenant") => Some(Object::new("Tenant", "").into()),
            ("Tenant", _) => Some(true.into()),
            _ => None,
        })
    }

    async fn call(&self, call: Call) -> Result<Value, Failure> {
        self.note(call.name.clone()).await;
        match call.name.as_str() {
            "ak_user_by" => Ok(user()),
            "has_usable_password" => Ok(false.into()),
            "group_attributes" => Ok(Value::dict([(
                "goauthentik.io/user/can-change-name",
                true.into(),
            )])),
            "build_absolute_uri" => Ok("https://id.example/".into()),
            "ak_abort" => Err(Failure::Abort("the journal is gone".into())),
            name => Err(Failure::raise(
                "NameError",
                format!("name '{name}' is not defined"),
            )),
        }
    }

    async fn reveal(&self, handle: &str) -> Result<SecretString, Failure> {
        self.note(format!("reveal {handle}")).await;
        Ok("correct horse".into())
    }
}

fn user() -> Value {
    Object::new("User", "1").into()
}

fn options() -> Options {
    Options::of_program(PathBuf::from(env!("CARGO_BIN_EXE_gatelog")))
}

fn workers() -> Workers {
    Workers::start(options(), Clock::system()).expect("the thread starts")
}

fn evaluation(source: &str) -> Evaluation<'_> {
    Evaluation {
        name: "test",
        source,
        now: "2026-11-21T04:05:06Z".parse().expect("a moment"),
        request: Some(
            Object::new("PolicyRequest", "")
                .with("user", user())
                .with("debug", false),
        ),
        context: vec![("pending_user".to_owned(), user())],
        plan: None,
        client_ip: Some([10, 0, 0, 1].into()),
        variables: vec![("ak_is_sso_flow".to_owned(), true.into())],
        timeout: Duration::from_secs(20),
        patience: 1,
        depth: 0,
    }
}

async fn evaluate(workers: &Workers, source: &str) -> Result<Outcome, Error> {
    workers
        .evaluate(evaluation(source), &FakeHost::default())
        .await
        .map_err(|unfinished| unfinished.error)
}
