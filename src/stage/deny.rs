//! Lets nobody through. Source: authentik `stages/deny`.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Entered, Error, Response, Stage, Turn, Verdict};
use crate::flow::context::key;

/// The settings of a deny stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = DenyStage)]
pub struct Deny {
    /// What the visitor reads; when empty, that the error is unknown.
    pub deny_message: String,
}

#[async_trait(?Send)]
impl Stage for Deny {
    const COMPONENT: &'static str = "ak-stage-access-denied";

    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        let message = turn.running.context.text(key::DENY_MESSAGE);
        Ok(Entered::Denied(
            message.unwrap_or(&self.deny_message).to_owned(),
        ))
    }

    async fn challenge(&self, _turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        Ok(Map::new())
    }

    async fn judge(&self, _: Response, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        let message = turn.running.context.text(key::DENY_MESSAGE);
        Ok(Verdict::Denied(
            message.unwrap_or(&self.deny_message).to_owned(),
        ))
    }
}
