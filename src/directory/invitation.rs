//! An invitation into a flow. Whoever has its key may use it, so the key is a secret to others.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::clock::Clock;
use crate::flow::input::SECRET;
use crate::flow::model::Slug;
use crate::flow::query::flow_url;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Kind, Objects, Result};

/// How long an invitation is good, unless told.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// How long an execution keeps an invitation for itself without an answer of the visitor.
pub const RESERVED_FOR: SignedDuration = SignedDuration::from_mins(30);

/// The entry of the data that nobody is shown.
pub const PASSWORD: &str = "password";

/// An invitation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Invitation {
    /// The object's identifier, which is also what is in the link.
    pub pk: Uuid,
    /// What an operator calls it; several may be called the same.
    pub name: Slug,
    /// When it ends. It always does: nothing stands for [`LIFETIME`] from when it is written.
    pub expires: Option<Timestamp>,
    /// What is known of whoever comes by it.
    pub fixed_data: Map<String, Value>,
    /// Whether it is good for one user only.
    pub single_use: bool,
    /// The only flow that it is for.
    pub flow: Option<Uuid>,
    /// Who made it; nobody for an operator's command or a blueprint.
    #[serde(default)]
    pub created_by: Option<Uuid>,
    /// The execution that has it for itself.
    #[serde(default)]
    pub reserved: Option<Reservation>,
}

/// An execution that keeps an invitation from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The execution.
    pub execution: Uuid,
    /// When others may have it, if nothing happens before.
    pub until: Timestamp,
}

impl Invitation {
    /// An invitation into any flow, for whoever comes.
    #[must_use]
    pub fn new(clock: &Clock, name: Slug) -> Self {
        Self {
            pk: clock.opaque_id(),
            name,
            expires: later(clock.now(), LIFETIME),
            fixed_data: Map::new(),
            single_use: false,
            flow: None,
            created_by: None,
            reserved: None,
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Why this execution cannot use it, if so. Whoever has it keeps it beyond its end.
    #[must_use]
    pub fn refuses(&self, execution: Uuid, now: Timestamp) -> Option<&'static str> {
        let is_own = self.reserved.is_some_and(|it| it.execution == execution);
        if self.is_taken(execution, now) {
            Some("the invitation is in use by another execution")
        } else if self.is_expired(now) && !is_own {
            Some("the invitation has expired")
        } else {
            None
        }
    }

    /// Whether another execution than this one has it at the moment.
    #[must_use]
    pub fn is_taken(&self, execution: Uuid, now: Timestamp) -> bool {
        self.reserved
            .is_some_and(|it| it.execution != execution && now < it.until)
    }

    /// Keeps it for an execution.
    pub fn reserve(&mut self, execution: Uuid, now: Timestamp) {
        let until = later(now, RESERVED_FOR).unwrap_or(Timestamp::MAX);
        self.reserved = Some(Reservation { execution, until });
    }

    /// Whether nobody can come by it any more, nor is anybody on the way.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.is_expired(now) && self.reserved.is_none_or(|it| it.until <= now)
    }

    /// What is known of whoever comes by it, as it may be shown.
    #[must_use]
    pub fn shown_data(&self) -> Map<String, Value> {
        let mut shown = self.fixed_data.clone();
        if let Some(password) = shown.get_mut(PASSWORD) {
            *password = SECRET.into();
        }
        shown
    }

    /// The path and the query string of its link into a flow.
    #[must_use]
    pub fn path(&self, slug: &str) -> String {
        flow_url(slug, &format!("itoken={}", self.pk))
    }
}

/// A moment that much later.
#[must_use]
pub fn later(now: Timestamp, by: SignedDuration) -> Option<Timestamp> {
    now.checked_add(by).ok()
}

impl Stored for Invitation {
    const KIND: Kind = Kind::new("invitation");

    fn id(&self) -> Uuid {
        self.pk
    }
}

/// All invitations, those that last longest first.
pub async fn invitations(objects: &(impl Objects + ?Sized)) -> Result<Vec<Versioned<Invitation>>> {
    let mut found: Vec<Versioned<Invitation>> = object::all(objects).await?;
    found.sort_by_key(|it| std::cmp::Reverse((it.value.expires, it.value.pk)));
    Ok(found)
}
