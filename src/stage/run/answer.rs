//! Takes an answer, has it judged, and does what follows.

use serde_json::Value;

use super::{MAX_ANSWERS, Run};
use crate::flow::Command;
use crate::flow::event::{Check, Errors};
use crate::flow::execution::{Running, Wait};
use crate::flow::model::InvalidResponseAction;
use crate::flow::plan::PlannedStage;
use crate::stage::{Configured, Error, Form, Verdict, invitation};
use crate::telemetry::Measured;

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
        if running.outcome().is_some() {
            // What was answered meanwhile joined in waiting for this.
            return self.take_up().await;
        }
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
        let waits = running.wait.is_some();
        let fits = |body: &&Value| answers(running, &stage, &form, challenge, body);
        let mut body = body.filter(|body| running.challenge.is_some() && fits(body));
        if let (true, Some(answer)) = (waits, body) {
            // Whoever answers while an answer is judged joins in waiting for it.
            if self
                .takes_its_place(&stage, &planned, &form, answer)
                .await?
            {
                self.apply(Command::Abandon)?;
            } else {
                body = None;
            }
        }
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

    /// Judges what came of the effect that was waited for, if anything has: for whoever is there
    /// now, and in their name.
    pub(super) async fn take_up(&mut self) -> Result<(), Error> {
        let wait = self.state.running().and_then(|it| it.wait.clone());
        let Some(Wait {
            what: took_up,
            outcome: Some(outcome),
            ..
        }) = wait
        else {
            return Ok(());
        };
        self.looks = false;
        self.apply(Command::Resume)?;
        let running = self.state.running();
        let Some(planned) = running.and_then(|it| it.plan.current().cloned()) else {
            return Ok(());
        };
        let Some(stage) = self.configured(&planned).await? else {
            return Ok(());
        };
        let flow = self.flow().await?;
        let mut turn = self.turn(&flow, &planned)?;
        turn.took_up = took_up;
        let verdict = stage.conclude(&outcome, &mut turn).await;
        let learnt = turn.learnt;
        self.apply(Command::Learn(learnt))?;
        self.follow(&stage, &planned, verdict).await
    }

    /// Whether an answer is one to the open challenge although another one waits, which it takes
    /// the place of then.
    async fn takes_its_place(
        &self,
        stage: &Configured,
        planned: &PlannedStage,
        form: &Form,
        body: &Value,
    ) -> Result<bool, Error> {
        // What decides must be there in a replay as well.
        let Ok(response) = form.read(&form.redact(body)) else {
            return Ok(false);
        };
        let flow = self.flow().await?;
        let turn = self.turn(&flow, planned)?;
        Ok(stage.interrupts(&response, &turn))
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
        let began = self.world.moment();
        let verdict = stage.judge(response, &mut turn).await;
        let kind = &planned.kind;
        self.world.took(Measured::Judged { kind }, began);
        #[cfg(test)]
        let verdict = crate::stage::changed::verdict(&planned.kind, verdict);
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
            Ok(Verdict::Asks) => {
                // Where nothing was asked before, nothing was answered.
                let is_again = self.challenge_is_open();
                self.errors = is_again.then(Errors::new);
                self.ask(stage, planned).await
            }
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
