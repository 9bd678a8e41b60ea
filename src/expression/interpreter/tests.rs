//! The interpreter without a process around it; the host is a closure.

use super::*;
use crate::expression::evaluation::{Change, Plan};
use crate::expression::host::{Call, Raised};
use crate::expression::value::Object;

mod hostile;
mod language;
mod objects;

/// What is handed to an expression under test.
struct Given {
    context: Vec<(String, Value)>,
    plan: Option<Vec<(String, Value)>>,
    secrets: Vec<(&'static str, &'static str)>,
    client_ip: Option<std::net::IpAddr>,
    variables: Vec<(&'static str, Value)>,
    limits: Limits,
}

impl Default for Given {
    fn default() -> Self {
        Self {
            context: Vec::new(),
            plan: None,
            secrets: Vec::new(),
            client_ip: None,
            variables: Vec::new(),
            // Wall clock time, and the machine may be busy.
            limits: Limits {
                time: std::time::Duration::from_secs(20),
                ..Limits::default()
            },
        }
    }
}

impl Given {
    fn context<const N: usize>(entries: [(&str, Value); N]) -> Self {
        let entries = entries.into_iter().map(|(k, v)| (k.to_owned(), v));
        Self {
            context: entries.collect(),
            ..Self::default()
        }
    }

    fn plan<const N: usize>(mut self, entries: [(&str, Value); N]) -> Self {
        let entries = entries.into_iter().map(|(k, v)| (k.to_owned(), v));
        self.plan = Some(entries.collect());
        self
    }

    fn start(self, source: &str) -> Start {
        let secrets = self.secrets.into_iter();
        Start {
            text: Text {
                source: source.to_owned(),
                request: true,
                context: true,
                plan: self.plan.is_some(),
                client_ip: self.client_ip.is_some(),
                variables: self
                    .variables
                    .iter()
                    .map(|(k, _)| (*k).to_owned())
                    .collect(),
            },
            now: "2026-11-21T04:05:06Z".parse().expect("a moment"),
            request: Some(Object::new("PolicyRequest", "").with("user", user("1", "ann"))),
            context: self.context,
            plan: self.plan.map(|context| Plan {
                object: Object::new("FlowPlan", "plan"),
                context,
            }),
            client_ip: self.client_ip,
            variables: self.variables.into_iter().map(|(_, v)| v).collect(),
            limits: self.limits,
            secrets: secrets
                .map(|(handle, text)| Revealed {
                    handle: handle.to_owned(),
                    text: text.to_owned(),
                })
                .collect(),
        }
    }

    fn run(self, source: &str) -> Result<Done, Failed> {
        self.ask(source, &mut |question| answer(&question))
    }

    fn ask(self, source: &str, host: &mut dyn FnMut(Question) -> Answer) -> Result<Done, Failed> {
        self.tell(source, host).map_err(|(failed, _)| failed)
    }

    /// The same, with what a run that fails logged until then.
    fn tell(self, source: &str, host: &mut dyn FnMut(Question) -> Answer) -> Result<Done, Failure> {
        let start = self.start(source);
        let program = Program::compile(&start.text);
        let program = program.map_err(|error| (Failed::Syntax(error), Vec::new()))?;
        let ended = program.run(start, &mut |question| Ok((host(question), Vec::new())));
        ended.expect("the host does not fail")
    }
}

fn user(id: &str, name: &str) -> Value {
    Object::new("User", id)
        .with("username", name)
        .with("attributes", Value::dict([("a", 1.into())]))
        .into()
}

/// A small world: users with groups, and a class of the host's.
fn answer(question: &Question) -> Answer {
    match question {
        Question::Attribute(object, name) => match (object.class.as_str(), name.as_str()) {
            ("User", "email") => Answer::Value(Value::text(format!("{}@example.com", object.id))),
            ("User", "groups") | ("type", "objects") => {
                Answer::Value(Object::new("Manager", &object.id).into())
            }
            _ => Answer::Nothing,
        },
        Question::Import(module, Some(name)) if module == "authentik.core.models" => {
            Answer::Value(Value::Class(name.clone()))
        }
        Question::Call(call) => called(call),
        Question::Name(name) if name == "limit" => Answer::Value(Value::Int(7)),
        _ => Answer::Nothing,
    }
}

fn called(call: &Call) -> Answer {
    let class = call.object.as_ref().map(|object| object.class.as_str());
    match (class, call.name.as_str()) {
        (Some("Manager" | "QuerySet"), "all" | "filter") => {
            let none = call.argument(9, "name") == Some(&Value::text("nobody"));
            let id = if none { "none" } else { "some" };
            Answer::Value(Object::new("QuerySet", id).into())
        }
        (Some("QuerySet"), "__iter__") => {
            let some = call
                .object
                .as_ref()
                .is_some_and(|object| object.id == "some");
            let users = [user("1", "ann"), user("2", "bob")];
            let users = if some { users.to_vec() } else { Vec::new() };
            Answer::Value(Value::List(users))
        }
        (Some("QuerySet"), "exists") => Answer::Value(Value::Bool(true)),
        (None, "ak_user_by") => match call.argument(0, "username") {
            Some(Value::Text(name)) if name == "ann" => Answer::Value(user("1", "ann")),
            _ => Answer::Value(Value::None),
        },
        (None, "ak_fails") => Answer::Raise(Raised {
            kind: "ValueError".to_owned(),
            message: "so it is".to_owned(),
        }),
        _ => Answer::Nothing,
    }
}

fn value(source: &str) -> Value {
    let done = Given::default().run(source);
    done.unwrap_or_else(|failed| panic!("{source}\n{failed:?}"))
        .value
}

fn runtime(source: &str) -> (String, String, Vec<u32>) {
    match Given::default().run(source) {
        Err(Failed::Runtime {
            kind,
            message,
            traceback,
        }) => (
            kind,
            message,
            traceback.iter().map(|frame| frame.line).collect(),
        ),
        other => panic!("{source}\n{other:?}"),
    }
}
