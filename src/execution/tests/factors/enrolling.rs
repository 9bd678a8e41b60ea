//! Setting authenticators up.

use super::*;

const TOTP: &str = "ak-stage-authenticator-totp";
const STATIC: &str = "ak-stage-authenticator-static";

/// The key in the address that an app reads, in hexadecimal.
fn key_of(visitor: &Visitor<'_>) -> String {
    let address = visitor.body()["config_url"].as_str().expect("an address");
    let (_, rest) = address.split_once("secret=").expect("a key");
    let letters = rest.split('&').next().expect("letters");
    let (mut digits, mut bits, mut count) = (String::new(), 0_u32, 0);
    for letter in letters.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            _ => letter - b'2' + 26,
        };
        bits = (bits << 5) | u32::from(value);
        count += 5;
        while count >= 4 {
            count -= 4;
            digits.extend(char::from_digit((bits >> count) & 15, 16));
        }
    }
    digits
}

async fn sets_up(bench: &Bench, kind: Kind, settings: Value) -> User {
    let user = bench.user("alice", "correct horse").await;
    let who = (Kind::Identification, json!({"user_fields": ["username"]}));
    bench.flow("setup", &[who, (kind, settings)]).await;
    user
}

#[actix::test]
async fn a_generator_of_codes_is_written_once_its_owner_has_shown_a_code() {
    let bench = Bench::new();
    let user = sets_up(&bench, Kind::AuthenticatorTotp, json!({"digits": 6})).await;
    let mut alice = bench.visitor("setup");
    alice
        .answers(json!({"uid_field": "alice"}))
        .await
        .sees(TOTP);
    let key = key_of(&alice);
    assert_eq!(key.len(), 40);
    alice.types("").await.with_error("code", "blank");
    alice.types("123456").await;
    let errors = json!({"code": [{"string": "Code does not match", "code": "invalid"}]});
    assert_eq!(alice.body()["response_errors"], errors);
    assert!(
        bench.devices(&user).await.is_empty(),
        "nothing was shown yet"
    );
    // After a wrong code none is looked at for a second.
    let code = shown_by(&key, &bench, 0);
    alice.types(&code).await.with_error("code", "invalid");
    bench.clock.advance(Duration::from_millis(1_100));
    alice.types(&code).await.is_sent_to("/");
    let devices = bench.devices(&user).await;
    let device = &devices[0].value;
    assert!(device.confirmed && devices.len() == 1);
    assert_eq!(device.name, "TOTP Authenticator");
    let Authenticator::Totp(totp) = &device.of else {
        panic!("{device:?}");
    };
    assert_eq!(totp.last_t, bench.clock.now().as_second() / 30);
    let enrolled = Event::DeviceEnrolled {
        device: device.uuid,
        class: "totp".to_owned(),
        user: user.uuid,
    };
    assert!(bench.events().await.contains(&enrolled));
    let trail = bench.trail().await;
    assert!(trail.contains("otpauth://totp/") && !trail.contains("secret="));
    bench.check().await;
}

#[actix::test]
async fn a_restart_between_the_question_and_the_answer_shows_the_same_key() {
    let mut bench = Bench::new();
    sets_up(&bench, Kind::AuthenticatorTotp, json!({"digits": "8"})).await;
    let (session, before) = {
        let mut alice = bench.visitor("setup");
        alice
            .answers(json!({"uid_field": "alice"}))
            .await
            .sees(TOTP);
        (alice.session, alice.body().clone())
    };
    bench.restart();
    let mut alice = bench.visitor("setup");
    alice.session = session;
    alice.opens().await;
    assert_eq!(*alice.body(), before);
    let address = before["config_url"].as_str().expect("an address");
    assert!(address.contains("&digits=8&") && address.contains("secret="));
    bench.check().await;
}

#[actix::test]
async fn every_execution_has_a_key_of_its_own() {
    let bench = Bench::new();
    sets_up(&bench, Kind::AuthenticatorTotp, json!({"digits": 6})).await;
    let mut keys = Vec::new();
    for _ in 0..2 {
        let mut alice = bench.visitor("setup");
        alice
            .answers(json!({"uid_field": "alice"}))
            .await
            .sees(TOTP);
        keys.push(key_of(&alice));
    }
    assert_ne!(keys[0], keys[1]);
    bench.check().await;
}

#[actix::test]
async fn codes_are_written_when_their_owner_goes_on_and_are_good_then() {
    let mut bench = Bench::new();
    let settings = json!({"token_count": 3, "token_length": 7});
    let user = sets_up(&bench, Kind::AuthenticatorStatic, settings).await;
    let (session, codes) = {
        let mut alice = bench.visitor("setup");
        alice
            .answers(json!({"uid_field": "alice"}))
            .await
            .sees(STATIC);
        (alice.session, alice.body()["codes"].clone())
    };
    let codes: Vec<String> = serde_json::from_value(codes).expect("codes");
    assert_eq!(codes.len(), 3);
    assert!(codes.iter().all(|code| code.len() == 7));
    bench.restart();
    let mut alice = bench.visitor("setup");
    alice.session = session;
    alice.opens().await.shows("codes", json!(codes));
    alice.answers(json!({})).await.is_sent_to("/");
    assert_eq!(bench.devices(&user).await[0].value.name, "Static Token");
    let trail = bench.trail().await;
    assert!(codes.iter().all(|code| !trail.contains(code)));
    bench.login(json!({})).await;
    for code in &codes {
        bench.enters().await.types(code).await.is_sent_to("/");
    }
    bench.enters().await.types(&codes[0]).await.is_refused();
    bench.check().await;
}

#[actix::test]
async fn somebody_who_does_not_exist_sets_up_what_nobody_has() {
    for (kind, settings, component) in [
        (Kind::AuthenticatorTotp, json!({"digits": 6}), TOTP),
        (Kind::AuthenticatorStatic, json!({}), STATIC),
    ] {
        let bench = Bench::new();
        sets_up(&bench, kind, settings).await;
        let mut stranger = bench.visitor("setup");
        stranger
            .answers(json!({"uid_field": "nobody"}))
            .await
            .sees(component);
        let body = match component {
            TOTP => json!({"code": shown_by(&key_of(&stranger), &bench, 0)}),
            _ => json!({}),
        };
        stranger.answers(body).await.is_sent_to("/");
        let all = object::all::<Device>(bench.journal.as_ref()).await;
        assert!(all.expect("devices").is_empty());
        bench.check().await;
    }
}

#[actix::test]
async fn whoever_is_nobody_sets_up_nothing() {
    let bench = Bench::new();
    let stages = [
        (Kind::AuthenticatorTotp, json!({"digits": 6})),
        (Kind::AuthenticatorStatic, json!({})),
    ];
    bench.flow("setup", &stages).await;
    bench.visitor("setup").opens().await.is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn what_is_known_of_wrong_codes_goes_with_the_user() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    bench.gives(&user, totp()).await;
    bench.login(json!({})).await;
    bench.enters().await.types("000000").await.is_refused();
    let attempts = bench
        .stored::<crate::directory::MfaAttempts>(user.uuid)
        .await;
    assert_eq!(attempts.expect("they are counted").value.failures, 1);
    let found = bench.stored::<User>(user.uuid).await.expect("alice");
    let gone = crate::directory::command::deletion(bench.journal.as_ref(), &found, &[]).await;
    let gone = gone.expect("writes");
    bench.write(gone).await;
    let attempts = bench
        .stored::<crate::directory::MfaAttempts>(user.uuid)
        .await;
    assert!(attempts.is_none() && bench.devices(&user).await.is_empty());
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let refused = |kind: Kind, settings: Value, field: &str| {
        let settings = settings.as_object().expect("settings");
        let errors = kind.validate(settings).expect_err("something is wrong");
        errors[field][0].string.clone()
    };
    let text = refused(Kind::AuthenticatorTotp, json!({}), "digits");
    assert_eq!(text, "This field is required.");
    let text = refused(Kind::AuthenticatorTotp, json!({"digits": 7}), "digits");
    assert_eq!(text, "\"7\" is not a valid choice.");
    let long = json!({"token_length": 101});
    let text = refused(Kind::AuthenticatorStatic, long, "token_length");
    assert_eq!(text, "Ensure this value is less than or equal to 100.");
    let settings = json!({"not_configured_action": "configure"});
    let text = refused(
        Kind::AuthenticatorValidate,
        settings,
        "not_configured_action",
    );
    let expected = "When \"Not configured action\" is set to \"Configure\", you must set a configuration stage.";
    assert_eq!(text, expected);
    let settings = json!({"digits": 8});
    let kept = Kind::AuthenticatorTotp.validate(settings.as_object().expect("settings"));
    assert_eq!(kept.expect("it is good")["digits"], "8");
}
