//! Asks everything that a flow, or a stage's place in one, is bound to, and makes one answer of
//! the answers. Source: authentik `policies/engine.py`, `policies/process.py`.

use std::cell::RefCell;

use futures_util::FutureExt as _;
use uuid::Uuid;

use super::request::{Request, Subject};
use super::{Error, Judged, Kind, configured, context};
use crate::catalog::{self, PolicyBinding, conditions_of};
use crate::directory::group::groups_of;
use crate::expression;
use crate::flow::event::Event;
use crate::flow::model::PolicyEngineMode;
use crate::flow::plan::Pinned;
use crate::flow::verdict::{EngineDecided, Membership, PolicyEvaluated, PolicyFailed, Target};
use crate::journal::object::{self, Versioned};
use crate::telemetry::Measured;
use crate::world::{self, World};

/// What all that a target is bound to came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the target passes.
    pub passing: bool,
    /// What the visitor may read, from all policies, also those that pass.
    pub messages: Vec<String>,
}

/// The bindings of the target `pbm` that count, in the order in which they are asked. Where there
/// are none, the target passes and nobody needs to be asked.
///
/// # Errors
/// When the journal cannot be read.
pub async fn conditions(
    world: &dyn World,
    pbm: Uuid,
) -> Result<Vec<Versioned<PolicyBinding>>, world::Error> {
    Ok(enabled(conditions_of(world.objects(), pbm).await?))
}

/// Those of the conditions that are asked.
#[must_use]
pub fn enabled(mut conditions: Vec<Versioned<PolicyBinding>>) -> Vec<Versioned<PolicyBinding>> {
    conditions.retain(|condition| condition.value.enabled);
    conditions
}

/// Asks what the conditions of a target come to. What happens on the way is noted in the scope.
///
/// # Errors
/// When the world did not answer. A policy that fails is no error: its binding says what counts.
pub async fn decide(
    request: &Request<'_>,
    conditions: &[Versioned<PolicyBinding>],
    mode: PolicyEngineMode,
    target: Target,
) -> Result<Decision, world::Error> {
    let began = request.world.moment();
    let mut results = Vec::new();
    let mut messages = Vec::new();
    for condition in conditions.iter().filter(|it| it.value.policy.is_some()) {
        let (passing, said) = dynamic(request, condition).await?;
        results.push(passing);
        messages.extend(said);
    }
    let members = members(request, conditions).await?;
    if !members.is_empty() {
        let mut passing = members.iter().map(|member| member.passing);
        results.push(match mode {
            PolicyEngineMode::All => passing.all(|it| it),
            PolicyEngineMode::Any => passing.any(|it| it),
        });
    }
    let passing = match mode {
        _ if results.is_empty() => true,
        PolicyEngineMode::All => results.iter().all(|it| *it),
        PolicyEngineMode::Any => results.iter().any(|it| *it),
    };
    request.scope.learn(Event::EngineDecided(EngineDecided {
        target,
        mode,
        passing,
        members,
        failed: request.scope.take_failed(),
    }));
    request.world.took(Measured::Decided, began);
    Ok(Decision { passing, messages })
}

/// What the bindings to groups and users say. They count for nobody who is not in the directory,
/// not even turned round.
async fn members(
    request: &Request<'_>,
    conditions: &[Versioned<PolicyBinding>],
) -> Result<Vec<Membership>, world::Error> {
    let conditions: Vec<_> = conditions
        .iter()
        .filter(|it| it.value.policy.is_none())
        .collect();
    let mut groups = Vec::new();
    if conditions.iter().any(|it| it.value.group.is_some())
        && let Some(user) = request.subject.user()
    {
        let found = groups_of(request.world.objects(), &user.value).await?;
        groups.extend(found.iter().map(|group| group.value.pk));
    }
    let found = conditions.into_iter().map(|Versioned { version, value }| {
        let passing = request.subject.user().is_some_and(|user| {
            let is_user = value.user == Some(user.value.uuid);
            let is_member = value.group.is_some_and(|group| groups.contains(&group));
            (is_user || is_member) != value.negate
        });
        let binding = Pinned {
            id: value.pk,
            version: version.0,
        };
        Membership {
            binding,
            group: value.group,
            user: value.user,
            negated: value.negate,
            passing,
        }
    });
    Ok(found.collect())
}

/// Asks what policies come to that are bound to nothing: all of them have to pass.
///
/// # Errors
/// When the world did not answer. A policy that fails does not pass.
pub async fn decide_all(
    request: &Request<'_>,
    policies: &[Uuid],
    target: Target,
) -> Result<Decision, world::Error> {
    let began = request.world.moment();
    let mut decision = Decision {
        passing: true,
        messages: Vec::new(),
    };
    for policy in policies {
        let counts = Counts {
            binding: None,
            negate: false,
            failure: false,
        };
        let (passing, said) = one(request, *policy, &counts).await?;
        decision.passing &= passing;
        decision.messages.extend(said);
    }
    request.scope.learn(Event::EngineDecided(EngineDecided {
        target,
        mode: PolicyEngineMode::All,
        passing: decision.passing,
        members: Vec::new(),
        failed: request.scope.take_failed(),
    }));
    request.world.took(Measured::Decided, began);
    Ok(decision)
}

/// What the policy of a binding says.
async fn dynamic(
    request: &Request<'_>,
    condition: &Versioned<PolicyBinding>,
) -> Result<(bool, Vec<String>), world::Error> {
    let Versioned { version, value } = condition;
    let counts = Counts {
        binding: Some(Pinned {
            id: value.pk,
            version: version.0,
        }),
        negate: value.negate,
        failure: value.failure_result,
    };
    let request = Request {
        deadline: value.deadline(),
        ..*request
    };
    one(&request, value.policy.unwrap_or_default(), &counts).await
}

/// What a policy says; what it wants done takes effect.
async fn one(
    request: &Request<'_>,
    id: Uuid,
    counts: &Counts,
) -> Result<(bool, Vec<String>), world::Error> {
    let found: Option<Versioned<catalog::Policy>> =
        object::get(request.world.objects(), id).await?;
    let Some(policy) = found else {
        let error = "the policy was deleted".to_owned();
        let policy = Pinned { id, version: 0 };
        request.scope.fail(id);
        request.scope.learn(Event::PolicyFailed(PolicyFailed {
            binding: counts.binding,
            policy,
            name: String::new(),
            kind: String::new(),
            passing: counts.failure,
            error: error.clone(),
            traceback: None,
            log: Vec::new(),
            micros: 0,
        }));
        return Ok((counts.failure, vec![error]));
    };
    let request = Request {
        policy: &policy.value.name,
        ..*request
    };
    let judged = ask(&request, &policy, counts).await?;
    context::apply(&request, &judged.changes).await?;
    for effect in judged.effects {
        request.scope.take_effect(request.world, effect).await?;
    }
    Ok((judged.passing, judged.messages))
}

/// How the answer of a policy counts.
pub(super) struct Counts {
    /// The binding that asks; `None` when another policy or a prompt stage does.
    pub(super) binding: Option<Pinned>,
    /// Whether the opposite counts.
    pub(super) negate: bool,
    /// What counts when the evaluation fails.
    pub(super) failure: bool,
}

/// Asks one policy and notes what it said. Nothing of it has taken effect yet.
pub(super) async fn ask(
    request: &Request<'_>,
    policy: &Versioned<catalog::Policy>,
    counts: &Counts,
) -> Result<Judged, world::Error> {
    let Versioned { version, value } = policy;
    let mark = request.scope.mark();
    let answer: RefCell<Option<Result<Judged, Error>>> = RefCell::new(None);
    let work = async {
        let judged = match configured(value) {
            Ok(policy) => policy.judge(request).await,
            Err(error) => Err(error),
        };
        match judged {
            Err(Error::Interrupted(interrupted)) => Err(interrupted),
            judged => {
                answer.replace(Some(judged));
                Ok(())
            }
        }
    };
    // An expression holds the deadline itself, once it has a worker.
    let limit = if value.kind == Kind::ExpressionPolicy.name() {
        request.deadline + expression::WAIT
    } else {
        request.deadline
    };
    let began = request.world.moment();
    let evaluated = request
        .world
        .evaluate(value.pk, limit, work.boxed_local())
        .await?;
    let part = Measured::Evaluated { kind: &value.kind };
    request.world.took(part, began);
    let judged = match (evaluated.interrupted, answer.into_inner()) {
        (Some(interrupted), _) => Err(Error::Interrupted(interrupted)),
        (None, Some(judged)) => judged,
        (None, None) => Err(Error::failed("the policy gave no answer")),
    };
    let policy = Pinned {
        id: value.pk,
        version: version.0,
    };
    let (name, kind, micros) = (value.name.clone(), value.kind.clone(), evaluated.micros);
    let judged = match judged {
        Ok(mut judged) => {
            let mut effects = request.scope.take_wishes(&mark);
            effects.append(&mut judged.effects);
            judged.effects = effects;
            judged.passing ^= counts.negate;
            request.scope.learn(Event::PolicyEvaluated(PolicyEvaluated {
                binding: counts.binding,
                policy,
                name,
                kind,
                passing: judged.passing,
                negated: counts.negate,
                messages: judged.messages.clone(),
                log: judged.log.clone(),
                micros,
            }));
            judged
        }
        Err(Error::World(error)) => return Err(error),
        Err(error) => {
            match error {
                Error::Interrupted(_) => request.scope.forget(&mark),
                _ => drop(request.scope.take_wishes(&mark)),
            }
            let message = error.to_string();
            // What an expression raised is its author's to show; what ended an evaluation from
            // outside is nothing that a visitor should read.
            let told = matches!(error, Error::Failed { .. }).then(|| message.clone());
            let (traceback, log) = match error {
                Error::Failed { traceback, log, .. } => (traceback, log),
                Error::Interrupted(interrupted) => (None, interrupted.into_log()),
                Error::World(_) => (None, Vec::new()),
            };
            request.scope.fail(value.pk);
            request.scope.learn(Event::PolicyFailed(PolicyFailed {
                binding: counts.binding,
                policy,
                name,
                kind,
                passing: counts.failure,
                error: message,
                traceback,
                log: log.clone(),
                micros,
            }));
            Judged {
                log,
                messages: told.into_iter().collect(),
                ..Judged::new(counts.failure)
            }
        }
    };
    if value.execution_logging && !request.debug {
        let user = request.subject.user().map(|user| user.value.uuid);
        let policy = &value.name;
        let Judged {
            passing, messages, ..
        } = &judged;
        // The subject is named by its identifier only: the log is no place for persons.
        tracing::info!(policy, passing, messages = messages.len(), user = ?user, "policy_execution");
    }
    Ok(judged)
}

/// Asks one policy that is bound to nothing, and lets nothing take effect.
///
/// # Errors
/// When the world did not answer.
pub async fn test(
    request: &Request<'_>,
    policy: &Versioned<catalog::Policy>,
) -> Result<Judged, world::Error> {
    let counts = Counts {
        binding: None,
        negate: false,
        failure: false,
    };
    ask(request, policy, &counts).await
}

/// The subject that `user` is; nobody when there is none.
impl From<Option<Versioned<crate::directory::User>>> for Subject {
    fn from(user: Option<Versioned<crate::directory::User>>) -> Self {
        user.map_or(Self::Anonymous, |user| Self::User(Box::new(user)))
    }
}
