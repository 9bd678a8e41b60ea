//! What an operator configures: flows, stages, the bindings between them, policies, prompts,
//! mappings, sources, brands, applications, and blueprints with what came of them.
//!
//! Versioned objects and how they are found. Nothing here commits or knows what a stage does.

pub mod application;
pub mod binding;
pub mod blueprint_instance;
pub mod brand;
pub mod diagram;
pub mod flow;
mod hidden;
pub(crate) mod kind;
pub mod mail_server;
pub mod origin;
pub mod policy;
pub mod policy_binding;
pub mod prompt;
pub mod schema;
pub mod settings;
pub mod source;
pub mod stage;
pub mod webhook_mapping;

#[cfg(test)]
mod tests;

pub use application::{Application, ForwardAuth, application_by_slug, applications};
pub use binding::{FlowStageBinding, bindings_of, bindings_with};
pub use blueprint_instance::{BlueprintInstance, BlueprintStatus, instances, instances_of_file};
pub use brand::{Brand, brands};
pub use diagram::diagram;
pub use flow::{Flow, flow_by_slug, flows_by_designation};
pub use hidden::Hidden;
pub use mail_server::MailServer;
pub use origin::Origin;
pub use policy::{Policy, policies_of_kind, policy_by_name};
pub use policy_binding::{PolicyBinding, conditions_of, conditions_with};
pub use prompt::{Prompt, PromptType, prompts};
pub use source::{Source, SourceKind};
pub use stage::{Stage, stage_by_name};
pub use webhook_mapping::WebhookMapping;

use crate::flow::field::{Invalid, Problem};
use crate::journal;

/// The problem behind a refused commit, when it is one that whoever filled in the fields can mend.
#[must_use]
pub fn problem_of(error: &journal::Error) -> Option<Invalid> {
    let journal::Error::Taken { name, .. } = error else {
        return None;
    };
    Some(match name.as_str() {
        "slug" => Invalid::new("slug", Problem::NotUnique),
        "name" => Invalid::new("name", Problem::NotUnique),
        "host" => Invalid::new(
            "forward_auth",
            Problem::Other("hosts: another application has one of them."),
        ),
        "domain" => Invalid::new("domain", Problem::NotUnique),
        "default" => Invalid::new(
            "default",
            Problem::Other("Only a single brand can be set as default."),
        ),
        "place" => Invalid::new(
            Invalid::ALL_FIELDS,
            Problem::NotAUniqueSet("target, stage, order"),
        ),
        "condition" => Invalid::new(
            Invalid::ALL_FIELDS,
            Problem::NotAUniqueSet("policy, target, order"),
        ),
        _ => return None,
    })
}
