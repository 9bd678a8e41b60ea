//! How a flow begins, begins again and ends.

use super::Run;
use crate::catalog::binding::bindings_of;
use crate::catalog::{FlowStageBinding, Stage};
use crate::directory::user::User;
use crate::flow::context::{Context, Value as Known, key};
use crate::flow::event::{Check, Event};
use crate::flow::model::{Designation, InvalidResponseAction};
use crate::flow::plan::{Pinned, Plan, PlannedStage};
use crate::flow::{Command, next};
use crate::journal::object::{self, Versioned};
use crate::stage::{Error, invitation, planner};
use crate::telemetry::Measured;

/// More restarts than this end an execution: a deny stage may restart for ever.
const MAX_RESTARTS: u32 = 10;

/// Who put what is known before the first stage into the context.
const REQUEST: &str = "the request";

/// Why the stages of a flow are laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// Somebody comes to the flow.
    Beginning,
    /// A stage wants it to begin again.
    Restart,
    /// A stage of another flow led here.
    Redirected,
}

impl Run<'_> {
    /// Notes what is known before the first stage.
    pub(super) async fn enter_with(&mut self, context: &Context) -> Result<(), Error> {
        let mut learnt = Vec::new();
        for (key, value) in context.iter() {
            if let (key::PENDING_USER, Known::User(id)) = (key, value) {
                let user: Option<Versioned<User>> = object::get(self.world.objects(), *id).await?;
                learnt.push(Event::UserIdentified {
                    user: user.as_ref().map(|user| user.value.uuid),
                    active: user.is_some_and(|user| user.value.is_active),
                });
            }
            learnt.push(Event::ContextChanged {
                key: key.to_owned(),
                value: Some(value.clone()),
                by: REQUEST.to_owned(),
            });
        }
        self.apply(Command::Learn(learnt))
    }

    /// Lays out the stages, or ends the execution when the flow is not for this visitor.
    ///
    /// Source: authentik `flows/planner.py`.
    pub(super) async fn plan(&mut self, occasion: Occasion) -> Result<(), Error> {
        self.admitted = None;
        let began = self.world.moment();
        let Some((check, message)) = self.refusal().await? else {
            let plan = self.lay_out().await?;
            let flow = self.flow().await?;
            let part = Measured::Plan {
                flow: flow.slug.as_str(),
            };
            self.world.took(part, began);
            return self.apply(Command::Plan(plan));
        };
        let flow = self.flow().await?;
        let is_login = flow.designation == Designation::Authentication;
        // Somebody who is logged in has no need of a login: on to where they wanted to be. Whoever
        // gets there by a stage that wanted the flow to begin again was not let through by it.
        if occasion == Occasion::Beginning && is_login && self.session_user().await?.is_some() {
            return self.finish().await;
        }
        self.deny(check, &message)
    }

    /// Why the flow is not for this visitor, if it is not.
    async fn refusal(&mut self) -> Result<Option<(Check, String)>, Error> {
        let flow = self.flow().await?;
        let user = self.session_user().await?;
        let Some(running) = self.state.running() else {
            return Ok(None);
        };
        let context = &running.context;
        let client = &self.input.client;
        let refusal =
            planner::requirement(self.world, &flow, user.as_ref(), client, context).await?;
        if let Some(message) = refusal {
            return Ok(Some((Check::Requirement, message.to_owned())));
        }
        let Some((decision, learnt)) = self.ask_for_flow(&flow).await? else {
            return Ok(None);
        };
        self.apply(Command::Learn(learnt))?;
        if decision.passing {
            return Ok(None);
        }
        let message = if decision.messages.is_empty() {
            planner::DOES_NOT_APPLY.to_owned()
        } else {
            decision.messages.join("\n")
        };
        Ok(Some((Check::Policies, message)))
    }

    /// The stages of the flow, in order, each pinned to the revision that it has now, without
    /// those whose policies do not pass already.
    async fn lay_out(&mut self) -> Result<Plan, Error> {
        let flow = self.flow().await?;
        let mut plan = Plan::default();
        for binding in bindings_of(self.world.objects(), flow.pk).await? {
            let stage: Option<Versioned<Stage>> =
                object::get(self.world.objects(), binding.value.stage).await?;
            // A binding whose stage was deleted binds nothing any more.
            let Some(stage) = stage else { continue };
            if binding.value.evaluate_on_plan {
                let name = &stage.value.name;
                let asked = self
                    .ask_for_stage(&binding.value, name, plan.clone())
                    .await?;
                if let Some(asked) = asked {
                    self.apply(Command::Learn(asked.learnt))?;
                    plan = asked.plan;
                    if !asked.decision.passing {
                        self.apply(Command::Omit {
                            binding: binding.value.pk,
                            stage: stage.value.name,
                        })?;
                        continue;
                    }
                }
            }
            plan.0.push_back(planned(&binding, stage));
        }
        // What a policy appends each time that the flow is planned is there once.
        let waiting = self.state.running().map(|running| &running.appended);
        let waits = |stage: &PlannedStage| {
            waiting
                .into_iter()
                .flatten()
                .any(|other| (other.stage.id, &other.settings) == (stage.stage.id, &stage.settings))
        };
        plan.0.retain(|stage| !(stage.appended && waits(stage)));
        Ok(plan)
    }

    /// Begins the flow again, as its binding asks for.
    pub(super) async fn restart(&mut self, planned: &PlannedStage) -> Result<(), Error> {
        if self.is_restarted_too_often()? {
            return Ok(());
        }
        let keep_context = planned.on_invalid == InvalidResponseAction::RestartWithContext;
        self.apply(Command::Restart { keep_context })?;
        self.plan(Occasion::Restart).await
    }

    /// Ends an execution that begins again and again, here or in another flow.
    pub(super) fn is_restarted_too_often(&mut self) -> Result<bool, Error> {
        let restarts = self.state.running().map_or(0, |running| running.restarts);
        if restarts < MAX_RESTARTS {
            return Ok(false);
        }
        self.deny(Check::Attempts, "Too many attempts. Please start again.")?;
        Ok(true)
    }

    /// Sends the visitor where they wanted to be.
    pub(super) async fn finish(&mut self) -> Result<(), Error> {
        let Some(running) = self.state.running() else {
            return Ok(());
        };
        let told = running.context.text(key::REDIRECT);
        let destination = match (told, self.query.next()) {
            (Some(told), _) => told,
            (None, Some(next)) if !next::is_safe(next) => {
                return self.deny(Check::Next, "Invalid next URL");
            }
            (None, next) => next.unwrap_or("/"),
        };
        let destination = destination.to_owned();
        if !self.use_invitation_up().await? {
            return self.deny(Check::Link, invitation::NOT_FOUND);
        }
        self.apply(Command::Finish { destination })
    }
}

fn planned(binding: &Versioned<FlowStageBinding>, stage: Versioned<Stage>) -> PlannedStage {
    PlannedStage {
        binding: Pinned {
            id: binding.value.pk,
            version: binding.version.0,
        },
        stage: Pinned {
            id: stage.value.pk,
            version: stage.version.0,
        },
        kind: stage.value.kind,
        name: stage.value.name,
        re_evaluate: binding.value.re_evaluate_policies,
        on_invalid: binding.value.invalid_response_action,
        settings: None,
        appended: false,
    }
}
