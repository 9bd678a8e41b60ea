//! Security keys and passkeys are registered once, for what was asked, and where they are allowed.

use serde_json::json;
use uuid::Uuid;

use super::*;

#[actix::test]
async fn a_key_is_registered_with_either_algorithm_and_attestation_and_shown_afterwards() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        for attestation in [Attestation::None, Attestation::Own] {
            let (bench, alice) = bench().await;
            let mut key = SecurityKey::new(algorithm, ORIGIN);
            key.attestation = attestation;
            registers(&bench, "alice", &mut key).await;
            let device = devices(&bench, alice.uuid).await.remove(0).value;
            assert_eq!(
                (device.name.as_str(), device.confirmed),
                ("WebAuthn Device", true)
            );
            assert_eq!(device.last_used, None);
            let kept = credential(&bench, alice.uuid).await;
            assert_eq!((kept.rp_id.as_str(), kept.sign_count), ("id.example", 1));
            let mut visitor = comes(&bench, ASKS, "alice").await;
            visitor.sees(VALIDATE);
            let shown = key.assert(&asked(&visitor));
            visitor
                .answers(json!({ "webauthn": shown }))
                .await
                .is_sent_to("/");
            assert_eq!(credential(&bench, alice.uuid).await.sign_count, 2);
            let device = devices(&bench, alice.uuid).await.remove(0).value;
            assert_eq!(device.last_used, Some(bench.clock.now()));
            bench.check().await;
        }
    }
}

#[actix::test]
async fn what_is_asked_stays_the_same_until_it_is_answered_also_over_a_restart() {
    let (mut bench, alice) = bench().await;
    let (first, session) = {
        let mut visitor = comes(&bench, REGISTERS, "alice").await;
        let first = asked(&visitor);
        visitor.opens().await;
        assert_eq!(asked(&visitor), first);
        (first, visitor.session)
    };
    bench.restart();
    let mut visitor = bench.visitor(REGISTERS);
    visitor.session = session;
    visitor.opens().await;
    assert_eq!(asked(&visitor), first);
    let mut key = key();
    let mut broken = key.register(&first);
    broken["response"]["clientDataJSON"] = "eyJ0".into();
    visitor
        .answers(json!({ "response": broken }))
        .await
        .sees(SETUP);
    let text = "Registration failed. Error: Unable to decode client_data_json bytes as JSON";
    says(&visitor, "response", text);
    let second = asked(&visitor);
    assert_ne!(second["challenge"], first["challenge"]);
    // What was signed for the first is not good for the second.
    visitor
        .answers(json!({ "response": key.register(&first) }))
        .await
        .sees(SETUP);
    let text = "Registration failed. Error: Client data challenge was not expected challenge";
    says(&visitor, "response", text);
    assert_eq!(devices(&bench, alice.uuid).await.len(), 0);
    let trail = bench.trail().await;
    for challenge in [&first, &second] {
        let challenge = challenge["challenge"].as_str().expect("text");
        assert!(!trail.contains(challenge), "the trail has the challenge");
    }
    bench.check().await;
}

#[actix::test]
async fn too_many_wrong_answers_end_it() {
    let (bench, alice) = bench_with(json!({ "max_attempts": 2 }), json!({})).await;
    let mut visitor = comes(&bench, REGISTERS, "alice").await;
    visitor
        .answers(json!({}))
        .await
        .with_error("response", "required");
    visitor
        .answers(json!({ "response": {} }))
        .await
        .with_error("response", "invalid");
    visitor.answers(json!({ "response": {} })).await;
    visitor.is_denied("Exceeded maximum attempts. Contact your Gatelog administrator for help.");
    assert_eq!(devices(&bench, alice.uuid).await.len(), 0);
    bench.check().await;
}

#[actix::test]
async fn a_key_is_registered_once_whoever_tries_and_however_fast() {
    let (bench, alice) = bench().await;
    let mut key = key();
    let mut one = comes(&bench, REGISTERS, "alice").await;
    let mut other = comes(&bench, REGISTERS, "bob").await;
    let (first, second) = (key.register(&asked(&one)), key.register(&asked(&other)));
    let (first, second) = tokio::join!(
        bench
            .executions
            .answer(one.request(), json!({ "response": first })),
        bench
            .executions
            .answer(other.request(), json!({ "response": second })),
    );
    one.keep(first.expect("a reply"));
    other.keep(second.expect("a reply"));
    let passed = [&one, &other].map(|it| it.body()["component"] == "xak-flow-redirect");
    assert_eq!(passed.iter().filter(|it| **it).count(), 1, "{passed:?}");
    let refused = if passed[0] { &other } else { &one };
    says(refused, "response", "Credential ID already exists.");
    let owned = devices(&bench, alice.uuid).await.len();
    assert_eq!(owned, usize::from(passed[0]));
    bench.check().await;
}

#[actix::test]
async fn only_models_that_are_allowed_are_registered() {
    let apple = "fbfc3007-154e-4ecc-8c0b-6e020557d7bd";
    let yubikey = "cb69481e-8ff7-4039-93ec-0a2729a154a8";
    let unknown = "00000000-0000-0000-0000-000000000000";
    for (allowed, model, name) in [
        (apple, apple, Some("iCloud Keychain")),
        (yubikey, apple, None),
        (unknown, unknown, Some("WebAuthn Device")),
        (apple, unknown, None),
    ] {
        let setup = json!({ "device_type_restrictions": [allowed] });
        let (bench, alice) = bench_with(setup, json!({})).await;
        let mut key = key();
        key.model = model.parse::<Uuid>().expect("a model").into_bytes();
        let mut visitor = comes(&bench, REGISTERS, "alice").await;
        let made = key.register(&asked(&visitor));
        visitor.answers(json!({ "response": made })).await;
        let found = devices(&bench, alice.uuid).await;
        let names: Vec<_> = found.iter().map(|it| it.value.name.as_str()).collect();
        assert_eq!(names, Vec::from_iter(name));
        if name.is_none() {
            let text = "Invalid device type. Contact your Gatelog administrator for help.";
            says(&visitor, "response", text);
        }
        bench.check().await;
    }
}

#[actix::test]
async fn an_unverified_key_is_not_registered_where_verification_is_required() {
    let required = json!({ "user_verification": "required" });
    let (bench, alice) = bench_with(required, json!({})).await;
    let mut key = key();
    key.verified = false;
    let mut visitor = comes(&bench, REGISTERS, "alice").await;
    visitor
        .answers(json!({ "response": key.register(&asked(&visitor)) }))
        .await;
    let text = "Registration failed. Error: User verification is required but user was not \
                verified during attestation";
    says(&visitor, "response", text);
    assert_eq!(devices(&bench, alice.uuid).await.len(), 0);
    bench.check().await;
}

#[actix::test]
async fn a_browser_is_told_which_keys_its_user_has_and_the_trail_is_not() {
    let (bench, alice) = bench().await;
    let visitor = comes(&bench, REGISTERS, "alice").await;
    assert_eq!(asked(&visitor)["excludeCredentials"], json!([]));
    let mut key = key();
    registers(&bench, "alice", &mut key).await;
    let kept = credential(&bench, alice.uuid).await.credential_id;
    let visitor = comes(&bench, REGISTERS, "alice").await;
    let known = json!([{ "id": kept, "type": "public-key" }]);
    assert_eq!(asked(&visitor)["excludeCredentials"], known);
    let trail = bench.trail().await;
    assert!(!trail.contains(r#""excludeCredentials":[{"#), "{trail}");
    bench.check().await;
}
