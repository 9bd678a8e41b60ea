//! Second factors that were refused, in every way there is.

use serde_json::{Value, json};

use super::Way;
use super::recorded::{DEVICE, Recorded, denied, event};

const KIND: &str = "authenticator_validate";

fn rejected(class: &str, reason: Value) -> crate::flow::Event {
    event(json!({"event": "mfa_rejected", "class": class, "device": DEVICE, "reason": reason}))
}

#[test]
fn each_reason_has_its_text() {
    let until = "2026-01-01T00:05:00Z";
    for (way, class, field, reason) in [
        (
            Way::FactorExpired,
            "totp",
            "code",
            json!({"because": "expired"}),
        ),
        (
            Way::FactorLocked,
            "totp",
            "code",
            json!({"because": "locked", "until": until}),
        ),
        (
            Way::FactorUnknownDevice,
            "webauthn",
            "webauthn",
            json!({"because": "unknown_device"}),
        ),
        (
            Way::FactorType,
            "webauthn",
            "webauthn",
            json!({"because": "type"}),
        ),
        (
            Way::FactorAssertion,
            "webauthn",
            "webauthn",
            json!({"because": "assertion", "problem": "the counter went back"}),
        ),
        (
            Way::FactorDenied,
            "duo",
            "duo",
            json!({"because": "denied", "said": "fraud"}),
        ),
        (
            Way::FactorTimedOut,
            "duo",
            "duo",
            json!({"because": "timed_out"}),
        ),
        (
            Way::FactorUnreachable,
            "duo",
            "duo",
            json!({"because": "unreachable", "problem": "connection refused"}),
        ),
        (
            Way::FactorMisconfigured,
            "duo",
            "duo",
            json!({"because": "misconfigured", "problem": "Invalid signature"}),
        ),
        (
            Way::FactorUnknown,
            "duo",
            "duo",
            json!({"because": "unknown"}),
        ),
    ] {
        let told = Recorded::of(&[KIND, "user_login"]).is_asked_by(KIND);
        told.answers(field, vec![rejected(class, reason)]).is(way);
    }
}

#[test]
fn a_limit_of_pushes_reads_otherwise_than_one_of_codes() {
    let reason = json!({"because": "locked", "until": "2026-01-01T00:05:00Z"});
    let told = Recorded::of(&[KIND]).is_asked_by(KIND);
    let why = told.answers("duo", vec![rejected("duo", reason)]).why();
    assert!(
        why.help_desk
            .contains("another push by Duo was held back once, because too many"),
        "{}",
        why.help_desk
    );
}

#[test]
fn whoever_told_duo_no_again_and_again() {
    let refused = event(json!({
        "event": "refused", "why": "Duo said no, and was to be asked again and again",
    }));
    let no = json!({"because": "denied", "said": "deny"});
    Recorded::of(&[KIND, "user_login"])
        .is_asked_by(KIND)
        .answers("duo", vec![rejected("duo", no)])
        .answers("duo", vec![refused, denied(KIND, "Duo denied access")])
        .is(Way::DuoSaidNo);
}

#[test]
fn setting_up_can_fail() {
    let kind = "authenticator_webauthn";
    let wrong = || {
        rejected(
            "webauthn",
            json!({"because": "assertion", "problem": "no attestation"}),
        )
    };
    Recorded::of(&[kind])
        .is_asked_by(kind)
        .answers("response", vec![wrong()])
        .answers(
            "response",
            vec![wrong(), denied(kind, "Exceeded maximum attempts")],
        )
        .is(Way::KeyAttempts);

    let kind = "authenticator_email";
    let message = "The user already has an email address registered for MFA.";
    Recorded::of(&[kind])
        .sees(vec![super::recorded::entered(kind), denied(kind, message)])
        .is(Way::HasFactor);

    let kind = "authenticator_duo";
    let why = json!({"event": "refused", "why": "Duo enrolled nobody: connection refused"});
    let message = "Duo cannot be reached at the moment. Please try again later.";
    Recorded::of(&[kind])
        .sees(vec![
            super::recorded::entered(kind),
            event(why),
            denied(kind, message),
        ])
        .is(Way::SetupFailed);
}

#[test]
fn a_browser_that_showed_one_is_not_asked() {
    let waived = event(json!({"event": "mfa_waived", "device": DEVICE, "class": "totp"}));
    let events = vec![
        super::recorded::entered(KIND),
        waived,
        super::recorded::passed(KIND),
        super::recorded::entered("dummy"),
    ];
    Recorded::of(&[KIND, "dummy"])
        .sees(events)
        .is(Way::SkippedRemembered);
}
