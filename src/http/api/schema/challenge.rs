//! What the executor sends: the thirty challenges that clients know, told apart by `component`.
//!
//! Source: authentik `flows/challenge.py` and the stages' own modules. Here a component is the only
//! one that its schema takes, so that an answer fits one schema and not several.

use serde_json::Value;

use super::shape::{Member, Of, flag, has, may, object, one_of};
use super::words;
use crate::catalog::PromptType;
use crate::directory::DeviceClass;
use crate::flow::model::Layout;

/// A challenge: the name of its schema, its component and what it has beside what all have.
struct Challenge(&'static str, &'static str, &'static [Member]);

const WHO: Member = has("pending_user", Of::Text);
const AVATAR: Member = has("pending_user_avatar", Of::Text);

const CHALLENGES: &[Challenge] = &[
    Challenge(
        "AccessDeniedChallenge",
        "ak-stage-access-denied",
        &[WHO, AVATAR, may("error_message", Of::Text)],
    ),
    Challenge(
        "AppleLoginChallenge",
        "ak-source-oauth-apple",
        &[
            has("client_id", Of::Text),
            has("scope", Of::Text),
            has("redirect_uri", Of::Text),
            has("state", Of::Text),
        ],
    ),
    Challenge(
        "AuthenticatorDuoChallenge",
        "ak-stage-authenticator-duo",
        &[
            WHO,
            AVATAR,
            has("activation_barcode", Of::Text),
            has("activation_code", Of::Text),
            has("stage_uuid", Of::Text),
        ],
    ),
    Challenge(
        "AuthenticatorEmailChallenge",
        "ak-stage-authenticator-email",
        &[
            WHO,
            AVATAR,
            may("email", Of::OrNull(&Of::Text)),
            flag("email_required", true),
        ],
    ),
    Challenge(
        "AuthenticatorSMSChallenge",
        "ak-stage-authenticator-sms",
        &[WHO, AVATAR, flag("phone_number_required", true)],
    ),
    Challenge(
        "AuthenticatorStaticChallenge",
        "ak-stage-authenticator-static",
        &[WHO, AVATAR, has("codes", Of::List(&Of::Text))],
    ),
    Challenge(
        "AuthenticatorTOTPChallenge",
        "ak-stage-authenticator-totp",
        &[WHO, AVATAR, has("config_url", Of::Text)],
    ),
    Challenge(
        "AuthenticatorValidationChallenge",
        "ak-stage-authenticator-validate",
        &[
            WHO,
            AVATAR,
            has("device_challenges", Of::List(&Of::To("DeviceChallenge"))),
            has("configuration_stages", Of::List(&Of::To("SelectableStage"))),
        ],
    ),
    Challenge(
        "AuthenticatorWebAuthnChallenge",
        "ak-stage-authenticator-webauthn",
        &[WHO, AVATAR, has("registration", Of::Object)],
    ),
    Challenge(
        "AutosubmitChallenge",
        "ak-stage-autosubmit",
        &[
            has("url", Of::Text),
            has("attrs", Of::Each(&Of::Text)),
            may("title", Of::Text),
        ],
    ),
    Challenge(
        "CaptchaChallenge",
        "ak-stage-captcha",
        &[
            WHO,
            AVATAR,
            has("site_key", Of::Text),
            has("js_url", Of::Text),
            has("interactive", Of::Flag),
        ],
    ),
    Challenge(
        "ConsentChallenge",
        "ak-stage-consent",
        &[
            WHO,
            AVATAR,
            may("header_text", Of::Text),
            has("permissions", Of::List(&Of::To("ConsentPermission"))),
            has(
                "additional_permissions",
                Of::List(&Of::To("ConsentPermission")),
            ),
            has("token", Of::Text),
        ],
    ),
    Challenge("DummyChallenge", "ak-stage-dummy", &[has("name", Of::Text)]),
    Challenge("EmailChallenge", "ak-stage-email", &[]),
    Challenge(
        "EndpointAgentChallenge",
        "ak-stage-endpoint-agent",
        &[
            has("challenge", Of::Text),
            has("challenge_idle_timeout", Of::Number),
        ],
    ),
    Challenge(
        "FlowErrorChallenge",
        "ak-stage-flow-error",
        &[
            has("request_id", Of::Text),
            may("error", Of::Text),
            may("traceback", Of::Text),
        ],
    ),
    Challenge(
        "FrameChallenge",
        "xak-flow-frame",
        &[
            has("url", Of::Text),
            flag("loading_overlay", false),
            has("loading_text", Of::Text),
        ],
    ),
    Challenge(
        "IdentificationChallenge",
        "ak-stage-identification",
        &[
            has("user_fields", Of::OrNull(&Of::List(&Of::Text))),
            may("pending_user_identifier", Of::OrNull(&Of::Text)),
            has("password_fields", Of::Flag),
            flag("allow_show_password", false),
            may("application_pre", Of::Text),
            may("application_pre_launch", Of::Text),
            has("flow_designation", Of::To("FlowDesignationEnum")),
            may("captcha_stage", Of::OrNull(&Of::To("CaptchaChallenge"))),
            may("enroll_url", Of::Text),
            may("recovery_url", Of::Text),
            may("passwordless_url", Of::Text),
            has("primary_action", Of::Text),
            may("sources", Of::List(&Of::To("LoginSource"))),
            has("show_source_labels", Of::Flag),
            flag("enable_remember_me", true),
            may("passkey_challenge", Of::OrNull(&Of::Object)),
        ],
    ),
    Challenge(
        "IframeLogoutChallenge",
        "ak-provider-iframe-logout",
        &[may("logout_urls", Of::List(&Of::To("LogoutURL")))],
    ),
    Challenge(
        "NativeLogoutChallenge",
        "ak-provider-saml-native-logout",
        &[
            may("provider_name", Of::Text),
            flag("is_complete", false),
            may("post_url", Of::Text),
            may("redirect_url", Of::Text),
            may("saml_binding", Of::To("SAMLBindingsEnum")),
            may("saml_request", Of::Text),
            may("saml_response", Of::Text),
            may("saml_relay_state", Of::Text),
        ],
    ),
    Challenge(
        "OAuthDeviceCodeChallenge",
        "ak-provider-oauth2-device-code",
        &[],
    ),
    Challenge(
        "OAuthDeviceCodeFinishChallenge",
        "ak-provider-oauth2-device-code-finish",
        &[],
    ),
    Challenge(
        "PasswordChallenge",
        "ak-stage-password",
        &[
            WHO,
            AVATAR,
            may("recovery_url", Of::Text),
            flag("allow_show_password", false),
        ],
    ),
    Challenge(
        "PlexAuthenticationChallenge",
        "ak-source-plex",
        &[has("client_id", Of::Text), has("slug", Of::Text)],
    ),
    Challenge(
        "PromptChallenge",
        "ak-stage-prompt",
        &[has("fields", Of::List(&Of::To("StagePrompt")))],
    ),
    Challenge(
        "RedirectChallenge",
        "xak-flow-redirect",
        &[has("to", Of::Text)],
    ),
    Challenge(
        "SessionEndChallenge",
        "ak-stage-session-end",
        &[
            WHO,
            AVATAR,
            may("application_name", Of::Text),
            may("application_launch_url", Of::Text),
            may("invalidation_flow_url", Of::Text),
            has("brand_name", Of::Text),
        ],
    ),
    Challenge("ShellChallenge", "xak-flow-shell", &[has("body", Of::Text)]),
    Challenge(
        "TelegramLoginChallenge",
        "ak-source-telegram",
        &[
            has("bot_username", Of::Text),
            has("request_message_access", Of::Flag),
        ],
    ),
    Challenge("UserLoginChallenge", "ak-stage-user-login", &[WHO, AVATAR]),
];

/// The challenges by which a source's button may lead on.
const LOGINS: [&str; 4] = [
    "AppleLoginChallenge",
    "PlexAuthenticationChallenge",
    "RedirectChallenge",
    "TelegramLoginChallenge",
];

/// What challenges are made of.
const PARTS: &[(&str, &[Member])] = &[
    (
        "ContextualFlowInfo",
        &[
            may("title", Of::Text),
            may("background", Of::Text),
            may("background_themed_urls", Of::OrNull(&Of::To("ThemedUrls"))),
            has("cancel_url", Of::Text),
            has("layout", Of::To("ContextualFlowInfoLayoutEnum")),
        ],
    ),
    (
        "ErrorDetail",
        &[has("string", Of::Text), has("code", Of::Text)],
    ),
    (
        "DeviceChallenge",
        &[
            has("device_class", Of::To("DeviceClassesEnum")),
            has("device_uid", Of::Text),
            has("challenge", Of::Object),
            has("last_used", Of::OrNull(&Of::Format("date-time"))),
        ],
    ),
    (
        "SelectableStage",
        &[
            has("pk", Of::Format("uuid")),
            has("name", Of::Text),
            has("verbose_name", Of::Text),
            has("meta_model_name", Of::Text),
        ],
    ),
    (
        "ConsentPermission",
        &[has("name", Of::Text), has("id", Of::Text)],
    ),
    (
        "LoginSource",
        &[
            has("name", Of::Text),
            may("icon_url", Of::OrNull(&Of::Text)),
            flag("promoted", false),
            has("challenge", Of::To("LoginChallengeTypes")),
        ],
    ),
    (
        "LogoutURL",
        &[
            has("url", Of::Text),
            may("provider_name", Of::OrNull(&Of::Text)),
            may("binding", Of::OrNull(&Of::Text)),
            may("saml_request", Of::OrNull(&Of::Text)),
            may("saml_response", Of::OrNull(&Of::Text)),
            may("saml_relay_state", Of::OrNull(&Of::Text)),
        ],
    ),
    (
        "StagePrompt",
        &[
            has("field_key", Of::Text),
            has("label", Of::Text),
            has("type", Of::To("PromptTypeEnum")),
            has("required", Of::Flag),
            has("placeholder", Of::Text),
            has("initial_value", Of::Text),
            has("order", Of::Number),
            has("sub_text", Of::Text),
            has("choices", Of::OrNull(&Of::List(&Of::To("PromptChoice")))),
        ],
    ),
    (
        "PromptChoice",
        &[has("value", Of::Text), has("label", Of::Text)],
    ),
];

/// The schemas, by name.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    let challenges = CHALLENGES.iter();
    let mut all: Vec<_> = challenges
        .clone()
        .map(|Challenge(name, component, members)| {
            let usual = [
                may("flow_info", Of::To("ContextualFlowInfo")),
                may(
                    "response_errors",
                    Of::Each(&Of::List(&Of::To("ErrorDetail"))),
                ),
            ];
            let members = usual.into_iter().chain(members.iter().copied());
            (*name, with_component(object(members), component))
        })
        .collect();
    all.push((
        "ChallengeTypes",
        one_of(
            "component",
            challenges
                .clone()
                .map(|Challenge(name, component, _)| (*component, *name)),
        ),
    ));
    let logins = challenges.filter(|it| LOGINS.contains(&it.0));
    all.push((
        "LoginChallengeTypes",
        one_of("component", logins.map(|it| (it.1, it.0))),
    ));
    let parts = PARTS.iter();
    all.extend(parts.map(|(name, members)| (*name, object(members.iter().copied()))));
    all.push(("SAMLBindingsEnum", words(&["redirect", "post"])));
    let layouts: Vec<&str> = Layout::ALL.iter().map(|it| it.as_str()).collect();
    all.push(("ContextualFlowInfoLayoutEnum", words(&layouts)));
    let classes: Vec<&str> = DeviceClass::ALL.iter().map(|it| it.as_str()).collect();
    all.push(("DeviceClassesEnum", words(&classes)));
    let prompts: Vec<&str> = PromptType::ALL.iter().map(|it| it.as_str()).collect();
    all.push(("PromptTypeEnum", words(&prompts)));
    all
}

/// The schema of an object whose component is this.
pub(super) fn with_component(mut schema: Value, component: &str) -> Value {
    schema["properties"]["component"] = serde_json::json!({
        "type": "string",
        "enum": [component],
        "default": component,
    });
    schema
}
