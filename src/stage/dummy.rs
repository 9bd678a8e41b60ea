//! Asks for nothing but a click. For trying out flows. Source: authentik `stages/dummy`.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Error, Response, Stage, Turn, Verdict};

/// The settings of a dummy stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = DummyStage)]
pub struct Dummy {
    /// Whether it fails instead of asking.
    pub throw_error: bool,
}

#[async_trait(?Send)]
impl Stage for Dummy {
    const COMPONENT: &'static str = "ak-stage-dummy";

    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        if self.throw_error {
            return Err(Error::Failed("Test error".to_owned()));
        }
        Ok(Map::from_iter([(
            "name".to_owned(),
            turn.stage.name.clone().into(),
        )]))
    }

    async fn judge(&self, _: Response, _: &mut Turn<'_>) -> Result<Verdict, Error> {
        Ok(Verdict::Passed)
    }
}
