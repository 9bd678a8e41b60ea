//! Policies that judge a secret of the vault: they see it, and the trail does not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Bench, Visitor};
use crate::catalog::{FlowStageBinding, Policy, PolicyBinding, bindings_of};
use crate::directory::password_history::{Former, PasswordHistory};
use crate::directory::{User, password};
use crate::execution::unfinished::{self, Unfinished};
use crate::execution::vault;
use crate::flow::Context;
use crate::flow::context::{Value as Known, key};
use crate::flow::event::Event;
use crate::journal::Version;
use crate::journal::object::{self, Versioned};
use crate::policy;
use crate::replay;
use crate::stage::Kind;

const TYPED: &str = "tK7#pQ2vXz9!mW4r";

/// A flow of two stages, the second of which is for whom these policies pass.
async fn bench(policies: &[(policy::Kind, Value)]) -> Bench {
    let bench = Bench::new();
    let dummy = || (Kind::Dummy, json!({}));
    let flow = bench.flow("signup", &[dummy(), dummy()]).await;
    let bindings: Vec<Versioned<FlowStageBinding>> = bindings_of(bench.journal.as_ref(), flow.pk)
        .await
        .expect("a read");
    let target = bindings[1].value.pbm;
    for (order, (kind, settings)) in (0..).zip(policies) {
        let settings = settings.as_object().cloned().unwrap_or_default();
        let settings = kind.validate(&settings).expect("valid settings");
        let policy = Policy::new(&bench.clock, kind.name(), kind.title(), settings);
        let mut binding = PolicyBinding::new(&bench.clock, target, order);
        binding.policy = Some(policy.pk);
        bench
            .write(vec![
                object::put(&policy, Version::NONE),
                object::put(&binding, Version::NONE),
            ])
            .await;
    }
    bench
}

/// Comes to the second stage with a secret in the vault, as a prompt leaves it there.
async fn comes_with<'a>(bench: &'a Bench, user: Option<&User>, secret: &str) -> Visitor<'a> {
    let handle = Uuid::from_u128(7);
    let entries = BTreeMap::from([("password".to_owned(), Known::Secret(handle))]);
    let mut context = Context::default();
    context.set(key::PROMPT_DATA, Some(Known::map(entries)));
    let user = user.map(|user| Known::User(user.uuid));
    context.set(key::PENDING_USER, user);
    let mut visitor = bench.visitor("signup");
    visitor.opens().await;
    // The later one has the greater id.
    bench.clock.advance(Duration::from_millis(1));
    let begun = bench.executions.begin_anew(visitor.request(), context);
    assert!(begun.await.expect("it begins").is_some());
    let session = visitor.session.expect("a session");
    let found = unfinished::of_session(bench.journal.as_ref(), session).await;
    let found: Vec<Versioned<Unfinished>> = found.expect("a read");
    let execution = found[0].value.execution;
    let kept = vec![(handle, secret.into())];
    let (before, after) = (BTreeSet::new(), BTreeSet::from([handle]));
    let named = (&before, &after);
    let writes = vault::writes(bench.journal.as_ref(), execution, kept, named, false).await;
    bench.write(writes.expect("a read")).await;
    visitor.answers(json!({})).await;
    visitor
}

/// What the policies said, in the latest execution.
async fn said(bench: &Bench) -> Vec<(bool, Vec<String>)> {
    let streams = bench.journal.streams(super::KIND, None, usize::MAX).await;
    let mut ids: Vec<Uuid> = streams.expect("streams").iter().map(|it| it.id).collect();
    ids.sort();
    let latest = ids.pop().expect("an execution");
    let entries = replay::entries(bench.journal.as_ref(), latest).await;
    let entries = entries.expect("entries");
    let events = replay::events(&entries);
    let said = events.iter().filter_map(|event| match event {
        Event::PolicyEvaluated(told) => Some((told.passing, told.messages.clone())),
        _ => None,
    });
    let said: Vec<_> = said.collect();
    assert!(!said.is_empty(), "{events:#?}");
    said
}

fn all() -> Vec<(policy::Kind, Value)> {
    vec![
        (
            policy::Kind::PasswordPolicy,
            json!({"length_min": 16, "amount_symbols": 2, "check_zxcvbn": true}),
        ),
        (policy::Kind::UniquePasswordPolicy, json!({})),
    ]
}

#[actix::test]
async fn a_good_secret_passes_and_is_written_nowhere() {
    let bench = bench(&all()).await;
    let visitor = comes_with(&bench, None, TYPED).await;
    visitor.sees("ak-stage-dummy");
    assert_eq!(said(&bench).await, [(true, vec![]), (true, vec![])]);
    assert!(!bench.trail().await.contains(TYPED));
    bench.check().await;
}

#[actix::test]
async fn a_bad_secret_is_refused_and_is_written_nowhere() {
    let bench = bench(&all()).await;
    let typed = "correct";
    comes_with(&bench, None, typed).await;
    let message = vec!["Invalid password.".to_owned()];
    assert_eq!(said(&bench).await[0], (false, message));
    assert!(!bench.trail().await.contains(typed));
    bench.check().await;
}

#[actix::test]
async fn an_empty_secret_is_none() {
    let bench = bench(&all()).await;
    comes_with(&bench, None, "").await;
    let not_set = (false, vec!["Password not set in context".to_owned()]);
    assert_eq!(said(&bench).await, [not_set.clone(), not_set]);
    bench.check().await;
}

#[actix::test]
async fn a_secret_is_compared_with_former_passwords() {
    let bench = bench(&all()[1..]).await;
    let ann = bench.user("ann", "current").await;
    let history = PasswordHistory {
        user: ann.uuid,
        former: vec![Former {
            hash: password::hash(&TYPED.into(), &bench.clock),
            created_at: bench.clock.now(),
        }],
    };
    bench
        .write(vec![object::put(&history, Version::NONE)])
        .await;
    comes_with(&bench, Some(&ann), TYPED).await;
    let used = "This password has been used previously. Please choose a different one.";
    assert_eq!(said(&bench).await, [(false, vec![used.to_owned()])]);
    bench.check().await;
}
