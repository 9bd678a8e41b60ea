//! Answers what expressions ask: users, groups, the plan, the browser's request, functions.
//!
//! Everything comes from the request and its world. What an expression wants changed is kept
//! until it ends well.

use std::cell::RefCell;

use async_trait::async_trait;
use secrecy::SecretString;

use super::request::{self, Request, Subject};
use super::{Effect, context};
use crate::expression::{Call, Failure, Host, Object, Value};
use crate::world;

/// The answers to one evaluation.
pub(super) struct Answers<'a> {
    request: Request<'a>,
    effects: RefCell<Vec<Effect>>,
}

impl<'a> Answers<'a> {
    pub(super) fn new(request: &Request<'a>) -> Self {
        Self {
            request: *request,
            effects: RefCell::default(),
        }
    }

    /// What the expression asked for, in order.
    pub(super) fn into_effects(self) -> Vec<Effect> {
        self.effects.into_inner()
    }
}

/// Whom a policy is asked about, as expressions see them.
pub(super) fn subject(subject: &Subject) -> Object {
    match subject {
        Subject::User(user) => context::user(user.value.uuid),
        Subject::Stranger { identifier } => context::stranger(identifier),
        Subject::Anonymous => Object::new(context::ANONYMOUS, ""),
    }
}

/// What a policy is bound to, as expressions see it.
pub(super) fn bound(object: request::Object<'_>) -> Option<Object> {
    match object {
        request::Object::None => None,
        request::Object::Flow(flow) => Some(Object::new("Flow", flow.pk.to_string())),
        request::Object::Binding(binding) => {
            Some(Object::new("FlowStageBinding", binding.pk.to_string()))
        }
    }
}

/// Ends the evaluation: the world did not answer.
fn abort(error: impl Into<world::Error>) -> Failure {
    Failure::Abort(Box::new(error.into()))
}

#[async_trait(?Send)]
impl Host for Answers<'_> {
    async fn name(&self, _name: &str) -> Result<Option<Value>, Failure> {
        Ok(None)
    }

    async fn import(&self, _module: &str, _name: Option<&str>) -> Result<Option<Value>, Failure> {
        Ok(None)
    }

    async fn attribute(&self, _object: &Object, _name: &str) -> Result<Option<Value>, Failure> {
        Ok(None)
    }

    async fn call(&self, call: Call) -> Result<Value, Failure> {
        let name = call.name;
        Err(Failure::raise(
            "NameError",
            format!("name '{name}' is not defined"),
        ))
    }

    async fn reveal(&self, handle: &str) -> Result<SecretString, Failure> {
        let handle = handle
            .parse()
            .map_err(|_| Failure::raise("ValueError", "no such secret"))?;
        let secret = self.request.world.open(handle).await.map_err(abort)?;
        secret.ok_or_else(|| Failure::raise("ValueError", "the secret is gone"))
    }
}
