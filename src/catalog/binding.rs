//! A stage's place in a flow, and how the flow treats it there.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Clock;
use crate::flow::field::{Invalid, Problem};
use crate::flow::model::{InvalidResponseAction, PolicyEngineMode};
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, Kind, Objects, Result};

/// One stage in one flow. A stage may be bound to a flow several times, at different orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowStageBinding {
    /// Its identifier.
    pub pk: Uuid,
    /// Its identifier as something that policies are bound to (`policybindingmodel_ptr_id`).
    pub pbm: Uuid,
    /// The flow.
    pub target: Uuid,
    /// The stage.
    pub stage: Uuid,
    /// Its place: lower comes first.
    pub order: i32,
    /// Whether its policies are asked when the flow starts.
    pub evaluate_on_plan: bool,
    /// Whether its policies are asked when its turn comes.
    pub re_evaluate_policies: bool,
    /// What happens after an answer that the stage did not accept.
    pub invalid_response_action: InvalidResponseAction,
    /// How the results of its policies become one.
    pub policy_engine_mode: PolicyEngineMode,
}

impl FlowStageBinding {
    /// A binding with every default.
    #[must_use]
    pub fn new(clock: &Clock, target: Uuid, stage: Uuid, order: i32) -> Self {
        Self {
            pk: clock.opaque_id(),
            pbm: clock.opaque_id(),
            target,
            stage,
            order,
            evaluate_on_plan: false,
            re_evaluate_policies: true,
            invalid_response_action: InvalidResponseAction::default(),
            policy_engine_mode: PolicyEngineMode::default(),
        }
    }

    /// What the unique key `place` holds of a binding of this stage to this flow at this order.
    #[must_use]
    pub fn place(target: Uuid, stage: Uuid, order: i32) -> Vec<u8> {
        let mut place = Vec::with_capacity(36);
        place.extend(target.as_bytes());
        place.extend(stage.as_bytes());
        place.extend(order.to_be_bytes());
        place
    }

    /// What is wrong with it; nothing is when it may be stored.
    #[must_use]
    pub fn problems(&self) -> Vec<Invalid> {
        if self.evaluate_on_plan || self.re_evaluate_policies {
            return Vec::new();
        }
        let text = "Either evaluation on plan or evaluation on run must be enabled";
        vec![Invalid::new(Invalid::ALL_FIELDS, Problem::Other(text))]
    }
}

impl Stored for FlowStageBinding {
    const KIND: Kind = Kind::new("binding");

    fn id(&self) -> Uuid {
        self.pk
    }

    fn unique(&self) -> Vec<Key> {
        let place = Self::place(self.target, self.stage, self.order);
        vec![Key::new("place", place), Key::new("pbm", self.pbm)]
    }

    fn index(&self) -> Vec<Key> {
        vec![
            Key::new("target", self.target),
            Key::new("stage", self.stage),
        ]
    }
}

/// The bindings of a flow in the order in which their stages come; ties go by identifier.
pub async fn bindings_of(
    objects: &(impl Objects + ?Sized),
    flow: Uuid,
) -> Result<Vec<Versioned<FlowStageBinding>>> {
    let mut found: Vec<Versioned<FlowStageBinding>> =
        object::scan(objects, Key::new("target", flow)).await?;
    found.sort_by_key(|binding| (binding.value.order, binding.value.pk));
    Ok(found)
}

/// The bindings of a stage, in whatever flows.
pub async fn bindings_with(
    objects: &(impl Objects + ?Sized),
    stage: Uuid,
) -> Result<Vec<Versioned<FlowStageBinding>>> {
    object::scan(objects, Key::new("stage", stage)).await
}
