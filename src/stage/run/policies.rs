//! Asks the policies of the flow and of its stages.

use super::Run;
use crate::catalog::{Flow, FlowStageBinding};
use crate::flow::Command;
use crate::flow::event::{Check, Event};
use crate::flow::input::Request as Asked;
use crate::flow::plan::{Pinned, Plan, PlannedStage};
use crate::journal::Version;
use crate::journal::object::{self, Versioned};
use crate::policy::{Asker, Decision, Question, engine};
use crate::stage::Error;
use crate::world;

/// More answers of policies than these end an execution, so that nobody fills the journal by
/// looking again and again where the answer is another each time.
const MAX_DECISIONS: u32 = 2_000;

/// What the policies of a stage came to.
pub(super) struct Answer {
    pub(super) decision: Decision,
    /// What is to be noted.
    pub(super) learnt: Vec<Event>,
    /// The plan as the policies leave it.
    pub(super) plan: Plan,
}

impl Run<'_> {
    /// Whether the current stage stays in the plan. Its policies are asked once per command where
    /// its binding wants that; a stage that does not pass is gone for good.
    ///
    /// Source: authentik `flows/markers.py`.
    pub(super) async fn admit(&mut self, planned: &PlannedStage) -> Result<bool, Error> {
        let id = planned.binding.id;
        if !planned.re_evaluate || self.admitted == Some(id) {
            return Ok(true);
        }
        let decisions = self.state.running().map_or(0, |running| running.decisions);
        if decisions >= MAX_DECISIONS {
            self.deny(Check::Attempts, "Too many attempts. Please start again.")?;
            return Ok(false);
        }
        let Pinned { version, .. } = planned.binding;
        let found: Option<Versioned<FlowStageBinding>> =
            object::get_at(self.world.objects(), id, Version(version)).await?;
        let binding = found.ok_or_else(|| world::Error::Gone(format!("binding {id}@{version}")))?;
        let plan = self.state.running().map(|running| running.plan.clone());
        let asked = self
            .ask_for_stage(&binding.value, &planned.name, plan.unwrap_or_default())
            .await?;
        let Some(asked) = asked else {
            self.admitted = Some(id);
            return Ok(true);
        };
        let is_current = |plan: &Plan| plan.current().is_some_and(|now| now.binding.id == id);
        if asked.decision.passing && is_current(&asked.plan) {
            self.admitted = Some(id);
            if !self.says_nothing_new(&asked.learnt) {
                self.apply(Command::Learn(asked.learnt))?;
            }
            return Ok(true);
        }
        self.apply(Command::Learn(asked.learnt))?;
        // A policy that put another stage in front has spoken about that one.
        if is_current(&asked.plan) {
            self.apply(Command::Skip)?;
        }
        Ok(false)
    }

    /// Whether somebody who only looks sees what they saw before: then nothing is written, or a
    /// page that is loaded again and again would fill the journal.
    fn says_nothing_new(&self, learnt: &[Event]) -> bool {
        let Some(running) = self.state.running().filter(|it| self.looks && it.entered) else {
            return false;
        };
        let is_answer =
            |event: &Event| matches!(event, Event::PolicyEvaluated(_) | Event::PolicyFailed(_));
        let known = running.failed_policies.as_ref();
        learnt.iter().all(|event| match event {
            Event::EngineDecided(decided) => known == Some(&decided.failed),
            event => is_answer(event),
        })
    }

    /// What the policies of a stage say, if it has any.
    pub(super) async fn ask_for_stage(
        &self,
        binding: &FlowStageBinding,
        stage: &str,
        plan: Plan,
    ) -> Result<Option<Answer>, Error> {
        let conditions = engine::conditions(self.world, binding.pbm).await?;
        if conditions.is_empty() {
            return Ok(None);
        }
        let question = self.question(Some(plan)).await?;
        let decision = question.of_binding(binding, stage, &conditions).await?;
        Ok(Some(Answer {
            decision,
            plan: question.plan().unwrap_or_default(),
            learnt: question.into_learnt(),
        }))
    }

    /// What the policies of the flow say, if it has any.
    pub(super) async fn ask_for_flow(
        &self,
        flow: &Flow,
    ) -> Result<Option<(Decision, Vec<Event>)>, Error> {
        let conditions = engine::conditions(self.world, flow.pbm).await?;
        if conditions.is_empty() {
            return Ok(None);
        }
        let question = self.question(None).await?;
        let decision = question.of_flow(flow, &conditions).await?;
        Ok(Some((decision, question.into_learnt())))
    }

    /// Who asks, about whom, and what policies get to see.
    async fn question(&self, plan: Option<Plan>) -> Result<Question<'_>, Error> {
        let running = self.state.latest();
        let slug = running.map_or("", |running| running.slug.as_str());
        let asker = Asker {
            client: &self.input.client,
            query: &self.query,
            path: format!("/api/v3/flows/executor/{slug}/"),
            is_answer: matches!(self.input.request, Asked::Answer { .. }),
            user: self.session_user().await?,
        };
        let context = running.map(|running| running.context.clone());
        let context = context.unwrap_or_default();
        Ok(Question::new(self.world, asker, context, plan).await?)
    }
}
