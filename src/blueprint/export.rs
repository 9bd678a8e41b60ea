//! Flows with everything that they need, as a blueprint: for another system, or for git.
//!
//! The layout is that of authentik's exports, and authentik reads it. Unlike those, nothing dangles:
//! what a flow refers to is in the file, or is looked up by the name that people know it by. Equal
//! objects give equal bytes. Nothing secret is in the file.

use std::collections::HashSet;

use serde_json::json;
use uuid::Uuid;

use crate::catalog::Flow;
use crate::journal::{self, Journal};

mod entry;
mod gather;
mod yaml;

use yaml::{Mapping, Node};

/// A blueprint that was made of what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The file.
    pub yaml: String,
    /// What is not in it and has to be there, or be set by hand, where it is imported.
    pub notes: Vec<String>,
}

/// Exports these flows as one blueprint of this name. Their stages come along, and the stages,
/// prompts, policies, mappings and groups that these refer to; other flows, users and sources are
/// looked up by slug and user name where the file is imported.
///
/// # Errors
/// When the objects cannot be read.
pub async fn export(
    journal: &dyn Journal,
    flows: Vec<Flow>,
    name: &str,
) -> journal::Result<Exported> {
    let gathered = gather::gather(journal, flows).await?;
    let mut before: HashSet<Uuid> = HashSet::new();
    let mut entries = Vec::new();
    let mut notes: Vec<String> = gathered
        .outside
        .values()
        .map(|it| {
            format!(
                "{} {} is looked up by its {}",
                it.model, it.called, it.field
            )
        })
        .collect();
    notes.sort();
    for object in &gathered.objects {
        entries.push(Node::from(entry::entry(object, &gathered, &before)));
        for secret in entry::left_out(object) {
            let stage = object.name();
            notes.push(format!(
                "{secret} of the stage {stage} is secret and not exported"
            ));
        }
        before.insert(object.stream().id);
    }
    let metadata = json!({
        "labels": { "blueprints.goauthentik.io/generated": "true" },
        "name": name,
    });
    let file = Mapping::default()
        .with("context", Mapping::default())
        .with("entries", Node::List(entries))
        .with("metadata", metadata)
        .with("version", json!(1));
    Ok(Exported {
        yaml: yaml::write(&file),
        notes,
    })
}
