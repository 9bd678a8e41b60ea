//! The schemas of what no type of ours stands for, by the names that authentik's description gives
//! them. What the document says of operations is elsewhere; nothing here knows a request.

use serde_json::Value;

mod answer;
mod challenge;
mod device;
mod own;
pub(super) mod shape;

/// The schemas, by name.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    let mut all = challenge::schemas();
    all.extend(answer::schemas());
    all.extend(device::schemas());
    all.extend(own::schemas());
    all
}
