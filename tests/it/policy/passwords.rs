//! Policies about passwords: good ones, old ones and former ones.

mod breaches;
mod expiry;
mod history;
mod rules;
mod served;

use std::collections::BTreeMap;

use gatelog::catalog::Policy;
use gatelog::directory::User;
use gatelog::execution::Tested;
use gatelog::flow::Context;
use gatelog::flow::context::Value as Known;
use gatelog::journal::object::Versioned;
use serde_json::{Value, json};

use super::bench::Bench;

/// A context in which this was typed into the field `password` of a prompt.
fn typed(password: impl Into<Value>) -> Context {
    let prompted = json!({ "password": password.into() });
    context([("prompt_data", Known::Json(prompted))])
}

fn context<const N: usize>(entries: [(&str, Known); N]) -> Context {
    let mut context = Context::default();
    for (key, value) in entries {
        context.set(key, Some(value));
    }
    context
}

impl Bench {
    /// Tries a policy out on a user or on nobody.
    async fn tries(&self, policy: &Policy, user: Option<&User>, context: Context) -> Tested {
        let policy: Versioned<Policy> = self.stored(policy.pk).await;
        let user = match user {
            Some(user) => Some(self.stored::<User>(user.uuid).await),
            None => None,
        };
        let tested = self.executions.test_policy(&policy, user, context, None);
        tested.await.expect("an answer")
    }

    /// What a policy says of a password that nobody in particular typed.
    async fn says(&self, policy: &Policy, password: &str) -> (bool, Vec<String>) {
        let Tested { judged, failed } = self.tries(policy, None, typed(password)).await;
        assert!(failed.is_none(), "{failed:?}");
        (judged.passing, judged.messages)
    }
}

/// A mapping that holds a secret, or anything else that JSON has not.
fn map<const N: usize>(entries: [(&str, Known); N]) -> Known {
    let entries = entries.map(|(key, value)| (key.to_owned(), value));
    Known::map(BTreeMap::from(entries))
}
