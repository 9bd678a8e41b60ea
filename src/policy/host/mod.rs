//! Answers what expressions ask: users, groups, the plan, the browser's request, functions.
//!
//! Everything comes from the request and its world. What an expression wants changed is kept in
//! the scope until it ends well.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use async_trait::async_trait;
use secrecy::SecretString;
use uuid::Uuid;

use super::request::{self, Request, Subject};
use super::{Effect, context};
use crate::expression::{Call, Failure, Host, Object, Value};
use crate::flow::event::Event;
use crate::world;

mod candidates;
mod catalog;
mod device;
mod event;
mod functions;
mod http_request;
mod lookup;
mod mail;
mod names;
mod plan;
mod query;
mod row;
mod save;
mod user;

use query::Query;
use row::Row;

/// The answers to one evaluation.
pub(super) struct Answers<'a> {
    request: Request<'a>,
    /// Whether users come with their attributes, of which an expression may change its copy.
    detailed: bool,
    /// What was read, by identifier; `None` where there is no such object.
    rows: RefCell<BTreeMap<Uuid, Option<Rc<Row>>>>,
    /// The queries and managers that the expression has handles of.
    queries: RefCell<Vec<Query>>,
}

impl<'a> Answers<'a> {
    /// Answers to the expression `source`.
    pub(super) fn new(request: &Request<'a>, source: &str) -> Self {
        let answers = Self {
            request: *request,
            // Nobody changes what their text does not name.
            detailed: source.contains("attributes"),
            rows: RefCell::default(),
            queries: RefCell::default(),
        };
        let visitor = request.visit.and_then(|visit| visit.user.as_ref());
        for user in request.subject.user().into_iter().chain(visitor) {
            answers.seen(Row::User(user.clone()));
        }
        if let request::Object::Flow(flow) = request.object {
            answers.seen(Row::Flow(flow.clone()));
        }
        if let request::Object::Binding(binding) = request.object {
            answers.seen(Row::Binding(binding.clone()));
        }
        if let request::Object::Application(application) = request.object {
            answers.seen(Row::Application(Box::new(application.clone())));
        }
        answers
    }

    /// Whom the policy is asked about.
    pub(super) async fn subject(&self) -> Result<Object, Failure> {
        Ok(match self.request.subject {
            Subject::User(user) => match self.user(user.value.uuid).await? {
                Some(row) => self.handle(&row),
                None => context::user(user.value.uuid),
            },
            Subject::Stranger { identifier } => self.stranger(context::stranger(identifier)),
            Subject::Anonymous => Object::new(context::ANONYMOUS, ""),
        })
    }

    fn stranger(&self, object: Object) -> Object {
        if self.detailed {
            object.with("attributes", Value::Dict(Vec::new()))
        } else {
            object
        }
    }

    /// A value with the users in it as an expression is to see them.
    pub(super) async fn shown(&self, value: Value) -> Result<Value, Failure> {
        if self.detailed {
            let mut users = Vec::new();
            users_in(&value, &mut users);
            for id in users {
                self.user(id).await?;
            }
            Ok(self.detail(value))
        } else {
            Ok(value)
        }
    }

    fn detail(&self, value: Value) -> Value {
        let all = |items: Vec<Value>| items.into_iter().map(|it| self.detail(it)).collect();
        match value {
            Value::Object(object) if object.class == context::USER => {
                Value::Object(match object.id.parse::<Uuid>() {
                    Ok(id) => match self.at_hand(id) {
                        Some(row) => self.handle(&row),
                        None => object,
                    },
                    Err(_) => self.stranger(Object::new(object.class, object.id)),
                })
            }
            Value::List(items) => Value::List(all(items)),
            Value::Tuple(items) => Value::Tuple(all(items)),
            Value::Dict(entries) => {
                let entries = entries.into_iter();
                Value::Dict(entries.map(|(k, v)| (k, self.detail(v))).collect())
            }
            other => other,
        }
    }

    /// Notes what is to be learnt should the expression end well.
    fn learn(&self, event: Event) {
        self.request.scope.wish(Effect::Learn(event));
    }
}

fn users_in(value: &Value, found: &mut Vec<Uuid>) {
    match value {
        Value::Object(object) if object.class == context::USER => {
            found.extend(object.id.parse::<Uuid>());
        }
        Value::List(items) | Value::Tuple(items) => {
            for item in items {
                users_in(item, found);
            }
        }
        Value::Dict(entries) => {
            for (_, item) in entries {
                users_in(item, found);
            }
        }
        _ => {}
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
        request::Object::Application(it) => Some(Object::new("Application", it.pk.to_string())),
    }
}

/// Ends the evaluation: the world did not answer.
fn abort(error: impl Into<world::Error>) -> Failure {
    Failure::Abort(Box::new(error.into()))
}

/// What authentik has and this version has not.
fn absent(what: &str) -> Failure {
    let text = format!("{what} is not available in expressions of this version");
    Failure::raise("NotImplementedError", text)
}

/// A method that an object of this class has not.
fn no_method(class: &str, name: &str) -> Failure {
    let text = format!("'{class}' object has no attribute '{name}'");
    Failure::raise("AttributeError", text)
}

#[async_trait(?Send)]
impl Host for Answers<'_> {
    async fn name(&self, name: &str) -> Result<Option<Value>, Failure> {
        match name {
            "requests" => Err(absent("requests")),
            "resolve_dns" | "reverse_dns" => Ok(Some(Value::Function(name.to_owned()))),
            _ => Ok(None),
        }
    }

    async fn import(&self, module: &str, name: Option<&str>) -> Result<Option<Value>, Failure> {
        Ok(match (module, name) {
            ("django.utils", Some("timezone")) => Some(Object::new("module", module).into()),
            (_, Some(name)) => names::import(module, name),
            (_, None) => None,
        })
    }

    async fn attribute(&self, object: &Object, name: &str) -> Result<Option<Value>, Failure> {
        match object.class.as_str() {
            "type" => Ok(self.class_attribute(&object.id, name)),
            context::USER | context::ANONYMOUS => self.user_attribute(object, name).await,
            "FlowPlan" => self.plan_attribute(name),
            "HttpRequest" => self.http_attribute(name).await,
            _ => self.object_attribute(object, name).await,
        }
    }

    async fn call(&self, call: Call) -> Result<Value, Failure> {
        let Some(object) = &call.object else {
            return self.function(&call).await;
        };
        match object.class.as_str() {
            context::USER | context::ANONYMOUS => self.user_method(object, &call).await,
            query::MANAGER | query::QUERY_SET => self.query_method(object, &call).await,
            "FlowPlan" => self.plan_method(&call).await,
            "HttpRequest" => self.http_method(&call),
            context::GROUP if call.name == "is_member" => self.is_member(object, &call).await,
            "module" if call.name == "now" => Ok(Value::Moment(self.request.world.now())),
            "type" => {
                let what = format!("{}.{}()", object.id, call.name.trim_matches('_'));
                Err(absent(&what))
            }
            class if call.name == "save" => {
                let what = format!("save() of a {class}");
                Err(absent(&what))
            }
            class => Err(no_method(class, &call.name)),
        }
    }

    async fn reveal(&self, handle: &str) -> Result<SecretString, Failure> {
        self.opened(handle).await
    }
}

impl Answers<'_> {
    async fn opened(&self, handle: &str) -> Result<SecretString, Failure> {
        let handle = handle
            .parse()
            .map_err(|_| Failure::raise("ValueError", "no such secret"))?;
        let secret = self.request.world.open(handle).await.map_err(abort)?;
        secret.ok_or_else(|| Failure::raise("ValueError", "the secret is gone"))
    }
}
