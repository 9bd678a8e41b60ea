//! Has a visitor without an authenticator set one up, by one of the stages that are there for it.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{AuthenticatorValidate, refused};
use crate::catalog;
use crate::flow::context::{Value as Known, key};
use crate::flow::event::Event;
use crate::flow::plan::{Pinned, PlannedStage};
use crate::flow::verdict::PlanChange;
use crate::journal::object::{self, Versioned};
use crate::stage::{Entered, Error, Kind, Turn, Verdict};

/// What the names of such stages have at their end, which a visitor need not read.
const SETUP: &str = "Setup Stage";

/// What is wrong where none of the stages is there.
const NO_STAGE: &str =
    "Authenticator validation stage is set to configure user but no configuration flow is set.";

impl AuthenticatorValidate {
    /// Goes on with the only stage, or lets the visitor choose one.
    pub(super) async fn configure(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        let stages = stages(turn, &self.configuration_stages).await?;
        match &stages[..] {
            [] => {
                turn.learn(Event::ConfigurationError {
                    what: format!("the stage {}", turn.stage.name),
                    problem: NO_STAGE.to_owned(),
                });
                Ok(Entered::Denied(String::new()))
            }
            [only] => {
                insert(turn, only);
                Ok(Entered::Passed)
            }
            several => {
                let ids: Vec<_> = several.iter().map(|it| it.value.pk).collect();
                turn.set(key::VALIDATE_STAGES, Some(Known::Json(json!(ids))));
                Ok(Entered::Asks)
            }
        }
    }

    /// Goes on with the stage that was chosen. The choice is good once.
    pub(super) async fn take_stage(
        &self,
        turn: &mut Turn<'_>,
        offered: &[Uuid],
        typed: &str,
    ) -> Result<Verdict, Error> {
        let chosen = offered.iter().find(|id| id.to_string() == typed);
        let found = match chosen {
            Some(id) => stages(turn, &[*id]).await?.pop(),
            None => None,
        };
        let Some(stage) = found else {
            return Ok(refused("selected_stage", "Selected stage is invalid"));
        };
        insert(turn, &stage);
        forget(turn);
        Ok(Verdict::Passed)
    }
}

/// Those of the stages that are there and are of a kind that this version has.
async fn stages(turn: &Turn<'_>, ids: &[Uuid]) -> Result<Vec<Versioned<catalog::Stage>>, Error> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let stage: Option<Versioned<catalog::Stage>> =
            object::get(turn.world.objects(), *id).await?;
        found.extend(stage.filter(|it| Kind::from_name(&it.value.kind).is_some()));
    }
    Ok(found)
}

/// Has a stage come next.
fn insert(turn: &mut Turn<'_>, stage: &Versioned<catalog::Stage>) {
    let next = PlannedStage {
        stage: Pinned {
            id: stage.value.pk,
            version: stage.version.0,
        },
        kind: stage.value.kind.clone(),
        name: stage.value.name.clone(),
        ..PlannedStage::nowhere()
    };
    let by = turn.stage.name.clone();
    let led_to = Known::text(stage.value.pk.to_string());
    turn.set(key::VALIDATE_CONFIGURES, Some(led_to));
    turn.learn(Event::PlanChanged {
        change: PlanChange::Insert { at: 1, stage: next },
        by,
    });
}

/// The stages that the visitor may choose from.
pub(super) fn kept(turn: &Turn<'_>) -> Vec<Uuid> {
    match turn.running.context.get(key::VALIDATE_STAGES) {
        Some(Known::Json(ids)) => serde_json::from_value(ids.clone()).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Nothing can be chosen any more.
pub(super) fn forget(turn: &mut Turn<'_>) {
    if turn.running.context.get(key::VALIDATE_STAGES).is_some() {
        turn.set(key::VALIDATE_STAGES, None);
    }
}

/// The stages that the visitor may choose from, as they are on the wire.
pub(super) async fn shown(turn: &Turn<'_>) -> Result<Value, Error> {
    let stages = stages(turn, &kept(turn)).await?;
    let shown = stages.iter().map(|it| {
        let stage = &it.value;
        let kind = Kind::from_name(&stage.kind);
        let title = kind.map(Kind::title).unwrap_or_default();
        let friendly = stage.settings.get("friendly_name").and_then(Value::as_str);
        let friendly = friendly.filter(|name| !name.is_empty());
        json!({
            "pk": stage.pk,
            "name": friendly.unwrap_or(&stage.name),
            "verbose_name": title.replace(SETUP, "").trim(),
            "meta_model_name": kind.map(Kind::model),
        })
    });
    Ok(shown.collect())
}
