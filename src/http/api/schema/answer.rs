//! What the executor takes: the answers to challenges, told apart by `component`.

use serde_json::{Value, json};

use super::challenge::with_component;
use super::shape::{Member, Of, has, may, object, one_of};

/// An answer: the name of its schema, its component and its fields.
struct Answer(&'static str, &'static str, &'static [Member]);

const ANSWERS: &[Answer] = &[
    Answer(
        "AppleChallengeResponseRequest",
        "ak-source-oauth-apple",
        &[],
    ),
    Answer(
        "AuthenticatorDuoChallengeResponseRequest",
        "ak-stage-authenticator-duo",
        &[],
    ),
    Answer(
        "AuthenticatorEmailChallengeResponseRequest",
        "ak-stage-authenticator-email",
        &[may("code", Of::Filled(0)), may("email", Of::Filled(0))],
    ),
    Answer(
        "AuthenticatorSMSChallengeResponseRequest",
        "ak-stage-authenticator-sms",
        &[
            may("code", Of::Filled(0)),
            may("phone_number", Of::Filled(0)),
        ],
    ),
    Answer(
        "AuthenticatorStaticChallengeResponseRequest",
        "ak-stage-authenticator-static",
        &[],
    ),
    Answer(
        "AuthenticatorTOTPChallengeResponseRequest",
        "ak-stage-authenticator-totp",
        &[has("code", Of::Filled(0))],
    ),
    Answer(
        "AuthenticatorValidationChallengeResponseRequest",
        "ak-stage-authenticator-validate",
        &[
            may("selected_challenge", Of::To("DeviceChallengeRequest")),
            may("selected_stage", Of::Filled(0)),
            may("code", Of::Filled(0)),
            may("webauthn", Of::Object),
            may("duo", Of::Number),
        ],
    ),
    Answer(
        "AuthenticatorWebAuthnChallengeResponseRequest",
        "ak-stage-authenticator-webauthn",
        &[has("response", Of::Object)],
    ),
    Answer(
        "AutoSubmitChallengeResponseRequest",
        "ak-stage-autosubmit",
        &[],
    ),
    Answer(
        "CaptchaChallengeResponseRequest",
        "ak-stage-captcha",
        &[has("token", Of::Filled(0))],
    ),
    Answer(
        "ConsentChallengeResponseRequest",
        "ak-stage-consent",
        &[has("token", Of::Filled(0))],
    ),
    Answer("DummyChallengeResponseRequest", "ak-stage-dummy", &[]),
    Answer("EmailChallengeResponseRequest", "ak-stage-email", &[]),
    Answer(
        "EndpointAgentChallengeResponseRequest",
        "ak-stage-endpoint-agent",
        &[may("response", Of::OrNull(&Of::Filled(0)))],
    ),
    Answer("FrameChallengeResponseRequest", "xak-flow-frame", &[]),
    Answer(
        "IdentificationChallengeResponseRequest",
        "ak-stage-identification",
        &[
            may("uid_field", Of::OrNull(&Of::Text)),
            may("password", Of::OrNull(&Of::Text)),
            may("captcha_token", Of::OrNull(&Of::Text)),
            may("passkey", Of::OrNull(&Of::Object)),
        ],
    ),
    Answer(
        "IframeLogoutChallengeResponseRequest",
        "ak-provider-iframe-logout",
        &[],
    ),
    Answer(
        "NativeLogoutChallengeResponseRequest",
        "ak-provider-saml-native-logout",
        &[],
    ),
    Answer(
        "OAuthDeviceCodeChallengeResponseRequest",
        "ak-provider-oauth2-device-code",
        &[has("code", Of::Filled(0))],
    ),
    Answer(
        "OAuthDeviceCodeFinishChallengeResponseRequest",
        "ak-provider-oauth2-device-code-finish",
        &[],
    ),
    Answer(
        "PasswordChallengeResponseRequest",
        "ak-stage-password",
        &[has("password", Of::Filled(0))],
    ),
    Answer(
        "PlexAuthenticationChallengeResponseRequest",
        "ak-source-plex",
        &[],
    ),
    Answer(PROMPT, "ak-stage-prompt", &[]),
    Answer(
        "RedirectChallengeResponseRequest",
        "xak-flow-redirect",
        &[has("to", Of::Filled(0))],
    ),
    Answer(
        "TelegramChallengeResponseRequest",
        "ak-source-telegram",
        &[
            has("id", Of::Number),
            may("first_name", Of::Filled(255)),
            may("last_name", Of::Filled(255)),
            may("username", Of::Filled(255)),
            may("photo_url", Of::Format("uri")),
            has("auth_date", Of::Number),
            has("hash", Of::Filled(64)),
        ],
    ),
    Answer(
        "UserLoginChallengeResponseRequest",
        "ak-stage-user-login",
        &[has("remember_me", Of::Flag)],
    ),
];

/// Whose fields are what an operator says they are.
const PROMPT: &str = "PromptChallengeResponseRequest";

/// The schemas, by name.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    let answers = ANSWERS.iter();
    let mut all: Vec<_> = answers
        .clone()
        .map(|Answer(name, component, members)| {
            let mut schema = with_component(object(members.iter().copied()), component);
            if *name == PROMPT {
                schema["additionalProperties"] = json!({});
            }
            (*name, schema)
        })
        .collect();
    all.push((
        "FlowChallengeResponseRequest",
        one_of("component", answers.map(|it| (it.1, it.0))),
    ));
    all.push((
        "DeviceChallengeRequest",
        object([
            has("device_class", Of::To("DeviceClassesEnum")),
            has("device_uid", Of::Filled(0)),
            has("challenge", Of::Object),
            has("last_used", Of::OrNull(&Of::Format("date-time"))),
        ]),
    ));
    all
}
