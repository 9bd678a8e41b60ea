//! The flow in which somebody sets up what a stage asks for.

use uuid::Uuid;

use crate::catalog::Stage;

/// That flow; none where the stage's kind needs no setting up, or its operator wants none.
#[must_use]
pub fn configure_flow(stage: &Stage) -> Option<Uuid> {
    stage.settings.get("configure_flow")?.as_str()?.parse().ok()
}
