//! Takes an answer, has it judged, and does what follows.

use serde_json::Value;
use uuid::Uuid;

use super::{MAX_ANSWERS, Run};
use crate::flow::Command;
use crate::flow::effect::Outcome;
use crate::flow::event::{Check, Errors};
use crate::flow::execution::Running;
use crate::flow::model::InvalidResponseAction;
use crate::flow::plan::PlannedStage;
use crate::stage::{Configured, Error, Form, Verdict, invitation};

impl Run<'_> {
    /// Takes an answer, if it is one to the open challenge. One that was not taken was not written
    /// down either, so in a replay there is none.
    pub(super) async fn answer(
        &mut self,
        challenge: Option<&str>,
        body: Option<&Value>,
    ) -> Result<(), Error> {
        let Some(running) = self.state.running() else {
            return Ok(());
        };
        let Some(planned) = running.plan.current().cloned() else {
            return self.advance().await;
        };
        let Some(stage) = self.configured(&planned).await? else {
            return Ok(());
        };
        // It is asked for also where nobody answers: a replay does not know better.
        let form = match self.form(&stage, &planned).await {
            Ok(form) => form,
            Err(error) => return self.fail(error),
        };
        let Some(running) = self.state.running() else {
            return Ok(());
        };
        // Whoever answers while an answer is judged joins in waiting for it.
        let is_open = running.challenge.is_some() && running.waits_for.is_none();
        let body = body.filter(|body| is_open && answers(running, &stage, &form, challenge, body));
        self.looks = body.is_none();
        // An answer to a stage that leaves the plan now is one to nothing.
        let Some(body) = body else {
            return self.advance().await;
        };
        if !self.admit(&planned).await? {
            return self.advance().await;
        }
        let Some(running) = self.state.running() else {
            return Ok(());
        };
        if running.answers >= MAX_ANSWERS {
            return self.deny(Check::Attempts, "Too many attempts. Please start again.");
        }
        let redacted = form.redact(body);
        let names = redacted.as_object().map(|it| it.keys().cloned().collect());
        self.body = Some(redacted);
        self.apply(Command::Receive {
            fields: names.unwrap_or_default(),
        })?;
        if !self.is_still_invited().await? {
            return self.deny(Check::Link, invitation::NOT_FOUND);
        }
        let verdict = self.judge(&stage, &planned, &form, body).await?;
        self.follow(&stage, &planned, verdict).await
    }

    /// Takes what came of an effect, and judges the answer that waits for it.
    pub(super) async fn conclude(&mut self, effect: Uuid, outcome: &Outcome) -> Result<(), Error> {
        let waits = self
            .state
            .running()
            .is_some_and(|running| running.waits_for == Some(effect));
        self.apply(Command::Conclude {
            effect,
            outcome: outcome.clone(),
        })?;
        if !waits {
            return Ok(());
        }
        let planned = self
            .state
            .running()
            .and_then(|it| it.plan.current().cloned());
        let Some(planned) = planned else {
            return Ok(());
        };
        let Some(stage) = self.configured(&planned).await? else {
            return Ok(());
        };
        let flow = self.flow().await?;
        let mut turn = self.turn(&flow, &planned)?;
        let verdict = stage.conclude(outcome, &mut turn).await;
        let learnt = turn.learnt;
        self.apply(Command::Learn(learnt))?;
        self.follow(&stage, &planned, verdict).await
    }

    async fn form(&self, stage: &Configured, planned: &PlannedStage) -> Result<Form, Error> {
        let flow = self.flow().await?;
        let mut turn = self.turn(&flow, planned)?;
        stage.form(&mut turn).await
    }

    /// The inner result is the stage's, the outer one ours.
    async fn judge(
        &mut self,
        stage: &Configured,
        planned: &PlannedStage,
        form: &Form,
        body: &Value,
    ) -> Result<Result<Verdict, Error>, Error> {
        let response = match form.read(body) {
            Ok(response) => response,
            Err(errors) => return Ok(Ok(Verdict::Rejected(errors))),
        };
        let flow = self.flow().await?;
        let mut turn = self.turn(&flow, planned)?;
        let verdict = stage.judge(response, &mut turn).await;
        let learnt = turn.learnt;
        self.apply(Command::Learn(learnt))?;
        Ok(verdict)
    }

    /// What follows from a verdict.
    async fn follow(
        &mut self,
        stage: &Configured,
        planned: &PlannedStage,
        verdict: Result<Verdict, Error>,
    ) -> Result<(), Error> {
        match verdict {
            Ok(Verdict::Passed) => {
                self.apply(Command::Pass)?;
                self.advance().await
            }
            Ok(Verdict::Rejected(errors)) => self.reject(stage, planned, errors).await,
            Ok(Verdict::Denied(message)) => {
                self.refuse(planned, &message).await?;
                self.advance().await
            }
            Ok(Verdict::Waits(effect)) => self.apply(Command::Suspend { effect }),
            Err(error) => self.fail(error),
        }
    }

    async fn reject(
        &mut self,
        stage: &Configured,
        planned: &PlannedStage,
        errors: Errors,
    ) -> Result<(), Error> {
        self.apply(Command::Reject(errors.clone()))?;
        if planned.on_invalid == InvalidResponseAction::Retry {
            self.errors = Some(errors);
            return self.ask(stage, planned).await;
        }
        self.restart(planned).await?;
        self.advance().await
    }

    /// A stage refuses; its binding may want the flow to begin again instead.
    pub(super) async fn refuse(
        &mut self,
        planned: &PlannedStage,
        message: &str,
    ) -> Result<(), Error> {
        if planned.on_invalid == InvalidResponseAction::Retry {
            return self.deny(
                Check::Stage {
                    stage: planned.name.clone(),
                },
                message,
            );
        }
        self.restart(planned).await
    }
}

/// Whether this is an answer to the open challenge, and not a stale tab's to another one.
///
/// A client that knows no ids must at least name the component, or send a field of the stage.
fn answers(
    running: &Running,
    stage: &Configured,
    form: &Form,
    id: Option<&str>,
    body: &Value,
) -> bool {
    if let Some(id) = id {
        return running.challenge_id().as_deref() == Some(id);
    }
    let Value::Object(body) = body else {
        return true;
    };
    if let Some(component) = body.get("component")
        && component.as_str() != Some(stage.component())
    {
        return false;
    }
    let named = body.contains_key("component");
    let mut keys = body.keys().filter(|key| *key != "component").peekable();
    if keys.peek().is_none() {
        return true;
    }
    // Two prompts of a flow have the same component, but not the same fields.
    let is_fixed = matches!(form, Form::Fixed(_));
    (named && is_fixed) || keys.any(|key| form.has(key))
}
