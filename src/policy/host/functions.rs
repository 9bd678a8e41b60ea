//! The functions of an expression that need the server.

use super::query::{Model, Query, Source};
use super::{Answers, absent};
use crate::catalog::policy_by_name;
use crate::expression::{self, Call, Change, Failure, Object, Root, Value};
use crate::flow::Context;
use crate::policy::engine::{self, Counts};
use crate::policy::request::Request;
use crate::policy::{Judged, context};

impl Answers<'_> {
    pub(super) async fn function(&self, call: &Call) -> Result<Value, Failure> {
        match call.name.as_str() {
            "_ak_call_policy" => self.call_policy(call).await,
            "ak_create_event" => self.create_event(call).await,
            "ak_send_email" => self.send_email(call).await,
            "ak_is_group_member" => self.is_group_member(call).await,
            "ak_user_by" => self.user_by(call).await,
            "ak_user_has_authenticator" => self.has_authenticator(call).await,
            "devices_for_user" => self.devices_for_user(call).await,
            "now" => Ok(Value::Moment(self.request.world.now())),
            name @ ("ak_create_jwt" | "ak_create_jwt_raw" | "resolve_dns" | "reverse_dns") => {
                Err(absent(&format!("{name}()")))
            }
            name => {
                let text = format!("name '{name}' is not defined");
                Err(Failure::raise("NameError", text))
            }
        }
    }

    /// The first user that fits, or `None`; `None` also for a field that users have not.
    async fn user_by(&self, call: &Call) -> Result<Value, Failure> {
        let query = Query::new(Source::All(Model::User)).step(false, call.kwargs.clone());
        let Ok(query) = query else {
            return Ok(Value::None);
        };
        let users = match self.members(&query).await {
            Err(Failure::Raise(raised)) if raised.kind == "FieldError" => return Ok(Value::None),
            users => users?,
        };
        Ok(users.first().map(|user| self.handle(user)).into())
    }

    async fn is_group_member(&self, call: &Call) -> Result<Value, Failure> {
        let user = match call.argument(0, "user") {
            Some(Value::Object(user)) => self.row(user).await?,
            _ => None,
        };
        let Some(user) = user else {
            return Ok(Value::Bool(false));
        };
        let conditions = call.kwargs.iter().filter(|(name, _)| name != "user");
        let groups = Query::new(Source::AllGroupsOf(user.id()));
        let groups = groups.step(false, conditions.cloned().collect())?;
        Ok(Value::Bool(!self.members(&groups).await?.is_empty()))
    }

    /// Asks another policy, with the context as it is by now. Nothing of it takes effect before
    /// the caller's own does.
    async fn call_policy(&self, call: &Call) -> Result<Value, Failure> {
        let Some(Value::Text(name)) = call.args.first() else {
            return Err(Failure::raise(
                "TypeError",
                "the name of a policy is a text",
            ));
        };
        let world = self.request.world;
        let found = policy_by_name(world.objects(), name).await;
        let found = found.map_err(super::abort)?;
        let policy = found
            .ok_or_else(|| Failure::raise("ValueError", format!("Policy '{name}' not found.")))?;
        let entries = |value: Option<&Value>| match value {
            Some(Value::Dict(entries)) => entries.clone(),
            _ => Vec::new(),
        };
        let (over, plan) = (entries(call.args.get(1)), entries(call.args.get(2)));
        let own: Vec<String> = over.iter().map(|(key, _)| key.displayed()).collect();
        let mut known = Context::default();
        let mut extras = Vec::new();
        let has_plan = self.request.scope.plan().is_some();
        for (key, value) in &plan {
            known.set(&key.displayed(), Some(context::kept(value)));
        }
        for (key, value) in over {
            let key = key.displayed();
            if !has_plan {
                known.set(&key, Some(context::kept(&value)));
            }
            // What is in the plan's context as well is one and the same.
            let same = plan
                .iter()
                .any(|(k, v)| k.as_text() == Some(&key) && *v == value);
            if !has_plan || !same {
                extras.push((key, value));
            }
        }
        let scope = self.request.scope.of_call(known, extras);
        let mark = scope.mark();
        let request = Request {
            policy: &policy.value.name,
            scope: &scope,
            depth: self.request.depth + 1,
            ..self.request
        };
        let counts = Counts {
            binding: None,
            negate: false,
            failure: false,
        };
        let judged = engine::ask(&request, &policy, &counts).await;
        let judged = judged.map_err(super::abort)?;
        debug_assert!(
            scope.take_wishes(&mark).is_empty(),
            "they are in the answer"
        );
        for wish in &judged.effects {
            self.request.scope.wish(wish.clone());
        }
        self.request.scope.join(scope);
        // What the caller's copy of the plan's context does not have cannot be changed in it.
        let reaches = |change: &&Change| {
            let is_deep = change.root == Root::Context && change.path.len() > 1;
            !is_deep || change.path.first().is_some_and(|key| own.contains(key))
        };
        let changes: Vec<Change> = judged.changes.iter().filter(reaches).cloned().collect();
        Ok(expression::policy_called(result(&judged), &changes))
    }
}

/// The result of a policy, as its caller sees it.
fn result(judged: &Judged) -> Object {
    let texts = |texts: Vec<Value>| Value::Tuple(texts);
    let messages = judged.messages.iter().map(Value::text);
    let log = judged.log.iter().map(|line| Value::text(&line.text));
    let raw = judged.value.clone().unwrap_or(Value::Bool(judged.passing));
    Object::new("PolicyResult", "")
        .with("passing", judged.passing)
        .with("messages", texts(messages.collect()))
        .with("raw_result", raw)
        .with("log_messages", texts(log.collect()))
}
