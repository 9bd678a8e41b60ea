//! What authentik calls its models, and what can be imported from where.
//!
//! Names only; what a query of a model finds is the business of [`super::query`].

use crate::expression::Value;
use crate::policy::context;

/// Kinds of stages whose class is not just the kind in other letters.
const STAGES: [(&str, &str); 7] = [
    ("authenticator_totp", "AuthenticatorTOTPStage"),
    ("authenticator_sms", "AuthenticatorSMSStage"),
    ("authenticator_webauthn", "AuthenticatorWebAuthnStage"),
    (
        "authenticator_endpoint_gdtc",
        "AuthenticatorEndpointGDTCStage",
    ),
    ("mtls", "MutualTLSStage"),
    ("source", "SourceStage"),
    ("account_lockdown", "AccountLockdownStage"),
];

/// Kinds of policies whose class is not just the kind in other letters.
const POLICIES: [(&str, &str); 1] = [("geoip", "GeoIPPolicy")];

/// The class of a kind of stage: `UserLoginStage`.
pub(super) fn stage(kind: &str) -> String {
    let special = STAGES.iter().find(|(name, _)| *name == kind);
    special.map_or_else(|| camel(kind) + "Stage", |(_, class)| (*class).to_owned())
}

/// The class of a kind of policy: `ExpressionPolicy`.
pub(super) fn policy(kind: &str) -> String {
    let special = POLICIES.iter().find(|(name, _)| *name == kind);
    special.map_or_else(|| camel(kind) + "Policy", |(_, class)| (*class).to_owned())
}

fn camel(kind: &str) -> String {
    let words = kind.split('_').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}

/// Whether a class is that of a stage.
pub(super) fn is_stage(class: &str) -> bool {
    class.ends_with("Stage")
}

/// Whether a class is that of a policy.
pub(super) fn is_policy(class: &str) -> bool {
    class.ends_with("Policy")
}

/// Texts that can be imported: module, name, value.
const TEXTS: [(&str, &str, &str); 9] = [
    (
        "authentik.core.models",
        "USER_ATTRIBUTE_CHANGE_EMAIL",
        "goauthentik.io/user/can-change-email",
    ),
    (
        "authentik.core.models",
        "USER_ATTRIBUTE_CHANGE_NAME",
        "goauthentik.io/user/can-change-name",
    ),
    (
        "authentik.core.models",
        "USER_ATTRIBUTE_CHANGE_USERNAME",
        "goauthentik.io/user/can-change-username",
    ),
    (
        "authentik.core.models",
        "USER_ATTRIBUTE_DEBUG",
        "goauthentik.io/user/debug",
    ),
    (
        "authentik.core.models",
        "USER_ATTRIBUTE_EXPIRES",
        "goauthentik.io/user/expires",
    ),
    (
        "authentik.core.models",
        "USER_ATTRIBUTE_GENERATED",
        "goauthentik.io/user/generated",
    ),
    (
        "authentik.core.models",
        "USER_ATTRIBUTE_TOKEN_EXPIRING",
        "goauthentik.io/user/token-expires",
    ),
    (
        "authentik.core.models",
        "USER_PATH_SYSTEM_PREFIX",
        "goauthentik.io",
    ),
    (
        "authentik.flows.planner",
        "PLAN_CONTEXT_PENDING_USER",
        "pending_user",
    ),
];

/// Models of which there are rows here.
const MODELS: [(&str, &str); 9] = [
    ("authentik.core.models", context::USER),
    ("authentik.core.models", context::GROUP),
    ("authentik.flows.models", "Flow"),
    ("authentik.flows.models", "Stage"),
    ("authentik.flows.models", "FlowStageBinding"),
    ("authentik.policies.models", "Policy"),
    ("authentik.policies.models", "PolicyBinding"),
    ("authentik.brands.models", "Brand"),
    ("authentik.core.models", "Application"),
];

/// Models of which this server has none at all, so that a query of them finds nothing. What it
/// has under another form, such as events, tokens and sessions, is not among them: an empty
/// answer would be a wrong one.
const ABSENT: [(&str, &str); 3] = [
    ("authentik.core.models", "Provider"),
    ("authentik.core.models", "Source"),
    ("authentik.core.models", "UserSourceConnection"),
];

/// What `from module import name` gives; `None` when there is no such thing.
pub(super) fn import(module: &str, name: &str) -> Option<Value> {
    let text = TEXTS.iter().find(|(m, n, _)| (*m, *n) == (module, name));
    if let Some((_, _, text)) = text {
        return Some(Value::text(*text));
    }
    let class = || Some(Value::Class(name.to_owned()));
    if MODELS.contains(&(module, name)) || ABSENT.contains(&(module, name)) {
        return class();
    }
    match (module, name) {
        ("django_otp" | "authentik.stages.authenticator", "devices_for_user") => {
            return Some(Value::Function(name.to_owned()));
        }
        ("django.contrib.auth.models", context::ANONYMOUS) => return class(),
        ("django.utils.timezone", "now") => return Some(Value::Function(name.to_owned())),
        _ => {}
    }
    let parts: Vec<&str> = module.split('.').collect();
    match parts[..] {
        ["authentik", "stages", _, "models"]
        | ["authentik", "enterprise", "stages", _, "models"]
            if name.ends_with("Stage") || name.ends_with("Device") =>
        {
            class()
        }
        ["authentik", "policies", _, "models"] if name.ends_with("Policy") => class(),
        ["authentik", "sources", _, "models"]
            if name.ends_with("Source") || name.ends_with("SourceConnection") =>
        {
            class()
        }
        ["authentik", "providers", _, "models"] if name.ends_with("Provider") => class(),
        _ => None,
    }
}

/// The name of the application and of the model, as events name them.
pub(super) fn model(class: &str) -> (&'static str, String) {
    let app = match class {
        context::USER | context::GROUP | context::ANONYMOUS | "Application" => "authentik_core",
        "Flow" | "FlowStageBinding" => "authentik_flows",
        "PolicyBinding" => "authentik_policies",
        "Brand" => "authentik_brands",
        "DuoDevice" => "authentik_stages_authenticator_duo",
        "EmailDevice" => "authentik_stages_authenticator_email",
        "SMSDevice" => "authentik_stages_authenticator_sms",
        "StaticDevice" => "authentik_stages_authenticator_static",
        "TOTPDevice" => "authentik_stages_authenticator_totp",
        "WebAuthnDevice" => "authentik_stages_authenticator_webauthn",
        class if is_stage(class) => "authentik_stages",
        class if is_policy(class) => "authentik_policies",
        _ => "authentik",
    };
    (app, class.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_called_as_in_authentik() {
        assert_eq!(stage("user_login"), "UserLoginStage");
        assert_eq!(stage("authenticator_totp"), "AuthenticatorTOTPStage");
        assert_eq!(policy("expression"), "ExpressionPolicy");
    }

    #[test]
    fn what_the_server_has_under_another_form_cannot_be_imported() {
        for (module, name) in [
            ("authentik.events.models", "Event"),
            ("authentik.core.models", "Token"),
            ("authentik.core.models", "AuthenticatedSession"),
            ("authentik.core.tests.utils", "create_test_user"),
            ("requests", "get"),
        ] {
            assert_eq!(import(module, name), None, "{module} {name}");
        }
    }
}
