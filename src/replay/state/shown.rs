//! What the visitor had before them.

use serde::Serialize;
use serde_json::{Value, json};

use crate::flow::event::Errors;
use crate::flow::execution::{End, Execution};
use crate::flow::{Event, challenge};
use crate::replay::mask::masked;

/// What the visitor had before them, as far as the trail has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// The component that showed it.
    pub component: String,
    /// Which challenge it was; none for what asks nothing.
    pub number: Option<u64>,
    /// The public fields of it.
    pub fields: Value,
    /// What was said of the answer before.
    pub errors: Option<Errors>,
}

impl Shown {
    /// The challenge as a client gets it, but for how the flow presents itself.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut body = self.fields.clone();
        if !body.is_object() {
            body = json!({});
        }
        body["component"] = self.component.clone().into();
        if let Some(errors) = &self.errors {
            body["response_errors"] = challenge::response_errors(errors);
        }
        body
    }
}

/// Follows what is shown from event to event.
#[derive(Debug, Default)]
pub(super) struct Showing {
    asked: Option<(u64, String, Value)>,
    errors: Option<Errors>,
    /// What is shown that asks nothing.
    said: Option<Shown>,
}

impl Showing {
    /// `after` is the state that the event led to.
    pub(super) fn takes(&mut self, after: &Execution, event: &Event) {
        match event {
            Event::ChallengeIssued {
                number,
                component,
                fields,
            } => {
                let fields = masked("", fields.clone());
                self.asked = Some((*number, component.clone(), fields));
            }
            Event::ResponseReceived { .. } => self.errors = None,
            Event::ResponseRejected { errors } => self.errors = Some(errors.clone()),
            _ => {}
        }
        let running = after.running();
        if running.is_none_or(|it| it.challenge.is_none()) {
            self.asked = None;
        }
        if running.is_none_or(|it| !it.entered) {
            self.errors = None;
        }
        self.said = said(after);
    }

    pub(super) fn shown(&self) -> Option<Shown> {
        if let Some(said) = &self.said {
            return Some(said.clone());
        }
        let (number, component, fields) = self.asked.clone()?;
        Some(Shown {
            component,
            number: Some(number),
            fields,
            errors: self.errors.clone(),
        })
    }
}

/// The pages that ask nothing: of a refusal, and of a stage that failed.
fn said(after: &Execution) -> Option<Shown> {
    let page = |component: &str, fields: Value| Shown {
        component: component.to_owned(),
        number: None,
        fields,
        errors: None,
    };
    match after {
        Execution::Ended(ended) => match &ended.how {
            End::Denied { message, .. } => Some(page(
                "ak-stage-access-denied",
                json!({ "error_message": message }),
            )),
            _ => None,
        },
        Execution::Running(running) if running.challenge.is_none() => {
            running.failure.as_ref()?;
            Some(page("ak-stage-flow-error", json!({})))
        }
        _ => None,
    }
}
