//! What one record of an execution tells. Only computes: of the same record always the same.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::cleanse::MASK;
use super::draft::{Condition, Draft, Letter, Origin, Who, app};
use crate::directory::{Device, Invitation, User};
use crate::flow::context::{self, key};
use crate::flow::effect::{Effect, Outcome};
use crate::flow::event::{Event, MfaProblem};
use crate::flow::execution::Running;
use crate::flow::input::Request;
use crate::flow::plan::{Pinned, PlannedStage};
use crate::flow::verdict::PolicyFailed;
use crate::flow::{Execution, evolve};
use crate::journal::object::Stored;
use crate::stage;
use crate::world::Record;

/// Whether a record tells anything. Most do not, and then nobody has to know what came before them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Nothing.
    Nothing,
    /// It tells that these policies were asked, which is told of those that ask for it.
    OfPolicies(Vec<Pinned>),
    /// It tells something.
    Something,
}

/// What there is to learn of a record.
#[must_use]
pub fn interest(record: &Record) -> Interest {
    let mut policies = Vec::new();
    for event in &record.events {
        match event {
            Event::PolicyEvaluated(asked) => policies.push(asked.policy),
            Event::SessionStarted { .. }
            | Event::SessionEnded { .. }
            | Event::PasswordRejected { .. }
            | Event::MfaRejected { .. }
            | Event::UserWritten { .. }
            | Event::UserChanged { .. }
            | Event::InvitationUsed { .. }
            | Event::DeviceEnrolled { .. }
            | Event::EffectFinished { .. }
            | Event::PolicyFailed(_)
            | Event::CustomEvent { .. }
            | Event::ConfigurationError { .. }
            | Event::ExpressionFailed { .. }
            | Event::StageFailed { .. } => return Interest::Something,
            _ => {}
        }
    }
    if policies.is_empty() {
        Interest::Nothing
    } else {
        Interest::OfPolicies(policies)
    }
}

/// The events of a record, in order, given where the execution stood before it.
#[must_use]
pub fn events_of(before: &Execution, record: &Record) -> (Origin, Vec<Draft>) {
    let mut state = before.clone();
    let mut drafts = Vec::new();
    for (place, event) in record.events.iter().enumerate() {
        let rest = &record.events[place + 1..];
        if let Some(running) = state.latest() {
            told(running, event, rest, &mut drafts);
        }
        state = evolve(state, event);
    }
    (origin(&state, record), drafts)
}

fn origin(state: &Execution, record: &Record) -> Origin {
    let latest = state.latest();
    let answers =
        record.input.body.is_some() || matches!(record.input.request, Request::Answer { .. });
    let slug = latest.map_or("", |it| it.slug.as_str());
    let session = latest.map(|it| it.session);
    let input = &record.input;
    Origin::of_flow(&input.client, slug, &input.query, answers, session)
}

/// Whether the visitor is setting up a factor: a code that is mistyped there lets nobody in anyway.
fn sets_up(running: &Running) -> bool {
    current(running).is_some_and(|it| {
        it.kind.starts_with("authenticator_") && it.kind != "authenticator_validate"
    })
}

fn told(running: &Running, event: &Event, rest: &[Event], drafts: &mut Vec<Draft>) {
    let signal = |who, action: &str| Draft::new(who, action, app::SIGNALS);
    match event {
        Event::SessionStarted { user, .. } => {
            let mut draft = signal(Who::User(*user), "login");
            for name in [key::AUTH_METHOD, key::AUTH_METHOD_ARGS] {
                if let Some(value) = running.context.get(name).map(plain) {
                    draft.context.insert(name.to_owned(), value);
                }
            }
            drafts.push(draft);
        }
        Event::SessionEnded { user, .. } => {
            let who = user.map_or(Who::Anonymous, Who::User);
            drafts.push(signal(who, "logout"));
        }
        Event::PasswordRejected { user, .. } => {
            // Of an identifier that nobody has, nothing is told where it is typed.
            let strangers = current(running).is_some_and(|it| it.kind == "password");
            if user.is_some() || strangers {
                drafts.push(failed(running, *user, rest));
            }
        }
        Event::MfaRejected {
            class,
            device,
            reason,
        } if counts(reason) && !sets_up(running) => {
            let mut args = Map::from_iter([("device_class".to_owned(), class.clone().into())]);
            if let Some(device) = device {
                args.insert("device".to_owned(), hex(*device));
            }
            let user = running.about();
            drafts.push(failed(running, user, rest).with(key::AUTH_METHOD_ARGS, args));
        }
        Event::UserWritten {
            user,
            created,
            fields,
            groups,
        } => written(running, *user, *created, fields, groups, drafts),
        Event::UserChanged { user, .. } => {
            drafts.push(model(running, "model_updated").of(User::KIND, *user, None));
        }
        Event::InvitationUsed {
            invitation,
            consumed,
            ..
        } => {
            let used = running.invitation == Some(*invitation);
            if !used {
                let hex = hex(*invitation);
                let draft = signal(who(running), "invitation_used").pending();
                drafts.push(draft.with("invitation_uuid", hex));
            }
            if *consumed {
                let gone = model(running, "model_deleted");
                drafts.push(gone.of(Invitation::KIND, *invitation, None));
            }
        }
        Event::DeviceEnrolled { device, user, .. } => {
            let draft = Draft::new(Who::User(*user), "model_created", app::MODELS);
            drafts.push(draft.of(Device::KIND, *device, None));
        }
        Event::EffectFinished { effect, outcome } => {
            drafts.extend(mail(running, running.effects.get(effect), outcome));
        }
        event => drafts.extend(trouble(running, event).map(Draft::pending)),
    }
}

/// What policies and operators have to do with.
fn trouble(running: &Running, event: &Event) -> Option<Draft> {
    let who = who(running);
    Some(match event {
        Event::PolicyFailed(failed) => exception(who, failed),
        Event::PolicyEvaluated(asked) => {
            let result = json!({ "passing": asked.passing, "messages": asked.messages });
            let draft = Draft::new(who, "policy_execution", app::POLICIES)
                .with("message", "Policy Execution")
                .with("policy_uuid", hex(asked.policy.id))
                .with("binding", binding(asked.binding))
                .with("result", result);
            draft.only_if(Condition::Logs(asked.policy))
        }
        Event::CustomEvent {
            action,
            details,
            by,
        } => {
            let mut draft = Draft::new(who, action, by);
            match details {
                Value::Object(details) => draft.context.clone_from(details),
                Value::Null => {}
                other => draft = draft.with("details", other.clone()),
            }
            draft
        }
        Event::ConfigurationError { what, problem } => {
            Draft::new(who, "configuration_error", app::EXECUTOR)
                .with("message", what.as_str())
                .with("exception", problem.as_str())
        }
        Event::ExpressionFailed { of, error } => {
            Draft::new(who, "property_mapping_exception", app::EXPRESSIONS)
                .with("message", "Failed to execute property mapping")
                .with("expression", of.as_str())
                .with("exception", error.as_str())
        }
        Event::StageFailed { stage, error } => Draft::new(who, "system_exception", app::EXECUTOR)
            .with("message", "System exception during flow execution.")
            .with("stage", stage.as_str())
            .with("exception", error.as_str()),
        _ => return None,
    })
}

fn exception(who: Who, failed: &PolicyFailed) -> Draft {
    let (error, places) = failed.named();
    let mut draft = Draft::new(who, "policy_exception", app::POLICIES)
        .with("message", "Policy failed to execute")
        .with("policy_uuid", hex(failed.policy.id))
        .with("binding", binding(failed.binding))
        .with("exception", error);
    if !places.is_empty() {
        draft = draft.with("traceback", places);
    }
    draft
}

fn binding(binding: Option<Pinned>) -> Value {
    binding.map_or(Value::Null, |binding| {
        json!({
            "app": "authentik_policies", "model_name": "policybinding",
            "pk": hex(binding.id), "name": "",
        })
    })
}

/// Somebody failed to show who they are.
fn failed(running: &Running, user: Option<Uuid>, rest: &[Event]) -> Draft {
    let typed = rest.iter().find_map(|event| match event {
        Event::ReputationChanged { identifier, amount } if *amount < 0 => Some(identifier.clone()),
        _ => None,
    });
    let who = match user {
        Some(user) => Who::User(user),
        None => Who::Stranger(typed.clone().unwrap_or_default()),
    };
    let mut draft = Draft::new(who, "login_failed", app::SIGNALS).with("password", MASK);
    draft.is_pending = user.is_none();
    if let Some(typed) = typed {
        draft = draft.with("username", typed);
    }
    match current(running) {
        Some(stage) => draft.with("stage", stage_reference(stage)),
        None => draft,
    }
}

/// Whether a second factor was refused because it is not theirs.
fn counts(reason: &MfaProblem) -> bool {
    match reason {
        MfaProblem::Wrong
        | MfaProblem::Expired
        | MfaProblem::Locked { .. }
        | MfaProblem::UnknownDevice
        | MfaProblem::Assertion { .. }
        | MfaProblem::Denied { .. }
        | MfaProblem::TimedOut => true,
        MfaProblem::Type
        | MfaProblem::Unreachable { .. }
        | MfaProblem::Misconfigured { .. }
        | MfaProblem::Unknown => false,
    }
}

fn written(
    running: &Running,
    user: Uuid,
    created: bool,
    fields: &[String],
    groups: &[Uuid],
    drafts: &mut Vec<Draft>,
) {
    let of_user = |action| model(running, action).of(User::KIND, user, None);
    let theirs = |action| Draft::new(Who::User(user), action, app::SIGNALS);
    if created {
        drafts.push(of_user("model_created"));
        drafts.extend(groups.iter().map(|_| of_user("model_updated")));
    } else {
        // By the name of the field, as what it holds is a secret.
        if fields.iter().any(|field| field == "password") {
            drafts.push(theirs("password_set"));
        }
        drafts.push(of_user("model_updated"));
    }
    let mut draft = theirs("user_write");
    if let Some(typed) = running.context.get(key::PROMPT_DATA)
        && let Value::Object(typed) = plain(typed)
    {
        draft.context = typed;
    }
    drafts.push(draft.with("created", created));
}

/// What came of a mail to a user. One to nobody was never to be sent.
fn mail(running: &Running, effect: Option<&Effect>, outcome: &Outcome) -> Option<Draft> {
    let Some(Effect::Mail { template }) = effect else {
        return None;
    };
    let user = running.about()?;
    match outcome {
        Outcome::Done => {
            let stage = current(running).filter(|it| it.kind == "email");
            let mut draft = Draft::new(Who::User(user), "email_sent", app::MAIL)
                .with("template", template.as_str());
            draft.letter = Some(Letter {
                stage: stage.map(|it| it.stage),
            });
            Some(draft)
        }
        Outcome::Failed { problem } => Some(
            Draft::new(Who::User(user), "system_task_exception", app::MAIL)
                .with("message", "A mail was not sent")
                .with("template", template.as_str())
                .with("exception", problem.as_str()),
        ),
        _ => None,
    }
}

fn model(running: &Running, action: &str) -> Draft {
    Draft::new(who(running), action, app::MODELS).pending()
}

/// Who is going through the flow, as far as it is known.
fn who(running: &Running) -> Who {
    match (running.about(), running.context.get(key::PENDING_USER)) {
        (Some(user), _) => Who::User(user),
        (None, Some(context::Value::Stranger { identifier })) => Who::Stranger(identifier.clone()),
        _ => Who::Anonymous,
    }
}

fn current(running: &Running) -> Option<&PlannedStage> {
    running.plan.current()
}

fn stage_reference(planned: &PlannedStage) -> Value {
    let model = stage::Kind::from_name(&planned.kind).map_or("", stage::Kind::model);
    let (app, model) = model.split_once('.').unwrap_or_default();
    json!({
        "app": app, "model_name": model, "pk": hex(planned.stage.id), "name": planned.name,
    })
}

/// An entry of the context as plain data, with nothing in the place of secrets.
fn plain(value: &context::Value) -> Value {
    match value {
        context::Value::Json(json) => json.clone(),
        context::Value::User(id) | context::Value::Group(id) => hex(*id),
        context::Value::Stranger { identifier } => identifier.clone().into(),
        context::Value::Object { id, .. } => id.clone().into(),
        context::Value::Secret(_) => MASK.into(),
        context::Value::List(items) => items.iter().map(plain).collect(),
        context::Value::Map(entries) => Value::Object(
            entries
                .iter()
                .map(|(name, value)| (name.clone(), plain(value)))
                .collect(),
        ),
    }
}

fn hex(id: Uuid) -> Value {
    id.simple().to_string().into()
}
