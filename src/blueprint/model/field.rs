//! The tables of fields that a blueprint can write, as in the API's write bodies.

use super::Model;
use crate::catalog::stage::SECRETS;
use crate::catalog::{
    Brand, Flow, FlowStageBinding, Policy, PolicyBinding, Prompt, PromptType, Source, Stage,
    WebhookMapping,
};
use crate::directory::token::Intent;
use crate::directory::user::UserType;
use crate::directory::{Group, Invitation, Role, Token, User};
use crate::flow::field::Problem;
use crate::flow::model::{
    Authentication, DeniedAction, Designation, InvalidResponseAction, Layout, PolicyEngineMode,
};
use crate::journal::Kind;
use crate::journal::object::Stored;

/// A field that a blueprint can write.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    /// Its name on the wire and in the stored object.
    pub(crate) name: &'static str,
    /// What fits in it.
    pub(crate) shape: Shape,
    /// Whether a new object needs it.
    pub(crate) required: bool,
}

/// What fits in a field.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// A text; `blank` says whether it may be empty, `most` how many characters it may have.
    Text { blank: bool, most: usize },
    /// Text of any length, also none, and with line breaks.
    Prose,
    /// Letters, digits, hyphens and underscores.
    Slug,
    /// One of some words.
    Word(Words),
    /// True or false.
    Flag,
    /// A whole number of 32 bits.
    Integer,
    /// The same, not below zero.
    Count,
    /// A mapping.
    Object,
    /// A moment, or null.
    Moment,
    /// An object of this kind.
    One(Kind),
    /// An object of this kind, or null.
    Maybe(Kind),
    /// Objects of this kind.
    Many(Kind),
    /// A user, by number.
    User,
    /// A user, by number, or null.
    MaybeUser,
    /// What policies are bound to, by its own key or by that of its kind.
    Target,
    /// Users, by number.
    Users,
    /// Permissions, by their whole names.
    Permissions,
    /// How an application is protected by forward authentication, or null.
    ForwardAuth,
    /// References to what this version does not have: an empty list where there could be several,
    /// else null.
    Nothing { many: bool },
}

/// Words that fit in a field.
#[derive(Clone, Copy)]
pub(crate) struct Words {
    /// What the description of the API calls them.
    pub(crate) name: &'static str,
    /// All of them.
    pub(crate) all: fn() -> Vec<&'static str>,
    /// Whether a word is one of them.
    pub(crate) check: fn(&str) -> Result<(), Problem>,
}

const fn required(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        required: true,
    }
}

const fn optional(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        shape,
        required: false,
    }
}

pub(crate) const ANY_LENGTH: usize = 65_536;
const TEXT: Shape = Shape::Text {
    blank: false,
    most: ANY_LENGTH,
};
const MAYBE_EMPTY: Shape = Shape::Text {
    blank: true,
    most: ANY_LENGTH,
};

/// Makes a check of words out of a type of words.
macro_rules! word {
    ($type:ty, $name:literal) => {
        Shape::Word(Words {
            name: $name,
            all: || <$type>::ALL.iter().map(|word| word.as_str()).collect(),
            check: |word| word.parse::<$type>().map(drop),
        })
    };
}

pub(crate) const FLOW: &[Field] = &[
    required("name", TEXT),
    required("slug", Shape::Slug),
    required("title", TEXT),
    required("designation", word!(Designation, "FlowDesignationEnum")),
    optional("background", MAYBE_EMPTY),
    optional("layout", word!(Layout, "FlowLayoutEnum")),
    optional("compatibility_mode", Shape::Flag),
    optional("denied_action", word!(DeniedAction, "DeniedActionEnum")),
    optional(
        "authentication",
        word!(Authentication, "AuthenticationEnum"),
    ),
    optional(
        "policy_engine_mode",
        word!(PolicyEngineMode, "PolicyEngineMode"),
    ),
];

pub(crate) const BINDING: &[Field] = &[
    required("target", Shape::One(Flow::KIND)),
    required("stage", Shape::One(Stage::KIND)),
    required("order", Shape::Integer),
    optional("evaluate_on_plan", Shape::Flag),
    optional("re_evaluate_policies", Shape::Flag),
    optional(
        "invalid_response_action",
        word!(InvalidResponseAction, "InvalidResponseActionEnum"),
    ),
    optional(
        "policy_engine_mode",
        word!(PolicyEngineMode, "PolicyEngineMode"),
    ),
];

/// What all kinds of stages have; the rest are settings.
pub(crate) const STAGE: &[Field] = &[required("name", TEXT)];

/// What all kinds of policies have; the rest are settings.
pub(crate) const POLICY: &[Field] = &[
    required("name", TEXT),
    optional("execution_logging", Shape::Flag),
];

pub(crate) const POLICY_BINDING: &[Field] = &[
    required("target", Shape::Target),
    optional("policy", Shape::Maybe(Policy::KIND)),
    optional("group", Shape::Maybe(Group::KIND)),
    optional("user", Shape::MaybeUser),
    required("order", Shape::Integer),
    optional("negate", Shape::Flag),
    optional("enabled", Shape::Flag),
    optional("timeout", Shape::Count),
    optional("failure_result", Shape::Flag),
];

/// What a source is shown by. What its provider wants is not kept: nothing here would use it, and
/// much of it is secret.
pub(crate) const SOURCE: &[Field] = &[
    required("name", TEXT),
    required("slug", Shape::Slug),
    optional("enabled", Shape::Flag),
    optional("promoted", Shape::Flag),
    optional("icon", MAYBE_EMPTY),
];

/// Settings that name other objects, one or a list of them, in whatever kind of stage.
pub(crate) const STAGE_REFERENCES: &[(&str, Kind)] = &[
    ("captcha_stage", Stage::KIND),
    ("configuration_stages", Stage::KIND),
    ("configure_flow", Flow::KIND),
    ("create_users_group", Group::KIND),
    ("enrollment_flow", Flow::KIND),
    ("mapping", WebhookMapping::KIND),
    ("password_stage", Stage::KIND),
    ("passwordless_flow", Flow::KIND),
    ("recovery_flow", Flow::KIND),
    ("sources", Source::KIND),
    ("target_flow", Flow::KIND),
    ("webauthn_stage", Stage::KIND),
];

/// Settings that list other objects, in whatever kind of stage.
pub(crate) const STAGE_LISTS: &[(&str, Kind)] = &[
    ("fields", Prompt::KIND),
    ("validation_policies", Policy::KIND),
];

pub(crate) const PROMPT: &[Field] = &[
    required("name", TEXT),
    required("field_key", TEXT),
    required("label", TEXT),
    required("type", word!(PromptType, "PromptTypeEnum")),
    optional("required", Shape::Flag),
    optional("placeholder", Shape::Prose),
    optional("initial_value", Shape::Prose),
    optional("sub_text", Shape::Prose),
    optional("order", Shape::Integer),
    optional("placeholder_expression", Shape::Flag),
    optional("initial_value_expression", Shape::Flag),
];

pub(crate) const WEBHOOK_MAPPING: &[Field] =
    &[required("name", TEXT), required("expression", Shape::Prose)];

/// What an application is shown by, and how it is protected. It has no provider of tokens: what asks
/// about its requests is the proxy before it.
pub(crate) const APPLICATION: &[Field] = &[
    required("name", TEXT),
    required("slug", Shape::Slug),
    optional("provider", Shape::Nothing { many: false }),
    optional("backchannel_providers", Shape::Nothing { many: true }),
    optional("open_in_new_tab", Shape::Flag),
    optional("meta_launch_url", MAYBE_EMPTY),
    optional("meta_icon", MAYBE_EMPTY),
    optional("meta_description", Shape::Prose),
    optional("meta_publisher", MAYBE_EMPTY),
    optional(
        "policy_engine_mode",
        word!(PolicyEngineMode, "PolicyEngineMode"),
    ),
    optional("group", MAYBE_EMPTY),
    optional("meta_hide", Shape::Flag),
    optional("forward_auth", Shape::ForwardAuth),
];

pub(crate) const BRAND: &[Field] = &[
    required("domain", TEXT),
    optional("default", Shape::Flag),
    optional("branding_title", MAYBE_EMPTY),
    optional("branding_logo", MAYBE_EMPTY),
    optional("branding_favicon", MAYBE_EMPTY),
    optional("branding_custom_css", Shape::Prose),
    optional("branding_default_flow_background", MAYBE_EMPTY),
    optional("flow_authentication", Shape::Maybe(Flow::KIND)),
    optional("flow_invalidation", Shape::Maybe(Flow::KIND)),
    optional("flow_recovery", Shape::Maybe(Flow::KIND)),
    optional("flow_unenrollment", Shape::Maybe(Flow::KIND)),
    optional("flow_user_settings", Shape::Maybe(Flow::KIND)),
    optional("flow_device_code", Shape::Maybe(Flow::KIND)),
    optional("default_application", Shape::Nothing { many: false }),
    optional("web_certificate", Shape::Nothing { many: false }),
    optional("client_certificates", Shape::Nothing { many: true }),
    optional("attributes", Shape::Object),
];

pub(crate) const USER: &[Field] = &[
    required(
        "username",
        Shape::Text {
            blank: false,
            most: 150,
        },
    ),
    optional("name", MAYBE_EMPTY),
    optional(
        "email",
        Shape::Text {
            blank: true,
            most: 254,
        },
    ),
    optional("is_active", Shape::Flag),
    optional("type", word!(UserType, "UserTypeEnum")),
    optional("path", TEXT),
    optional("attributes", Shape::Object),
    optional("groups", Shape::Many(Group::KIND)),
    optional("roles", Shape::Many(Role::KIND)),
];

pub(crate) const GROUP: &[Field] = &[
    required("name", TEXT),
    optional("is_superuser", Shape::Flag),
    optional("parents", Shape::Many(Group::KIND)),
    optional("attributes", Shape::Object),
    optional("roles", Shape::Many(Role::KIND)),
];

pub(crate) const ROLE: &[Field] = &[
    required("name", TEXT),
    optional("permissions", Shape::Permissions),
];

pub(crate) const TOKEN: &[Field] = &[
    required("identifier", Shape::Slug),
    optional("intent", word!(Intent, "IntentEnum")),
    required("user", Shape::User),
    optional("description", MAYBE_EMPTY),
    optional("expires", Shape::Moment),
    optional("expiring", Shape::Flag),
    optional("key", TEXT),
];

pub(crate) const INVITATION: &[Field] = &[
    required("name", Shape::Slug),
    optional("expires", Shape::Moment),
    optional("fixed_data", Shape::Object),
    optional("single_use", Shape::Flag),
    optional("flow", Shape::Maybe(Flow::KIND)),
];

pub(crate) const BLUEPRINT_INSTANCE: &[Field] = &[
    required("name", TEXT),
    optional("path", MAYBE_EMPTY),
    optional("context", Shape::Object),
    optional("enabled", Shape::Flag),
    optional("content", Shape::Prose),
];

/// Names by which the key goes under which policies are bound to an object.
pub(crate) const PBM: &[&str] = &["policybindingmodel_ptr_id", "pbm_uuid"];

/// The fields of this model; of stages and policies those that all kinds have.
pub(crate) fn fields(model: Model) -> &'static [Field] {
    match model {
        Model::Flow => FLOW,
        Model::Binding => BINDING,
        Model::Stage(_) => STAGE,
        Model::Policy(_) => POLICY,
        Model::PolicyBinding => POLICY_BINDING,
        Model::Source(_) => SOURCE,
        Model::Application => APPLICATION,
        Model::Brand => BRAND,
        Model::User => USER,
        Model::Group => GROUP,
        Model::Role => ROLE,
        Model::Token => TOKEN,
        Model::Prompt => PROMPT,
        Model::Invitation => INVITATION,
        Model::WebhookMapping => WEBHOOK_MAPPING,
        Model::BlueprintInstance => BLUEPRINT_INSTANCE,
        Model::ApplyBlueprint => &[],
    }
}

/// Whether objects of this model can be looked up by a field of this name.
pub(crate) fn known(model: Model, name: &str) -> bool {
    match model {
        // Every setting is a field, and only the kind knows which it has.
        Model::Stage(_) => return !SECRETS.contains(&name),
        Model::Policy(_) => return true,
        Model::ApplyBlueprint => return false,
        _ => {}
    }
    let fields = fields(model);
    let others: &[&str] = match model {
        Model::User => &["uuid", "last_login", "date_joined", "last_updated"],
        Model::Group => &["num_pk"],
        Model::Token | Model::Role => &["managed"],
        Model::Flow | Model::Binding | Model::Source(_) => PBM,
        _ => &[],
    };
    // Nobody may find out a secret by looking it up.
    name != "key" && (fields.iter().any(|field| field.name == name) || others.contains(&name))
}

/// The kind that a field refers to, for lookups that follow a reference.
pub(crate) fn refers_to(kind: Kind, field: &str) -> Option<Kind> {
    if kind == Stage::KIND {
        let found = STAGE_REFERENCES.iter().find(|(name, _)| *name == field);
        return found.map(|(_, kind)| *kind);
    }
    let table = [
        (FlowStageBinding::KIND, BINDING),
        (PolicyBinding::KIND, POLICY_BINDING),
        (Brand::KIND, BRAND),
        (Token::KIND, TOKEN),
        (Invitation::KIND, INVITATION),
    ];
    let (_, fields) = table.iter().find(|(of, _)| *of == kind)?;
    match fields.iter().find(|it| it.name == field)?.shape {
        Shape::One(kind) | Shape::Maybe(kind) => Some(kind),
        Shape::User | Shape::MaybeUser => Some(User::KIND),
        _ => None,
    }
}
