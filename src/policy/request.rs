//! What a policy is asked, and about whom.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use uuid::Uuid;

use super::Effect;
use crate::catalog::{Flow, FlowStageBinding};
use crate::directory::user::User;
use crate::expression::Value;
use crate::flow::Context;
use crate::flow::client::Client;
use crate::flow::event::Event;
use crate::flow::plan::Plan;
use crate::flow::query::Query;
use crate::geoip::Place;
use crate::journal::object::Versioned;
use crate::world::World;

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
    /// Whether the plan's current stage was replaced.
    redirected: Cell<bool>,
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

    /// Whether a policy replaced the plan's current stage.
    #[must_use]
    pub fn was_redirected(&self) -> bool {
        self.redirected.get()
    }

    /// Notes something, and lets the policies that follow see it.
    pub(super) fn learn(&self, event: Event) {
        match &event {
            Event::ContextChanged { key, value, .. } => {
                self.context.borrow_mut().set(key, value.clone());
            }
            Event::PlanChanged { change, .. } => {
                use crate::flow::verdict::PlanChange;
                let redirects = matches!(change, PlanChange::Redirect { .. });
                self.redirected.set(self.redirected.get() || redirects);
                if let Some(plan) = self.plan.borrow_mut().as_mut() {
                    plan.change(change);
                }
            }
            _ => {}
        }
        self.learnt.borrow_mut().push(event);
    }

    /// Carries out what a policy asks for.
    pub(super) fn take_effect(&self, world: &dyn World, effect: Effect) {
        match effect {
            Effect::Learn(event) => self.learn(event),
            Effect::Change(change) => world.change(change),
        }
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
