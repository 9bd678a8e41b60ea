//! A blueprint that is kept here or lies in the watched folder, and what came of applying it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::clock::Clock;
use crate::flow::field::{Invalid, Problem};
use crate::flow::model::words;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, Kind, Objects, Result};

words! {
    /// What came of applying a blueprint.
    #[derive(Default)]
    BlueprintStatus {
        /// It was applied.
        Successful = "successful",
        /// It was applied, and there is something to remark.
        Warning = "warning",
        /// It is wrong, or does not fit in here; nothing of it was written.
        Error = "error",
        /// Its file is gone. What it made is still there.
        Orphaned = "orphaned",
        /// It was not applied yet.
        #[default]
        Unknown = "unknown",
    }
}

/// A blueprint with what is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlueprintInstance {
    /// Its identifier.
    pub pk: Uuid,
    /// What operators call it; unique.
    pub name: String,
    /// Its file within the watched folder; empty for one that is kept here.
    pub path: String,
    /// What overrides the context of the file.
    pub context: Map<String, Value>,
    /// When it was last applied, or tried; until then, when it was made.
    pub last_applied: Timestamp,
    /// The SHA-512 of what was applied or tried, in hexadecimal; empty until then.
    pub last_applied_hash: String,
    /// What came of it.
    pub status: BlueprintStatus,
    /// Whether it is applied when its file changes.
    pub enabled: bool,
    /// What the file says of itself: its name and its labels.
    pub metadata: Map<String, Value>,
    /// The blueprint itself, of one that is kept here.
    pub content: String,
    /// The models of its entries.
    pub managed_models: Vec<String>,
    /// What is wrong with it, or to be remarked, one line each.
    pub problems: Vec<String>,
}

impl BlueprintInstance {
    /// One that was not applied yet.
    #[must_use]
    pub fn new(clock: &Clock, name: &str) -> Self {
        Self {
            pk: clock.opaque_id(),
            name: name.to_owned(),
            path: String::new(),
            context: Map::new(),
            last_applied: clock.now(),
            last_applied_hash: String::new(),
            status: BlueprintStatus::default(),
            enabled: true,
            metadata: Map::new(),
            content: String::new(),
            managed_models: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// What is wrong with it, field by field; nothing is when it may be stored.
    #[must_use]
    pub fn problems(&self) -> Vec<Invalid> {
        let mut found = Vec::new();
        if self.name.trim().is_empty() {
            found.push(Invalid::new("name", Problem::Blank));
        }
        if self.path.is_empty() && self.content.is_empty() {
            let text = "Either path or content must be set.";
            found.push(Invalid::new(Invalid::ALL_FIELDS, Problem::Other(text)));
        }
        found
    }
}

impl Stored for BlueprintInstance {
    const KIND: Kind = Kind::new("blueprint");

    fn id(&self) -> Uuid {
        self.pk
    }

    fn unique(&self) -> Vec<Key> {
        vec![Key::new("name", &self.name)]
    }

    fn index(&self) -> Vec<Key> {
        vec![Key::new("path", &self.path)]
    }
}

/// Those of a file of the watched folder.
pub async fn instances_of_file(
    objects: &(impl Objects + ?Sized),
    path: &str,
) -> Result<Vec<Versioned<BlueprintInstance>>> {
    object::scan(objects, Key::new("path", path)).await
}

/// All of them, by name.
pub async fn instances(
    objects: &(impl Objects + ?Sized),
) -> Result<Vec<Versioned<BlueprintInstance>>> {
    let mut all: Vec<Versioned<BlueprintInstance>> = object::all(objects).await?;
    all.sort_by(|a, b| a.value.name.cmp(&b.value.name));
    Ok(all)
}
