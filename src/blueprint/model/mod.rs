//! Which models a blueprint may name, and which of our objects each of them is.
//!
//! The fields of an object are those of the API's write body; [`field`] has the tables.

mod check;
mod field;
mod forward;
mod name;
mod object;
pub(super) mod permission;
mod secret;
mod syntax;
mod write;

pub(crate) use field::{
    ANY_LENGTH, Field, PBM, STAGE_LISTS, STAGE_REFERENCES, Shape, fields, known, refers_to,
};
pub(in crate::blueprint) use name::apps;
pub(crate) use object::Object;
pub(in crate::blueprint) use permission::role_of_one;
pub(in crate::blueprint) use syntax::Understood;
pub(in crate::blueprint) use write::{Draft, Refused, Written, needed, write};

use crate::catalog::SourceKind;
use crate::{policy, stage};

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Model {
    Flow,
    Binding,
    Stage(stage::Kind),
    Policy(policy::Kind),
    PolicyBinding,
    Source(SourceKind),
    Application,
    Brand,
    User,
    Group,
    Role,
    Token,
    Prompt,
    Invitation,
    WebhookMapping,
    BlueprintInstance,
    /// No object: it asks for another blueprint to be applied first.
    ApplyBlueprint,
}

/// Why a name is not one of a usable model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotAModel {
    /// authentik has it, but this version does not.
    Unsupported,
    /// Blueprints may not touch it.
    NotAllowed,
    /// There is no such model.
    Unknown,
}

impl NotAModel {
    pub(super) fn message(self, name: &str) -> String {
        match self {
            Self::Unsupported => format!("Model {name} is not supported by this version"),
            Self::NotAllowed => format!("Model {name} not allowed"),
            Self::Unknown => {
                let hint = match name::nearest(name) {
                    Some(nearest) => format!("did you mean {nearest}?"),
                    None => "expected is a name such as authentik_flows.flow".to_owned(),
                };
                format!("App or Model does not exist: {name:?}; {hint}")
            }
        }
    }
}

/// Models that exist but that a blueprint may not write.
const NOT_ALLOWED: &[&str] = &[
    "authentik_core.authenticatedsession",
    "authentik_core.propertymapping",
    "authentik_core.provider",
    "authentik_core.session",
    "authentik_core.source",
    "authentik_flows.flowtoken",
    "authentik_flows.stage",
    "authentik_policies.policy",
    "authentik_policies.policybindingmodel",
    "authentik_tenants.domain",
    "authentik_tenants.tenant",
    "auth.permission",
    "contenttypes.contenttype",
];

impl Model {
    /// The model of this name; upper and lower case are the same.
    pub(crate) fn of_name(name: &str) -> Result<Self, NotAModel> {
        let lower = name.to_ascii_lowercase();
        if NOT_ALLOWED.contains(&lower.as_str()) {
            return Err(NotAModel::NotAllowed);
        }
        match lower.as_str() {
            "authentik_flows.flow" => Ok(Self::Flow),
            "authentik_flows.flowstagebinding" => Ok(Self::Binding),
            "authentik_policies.policybinding" => Ok(Self::PolicyBinding),
            "authentik_core.application" => Ok(Self::Application),
            "authentik_brands.brand" => Ok(Self::Brand),
            "authentik_core.user" => Ok(Self::User),
            "authentik_core.group" => Ok(Self::Group),
            "authentik_rbac.role" => Ok(Self::Role),
            "authentik_core.token" => Ok(Self::Token),
            "authentik_stages_prompt.prompt" => Ok(Self::Prompt),
            "authentik_stages_invitation.invitation" => Ok(Self::Invitation),
            "authentik_events.notificationwebhookmapping" => Ok(Self::WebhookMapping),
            "authentik_blueprints.blueprintinstance" => Ok(Self::BlueprintInstance),
            name::APPLY => Ok(Self::ApplyBlueprint),
            _ => {
                let stage = stage::Kind::from_model(name).map(Self::Stage);
                let policy = || policy::Kind::from_model(name).map(Self::Policy);
                let mut sources = SourceKind::ALL.iter().copied();
                let source = || sources.find(|it| it.model() == name).map(Self::Source);
                match stage.or_else(policy).or_else(source) {
                    Some(model) => Ok(model),
                    None if name::is_unsupported(&lower) => Err(NotAModel::Unsupported),
                    None => Err(NotAModel::Unknown),
                }
            }
        }
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Flow => "authentik_flows.flow",
            Self::Binding => "authentik_flows.flowstagebinding",
            Self::Stage(kind) => kind.model(),
            Self::Policy(kind) => kind.model(),
            Self::PolicyBinding => "authentik_policies.policybinding",
            Self::Source(kind) => kind.model(),
            Self::Application => "authentik_core.application",
            Self::Brand => "authentik_brands.brand",
            Self::User => "authentik_core.user",
            Self::Group => "authentik_core.group",
            Self::Role => "authentik_rbac.role",
            Self::Token => "authentik_core.token",
            Self::Prompt => "authentik_stages_prompt.prompt",
            Self::Invitation => "authentik_stages_invitation.invitation",
            Self::WebhookMapping => "authentik_events.notificationwebhookmapping",
            Self::BlueprintInstance => "authentik_blueprints.blueprintinstance",
            Self::ApplyBlueprint => name::APPLY,
        }
    }
}
