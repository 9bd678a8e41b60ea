//! What a flow or a stage's place in one is bound to: a policy, a group or a user.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Clock;
use crate::flow::field::{Invalid, Problem};
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, Kind, Objects, Result};

/// How long an evaluation may take where the binding does not say.
const TIMEOUT: u32 = 30;

/// The longest time that a binding can grant: whoever waits for the answer is a person.
const LONGEST: u32 = 60;

/// One condition. Exactly one of `policy`, `group` and `user` is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyBinding {
    /// Its identifier.
    pub pk: Uuid,
    /// What it is bound to: the `pbm` of a flow or of a stage's place in one.
    pub target: Uuid,
    /// The policy that is asked.
    pub policy: Option<Uuid>,
    /// The group that the user must be in, directly or from below.
    pub group: Option<Uuid>,
    /// The user that it must be.
    pub user: Option<Uuid>,
    /// Whether the opposite counts.
    pub negate: bool,
    /// Whether it counts at all.
    pub enabled: bool,
    /// Its place among the others of the target: lower comes first.
    pub order: i32,
    /// How long an evaluation may take, in seconds; see [`PolicyBinding::deadline`].
    pub timeout: u32,
    /// The result of an evaluation that fails.
    pub failure_result: bool,
}

impl PolicyBinding {
    /// A binding with every default and nothing that is asked.
    #[must_use]
    pub fn new(clock: &Clock, target: Uuid, order: i32) -> Self {
        Self {
            pk: clock.opaque_id(),
            target,
            policy: None,
            group: None,
            user: None,
            negate: false,
            enabled: true,
            order,
            timeout: TIMEOUT,
            failure_result: false,
        }
    }

    /// How long an evaluation may take: `timeout`, 30 seconds for 0, 60 seconds at most.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        let seconds = if self.timeout == 0 {
            TIMEOUT
        } else {
            self.timeout.min(LONGEST)
        };
        Duration::from_secs(seconds.into())
    }

    /// What the unique key `condition` holds of a binding of this policy to this target at this
    /// order.
    #[must_use]
    pub fn place(policy: Uuid, target: Uuid, order: i32) -> Vec<u8> {
        let mut place = Vec::with_capacity(36);
        place.extend(policy.as_bytes());
        place.extend(target.as_bytes());
        place.extend(order.to_be_bytes());
        place
    }

    /// What is wrong with it; nothing is when it may be stored. Source: authentik
    /// `policies/api/bindings.py`.
    #[must_use]
    pub fn problems(&self) -> Vec<Invalid> {
        let set = [self.policy, self.group, self.user];
        let text = match set.iter().flatten().count() {
            1 => return Vec::new(),
            0 => "One of 'group', 'policy', 'user' must be set.",
            _ => "Only one of 'group', 'policy', 'user' can be set.",
        };
        vec![Invalid::new(Invalid::ALL_FIELDS, Problem::Other(text))]
    }
}

impl Stored for PolicyBinding {
    const KIND: Kind = Kind::new("policy_binding");

    fn id(&self) -> Uuid {
        self.pk
    }

    fn unique(&self) -> Vec<Key> {
        let place = |policy| Self::place(policy, self.target, self.order);
        let keys = self.policy.map(|it| Key::new("condition", place(it)));
        keys.into_iter().collect()
    }

    fn index(&self) -> Vec<Key> {
        let mut keys = vec![Key::new("target", self.target)];
        keys.extend(self.policy.map(|policy| Key::new("policy", policy)));
        keys
    }
}

/// The bindings of a target in the order in which they are asked; ties go by identifier.
pub async fn conditions_of(
    objects: &(impl Objects + ?Sized),
    target: Uuid,
) -> Result<Vec<Versioned<PolicyBinding>>> {
    let mut found: Vec<Versioned<PolicyBinding>> =
        object::scan(objects, Key::new("target", target)).await?;
    found.sort_by_key(|binding| (binding.value.order, binding.value.pk));
    Ok(found)
}

/// The bindings that ask a policy, on whatever targets.
pub async fn conditions_with(
    objects: &(impl Objects + ?Sized),
    policy: Uuid,
) -> Result<Vec<Versioned<PolicyBinding>>> {
    object::scan(objects, Key::new("policy", policy)).await
}
