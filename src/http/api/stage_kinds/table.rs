//! Where the stages of each kind are, what they are called, and by what their lists are filtered.
//!
//! Source: authentik `stages/*/api.py`. Secrets are never filtered by, which would tell them.

use super::{show, show_base};
use crate::blueprint::edit::Model;
use crate::catalog;
use crate::http::api::resource::{Filter, Fits, KeyField, Resource, Scope};
use crate::http::api::resource::{flag, id, ids, number, text, word};
use crate::journal::object::Stored as _;
use crate::stage::Kind;

/// What is the same of all of them.
const BASE: Resource = Resource {
    path: "/stages/all/",
    prefix: "stages_all",
    key: "stage_uuid",
    key_field: KeyField::Pk,
    scope: Scope::All(catalog::Stage::KIND),
    name: "Stage",
    noun: "authentik_flows.stage",
    search: &["name"],
    filters: &[text("name")],
    order: &["name"],
    // That is set by the operator alone, for a link that is handed over.
    closed: &["link_only"],
    is_own: None,
    guard: None,
    show: show_base,
};

/// The stages of all kinds, without their settings.
pub(super) static ALL: Resource = BASE;

const fn stage(
    kind: Kind,
    path: &'static str,
    prefix: &'static str,
    name: &'static str,
    filters: &'static [Filter],
) -> Resource {
    Resource {
        path,
        prefix,
        name,
        filters,
        scope: Scope::Of(Model::Stage(kind)),
        noun: kind.model(),
        show,
        ..BASE
    }
}

/// The stages of each kind, with their settings.
pub(super) static KINDS: [Resource; 21] = [
    stage(
        Kind::AuthenticatorDuo,
        "/stages/authenticator/duo/",
        "stages_authenticator_duo",
        "AuthenticatorDuoStage",
        &[
            text("api_hostname"),
            text("client_id"),
            id("configure_flow"),
            text("name"),
        ],
    ),
    stage(
        Kind::AuthenticatorEmail,
        "/stages/authenticator/email/",
        "stages_authenticator_email",
        "AuthenticatorEmailStage",
        &[
            id("configure_flow"),
            text("friendly_name"),
            text("from_address"),
            text("host"),
            number("port"),
            id("stage_uuid"),
            text("subject"),
            text("template"),
            number("timeout"),
            text("token_expiry"),
            flag("use_global_settings"),
            flag("use_ssl"),
            flag("use_tls"),
            text("username"),
            text("name"),
        ],
    ),
    stage(
        Kind::AuthenticatorSms,
        "/stages/authenticator/sms/",
        "stages_authenticator_sms",
        "AuthenticatorSMSStage",
        &[
            text("account_sid"),
            word("auth_type", || vec!["basic", "bearer"]),
            id("configure_flow"),
            text("friendly_name"),
            text("from_number"),
            id("mapping"),
            word("provider", || vec!["twilio", "generic"]),
            id("stage_uuid"),
            flag("verify_only"),
            text("name"),
        ],
    ),
    stage(
        Kind::AuthenticatorStatic,
        "/stages/authenticator/static/",
        "stages_authenticator_static",
        "AuthenticatorStaticStage",
        &[
            id("configure_flow"),
            text("friendly_name"),
            id("stage_uuid"),
            number("token_count"),
            number("token_length"),
            text("name"),
        ],
    ),
    stage(
        Kind::AuthenticatorTotp,
        "/stages/authenticator/totp/",
        "stages_authenticator_totp",
        "AuthenticatorTOTPStage",
        &[
            id("configure_flow"),
            word("digits", || vec!["6", "8"]),
            text("friendly_name"),
            id("stage_uuid"),
            text("name"),
        ],
    ),
    stage(
        Kind::AuthenticatorValidate,
        "/stages/authenticator/validate/",
        "stages_authenticator_validate",
        "AuthenticatorValidateStage",
        &[
            ids("configuration_stages"),
            word("not_configured_action", || {
                vec!["skip", "deny", "configure"]
            }),
            text("name"),
        ],
    ),
    stage(
        Kind::AuthenticatorWebauthn,
        "/stages/authenticator/webauthn/",
        "stages_authenticator_webauthn",
        "AuthenticatorWebAuthnStage",
        &[
            word("authenticator_attachment", || {
                vec!["platform", "cross-platform"]
            }),
            id("configure_flow"),
            ids("device_type_restrictions"),
            number("max_attempts"),
            word("resident_key_requirement", || {
                vec!["required", "preferred", "discouraged"]
            }),
            word("user_verification", || {
                vec!["required", "preferred", "discouraged"]
            }),
            text("name"),
        ],
    ),
    stage(
        Kind::Captcha,
        "/stages/captcha/",
        "stages_captcha",
        "CaptchaStage",
        &[text("public_key"), text("name")],
    ),
    stage(
        Kind::Consent,
        "/stages/consent/",
        "stages_consent",
        "ConsentStage",
        &[
            text("consent_expire_in"),
            word("mode", || vec!["always_require", "permanent", "expiring"]),
            id("stage_uuid"),
            text("name"),
        ],
    ),
    stage(
        Kind::Deny,
        "/stages/deny/",
        "stages_deny",
        "DenyStage",
        &[text("deny_message"), id("stage_uuid"), text("name")],
    ),
    stage(
        Kind::Dummy,
        "/stages/dummy/",
        "stages_dummy",
        "DummyStage",
        &[id("stage_uuid"), flag("throw_error"), text("name")],
    ),
    stage(
        Kind::Email,
        "/stages/email/",
        "stages_email",
        "EmailStage",
        &[
            flag("activate_user_on_success"),
            text("from_address"),
            text("host"),
            number("port"),
            text("subject"),
            text("template"),
            number("timeout"),
            text("token_expiry"),
            flag("use_global_settings"),
            flag("use_ssl"),
            flag("use_tls"),
            text("username"),
            text("name"),
        ],
    ),
    stage(
        Kind::Identification,
        "/stages/identification/",
        "stages_identification",
        "IdentificationStage",
        &[
            id("captcha_stage"),
            flag("case_insensitive_matching"),
            id("enrollment_flow"),
            id("password_stage"),
            id("passwordless_flow"),
            id("recovery_flow"),
            flag("show_matched_user"),
            flag("show_source_labels"),
            id("webauthn_stage"),
            text("name"),
        ],
    ),
    stage(
        Kind::Invitation,
        "/stages/invitation/stages/",
        "stages_invitation_stages",
        "InvitationStage",
        &[
            flag("continue_flow_without_invitation"),
            Filter {
                name: "no_flows",
                field: "flow__isnull",
                fits: Fits::Flag,
            },
            id("stage_uuid"),
            text("name"),
        ],
    ),
    stage(
        Kind::Password,
        "/stages/password/",
        "stages_password",
        "PasswordStage",
        &[
            flag("allow_show_password"),
            id("configure_flow"),
            number("failed_attempts_before_cancel"),
            text("name"),
        ],
    ),
    stage(
        Kind::Prompt,
        "/stages/prompt/stages/",
        "stages_prompt_stages",
        "PromptStage",
        &[
            ids("fields"),
            id("stage_uuid"),
            ids("validation_policies"),
            text("name"),
        ],
    ),
    stage(
        Kind::Redirect,
        "/stages/redirect/",
        "stages_redirect",
        "RedirectStage",
        &[text("name")],
    ),
    stage(
        Kind::UserDelete,
        "/stages/user_delete/",
        "stages_user_delete",
        "UserDeleteStage",
        &[id("stage_uuid"), text("name")],
    ),
    stage(
        Kind::UserLogin,
        "/stages/user_login/",
        "stages_user_login",
        "UserLoginStage",
        &[
            word("geoip_binding", || {
                vec![
                    "no_binding",
                    "bind_continent",
                    "bind_continent_country",
                    "bind_continent_country_city",
                ]
            }),
            word("network_binding", || {
                vec![
                    "no_binding",
                    "bind_asn",
                    "bind_asn_network",
                    "bind_asn_network_ip",
                ]
            }),
            text("remember_device"),
            text("remember_me_offset"),
            text("session_duration"),
            id("stage_uuid"),
            flag("terminate_other_sessions"),
            text("name"),
        ],
    ),
    stage(
        Kind::UserLogout,
        "/stages/user_logout/",
        "stages_user_logout",
        "UserLogoutStage",
        &[id("stage_uuid"), text("name")],
    ),
    stage(
        Kind::UserWrite,
        "/stages/user_write/",
        "stages_user_write",
        "UserWriteStage",
        &[
            flag("create_users_as_inactive"),
            id("create_users_group"),
            id("stage_uuid"),
            word("user_creation_mode", || {
                vec!["never_create", "create_when_required", "always_create"]
            }),
            text("user_path_template"),
            word("user_type", || {
                vec![
                    "internal",
                    "external",
                    "service_account",
                    "internal_service_account",
                ]
            }),
            text("name"),
        ],
    ),
];
