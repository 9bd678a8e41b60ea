//! Wrong codes: what they cost, and that nobody is told why one is refused.

use super::*;

const MINUTE: Duration = Duration::from_mins(1);

#[actix::test]
async fn after_a_wrong_code_none_is_looked_at_for_a_second() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    bench.gives(&user, totp()).await;
    bench.login(json!({})).await;
    let mut alice = bench.enters().await;
    alice.sees(VALIDATE);
    let code = shown_by(KEY, &bench, 0);
    alice.types("000000").await.is_refused();
    alice.types(&code).await.is_refused();
    assert_eq!(bench.devices(&user).await[0].value.throttle.failures, 1);
    bench.clock.advance(Duration::from_millis(1_100));
    alice.types(&code).await.is_sent_to("/");
    let until = bench.clock.now() - Duration::from_millis(100);
    let expected = [MfaProblem::Wrong, MfaProblem::Locked { until }];
    assert_eq!(bench.refusals().await, expected);
    let device = &bench.devices(&user).await[0].value;
    assert_eq!(device.throttle.failures, 0);
    assert_eq!(device.last_used, Some(bench.clock.now()));
    // Twice for a code, and nothing for the question.
    assert_eq!(bench.blames().await, -2);
    bench.check().await;
}

#[actix::test]
async fn a_burst_of_wrong_codes_counts_once() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    bench.gives(&user, totp()).await;
    bench.login(json!({})).await;
    let mut alice = bench.enters().await;
    for _ in 0..5 {
        alice.types("000000").await.is_refused();
    }
    assert_eq!(bench.devices(&user).await[0].value.throttle.failures, 1);
    bench.check().await;
}

#[actix::test]
async fn guessing_is_slow_also_after_a_restart_and_in_another_browser() {
    let mut bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    bench.sends(&user, "424242", MINUTE).await;
    bench.login(json!({})).await;
    {
        let mut guesser = bench.enters().await;
        // Codes that were sent have no throttle of their own.
        for _ in 0..5 {
            guesser.types("000000").await.is_refused();
        }
        guesser.types("424242").await.is_refused();
    }
    bench.restart();
    let mut alice = bench.enters().await;
    alice.types("424242").await.is_refused();
    assert!(matches!(
        bench.refusals().await[..],
        [.., MfaProblem::Locked { .. }]
    ));
    bench.clock.advance(Duration::from_millis(1_100));
    alice.types("424242").await.is_sent_to("/");
    let attempts = bench
        .stored::<crate::directory::MfaAttempts>(user.uuid)
        .await;
    assert_eq!(attempts.expect("they were counted").value.failures, 0);
    bench.check().await;
}

#[actix::test]
async fn wrong_late_used_and_locked_look_the_same_and_are_told_apart_in_the_trail() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    bench.sends(&user, "424242", MINUTE).await;
    bench.gives(&user, totp()).await;
    bench.login(json!({})).await;
    let used = shown_by(KEY, &bench, 0);
    bench.enters().await.types(&used).await.is_sent_to("/");
    bench.clock.advance(Duration::from_millis(1));
    let mut alice = bench.enters().await;
    alice.types(&used).await.is_refused();
    let first = alice.body().clone();
    bench.clock.advance(2 * MINUTE);
    for code in ["424242", "000000", "000000"] {
        alice.types(code).await;
        assert_eq!(*alice.body(), first, "{code}");
    }
    let [used, late, wrong] = &bench.refusals().await[..3] else {
        panic!("{:?}", bench.refusals().await);
    };
    assert_eq!(*used, MfaProblem::Expired);
    assert_eq!(*late, MfaProblem::Expired);
    assert_eq!(*wrong, MfaProblem::Wrong);
    bench.check().await;
}

#[actix::test]
async fn a_right_code_of_one_device_costs_the_others_nothing() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    bench.gives(&user, written_down(&["first", "second"])).await;
    bench.gives(&user, totp()).await;
    bench.login(json!({})).await;
    let code = shown_by(KEY, &bench, 0);
    bench.enters().await.types(&code).await.is_sent_to("/");
    for device in bench.devices(&user).await {
        assert_eq!(device.value.throttle.failures, 0);
    }
    let mut alice = bench.enters().await;
    alice.types("third").await.is_refused();
    for device in bench.devices(&user).await {
        assert_eq!(device.value.throttle.failures, 1);
    }
    bench.check().await;
}

#[actix::test]
async fn only_devices_that_the_stage_offers_are_asked() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    bench.gives(&user, written_down(&["first"])).await;
    bench.gives(&user, totp()).await;
    let mut unconfirmed = bench.gives(&user, written_down(&["second"])).await;
    unconfirmed.confirmed = false;
    let version = bench
        .stored::<Device>(unconfirmed.uuid)
        .await
        .expect("it")
        .version;
    bench.write(vec![object::put(&unconfirmed, version)]).await;
    bench.login(json!({"device_classes": ["totp"]})).await;
    let mut alice = bench.enters().await;
    let offers = alice.body()["device_challenges"]
        .as_array()
        .expect("a list");
    assert_eq!(offers.len(), 1);
    assert_eq!(offers[0]["device_class"], "totp");
    assert_eq!(offers[0]["challenge"], json!({}));
    assert_eq!(offers[0]["last_used"], Value::Null);
    for code in ["first", "second"] {
        alice.types(code).await.is_refused();
        bench.clock.advance(MINUTE);
    }
    let code = shown_by(KEY, &bench, 0);
    alice.types(&code).await.is_sent_to("/");
    bench.check().await;
}

#[actix::test]
async fn each_class_is_offered_once_in_a_fixed_order() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    let first = bench.gives(&user, totp()).await;
    bench.clock.advance(MINUTE);
    bench.gives(&user, totp()).await;
    bench.gives(&user, written_down(&["first"])).await;
    let email = Authenticator::Email {
        stage: Uuid::from_u128(1),
        email: "myname@company.org".to_owned(),
        code: None,
    };
    bench.gives(&user, email).await;
    let hashed = Authenticator::Sms {
        stage: Uuid::from_u128(1),
        phone_number: "hash:00".to_owned(),
        code: None,
    };
    bench.gives(&user, hashed).await;
    bench.login(json!({})).await;
    let alice = bench.enters().await;
    let offers = alice.body()["device_challenges"]
        .as_array()
        .expect("a list");
    let classes: Vec<_> = offers.iter().map(|it| it["device_class"].clone()).collect();
    assert_eq!(classes, ["email", "static", "totp"]);
    assert_eq!(
        offers[0]["challenge"],
        json!({"email": "m*****@c******.org"})
    );
    assert_eq!(offers[2]["device_uid"], first.pk.to_string());
    bench.check().await;
}

#[actix::test]
async fn a_choice_is_no_guess_and_may_come_with_its_code() {
    let bench = Bench::new();
    let user = bench.user("alice", "correct horse").await;
    let device = bench.gives(&user, totp()).await;
    bench.login(json!({})).await;
    let mut alice = bench.enters().await;
    let offer = alice.body()["device_challenges"][0].clone();
    let mut other = offer.clone();
    other["device_uid"] = json!("7");
    let chosen = alice.answers(json!({"selected_challenge": other})).await;
    let errors = &chosen.body()["response_errors"]["selected_challenge"];
    assert_eq!(errors[0]["string"], "invalid challenge selected");
    let chosen = alice.answers(json!({"selected_challenge": offer})).await;
    let errors = &chosen.body()["response_errors"]["non_field_errors"];
    assert_eq!(errors[0]["string"], "Empty response");
    assert_eq!(bench.blames().await, 0);
    let challenged = Event::MfaChallenged {
        device: device.uuid,
        class: "totp".to_owned(),
    };
    assert!(bench.events().await.contains(&challenged));
    let code = shown_by(KEY, &bench, 0);
    let both = json!({"selected_challenge": offer, "code": code});
    alice.answers(both).await.is_sent_to("/");
    bench.check().await;
}
