//! What pages show, and what they never show.

use super::*;
use serde_json::json;

fn dress() -> Dress {
    Dress::from(&Brand::fallback())
}

fn form() -> Form {
    Form {
        action: "/if/flow/login/?next=%2Fa".into(),
        challenge: Some("c1".into()),
        csrf: Some("t1".into()),
        values: Map::new(),
        waits: false,
    }
}

fn shown(challenge: &Value) -> String {
    Pages::new()
        .challenge(&dress(), challenge, &form(), None)
        .expect("every challenge can be shown")
}

fn identification() -> Value {
    json!({
        "component": "ak-stage-identification",
        "flow_info": {"title": "Welcome!", "background": DEFAULT_BACKGROUND, "layout": "stacked",
            "background_themed_urls": null, "cancel_url": "/flows/-/cancel/"},
        "user_fields": ["username", "email"], "pending_user_identifier": null,
        "password_fields": false, "primary_action": "Log in", "flow_designation": "authentication",
    })
}

#[test]
fn the_identification_is_a_labelled_form() {
    let page = shown(&identification());
    for part in [
        "<title>Welcome! - Gatelog</title>",
        r#"<label for="uid_field">Email or Username</label>"#,
        r#"type="text" required autofocus"#,
        r#"name="challenge" value="c1""#,
        r#"name="csrf" value="t1""#,
        r#"name="component" value="ak-stage-identification""#,
        ">Log in</button>",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(!page.contains(r#"type="password""#));
    assert!(!page.contains("role=\"alert\""));
    assert!(!page.contains("<script"));
}

#[test]
fn an_embedded_password_and_an_address_only_identification_are_shown() {
    let mut challenge = identification();
    challenge["password_fields"] = json!(true);
    challenge["user_fields"] = json!(["email"]);
    challenge["application_pre"] = json!("Wiki");
    let page = shown(&challenge);
    assert!(page.contains(r#"autocomplete="current-password""#));
    assert!(page.contains(r#"type="email""#));
    assert!(page.contains("Log in to continue to Wiki."));
}

#[test]
fn a_captcha_loads_two_scripts_and_says_so_where_none_run() {
    let beside = json!({
        "component": "ak-stage-captcha", "site_key": "k\"ey", "interactive": false,
        "js_url": "https://captcha.example/api.js?a=1&b=2",
    });
    let mut alone = beside.clone();
    alone["flow_info"] = identification()["flow_info"].clone();
    alone["interactive"] = json!(true);
    let mut embedded = identification();
    embedded["captcha_stage"] = beside;
    for (challenge, field, sends) in [
        (&alone, "token", "true"),
        (&embedded, "captcha_token", "false"),
    ] {
        let page = shown(challenge);
        for part in [
            r#"<script src="https:&#x2f;&#x2f;captcha.example&#x2f;api.js?a=1&amp;b=2" defer></script>"#,
            r#"data-sitekey="k&quot;ey""#,
            "<noscript>",
            &format!(r#"id="captcha-token" name="{field}" value="""#),
            &format!(r#"data-interactive="{sends}""#),
            &format!(r#"data-alone="{sends}""#),
        ] {
            assert!(page.contains(part), "{part} is missing in {page}");
        }
        assert_eq!(page.matches("<script").count(), 2);
    }
}

#[test]
fn a_security_key_is_asked_by_our_script_alone() {
    let options = json!({ "challenge": "AA", "rpId": "a\"b'c" });
    let said = r#"data-options="{&quot;challenge&quot;:&quot;AA&quot;,&quot;rpId&quot;:&quot;a\&quot;b&#x27;c&quot;}""#;
    let mut registration = identification();
    registration["component"] = "ak-stage-authenticator-webauthn".into();
    registration["registration"] = options.clone();
    let mut proof = identification();
    proof["component"] = "ak-stage-authenticator-validate".into();
    proof["device_challenges"] = json!([
        { "device_class": "webauthn", "device_uid": "1", "challenge": options, "last_used": null }
    ]);
    let mut beside = identification();
    beside["passkey_challenge"] = options;
    for (challenge, ceremony, field) in [
        (&registration, "create", "response"),
        (&proof, "get", "webauthn"),
        (&beside, "offer", "passkey"),
    ] {
        let page = shown(challenge);
        for part in [
            said,
            &format!(r#"data-ceremony="{ceremony}""#),
            &format!(r#"id="webauthn-answer" name="{field}" value="""#),
            r#"<script type="module" src="/static/dist/assets/webauthn.js"#,
        ] {
            let page = page.replace("&#x2f;", "/");
            assert!(page.contains(part), "{part} is missing in {page}");
        }
        assert_eq!(page.matches("<script").count(), 1);
    }
    assert!(shown(&beside).contains(r#"autocomplete="username webauthn""#));
}

#[test]
fn a_mail_that_was_sent_again_is_no_error() {
    let mut challenge = json!({
        "component": "ak-stage-email",
        "flow_info": {"title": "Reset", "layout": "stacked", "background": DEFAULT_BACKGROUND,
            "cancel_url": "/flows/-/cancel/"},
    });
    let page = shown(&challenge);
    for part in [
        "<h2>We sent you a mail</h2>",
        "If there is an account",
        r#"name="component" value="ak-stage-email""#,
        r#"<a href="&#x2f;flows&#x2f;-&#x2f;cancel&#x2f;">Cancel</a>"#,
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(!page.contains("role=\"status\""));
    let sent = json!([{"string": "email-sent", "code": "email-sent"}]);
    challenge["response_errors"] = json!({ "non_field_errors": sent });
    let page = shown(&challenge);
    assert!(page.contains("<title>Sent again: Reset"), "{page}");
    assert!(page.contains("role=\"status\""), "{page}");
    for part in ["email-sent", "role=\"alert\"", "Error:", "<script"] {
        assert!(!page.contains(part), "{part} is in {page}");
    }
}

#[test]
fn sources_are_links_with_or_without_their_names() {
    let mut challenge = identification();
    let source = |name: &str, promoted: bool| {
        json!({
            "name": name, "icon_url": "/i.svg", "promoted": promoted,
            "challenge": {"component": "xak-flow-redirect", "to": "/source/oauth/login/a/"},
        })
    };
    challenge["sources"] = json!([source("<Big>", true), source("Small", false)]);
    let page = shown(&challenge);
    assert!(page.contains("Continue with &lt;Big&gt;</a>"), "{page}");
    assert!(page.contains(r#"alt="Small""#), "{page}");
    challenge["show_source_labels"] = json!(true);
    challenge["user_fields"] = json!([]);
    let page = shown(&challenge);
    assert!(page.contains(">Small</a>"), "{page}");
    assert!(!page.contains("no way to log in"), "{page}");
}

#[test]
fn errors_are_announced_and_tied_to_their_field() {
    let mut challenge = identification();
    challenge["response_errors"] = json!({
        "uid_field": [{"string": "This field may not be blank.", "code": "blank"}],
        "captcha_token": [{"string": "Try again.", "code": "invalid"}],
        "non_field_errors": [{"string": "Failed to authenticate.", "code": "invalid"}],
    });
    let page = shown(&challenge);
    assert!(page.contains("<title>Error: Welcome!"));
    assert!(page.contains(r#"aria-invalid="true" aria-describedby="error-uid_field""#));
    assert!(page.contains(r#"id="error-uid_field" role="alert""#));
    assert!(page.contains("<p>Failed to authenticate.</p>"));
    assert!(page.contains("<p>Try again.</p>"));
}

#[test]
fn the_password_page_tells_a_password_manager_whose_it_is() {
    let page = shown(&json!({
        "component": "ak-stage-password", "pending_user": "alice", "pending_user_avatar": "data:x",
        "recovery_url": "https://id.example/if/flow/recovery/",
        "flow_info": {"title": "Hello", "layout": "sidebar_left", "background": "/media/own.jpg",
            "cancel_url": "/flows/-/cancel/?next=%2Fa"},
    }));
    assert!(page.contains(r#"name="username" value="alice""#));
    assert!(page.contains("Not you?"));
    assert!(page.contains("Forgot password?"));
    assert!(page.contains("own.jpg"));
    assert!(page.contains(r#"<body class="sidebar_left">"#));
}

#[test]
fn whatever_a_visitor_typed_is_escaped() {
    let mut challenge = identification();
    challenge["pending_user_identifier"] = json!("\"><script>alert(1)</script>");
    challenge["flow_info"]["title"] = json!("<b>x</b>");
    let page = shown(&challenge);
    assert!(!page.contains("<script>"));
    assert!(!page.contains("<b>x"));
}

#[test]
fn every_component_of_the_first_flows_has_a_page() {
    for (challenge, text) in [
        (
            json!({"component": "ak-stage-user-login", "pending_user": "alice"}),
            "Stay signed in?",
        ),
        (
            json!({"component": "ak-stage-dummy", "name": "first-dummy"}),
            "first-dummy",
        ),
        (
            json!({"component": "ak-stage-access-denied", "error_message": "Go away"}),
            "Go away",
        ),
        (
            json!({"component": "ak-stage-flow-error", "request_id": "abc"}),
            "Something went wrong!",
        ),
        (
            json!({"component": "ak-stage-session-end", "brand_name": "X"}),
            "logged out",
        ),
        (json!({"component": "ak-stage-captcha"}), "ak-stage-captcha"),
    ] {
        let page = shown(&challenge);
        assert!(page.contains(text), "{text} is missing in {page}");
    }
}

#[test]
fn no_page_names_the_other_product() {
    for (name, source) in TEMPLATES {
        assert!(!source.to_lowercase().contains("authentik"), "{name}");
    }
}

#[test]
fn the_other_pages_can_be_made() {
    let pages = Pages::new();
    let dress = dress();
    let person = Person {
        username: "alice".into(),
        name: String::new(),
        email: "alice@example.com".into(),
        avatar: String::new(),
    };
    let home = pages.home(&dress, &person).expect("home");
    assert!(home.contains("alice@example.com") && home.contains("Log out"));
    let away = pages
        .leave(&dress, Some("https://x.example/"))
        .expect("leave");
    assert!(away.contains("http-equiv=\"refresh\""));
    let nowhere = pages.leave(&dress, None).expect("leave");
    assert!(!nowhere.contains("refresh") && nowhere.contains("close this page"));
    let message = Message {
        heading: "Not found",
        text: "There is no such page.",
        request_id: Some("r1"),
        link: Some(("/", "Start")),
    };
    let page = pages.message(&dress, &message).expect("message");
    assert!(page.contains("Not found") && page.contains("r1") && page.contains("Start"));
}

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
            r#"autocomplete="one-time-code""#.to_owned(),
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
fn an_app_is_shown_a_picture_and_a_key_to_type() {
    let challenge = json!({
        "component": "ak-stage-authenticator-totp",
        "flow_info": {"title": "Set up", "background": "", "layout": "stacked"},
        "pending_user": "alice",
        "config_url": "otpauth://totp/x%3Aalice?secret=ABCDEFGH&algorithm=SHA1&digits=6&period=30&issuer=x",
        "response_errors": {"code": [{"string": "Code does not match", "code": "invalid"}]},
    });
    let page = shown(&challenge);
    for part in [
        "<svg viewBox=\"0 0 ",
        "<code>ABCD EFGH</code>",
        "otpauth:",
        "Code does not match",
        r#"autocomplete="one-time-code""#,
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(!page.contains("<script"));
}

#[test]
fn codes_to_write_down_are_a_list() {
    let challenge = json!({
        "component": "ak-stage-authenticator-static",
        "flow_info": {"title": "Codes", "background": "", "layout": "stacked"},
        "pending_user": "alice",
        "codes": ["first", "<second>"],
    });
    let page = shown(&challenge);
    assert!(page.contains("<li><code>first</code></li>"), "{page}");
    assert!(page.contains("&lt;second&gt;"), "{page}");
}

#[test]
fn an_account_at_duo_is_a_picture_and_a_way_into_the_app() {
    let challenge = json!({
        "component": "ak-stage-authenticator-duo",
        "flow_info": {"title": "Duo", "background": "", "layout": "stacked"},
        "pending_user": "alice",
        "activation_barcode": "https://api.example/frame/qr?value=a\"b",
        "activation_code": "duo://code",
        "stage_uuid": "0b0f9c3c-3d1c-4a94-9f6c-9a3d6f1b2a10",
    });
    let page = shown(&challenge);
    for part in [
        "<img src=\"https:",
        "qr?value=a&quot;b\"",
        "href=\"duo:",
        "I have finished there",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
}
