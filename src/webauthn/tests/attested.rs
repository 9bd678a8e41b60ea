//! Attestations of every format, made by a device in software (`attested.json`): each for the
//! challenge and the site of these tests.

use serde_json::{Map, Value};

use super::*;

fn answers() -> Map<String, Value> {
    serde_json::from_str(include_str!("attested.json")).expect("answers")
}

#[test]
fn every_format_is_believed() {
    let answers = answers();
    for format in [
        "packed",
        "fido-u2f",
        "apple",
        "android-key",
        "tpm",
        "tpm_curve",
    ] {
        let known =
            registered(&answers[format]).unwrap_or_else(|problem| panic!("{format}: {problem}"));
        let print = known.fingerprint.expect("it has a certificate");
        assert_eq!(
            (print.len(), print.matches(':').count()),
            (95, 31),
            "{print}"
        );
        let pem = known.certificate.expect("it has a certificate");
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\nMII"), "{pem}");
        assert!(pem.lines().all(|line| line.len() <= 64), "{pem}");
    }
}

#[test]
fn an_attestation_that_speaks_about_something_else_is_refused() {
    for (name, mut answer) in answers() {
        let signed = answer["response"]["clientDataJSON"].as_str().expect("text");
        let mut signed: Value =
            serde_json::from_slice(&party::decode(signed).expect("base64")).expect("JSON");
        signed["more"] = true.into();
        answer["response"]["clientDataJSON"] = encode(signed.to_string().as_bytes()).into();
        let found = registered(&answer);
        assert!(
            matches!(found, Err(Problem::Attestation(_))),
            "{name}: {found:?}"
        );
    }
}

#[test]
fn what_a_certificate_must_not_be_is_refused() {
    let answers = answers();
    for (name, told) in [
        ("packed_other_model", "its certificate is for another model"),
        ("packed_authority", "its certificate is an authority's"),
        ("apple_other_key", "its certificate is for another key"),
        (
            "android-key_for_all_applications",
            "the key is not the site's own",
        ),
        ("android-key_imported", "the key is not the site's own"),
        (
            "android-key_other_challenge",
            "its certificate was made for something else",
        ),
        ("tpm_other_key", "the chip's key is another one"),
        ("tpm_other_name", "the chip certifies another key"),
        ("tpm_not_made_there", "the chip certifies nothing"),
        ("tpm_other_purpose", "its certificate is for something else"),
    ] {
        assert_eq!(
            registered(&answers[name]),
            Err(Problem::Attestation(told)),
            "{name}"
        );
    }
}

#[test]
fn a_format_that_nobody_knows_is_refused_and_so_is_content_where_there_should_be_none() {
    let mut key = SecurityKey::new(Algorithm::Es256, ORIGIN);
    let answer = key.register_with(&creation(), "android-safetynet", |_, _, _| map(&[]));
    let format = "android-safetynet".to_owned();
    assert_eq!(registered(&answer), Err(Problem::Format(format)));
    let answer = key.register_with(&creation(), "none", |_, _, _| {
        map(&[(text("a"), integer(1))])
    });
    assert!(matches!(registered(&answer), Err(Problem::Attestation(_))));
}

#[test]
fn a_credential_that_signs_for_itself_signs_what_it_says() {
    let mut key = SecurityKey::new(Algorithm::Es256, ORIGIN);
    let answer = key.register_with(&creation(), "packed", |_, _, _| {
        let nothing = list(&[]);
        map(&[
            (text("alg"), integer(-7)),
            (text("sig"), bytes(&[0; 70])),
            (text("x5c"), nothing),
        ])
    });
    let told = "it has no certificate";
    assert_eq!(registered(&answer), Err(Problem::Attestation(told)));
    let answer = key.register_with(&creation(), "packed", |_, _, _| {
        map(&[(text("alg"), integer(-7)), (text("sig"), bytes(&[0; 70]))])
    });
    let told = "the credential did not sign it";
    assert_eq!(registered(&answer), Err(Problem::Attestation(told)));
}
