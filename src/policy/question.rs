//! Who asks, about whom, and what policies get to see: made from what an execution has learnt,
//! or from nothing where none has begun.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::engine::{self, Decision};
use super::request::{Object, Request, Scope, Subject, Visit};
use crate::catalog::{Application, Flow, FlowStageBinding, PolicyBinding};
use crate::directory::user::User;
use crate::flow::client::Client;
use crate::flow::context::{Context, Value as Known, key};
use crate::flow::event::Event;
use crate::flow::plan::Plan;
use crate::flow::query::Query;
use crate::flow::verdict::Target;
use crate::journal::object::Versioned;
use crate::world::{self, World};

/// Whoever sent the request on whose account policies are asked.
#[derive(Clone, Debug)]
pub struct Asker<'a> {
    /// Their end of the line.
    pub client: &'a Client,
    /// The browser's query string.
    pub query: &'a Query,
    /// The path that was asked for.
    pub path: String,
    /// Whether something was sent: `POST` instead of `GET`.
    pub is_answer: bool,
    /// Who is logged in.
    pub user: Option<Versioned<User>>,
}

/// One question: everything but the policies that are asked.
pub struct Question<'a> {
    world: &'a dyn World,
    visit: Visit<'a>,
    subject: Subject,
    scope: Scope,
}

impl<'a> Question<'a> {
    /// The question of an execution that has learnt `context`; `plan` where policies may see it.
    ///
    /// # Errors
    /// When the world did not answer.
    pub async fn new(
        world: &'a dyn World,
        asker: Asker<'a>,
        context: Context,
        plan: Option<Plan>,
    ) -> Result<Self, world::Error> {
        let subject = match context.get(key::PENDING_USER) {
            Some(Known::Stranger { identifier }) => Subject::Stranger {
                identifier: identifier.clone(),
            },
            Some(Known::User(id)) => world::user(world, *id).await?.into(),
            _ => asker.user.clone().into(),
        };
        let visit = asker.visit(world)?;
        let scope = Scope::new(context, plan, visit.extras());
        Ok(Self {
            world,
            visit,
            subject,
            scope,
        })
    }

    /// What the conditions of a flow come to.
    ///
    /// # Errors
    /// When the world did not answer.
    pub async fn of_flow(
        &self,
        flow: &Flow,
        conditions: &[Versioned<PolicyBinding>],
    ) -> Result<Decision, world::Error> {
        let target = Target::Flow {
            flow: flow.pk,
            slug: flow.slug.to_string(),
        };
        let request = self.request(Object::Flow(flow));
        engine::decide(&request, conditions, flow.policy_engine_mode, target).await
    }

    /// What the conditions of a stage's place in a flow come to; `stage` is the stage's name.
    ///
    /// # Errors
    /// When the world did not answer.
    pub async fn of_binding(
        &self,
        binding: &FlowStageBinding,
        stage: &str,
        conditions: &[Versioned<PolicyBinding>],
    ) -> Result<Decision, world::Error> {
        let target = Target::Binding {
            binding: binding.pk,
            stage: stage.to_owned(),
        };
        let request = self.request(Object::Binding(binding));
        engine::decide(&request, conditions, binding.policy_engine_mode, target).await
    }

    /// What the conditions of an application come to.
    ///
    /// # Errors
    /// When the world did not answer.
    pub async fn of_application(
        &self,
        application: &Application,
        conditions: &[Versioned<PolicyBinding>],
    ) -> Result<Decision, world::Error> {
        let target = Target::Application {
            application: application.pk,
            slug: application.slug.to_string(),
        };
        let request = self.request(Object::Application(application));
        engine::decide(&request, conditions, application.policy_engine_mode, target).await
    }

    /// The question about what was typed into a prompt stage: policies see that and nothing else
    /// of what was learnt.
    #[must_use]
    pub fn about_prompts(mut self, typed: BTreeMap<String, Known>) -> Self {
        let mut context = Context::default();
        context.set(key::PROMPT_DATA, Some(Known::map(typed)));
        self.scope = Scope::new(context, None, self.visit.extras());
        self
    }

    /// What the policies of a prompt stage come to, all of which have to pass.
    ///
    /// # Errors
    /// When the world did not answer.
    pub async fn of_prompts(
        &self,
        stage: Uuid,
        name: &str,
        policies: &[Uuid],
    ) -> Result<Decision, world::Error> {
        let target = Target::Prompt {
            stage,
            name: name.to_owned(),
        };
        let request = self.request(Object::None);
        engine::decide_all(&request, policies, target).await
    }

    /// What was typed, as the policies leave it.
    #[must_use]
    pub fn typed(&self) -> BTreeMap<String, Known> {
        let context = self.scope.context();
        let typed = context.get(key::PROMPT_DATA).and_then(Known::entries);
        typed.unwrap_or_default()
    }

    /// The plan as the policies leave it.
    #[must_use]
    pub fn plan(&self) -> Option<Plan> {
        self.scope.plan()
    }

    /// What is to be noted, in order.
    #[must_use]
    pub fn into_learnt(self) -> Vec<Event> {
        self.scope.into_learnt()
    }

    pub(super) fn request<'r>(&'r self, object: Object<'r>) -> Request<'r> {
        Request::new(
            self.world,
            &self.subject,
            Some(&self.visit),
            object,
            &self.scope,
        )
    }
}

impl<'a> Asker<'a> {
    /// The request as policies see it.
    ///
    /// # Errors
    /// When the world did not answer.
    pub fn visit(self, world: &dyn World) -> Result<Visit<'a>, world::Error> {
        let place = world.place(self.client.address)?;
        Ok(Visit {
            client: self.client,
            query: self.query,
            path: self.path,
            is_answer: self.is_answer,
            user: self.user,
            place,
        })
    }
}
