//! What a security key in software says is believed, and nothing else.

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

use super::device::{Algorithm, Attestation, SecurityKey, bytes, encode, integer, list, map, text};

mod attested;

const CHALLENGE: &[u8] = &[7; 64];
const ORIGIN: &str = "https://id.example";

fn party() -> Party {
    Party::new("id.example", true)
}

fn creation() -> Value {
    let party = party();
    let person = Person {
        id: "1f",
        username: "alice",
        name: "Alice",
    };
    let creation = Creation {
        party: &party,
        title: "Example",
        person,
        known: &[],
        verification: Requirement::Preferred,
        resident: Requirement::Preferred,
        attachment: None,
        hints: &[],
    };
    creation.options(Some(CHALLENGE))
}

fn request() -> Value {
    let party = party();
    let request = Request {
        party: &party,
        credentials: &[],
        verification: Requirement::Preferred,
        hints: &[],
    };
    request.options(Some(CHALLENGE))
}

fn registered(answer: &Value) -> Result<Registered, Problem> {
    register(answer, CHALLENGE, &party(), false)
}

fn asserted(answer: &Value, of: &Registered, verified: bool) -> Result<Asserted, Problem> {
    let known = Known {
        credential_id: &of.credential_id,
        public_key: &of.public_key,
    };
    assert(answer, CHALLENGE, &party(), verified, known)
}

#[test]
fn the_options_are_those_of_the_wire() {
    let algorithms = [-7, -8, -36, -37, -38, -39, -257, -258, -259];
    let algorithms = algorithms.map(|alg| json!({ "type": "public-key", "alg": alg }));
    let expected = json!({
        "rp": { "name": "Example", "id": "id.example" },
        "user": { "id": "MWY", "name": "alice", "displayName": "Alice" },
        "challenge": encode(CHALLENGE),
        "pubKeyCredParams": algorithms,
        "timeout": 60000,
        "excludeCredentials": [],
        "authenticatorSelection": {
            "residentKey": "preferred",
            "requireResidentKey": false,
            "userVerification": "preferred",
        },
        "attestation": "direct",
    });
    assert_eq!(creation(), expected);
    let expected = json!({
        "challenge": encode(CHALLENGE),
        "timeout": 60000,
        "rpId": "id.example",
        "allowCredentials": [],
        "userVerification": "preferred",
    });
    assert_eq!(request(), expected);
}

#[test]
fn hints_say_which_devices_come_into_question_where_nothing_else_does() {
    use Hint::{ClientDevice, Hybrid, SecurityKey};
    for (hints, attachment) in [
        (&[][..], None),
        (&[SecurityKey], Some(Attachment::CrossPlatform)),
        (&[Hybrid, SecurityKey], Some(Attachment::CrossPlatform)),
        (&[ClientDevice], Some(Attachment::Platform)),
        (&[ClientDevice, Hybrid], None),
    ] {
        assert_eq!(inferred(hints), attachment);
    }
}

#[test]
fn a_credential_is_registered_and_proved_with_either_algorithm_and_attestation() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        for attestation in [Attestation::None, Attestation::Own] {
            let mut key = SecurityKey::new(algorithm, ORIGIN);
            key.attestation = attestation;
            key.model = [9; 16];
            let known = registered(&key.register(&creation())).expect("it is good");
            assert_eq!(known.credential_id, key.credential_id());
            assert_eq!(known.public_key, encode(&key.public_key()));
            assert_eq!(
                (known.aaguid, known.sign_count),
                (Uuid::from_bytes([9; 16]), 1)
            );
            assert_eq!((&known.certificate, &known.fingerprint), (&None, &None));
            let answer = key.assert(&request());
            assert_eq!(presented(&answer, false), Some(key.credential_id()));
            let asserted = asserted(&answer, &known, true).expect("it is good");
            let expected = Asserted {
                sign_count: 2,
                verified: true,
            };
            assert_eq!(asserted, expected);
        }
    }
}

/// A change of a key, and what is wrong with what it says then.
type Fault = (fn(&mut SecurityKey), Problem, Problem);

#[test]
fn nothing_is_believed_that_was_made_for_something_else() {
    let faults: [Fault; 4] = [
        (
            |key| key.origin = "https://evil.example".to_owned(),
            Problem::Origin("https://evil.example".to_owned(), ORIGIN.to_owned()),
            Problem::Origin("https://evil.example".to_owned(), ORIGIN.to_owned()),
        ),
        (
            |key| key.site = Some("evil.example".to_owned()),
            Problem::RelyingParty,
            Problem::RelyingParty,
        ),
        (
            |key| key.present = false,
            Problem::Absent("attestation"),
            Problem::Absent("authentication"),
        ),
        (
            |key| key.verified = false,
            Problem::Unverified("attestation"),
            Problem::Unverified("authentication"),
        ),
    ];
    for (spoil, at_registration, at_assertion) in faults {
        let mut key = SecurityKey::new(Algorithm::Es256, ORIGIN);
        let known = registered(&key.register(&creation())).expect("it is good");
        spoil(&mut key);
        let answer = key.register(&creation());
        let found = register(&answer, CHALLENGE, &party(), true);
        assert_eq!(found.expect_err("it is not good"), at_registration);
        let found = asserted(&key.assert(&request()), &known, true);
        assert_eq!(found.expect_err("it is not good"), at_assertion);
    }
}

#[test]
fn who_touched_it_counts_only_where_it_is_asked_for() {
    let mut key = SecurityKey::new(Algorithm::Es256, ORIGIN);
    key.verified = false;
    let known = registered(&key.register(&creation())).expect("nobody asked");
    let said = asserted(&key.assert(&request()), &known, false).expect("nobody asked");
    assert!(!said.verified);
}

#[test]
fn another_challenge_and_the_other_ceremony_are_refused() {
    let mut key = SecurityKey::new(Algorithm::Es256, ORIGIN);
    let (created, proved) = (key.register(&creation()), key.assert(&request()));
    let known = registered(&created).expect("it is good");
    let found = register(&created, &[8; 64], &party(), false);
    assert_eq!(found, Err(Problem::Challenge));
    // Of a challenge that is used up nothing is left.
    assert_eq!(
        register(&created, &[], &party(), false),
        Err(Problem::Challenge)
    );
    let mut crossed = proved.clone();
    crossed["response"]["clientDataJSON"] = created["response"]["clientDataJSON"].clone();
    let found = asserted(&crossed, &known, false).expect_err("it is not good");
    assert_eq!(
        found,
        Problem::Ceremony("webauthn.create".to_owned(), "webauthn.get")
    );
}

#[test]
fn a_signature_of_another_key_is_refused() {
    let mut key = SecurityKey::new(Algorithm::Es256, ORIGIN);
    let mut other = SecurityKey::new(Algorithm::Es256, ORIGIN);
    let known = registered(&key.register(&creation())).expect("it is good");
    let found = asserted(&other.assert(&request()), &known, false);
    assert_eq!(found, Err(Problem::OtherCredential));
    other.id.clone_from(&key.id);
    let found = asserted(&other.assert(&request()), &known, false);
    assert_eq!(found, Err(Problem::Signature));
}

#[test]
fn what_has_not_the_form_of_an_answer_is_told_apart() {
    let mut key = SecurityKey::new(Algorithm::Es256, ORIGIN);
    let good = key.register(&creation());
    let mut broken = good.clone();
    broken["response"]["clientDataJSON"] = encode(b"{\"type\": \"webauthn").into();
    let told = registered(&broken).expect_err("it is not good").to_string();
    assert_eq!(told, "Unable to decode client_data_json bytes as JSON");
    let mut broken = good.clone();
    broken["id"] = "AAAA".into();
    let told = registered(&broken).expect_err("it is not good").to_string();
    assert_eq!(told, "id and raw_id were not equivalent");
    let told = registered(&json!({}))
        .expect_err("it is not good")
        .to_string();
    assert_eq!(told, "Credential missing required id");
    for member in ["id", "rawId", "type", "response"] {
        let mut broken = key.assert(&request());
        broken.as_object_mut().expect("an object").remove(member);
        assert_eq!(presented(&broken, false), None, "{member}");
    }
    let mut answer = key.assert(&request());
    answer.as_object_mut().expect("an object").remove("type");
    assert_eq!(presented(&answer, true), Some(key.credential_id()));
}

#[test]
fn a_counter_that_does_not_go_on_is_one_of_two() {
    for (stored, received, later) in [
        (0, 0, true),
        (0, 1, true),
        (4, 5, true),
        (5, 5, false),
        (5, 4, false),
        (5, 0, false),
    ] {
        assert_eq!(is_later(stored, received), later, "{stored}, {received}");
    }
}
