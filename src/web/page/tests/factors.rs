//! Pages on which second factors are set up and shown.

use super::*;

fn validation(classes: &[&str]) -> Value {
    let offers = classes.iter().enumerate().map(|(at, class)| {
        let challenge = match *class {
            "email" => json!({ "email": "a***@e******.org" }),
            _ => json!({}),
        };
        json!({ "device_class": class, "device_uid": at.to_string(), "challenge": challenge, "last_used": null })
    });
    let mut challenge = identification();
    challenge["component"] = "ak-stage-authenticator-validate".into();
    challenge["device_challenges"] = offers.collect();
    challenge["configuration_stages"] = json!([]);
    challenge
}

fn shown_with(challenge: &Value, values: &Value, waits: bool) -> String {
    let form = Form {
        values: values.as_object().expect("an object").clone(),
        waits,
        ..form()
    };
    Pages::new()
        .challenge(&dress(), challenge, &form, None)
        .expect("every challenge can be shown")
}

/// The part of a page that is open.
fn open(page: &str) -> &str {
    let from = page.find("<details name=\"method\" class=\"method\" open>");
    let part = &page[from.expect("one is open")..];
    &part[..part.find("</details>").expect("it ends")]
}

#[test]
fn the_only_second_factor_is_open_and_its_field_fits() {
    for (class, keyboard) in [("totp", "numeric"), ("static", "text"), ("sms", "numeric")] {
        let page = shown(&validation(&[class]));
        let part = open(&page);
        for wanted in [
            format!(r#"inputmode="{keyboard}""#),
            // A recovery code comes in no message that a browser could take it from.
            match class {
                "static" => r#"autocomplete="off""#.to_owned(),
                _ => r#"autocomplete="one-time-code""#.to_owned(),
            },
            format!(r#"name="method" value="{class}""#),
            "autofocus".to_owned(),
        ] {
            assert!(part.contains(&wanted), "{wanted}: {part}");
        }
        assert!(!page.contains("<script"), "{page}");
    }
}

#[test]
fn of_several_the_one_that_was_used_last_is_open_or_the_one_that_was_chosen() {
    let mut challenge = validation(&["duo", "email", "static", "totp"]);
    let page = shown(&challenge);
    assert!(!page.contains("class=\"method\" open"), "{page}");
    assert_eq!(page.matches("<summary>").count(), 4);
    let at = |summary: &str| {
        page.find(&format!("<summary>{summary}"))
            .expect("it is there")
    };
    assert!(at("Recovery code") > at("Authenticator app"), "{page}");
    challenge["device_challenges"][1]["last_used"] = "2026-01-02T00:00:00Z".into();
    challenge["device_challenges"][3]["last_used"] = "2026-01-03T00:00:00Z".into();
    challenge["device_challenges"][2]["last_used"] = "2026-01-04T00:00:00Z".into();
    assert!(open(&shown(&challenge)).contains("Authenticator app"));
    let chosen = shown_with(&challenge, &json!({"method": "email"}), false);
    assert!(open(&chosen).contains("Send a mail to a***@e******.org"));
    assert_eq!(chosen.matches(" open>").count(), 1);
}

#[test]
fn whoever_has_a_code_sent_has_made_no_mistake() {
    let mut challenge = validation(&["sms", "totp"]);
    let nothing = json!([{"string": "Empty response", "code": "invalid"}]);
    challenge["response_errors"] = json!({ "non_field_errors": nothing });
    let asked = json!({"method": "sms", "chooses": true});
    let page = shown_with(&challenge, &asked, false);
    assert!(page.contains("A code is on its way"), "{page}");
    assert!(!page.contains("Empty response") && !page.contains("role=\"alert\""));
    assert!(page.contains("<title>Welcome!"), "{page}");
    assert!(open(&page).contains(r#"name="code""#));
    let page = shown_with(
        &challenge,
        &json!({"method": "sms", "chooses": false}),
        false,
    );
    assert!(page.contains("Empty response"), "{page}");
    challenge["response_errors"] =
        json!({"selected_challenge": [{"string": "Nothing was sent.", "code": "invalid"}]});
    let page = shown_with(&challenge, &asked, false);
    assert!(!page.contains("on its way") && page.contains("Nothing was sent."));
}

#[test]
fn a_wrong_code_is_told_beside_its_own_field_alone() {
    let mut challenge = validation(&["static", "totp"]);
    challenge["response_errors"] = json!({"code": [{"string": "Wrong.", "code": "invalid"}]});
    let page = shown_with(&challenge, &json!({"method": "static"}), false);
    assert_eq!(page.matches("<p>Wrong.</p>").count(), 1);
    assert!(open(&page).contains("<p>Wrong.</p>"));
    // What clients are told of every code fits a code of an app alone.
    let said = "Invalid Token. Please ensure the time on your device is accurate and try again.";
    challenge["response_errors"] = json!({"code": [{"string": said, "code": "invalid"}]});
    let page = shown_with(&challenge, &json!({"method": "static"}), false);
    assert!(!page.contains("Invalid Token") && open(&page).contains("was used already"));
    let page = shown_with(&challenge, &json!({"method": "totp"}), false);
    assert!(!page.contains("Invalid Token") && open(&page).contains("the clock of your device"));
}

#[test]
fn a_page_that_waits_looks_again_by_itself_and_sends_no_second_push() {
    let challenge = validation(&["duo", "totp"]);
    let page = shown_with(&challenge, &json!({}), true);
    for part in [
        r#"<meta http-equiv="refresh" content="3">"#,
        "Approve it there",
        ">Check now</button>",
        r#"name="duo" value="0""#,
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    // What somebody types is not taken away by a page that looks again: they choose first.
    assert!(!page.contains(r#"name="code""#), "{page}");
    assert_eq!(page.matches("selected_challenge").count(), 1);
    let chosen = json!({"method": "totp", "chooses": true});
    let mut after = challenge.clone();
    let nothing = json!([{"string": "Empty response", "code": "invalid"}]);
    after["response_errors"] = json!({ "non_field_errors": nothing });
    let after = shown_with(&after, &chosen, false);
    assert!(open(&after).contains("Authenticator app"));
    assert!(!after.contains("Empty response") && !after.contains("on its way"));
    let page = shown_with(&challenge, &json!({}), false);
    assert!(!page.contains("refresh") && page.contains("selected_challenge"));
}

#[test]
fn stages_that_set_up_a_factor_are_buttons() {
    let mut challenge = validation(&[]);
    challenge["configuration_stages"] = json!([
        {"pk": "p1", "name": "An app", "verbose_name": "TOTP Authenticator", "meta_model_name": "m"},
        {"pk": "p2", "name": "", "verbose_name": "Codes", "meta_model_name": "m"},
    ]);
    let page = shown(&challenge);
    assert!(page.contains(r#"name="selected_stage" value="p1">An app</button>"#));
    assert!(page.contains(r#"name="selected_stage" value="p2">Codes</button>"#));
}

#[test]
fn every_authenticator_can_be_set_up_without_a_script() {
    let about = |component: &str, more: Value| {
        let mut challenge = identification();
        challenge["component"] = component.into();
        let all = challenge.as_object_mut().expect("an object");
        all.extend(more.as_object().expect("an object").clone());
        shown(&challenge)
    };
    let address = "otpauth://totp/Gatelog%3Aann?secret=JBSWY3DPEHPK3PXP&issuer=Gatelog";
    let totp = about(
        "ak-stage-authenticator-totp",
        json!({ "config_url": address }),
    );
    assert!(totp.contains("class=\"qr\"") && totp.contains(">JBSW Y3DP EHPK 3PXP</code>"));
    let codes = about(
        "ak-stage-authenticator-static",
        json!({"codes": ["aaa", "bbb"]}),
    );
    assert_eq!(codes.matches("<li><code>").count(), 2);
    let asks = about(
        "ak-stage-authenticator-sms",
        json!({"phone_number_required": true}),
    );
    assert!(asks.contains(r#"type="tel""#) && !asks.contains("name=\"code\""));
    let sent = about(
        "ak-stage-authenticator-sms",
        json!({"phone_number_required": false}),
    );
    assert!(sent.contains("name=\"code\""));
    let asks = about(
        "ak-stage-authenticator-email",
        json!({"email": null, "email_required": true}),
    );
    assert!(asks.contains(r#"type="email""#) && !asks.contains("name=\"code\""));
    let sent = about(
        "ak-stage-authenticator-email",
        json!({"email": "a***@e******.org", "email_required": false}),
    );
    assert!(sent.contains("a***@e******.org") && sent.contains("name=\"code\""));
    let barcode = "https://api-1.duosecurity.com/frame/qr?value=x";
    let duo = about(
        "ak-stage-authenticator-duo",
        json!({"activation_code": "duo://abc", "activation_barcode": barcode}),
    );
    assert!(duo.contains("class=\"qr\"") && duo.contains("href=\"duo:&#x2f;&#x2f;abc\""));
    assert!(
        !duo.contains("duosecurity"),
        "nothing is loaded from elsewhere"
    );
    let evil = about(
        "ak-stage-authenticator-duo",
        json!({"activation_code": "javascript:x"}),
    );
    assert!(!evil.contains("href=\"javascript"), "{evil}");
    for page in [totp, codes, sent, duo] {
        assert!(
            !page.contains("<script") && !page.contains("style="),
            "{page}"
        );
    }
}

#[test]
fn whoever_has_no_passkey_finds_the_way_to_the_usual_login() {
    let challenge = validation(&["webauthn"]);
    let instead = Some("/flows/-/default/authentication/?next=%2F".to_owned());
    let form = Form { instead, ..form() };
    let page = Pages::new().challenge(&dress(), &challenge, &form, None);
    let page = page.expect("it can be shown");
    assert!(page.contains("Log in with a password instead"), "{page}");
    assert!(page.contains("?next=%2F\""), "{page}");
    assert!(!shown(&challenge).contains("Log in with a password"));
}

#[test]
fn whoever_has_to_log_in_first_is_led_there() {
    let mut challenge = identification();
    challenge["component"] = "ak-stage-access-denied".into();
    challenge["error_message"] = "Flow does not apply to current user.".into();
    let login = Some("/flows/-/default/authentication/?next=%2Fif".to_owned());
    let form = Form { login, ..form() };
    let page = Pages::new().challenge(&dress(), &challenge, &form, None);
    let page = page.expect("it can be shown");
    assert!(page.contains("Log in first") && page.contains("?next=%2Fif"));
    assert!(!page.contains("does not apply"), "{page}");
    let page = shown(&challenge);
    assert!(page.contains("does not apply") && !page.contains("Log in first"));
}

#[test]
fn the_rules_of_a_brand_are_not_where_a_secret_is_shown() {
    let mut brand = Brand::fallback();
    brand.branding_custom_css = "body { color: red }".to_owned();
    let dress = Dress::from(&brand);
    for (component, is_dressed) in [
        ("ak-stage-identification", true),
        ("ak-stage-authenticator-static", false),
        ("ak-stage-authenticator-totp", false),
    ] {
        let mut challenge = identification();
        challenge["component"] = component.into();
        challenge["config_url"] = "otpauth://totp/a?secret=b".into();
        challenge["codes"] = json!(["12345678"]);
        let page = Pages::new().challenge(&dress, &challenge, &form(), None);
        let page = page.expect("it can be shown");
        assert_eq!(page.contains("brand.css"), is_dressed, "{component}");
    }
}
