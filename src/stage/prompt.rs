//! Asks for what its prompts say, and puts that into `prompt_data`.
//!
//! Source: authentik `stages/prompt`.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Error, Form, Response, Stage, Turn, Verdict};
use crate::catalog::{self, Prompt as Prompted};
use crate::flow::Context;
use crate::flow::field::{Invalid, Problem};
use crate::policy::{Asker, Question};
use crate::world::{self, World};

mod build;
mod choice;
pub(in crate::stage) mod email;
mod field;
mod judge;
mod moment;
mod parse;
#[cfg(test)]
mod tests;

/// Settings of a prompt stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PromptStage)]
pub struct Prompt {
    /// The prompts that it asks for.
    pub fields: Vec<Uuid>,
    /// The policies that see what was typed; all of them have to pass.
    #[serde(default)]
    pub validation_policies: Vec<Uuid>,
}

#[async_trait(?Send)]
impl Stage for Prompt {
    const COMPONENT: &'static str = "ak-stage-prompt";

    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        let prompts = self.prompts(turn).await?;
        let (fields, learnt) = build::build(turn, prompts, false).await?;
        for event in learnt {
            turn.learn(event);
        }
        let fields: Vec<_> = fields.iter().map(field::Field::shown).collect();
        Ok(Map::from_iter([("fields".to_owned(), fields.into())]))
    }

    async fn form(&self, turn: &mut Turn<'_>) -> Result<Form, Error> {
        let prompts = self.prompts(turn).await?;
        Ok(Form::Open(parse::form(&prompts)))
    }

    async fn judge(&self, response: Response, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        judge::judge(self, &response, turn).await
    }

    fn problems(&self) -> Vec<Invalid> {
        if self.fields.is_empty() {
            vec![Invalid::new("fields", Problem::EmptyList)]
        } else {
            Vec::new()
        }
    }
}

impl Prompt {
    /// The prompts, in the order in which they are shown.
    async fn prompts(&self, turn: &Turn<'_>) -> Result<Vec<Prompted>, Error> {
        let found = catalog::prompts(turn.world.objects(), &self.fields).await?;
        Ok(found.into_iter().map(|it| it.value).collect())
    }
}

/// What one prompt shows before it is part of any stage; nothing that its expressions ask for takes
/// effect.
///
/// # Errors
/// When the world did not answer. The inner error is that of an expression.
pub(crate) async fn preview(
    world: &dyn World,
    asker: Asker<'_>,
    prompt: Prompted,
) -> Result<Result<Value, String>, world::Error> {
    let question = Question::new(world, asker, Context::default(), None).await?;
    let field = build::alone(question, prompt).await?;
    Ok(field.map(|field| field.shown()))
}

/// What expressions and policies are asked by.
pub(super) async fn question<'t>(turn: &Turn<'t>, is_answer: bool) -> Result<Question<'t>, Error> {
    let slug = turn.running.slug.as_str();
    let asker = Asker {
        client: turn.client,
        query: turn.query,
        path: format!("/api/v3/flows/executor/{slug}/"),
        is_answer,
        user: turn.session_user().await?,
    };
    let context = turn.running.context.clone();
    Ok(Question::new(turn.world, asker, context, None).await?)
}
