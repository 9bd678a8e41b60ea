//! Telephones: the provider speaks its real protocol and checks who asks.

use serde_json::{Value, json};

use crate::support::{
    Answer, Flow, Options, Person, SmsProvider, TestServer, Visitor, random, with_server_of,
};

const SETUP: &str = "ak-stage-authenticator-sms";
const VALIDATE: &str = "ak-stage-authenticator-validate";

/// A variable of test binaries only: how many seconds the server's clock is ahead.
const SHIFT: &str = "GATELOG_CLOCK_SHIFT";

fn with_provider(scenario: impl AsyncFnOnce(&mut TestServer, &SmsProvider)) {
    crate::support::block_on(async {
        let provider = SmsProvider::start().await;
        let options = provider.serves(Options::default());
        let mut server = TestServer::start(options).await;
        provider.tells(server.canaries());
        scenario(&mut server, &provider).await;
        server.finish().await;
    });
}

/// The settings of a stage that sends by Twilio.
fn twilio(provider: &SmsProvider, more: &Value) -> Value {
    let mut all = json!({
        "provider": "twilio",
        "from_number": "+1555",
        "account_sid": provider.account,
        "auth": provider.auth,
    });
    let more = more.as_object().expect("settings").clone();
    all.as_object_mut().expect("settings").extend(more);
    all
}

/// A flow that logs in, sets a telephone up, and one that asks for its code.
fn has_flows(server: &TestServer, attrs: &Value) {
    server.has_flow(
        &Flow::new("setup")
            .identification_and_password()
            .stage("authenticator_sms", "telephone", attrs.clone())
            .stage("user_login", "setup-login", json!({})),
    );
    server.has_flow(
        &Flow::new("enter")
            .identification_and_password()
            .stage(
                "authenticator_validate",
                "enter-validate",
                json!({ "not_configured_action": "deny" }),
            )
            .stage("user_login", "enter-login", json!({})),
    );
}

async fn comes(visitor: &mut Visitor, person: &Person, flow: &str) -> Answer {
    visitor.opens(flow).await;
    let who = json!({ "uid_field": person.username });
    visitor.answers(who).await.sees("ak-stage-password");
    let what = json!({ "password": person.password });
    visitor.answers(what).await
}

async fn types_number(visitor: &mut Visitor, number: &str) -> Answer {
    visitor.answers(json!({ "phone_number": number })).await
}

async fn types_code(visitor: &mut Visitor, code: &str) -> Answer {
    visitor.answers(json!({ "code": code })).await
}

#[track_caller]
fn complains(answer: &Answer, field: &str, text: &str) {
    let expected = json!([{ "string": text, "code": "invalid" }]);
    assert_eq!(
        answer.json()["response_errors"][field],
        expected,
        "{answer:?}"
    );
}

/// Chooses the only device that is offered.
async fn chooses(visitor: &mut Visitor, offered: &Answer) -> Answer {
    let challenge = offered.json()["device_challenges"][0].clone();
    visitor
        .answers(json!({ "selected_challenge": challenge }))
        .await
}

/// Sets a telephone up.
async fn enrols(
    server: &TestServer,
    provider: &SmsProvider,
    person: &Person,
    number: &str,
) -> String {
    let mut visitor = server.visitor();
    let before = provider.texts().len();
    comes(&mut visitor, person, "setup").await.sees(SETUP);
    types_number(&mut visitor, number).await.sees(SETUP);
    let code = provider.wait_for(before + 1).await[before].code();
    types_code(&mut visitor, &code).await.is_redirected_to("/");
    code
}

#[test]
fn a_telephone_is_set_up_and_logged_in_with() {
    with_provider(async |server, provider| {
        has_flows(server, &twilio(provider, &json!({})));
        let person = server.person();
        let number = SmsProvider::number(server.canaries(), "07");
        let mut visitor = server.visitor();
        let asked = comes(&mut visitor, &person, "setup").await;
        asked.sees(SETUP).with("phone_number_required", true);
        let neither = visitor.answers(json!({})).await;
        complains(&neither, "non_field_errors", "phone_number required");
        for none in ["foo", "12", "+12345678901234567890"] {
            let refused = types_number(&mut visitor, none).await;
            complains(&refused, "non_field_errors", "Invalid phone number");
            refused.with("phone_number_required", true);
        }
        assert_eq!(provider.texts().len(), 0);
        let typed = format!("{} {}", &number[..5], &number[5..]);
        let sent = types_number(&mut visitor, &typed).await;
        sent.sees(SETUP).with("phone_number_required", false);
        assert_eq!(sent.json()["response_errors"], json!({}), "{sent:?}");
        let text = provider.texts().remove(0);
        assert_eq!((text.from.as_str(), &text.to), ("+1555", &number));
        let code = text.code();
        let words = format!("Use this code to authenticate in Gatelog: {code}");
        assert_eq!(text.body, words);

        let wrong = if code == "000000" { "000001" } else { "000000" };
        let refused = types_code(&mut visitor, wrong).await;
        complains(&refused, "non_field_errors", "Code does not match");
        // It has to wait now, even for the right one.
        let early = types_code(&mut visitor, &code).await;
        complains(&early, "non_field_errors", "Code does not match");
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        types_code(&mut visitor, &code).await.is_redirected_to("/");

        let mut visitor = server.visitor();
        let offered = comes(&mut visitor, &person, "enter").await;
        offered.sees(VALIDATE);
        let offers = offered.json()["device_challenges"].clone();
        assert_eq!(offers[0]["device_class"], "sms", "{offers}");
        // The code of the enrolment is no code of the device.
        let old = types_code(&mut visitor, &code).await;
        old.sees(VALIDATE);
        let chosen = chooses(&mut visitor, &offered).await;
        chosen.sees(VALIDATE);
        complains(&chosen, "non_field_errors", "Empty response");
        let texts = provider.texts();
        assert_eq!(texts.len(), 2, "one for each request");
        assert_eq!(texts[1].to, number);
        let code = texts[1].code();
        types_code(&mut visitor, &code).await.is_redirected_to("/");

        let mut visitor = server.visitor();
        comes(&mut visitor, &person, "enter").await.sees(VALIDATE);
        let used = types_code(&mut visitor, &code).await;
        used.sees(VALIDATE).with_error("code", "invalid");
    });
}

#[test]
fn a_code_that_two_use_at_the_same_instant_lets_one_of_them_in() {
    with_provider(async |server, provider| {
        has_flows(server, &twilio(provider, &json!({})));
        let person = server.person();
        let number = SmsProvider::number(server.canaries(), "07");
        enrols(server, provider, &person, &number).await;
        let (mut first, mut second) = (server.visitor(), server.visitor());
        let offered = comes(&mut first, &person, "enter").await;
        comes(&mut second, &person, "enter").await.sees(VALIDATE);
        chooses(&mut first, &offered).await.sees(VALIDATE);
        let code = provider.wait_for(2).await[1].code();
        let (one, other) = tokio::join!(
            types_code(&mut first, &code),
            types_code(&mut second, &code)
        );
        let through = [&one, &other].map(|it| it.component() == "xak-flow-redirect");
        assert_eq!(
            through.iter().filter(|it| **it).count(),
            1,
            "{one:?} {other:?}"
        );
    });
}

#[test]
fn a_number_is_set_up_once_also_where_only_its_hash_is_kept() {
    with_provider(async |server, provider| {
        has_flows(server, &twilio(provider, &json!({ "verify_only": true })));
        let number = SmsProvider::number(server.canaries(), "07");
        let person = server.person();
        enrols(server, provider, &person, &number).await;
        let mut visitor = server.visitor();
        comes(&mut visitor, &server.person(), "setup")
            .await
            .sees(SETUP);
        let taken = types_number(&mut visitor, &number).await;
        complains(&taken, "non_field_errors", "Invalid phone number");
        taken.with("phone_number_required", false);
        assert_eq!(provider.texts().len(), 1, "nothing is sent there");
        // Nothing can be sent to a hash.
        let mut visitor = server.visitor();
        let denied = comes(&mut visitor, &person, "enter").await;
        denied.is_denied("No (allowed) MFA authenticator configured.");
    });
}

#[test]
fn what_the_provider_says_is_read_by_whoever_typed_the_number() {
    with_provider(async |server, provider| {
        has_flows(server, &twilio(provider, &json!({})));
        let person = server.person();
        let mut visitor = server.visitor();
        comes(&mut visitor, &person, "setup").await.sees(SETUP);
        let none = SmsProvider::number(server.canaries(), "00");
        let refused = types_number(&mut visitor, &none).await;
        complains(&refused, "non_field_errors", "The number is none.");
        // The code that was not sent is not good either.
        let code = provider.texts()[0].code();
        let wrong = types_code(&mut visitor, &code).await;
        complains(&wrong, "non_field_errors", "Code does not match");
        let breaks = SmsProvider::number(server.canaries(), "01");
        let unknown = types_number(&mut visitor, &breaks).await;
        let text = "It is not known whether the message was sent. If none arrives, please ask for \
                    another one.";
        complains(&unknown, "non_field_errors", text);
        let code = provider.texts()[1].code();
        types_code(&mut visitor, &code).await.is_redirected_to("/");
    });
    with_server_of(
        Options::default().with("GATELOG_SMS__TWILIO_URL", "http://127.0.0.1:1"),
        async |server| {
            let provider = SmsProvider::start().await;
            has_flows(server, &twilio(&provider, &json!({})));
            let mut visitor = server.visitor();
            comes(&mut visitor, &server.person(), "setup")
                .await
                .sees(SETUP);
            let number = SmsProvider::number(server.canaries(), "07");
            let unreachable = types_number(&mut visitor, &number).await;
            let text =
                "The provider of text messages could not be reached. Please try again later.";
            complains(&unreachable, "non_field_errors", text);
        },
    );
}

#[test]
fn a_message_that_a_crash_hid_is_not_sent_again_and_another_may_be_asked_for() {
    with_provider(async |server, provider| {
        has_flows(server, &twilio(provider, &json!({})));
        let person = server.person();
        let mut visitor = server.visitor();
        comes(&mut visitor, &person, "setup").await.sees(SETUP);
        let waits = SmsProvider::number(server.canaries(), "02");
        let body = json!({ "component": SETUP, "phone_number": waits });
        let (broken, ()) = tokio::join!(visitor.try_to_answer(&body, &[]), async {
            provider.wait_for(1).await;
            server.dies();
        });
        assert!(broken.is_err(), "{broken:?}");
        server.begin().await;
        let back = visitor.looks().await;
        let text = "It is not known whether the message was sent. If none arrives, please ask for \
                    another one.";
        complains(&back, "non_field_errors", text);
        assert_eq!(provider.texts().len(), 1);
        let number = SmsProvider::number(server.canaries(), "07");
        types_number(&mut visitor, &number).await.sees(SETUP);
        let texts = provider.texts();
        assert_eq!(texts.len(), 2, "one for each request");
        types_code(&mut visitor, &texts[1].code())
            .await
            .is_redirected_to("/");
    });
}

#[test]
fn nobody_is_sent_messages_without_end() {
    with_provider(async |server, provider| {
        has_flows(server, &twilio(provider, &json!({})));
        let person = server.person();
        let number = SmsProvider::number(server.canaries(), "07");
        let mut visitor = server.visitor();
        comes(&mut visitor, &person, "setup").await.sees(SETUP);
        for _ in 0..5 {
            types_number(&mut visitor, &number).await.sees(SETUP);
        }
        let texts = provider.texts();
        assert_eq!(texts.len(), 5);
        let codes: Vec<String> = texts.iter().map(|it| it.code()).collect();
        assert!(
            codes.iter().all(|it| *it == codes[0]),
            "one code: {codes:?}"
        );
        let many = "Too many codes were sent. Please try again later.";
        let refused = types_number(&mut visitor, &number).await;
        complains(&refused, "non_field_errors", many);
        // Neither from somebody else to this number, nor from this user to another one.
        let other = SmsProvider::number(server.canaries(), "07");
        let refused = types_number(&mut visitor, &other).await;
        complains(&refused, "non_field_errors", many);
        let mut stranger = server.visitor();
        comes(&mut stranger, &server.person(), "setup")
            .await
            .sees(SETUP);
        let refused = types_number(&mut stranger, &number).await;
        complains(&refused, "non_field_errors", many);
        assert_eq!(provider.texts().len(), 5);
    });
}

#[test]
fn a_code_runs_out_and_then_there_is_another_one() {
    with_provider(async |server, provider| {
        has_flows(server, &twilio(provider, &json!({})));
        let person = server.person();
        let number = SmsProvider::number(server.canaries(), "07");
        let mut visitor = server.visitor();
        comes(&mut visitor, &person, "setup").await.sees(SETUP);
        types_number(&mut visitor, &number).await.sees(SETUP);
        let old = provider.texts()[0].code();
        server.sets(SHIFT, "301");
        server.kill().await;
        let late = types_code(&mut visitor, &old).await;
        complains(&late, "non_field_errors", "Code does not match");
        types_number(&mut visitor, &number).await.sees(SETUP);
        let new = provider.texts()[1].code();
        if new != old {
            let late = types_code(&mut visitor, &old).await;
            complains(&late, "non_field_errors", "Code does not match");
            tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        }
        types_code(&mut visitor, &new).await.is_redirected_to("/");
        server.sets(SHIFT, "0");
        server.kill().await;
    });
}

#[test]
fn a_generic_provider_gets_what_the_mapping_makes_of_it() {
    with_provider(async |server, provider| {
        let expression = "return {'From': stage.from_number, 'To': device.phone_number, \
                          'Message': f'{user.username}: {token}', 'n': [token]}";
        let mapping = json!({
            "version": 1,
            "entries": [{
                "model": "authentik_events.notificationwebhookmapping",
                "identifiers": { "name": "our-words" },
                "attrs": { "expression": expression },
            }],
        });
        server.apply(&mapping.to_string());
        let find = "!Find [authentik_events.notificationwebhookmapping, [name, our-words]]";
        let attrs = json!({
            "provider": "generic",
            "from_number": "us",
            "account_sid": provider.url(),
            "auth": provider.auth,
            "auth_type": "bearer",
            "mapping": find,
        });
        has_flows(server, &attrs);
        let person = server.person();
        let number = SmsProvider::number(server.canaries(), "07");
        let code = enrols(server, provider, &person, &number).await;
        let text = provider.texts().remove(0);
        let expected = json!({
            "From": "us",
            "To": number,
            "Message": format!("{}: {code}", person.username),
            "n": [code],
        });
        assert_eq!(text.json, expected);
        let histories = serde_json::to_string(&server.histories()).expect("JSON");
        assert!(
            !histories.contains(&format!(": {code}")),
            "it is in the trail"
        );
    });
}

#[test]
fn a_number_that_a_prompt_asked_for_is_sent_a_code_at_once() {
    with_provider(async |server, provider| {
        let basic = json!({
            "provider": "generic",
            "from_number": "us",
            "account_sid": provider.url(),
            "auth": provider.auth,
            "auth_password": provider.password,
        });
        let taken = SmsProvider::number(server.canaries(), "07");
        let fresh = SmsProvider::number(server.canaries(), "08");
        let knows = |slug: &str, stage: &str, number: &str| {
            let source = format!(
                "context['flow_plan'].context['prompt_data'] = {{'phone': '{number}'}}\nreturn True"
            );
            Flow::new(slug)
                .expression(&format!("{slug}-knows"), &source)
                .identification_and_password()
                .stage("authenticator_sms", stage, basic.clone())
                .asks(stage, &format!("{slug}-knows"), json!({}))
        };
        server.has_flow(&knows("known", "telephone", &fresh));
        let person = server.person();
        let mut visitor = server.visitor();
        let shown = comes(&mut visitor, &person, "known").await;
        shown.sees(SETUP).with("phone_number_required", false);
        let text = provider.texts().remove(0);
        assert_eq!(text.to, fresh);
        let code = text.code();
        let usual = json!({
            "From": "us", "To": fresh, "Body": code,
            "Message": text.body,
        });
        assert_eq!(text.json, usual);
        types_code(&mut visitor, &code).await.is_redirected_to("/");
        // A number that cannot be reached is asked for again, and so is one that is taken.
        for number in [fresh, SmsProvider::number(server.canaries(), "00")] {
            let slug = random(8).to_lowercase();
            server.has_flow(&knows(&slug, "telephone", &number));
            let mut visitor = server.visitor();
            let shown = comes(&mut visitor, &server.person(), &slug).await;
            shown.sees(SETUP).with("phone_number_required", true);
            types_number(&mut visitor, &taken).await.sees(SETUP);
        }
    });
}
