//! What the API shows of every stage, whatever its kind.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::flows::{FlowSet, flow_set};
use crate::blueprint::edit::{Miss, Staged};
use crate::catalog;
use crate::stage::Kind;

/// What stages of all kinds have.
#[derive(Serialize, ToSchema)]
pub(super) struct Stage {
    #[schema(read_only)]
    pk: Uuid,
    name: String,
    /// What edits it in authentik's interface.
    #[schema(read_only)]
    component: String,
    #[schema(read_only)]
    verbose_name: String,
    #[schema(read_only)]
    verbose_name_plural: String,
    #[schema(read_only)]
    meta_model_name: String,
    #[schema(read_only)]
    flow_set: Vec<FlowSet>,
}

/// A stage as it is shown, without its settings.
///
/// # Errors
/// What has to be read first.
pub(super) fn shown(stage: &catalog::Stage, staged: &Staged) -> Result<Stage, Miss> {
    let kind = Kind::from_name(&stage.kind);
    let title = kind.map_or_else(|| stage.kind.clone(), |kind| kind.title().to_owned());
    Ok(Stage {
        pk: stage.pk,
        name: stage.name.clone(),
        component: form(&stage.kind),
        verbose_name_plural: format!("{title}s"),
        verbose_name: title,
        meta_model_name: kind.map_or("authentik_flows.stage", Kind::model).to_owned(),
        flow_set: flow_set(stage.pk, staged)?,
    })
}

/// What edits stages of this kind in authentik's interface.
pub(super) fn form(kind: &str) -> String {
    format!("ak-stage-{}-form", kind.replace('_', "-"))
}
