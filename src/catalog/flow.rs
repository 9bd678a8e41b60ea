//! A flow: an ordered list of stages and how it presents itself. Its list is in its bindings.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Clock;
use crate::flow::field::{Invalid, Problem};
use crate::flow::model::{
    Authentication, DeniedAction, Designation, Layout, PolicyEngineMode, Slug,
};
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, Kind, Objects, Result};

/// A flow as an operator configured it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flow {
    /// Its identifier.
    pub pk: Uuid,
    /// Its identifier as something that policies are bound to (`policybindingmodel_ptr_id`).
    pub pbm: Uuid,
    /// What operators call it; not unique.
    pub name: String,
    /// What addresses call it; unique.
    pub slug: Slug,
    /// What visitors see above it; `%(app)s` and `%(user)s` are replaced.
    pub title: String,
    /// What it is for.
    pub designation: Designation,
    /// The picture behind it: a path, an address or a stored file; empty means the default.
    pub background: String,
    /// Where a page puts its form.
    pub layout: Layout,
    /// Whether pages avoid what password managers of old browsers trip over.
    pub compatibility_mode: bool,
    /// What somebody gets to see whom it does not let in.
    pub denied_action: DeniedAction,
    /// Who may start it.
    pub authentication: Authentication,
    /// How the results of its policies become one.
    pub policy_engine_mode: PolicyEngineMode,
}

impl Flow {
    /// A flow with every default, called by its slug until it gets another name.
    #[must_use]
    pub fn new(clock: &Clock, slug: Slug, title: &str, designation: Designation) -> Self {
        Self {
            pk: clock.opaque_id(),
            pbm: clock.opaque_id(),
            name: slug.to_string(),
            slug,
            title: title.to_owned(),
            designation,
            background: String::new(),
            layout: Layout::default(),
            compatibility_mode: false,
            denied_action: DeniedAction::default(),
            authentication: Authentication::default(),
            policy_engine_mode: PolicyEngineMode::default(),
        }
    }

    /// What is wrong with it, field by field; nothing is when it may be stored.
    #[must_use]
    pub fn problems(&self) -> Vec<Invalid> {
        [("name", &self.name), ("title", &self.title)]
            .into_iter()
            .filter(|(_, text)| text.trim().is_empty())
            .map(|(field, _)| Invalid::new(field, Problem::Blank))
            .collect()
    }
}

impl Stored for Flow {
    const KIND: Kind = Kind::new("flow");

    fn id(&self) -> Uuid {
        self.pk
    }

    fn unique(&self) -> Vec<Key> {
        vec![
            Key::new("slug", self.slug.as_str()),
            Key::new("pbm", self.pbm),
        ]
    }

    fn index(&self) -> Vec<Key> {
        vec![Key::new("designation", self.designation.as_str())]
    }
}

/// The flow with this slug.
pub async fn flow_by_slug(
    objects: &(impl Objects + ?Sized),
    slug: &str,
) -> Result<Option<Versioned<Flow>>> {
    object::find(objects, Key::new("slug", slug)).await
}

/// The flow to which policies are bound under this identifier.
pub async fn flow_by_pbm(
    objects: &(impl Objects + ?Sized),
    pbm: Uuid,
) -> Result<Option<Versioned<Flow>>> {
    object::find(objects, Key::new("pbm", pbm)).await
}

/// The flows for this purpose, by slug: the first that applies is the default one.
pub async fn flows_by_designation(
    objects: &(impl Objects + ?Sized),
    designation: Designation,
) -> Result<Vec<Versioned<Flow>>> {
    let key = Key::new("designation", designation.as_str());
    let mut flows: Vec<Versioned<Flow>> = object::scan(objects, key).await?;
    flows.sort_by(|a, b| a.value.slug.cmp(&b.value.slug));
    Ok(flows)
}
