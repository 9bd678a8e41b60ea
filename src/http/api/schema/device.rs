//! Devices, as `/authenticators/` shows and takes them.

use serde_json::Value;

use super::shape::{Member, Of, has, may, object};

const PK: Member = has("pk", Of::Number);
const NAME: Member = has("name", Of::Text);
const USER: Member = has("user", Of::To("PartialUser"));

/// Said of a name that is given: not empty, and at most so long.
const SHORT: &[Member] = &[has("name", Of::Filled(64))];

const OBJECTS: &[(&str, &[Member])] = &[
    (
        "Device",
        &[
            has("verbose_name", Of::Text),
            has("verbose_name_plural", Of::Text),
            has("meta_model_name", Of::Text),
            has("pk", Of::Text),
            NAME,
            has("type", Of::Text),
            has("confirmed", Of::Flag),
            has("created", Of::Format("date-time")),
            has("last_updated", Of::Format("date-time")),
            has("last_used", Of::OrNull(&Of::Format("date-time"))),
            has("extra_description", Of::OrNull(&Of::Text)),
            has("external_id", Of::OrNull(&Of::Text)),
        ],
    ),
    (
        "PartialUser",
        &[
            has("pk", Of::Number),
            has("username", Of::Text),
            NAME,
            may("is_active", Of::Flag),
            may("last_login", Of::OrNull(&Of::Format("date-time"))),
            may("email", Of::Text),
            may("attributes", Of::Object),
            has("uid", Of::Text),
        ],
    ),
    ("DuoDevice", &[PK, NAME, USER]),
    ("EmailDevice", &[PK, NAME, USER, has("email", Of::Text)]),
    (
        "SMSDevice",
        &[PK, NAME, USER, has("phone_number", Of::Text)],
    ),
    (
        "StaticDevice",
        &[
            PK,
            NAME,
            USER,
            has("token_set", Of::List(&Of::To("StaticDeviceToken"))),
        ],
    ),
    ("StaticDeviceToken", &[has("token", Of::Text)]),
    ("TOTPDevice", &[PK, NAME, USER]),
    (
        "WebAuthnDevice",
        &[
            PK,
            NAME,
            USER,
            has("created_on", Of::Format("date-time")),
            has("device_type", Of::OrNull(&Of::To("WebAuthnDeviceType"))),
            has("aaguid", Of::Text),
        ],
    ),
    (
        "WebAuthnDeviceType",
        &[
            has("aaguid", Of::Format("uuid")),
            has("description", Of::Text),
        ],
    ),
    (
        "GoogleEndpointDevice",
        &[may("pk", Of::Format("uuid")), NAME],
    ),
    ("DuoDeviceRequest", SHORT),
    ("EmailDeviceRequest", SHORT),
    ("SMSDeviceRequest", SHORT),
    ("StaticDeviceRequest", SHORT),
    ("TOTPDeviceRequest", SHORT),
    ("WebAuthnDeviceRequest", &[has("name", Of::Filled(200))]),
    (
        "DuoDeviceEnrollmentStatus",
        &[has("duo_response", Of::To("DuoResponseEnum"))],
    ),
    (
        "AuthenticatorDuoStageManualDeviceImportRequest",
        &[
            has("duo_user_id", Of::Filled(0)),
            has("username", Of::Filled(0)),
        ],
    ),
    (
        "AuthenticatorDuoStageDeviceImportResponse",
        &[has("count", Of::Number), has("error", Of::Text)],
    ),
];

/// The schemas, by name.
pub(super) fn schemas() -> Vec<(&'static str, Value)> {
    let objects = OBJECTS.iter();
    let mut all: Vec<_> = objects
        .map(|(name, members)| (*name, object(members.iter().copied())))
        .collect();
    let short = || object([may("name", Of::Filled(64))]);
    let patched = [
        "PatchedDuoDeviceRequest",
        "PatchedEmailDeviceRequest",
        "PatchedSMSDeviceRequest",
        "PatchedStaticDeviceRequest",
        "PatchedTOTPDeviceRequest",
    ];
    all.extend(patched.map(|name| (name, short())));
    let long = object([may("name", Of::Filled(200))]);
    all.push(("PatchedWebAuthnDeviceRequest", long));
    all
}
