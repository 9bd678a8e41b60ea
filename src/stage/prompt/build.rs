//! Works out what a prompt shows: its choices, its placeholder and its initial value.
//!
//! Source: authentik `stages/prompt/models.py`, `Prompt.get_choices`, `get_placeholder` and
//! `get_initial_value`.

use std::collections::BTreeMap;

use super::choice::{self, Choice};
use super::field::Field;
use crate::catalog::Prompt;
use crate::expression::Value;
use crate::flow::context::{Value as Known, key};
use crate::flow::event::Event;
use crate::policy::{Mapping, Question, context};
use crate::stage::{Error, Turn};
use crate::world;

/// Works out the prompts of one stage.
pub(super) struct Builder<'t> {
    /// What expressions are evaluated by; only where there are any.
    question: Option<Question<'t>>,
    /// What was typed into earlier prompts.
    typed: BTreeMap<String, Known>,
    /// The expressions that failed.
    failed: Vec<Event>,
}

/// The prompts, ready to be shown, and what is to be noted.
pub(super) async fn build(
    turn: &Turn<'_>,
    prompts: Vec<Prompt>,
    is_answer: bool,
) -> Result<(Vec<Field>, Vec<Event>), Error> {
    let needs = |prompt: &Prompt| prompt.expressions().next().is_some();
    let question = if prompts.iter().any(needs) {
        Some(super::question(turn, is_answer).await?)
    } else {
        None
    };
    let typed = turn.running.context.get(key::PROMPT_DATA);
    let mut builder = Builder {
        question,
        typed: typed.and_then(Known::entries).unwrap_or_default(),
        failed: Vec::new(),
    };
    let mut fields = Vec::with_capacity(prompts.len());
    for prompt in prompts {
        fields.push(builder.field(prompt).await?);
    }
    let mut learnt = builder
        .question
        .map_or_else(Vec::new, Question::into_learnt);
    learnt.append(&mut builder.failed);
    Ok((fields, learnt))
}

/// One prompt, for which nothing was typed before.
///
/// # Errors
/// When the world did not answer. The inner error is that of an expression.
pub(super) async fn alone(
    question: Question<'_>,
    prompt: Prompt,
) -> Result<Result<Field, String>, world::Error> {
    let mut builder = Builder {
        question: Some(question),
        typed: BTreeMap::new(),
        failed: Vec::new(),
    };
    let field = builder.field(prompt).await?;
    Ok(match builder.failed.into_iter().next() {
        Some(Event::ExpressionFailed { error, .. }) => Err(error),
        _ => Ok(field),
    })
}

impl Builder<'_> {
    async fn field(&mut self, prompt: Prompt) -> Result<Field, world::Error> {
        let is_choice = prompt.kind.is_choice();
        let choices = if is_choice {
            self.choices(&prompt).await?
        } else {
            Vec::new()
        };
        let placeholder = if is_choice {
            Value::text("")
        } else {
            self.placeholder(&prompt).await?
        };
        let mut initial = self.initial(&prompt).await?;
        if is_choice {
            let chosen = choice::find(&choices, &initial).or(choices.first());
            initial = chosen.map_or_else(|| Value::text(""), |choice| choice.value.clone());
        }
        Ok(Field {
            prompt,
            choices,
            placeholder,
            initial,
        })
    }

    async fn choices(&mut self, prompt: &Prompt) -> Result<Vec<Choice>, world::Error> {
        let known = self.typed.get(&format!("{}__choices", prompt.field_key));
        Ok(choice::choices(match known {
            Some(known) => context::seen(known),
            None => self.placeholder(prompt).await?,
        }))
    }

    async fn placeholder(&mut self, prompt: &Prompt) -> Result<Value, world::Error> {
        if prompt.placeholder_expression {
            self.evaluate(prompt, "the placeholder", &prompt.placeholder)
                .await
        } else {
            Ok(Value::text(&prompt.placeholder))
        }
    }

    /// What is known already is a value, and never run, whoever typed it.
    async fn initial(&mut self, prompt: &Prompt) -> Result<Value, world::Error> {
        match self.typed.get(&prompt.field_key) {
            Some(known) => Ok(context::seen(known)),
            None if prompt.initial_value_expression => {
                self.evaluate(prompt, "the initial value", &prompt.initial_value)
                    .await
            }
            None => Ok(Value::text(&prompt.initial_value)),
        }
    }

    /// What an expression gives; its own text where it fails.
    async fn evaluate(
        &mut self,
        prompt: &Prompt,
        of: &str,
        source: &str,
    ) -> Result<Value, world::Error> {
        let Some(question) = &self.question else {
            return Ok(Value::text(source));
        };
        let typed = self.typed.iter();
        let typed = Value::dict(typed.map(|(key, known)| (key, context::seen(known))));
        let mapping = Mapping {
            id: prompt.pk,
            name: &prompt.name,
            source,
        };
        let given = vec![("prompt_context".to_owned(), typed)];
        match question.value(&mapping, given).await? {
            Ok(value) => Ok(value),
            Err(failed) => {
                let of = format!("{of} of the prompt {}", prompt.name);
                let error = failed.traceback.unwrap_or(failed.message);
                self.failed.push(Event::ExpressionFailed { of, error });
                Ok(Value::text(source))
            }
        }
    }
}
