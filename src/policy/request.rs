//! What a policy is asked, and about whom.

use std::cell::RefCell;
use std::time::Duration;

use uuid::Uuid;

use super::{Effect, context};
use crate::catalog::{Application, Flow, FlowStageBinding};
use crate::directory::user::User;
use crate::expression::Value;
use crate::flow::Context;
use crate::flow::client::Client;
use crate::flow::context::Value as Known;
use crate::flow::effect;
use crate::flow::event::Event;
use crate::flow::plan::Plan;
use crate::flow::query::Query;
use crate::geoip::Place;
use crate::journal::object::Versioned;
use crate::world::{self, World};

/// One question put to a policy.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Everything outside the execution.
    pub world: &'a dyn World,
    /// Whom it is about.
    pub subject: &'a Subject,
    /// The request of the browser, where there is one.
    pub visit: Option<&'a Visit<'a>>,
    /// What the policy is bound to.
    pub object: Object<'a>,
    /// The context and the plan, and what the policies before this one changed in them.
    pub scope: &'a Scope,
    /// The name of the policy that is asked.
    pub policy: &'a str,
    /// Whether this is a test, which leaves no trace.
    pub debug: bool,
    /// How many policies wait for this one, because they called it.
    pub depth: usize,
    /// How long it may take.
    pub deadline: Duration,
}

impl<'a> Request<'a> {
    /// A question that no policy is asked yet.
    #[must_use]
    pub fn new(
        world: &'a dyn World,
        subject: &'a Subject,
        visit: Option<&'a Visit<'a>>,
        object: Object<'a>,
        scope: &'a Scope,
    ) -> Self {
        Self {
            world,
            subject,
            visit,
            object,
            scope,
            policy: "",
            debug: false,
            depth: 0,
            deadline: USUAL,
        }
    }
}

/// How long a policy may take where no binding says.
const USUAL: Duration = Duration::from_secs(30);

/// Whom a policy is asked about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A user of the directory.
    User(Box<Versioned<User>>),
    /// Somebody who typed an identifier that nobody has.
    Stranger {
        /// What was typed.
        identifier: String,
    },
    /// Nobody is known.
    Anonymous,
}

impl Subject {
    /// The user, if they are in the directory.
    #[must_use]
    pub fn user(&self) -> Option<&Versioned<User>> {
        match self {
            Self::User(user) => Some(user),
            _ => None,
        }
    }

    /// The name by which attempts are counted; empty for nobody.
    #[must_use]
    pub fn username(&self) -> &str {
        match self {
            Self::User(user) => &user.value.username,
            Self::Stranger { identifier } => identifier,
            Self::Anonymous => "",
        }
    }
}

/// The browser's request.
pub struct Visit<'a> {
    /// Who sent it.
    pub client: &'a Client,
    /// The browser's query string.
    pub query: &'a Query,
    /// The path that was asked for.
    pub path: String,
    /// Whether something was sent: `POST` instead of `GET`.
    pub is_answer: bool,
    /// Who is logged in.
    pub user: Option<Versioned<User>>,
    /// Where it comes from.
    pub place: Place,
}

impl Visit<'_> {
    /// What lies over the context for policies: `geoip` and `asn`, `None` where nothing is known.
    #[must_use]
    pub fn extras(&self) -> Vec<(String, Value)> {
        let Place { city, asn } = &self.place;
        // Neither has anything that JSON lacks.
        let value = |json: Option<serde_json::Value>| json.as_ref().map(Value::from).into();
        let city = city.as_ref().and_then(|it| serde_json::to_value(it).ok());
        let asn = asn.as_ref().and_then(|it| serde_json::to_value(it).ok());
        vec![
            ("geoip".to_owned(), value(city)),
            ("asn".to_owned(), value(asn)),
        ]
    }
}

/// What a policy is bound to.
#[derive(Clone, Copy)]
pub enum Object<'a> {
    /// Nothing: somebody tries it out.
    None,
    /// A flow.
    Flow(&'a Flow),
    /// A stage's place in a flow.
    Binding(&'a FlowStageBinding),
    /// An application.
    Application(&'a Application),
}

/// The context that policies see, and what they changed so far.
///
/// All policies of one question share it: each sees what the ones before it changed.
#[derive(Default)]
pub struct Scope {
    /// What the execution has learnt.
    context: RefCell<Context>,
    /// The plan with the current stage in front; `None` where there is none to speak of.
    plan: RefCell<Option<Plan>>,
    /// Entries that lie over the context for policies only, such as `geoip`.
    extras: Vec<(String, Value)>,
    /// What is to be noted, in order.
    learnt: RefCell<Vec<Event>>,
    /// The policies that failed.
    failed: RefCell<Vec<Uuid>>,
    /// What the policy that is being asked wants done, in order, should it end well.
    wishes: RefCell<Vec<Effect>>,
}

impl Scope {
    /// The context of an execution, with its plan where policies may see it.
    #[must_use]
    pub fn new(context: Context, plan: Option<Plan>, extras: Vec<(String, Value)>) -> Self {
        Self {
            context: RefCell::new(context),
            plan: RefCell::new(plan),
            extras,
            ..Self::default()
        }
    }

    /// The context as it is by now.
    #[must_use]
    pub fn context(&self) -> Context {
        self.context.borrow().clone()
    }

    /// The plan as it is by now.
    #[must_use]
    pub fn plan(&self) -> Option<Plan> {
        self.plan.borrow().clone()
    }

    /// What lies over the context for policies only.
    #[must_use]
    pub fn extras(&self) -> &[(String, Value)] {
        &self.extras
    }

    /// The scope of a policy that another one calls: the context that it is handed, what lies over
    /// that, and the plan and the wishes of its caller.
    pub(super) fn of_call(&self, context: Context, extras: Vec<(String, Value)>) -> Self {
        Self {
            context: RefCell::new(context),
            plan: RefCell::new(self.plan()),
            extras,
            wishes: RefCell::new(self.wishes()),
            ..Self::default()
        }
    }

    /// Notes what happened in the scope of a policy that was called. What it wants done is not
    /// among that.
    pub(super) fn join(&self, called: Self) {
        self.learnt.borrow_mut().extend(called.learnt.into_inner());
        self.failed.borrow_mut().extend(called.failed.into_inner());
    }

    /// What policies see under a key of the context: what lies over it, or what is in it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<Known> {
        let over = self.extras.iter().find(|(name, _)| name == key);
        over.map(|(_, value)| context::kept(value))
            .or_else(|| self.context.borrow().get(key).cloned())
    }

    /// Notes something, and lets the policies that follow see it.
    pub(super) fn learn(&self, event: Event) {
        match &event {
            Event::ContextChanged { key, value, .. } => {
                self.context.borrow_mut().set(key, value.clone());
            }
            Event::PlanChanged { change, .. } => {
                if let Some(plan) = self.plan.borrow_mut().as_mut() {
                    plan.change(change);
                }
            }
            _ => {}
        }
        self.learnt.borrow_mut().push(event);
    }

    /// Notes what the policy that is being asked wants done.
    pub(super) fn wish(&self, effect: Effect) {
        self.wishes.borrow_mut().push(effect);
    }

    /// What is wanted so far and has not taken effect yet: also what the callers of a policy want.
    pub(super) fn wishes(&self) -> Vec<Effect> {
        self.wishes.borrow().clone()
    }

    /// How far everything is, before a policy is asked.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            wishes: self.wishes.borrow().len(),
            learnt: self.learnt.borrow().len(),
            failed: self.failed.borrow().len(),
        }
    }

    /// What was wanted since `mark`; nobody wants it any more afterwards.
    pub(super) fn take_wishes(&self, mark: &Mark) -> Vec<Effect> {
        let mut wishes = self.wishes.borrow_mut();
        let at = mark.wishes.min(wishes.len());
        wishes.split_off(at)
    }

    /// Forgets all that happened since `mark`: an evaluation that was interrupted is not run again
    /// in a replay, so nothing may stay of the policies that it called either.
    pub(super) fn forget(&self, mark: &Mark) {
        self.wishes.borrow_mut().truncate(mark.wishes);
        self.learnt.borrow_mut().truncate(mark.learnt);
        self.failed.borrow_mut().truncate(mark.failed);
    }

    /// Carries out what a policy asks for.
    ///
    /// # Errors
    /// When the world did not answer.
    pub(super) async fn take_effect(
        &self,
        world: &dyn World,
        effect: Effect,
    ) -> Result<(), world::Error> {
        match effect {
            Effect::Learn(event) => self.learn(event),
            Effect::Change(change) => world.change(change),
            Effect::Post(letter) => {
                let template = letter.template.clone();
                self.learn(match world.post(*letter).await? {
                    Ok(effect) => Event::EffectRequested {
                        effect,
                        what: effect::Effect::Mail { template },
                    },
                    Err(problem) => Event::ConfigurationError {
                        what: format!("the mail {template} of a policy"),
                        problem,
                    },
                });
            }
        }
        Ok(())
    }

    /// Notes that a policy failed.
    pub(super) fn fail(&self, policy: Uuid) {
        self.failed.borrow_mut().push(policy);
    }

    /// The policies that failed so far; none are known afterwards.
    pub(super) fn take_failed(&self) -> Vec<Uuid> {
        self.failed.take()
    }

    /// What is to be noted, in order.
    #[must_use]
    pub fn into_learnt(self) -> Vec<Event> {
        self.learnt.into_inner()
    }
}

/// How far a scope was at one moment.
pub(super) struct Mark {
    wishes: usize,
    learnt: usize,
    failed: usize,
}
