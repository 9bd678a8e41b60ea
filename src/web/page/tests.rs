//! What pages show, and what they never show.

use super::*;
use crate::catalog::Brand;
use serde_json::json;

mod enhanced;
mod factors;
mod inert;
mod languages;

fn dress() -> Dress {
    Dress::from(&Brand::fallback())
}

fn template_text(name: &str) -> String {
    let file = templates::Files::get(name).expect("a template");
    String::from_utf8(file.data.into_owned()).expect("text")
}

fn form() -> Form {
    Form {
        action: "/if/flow/login/?next=%2Fa".into(),
        challenge: Some("c1".into()),
        csrf: Some("t1".into()),
        values: Map::new(),
        ..Form::default()
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
            "Something went wrong",
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
    // The page of the kept interface is for that product's own files.
    for name in templates::Files::iter().filter(|name| name != "shell.html") {
        let source = template_text(&name);
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
        is_operator: false,
    };
    let home = pages.home(&dress, &person, &[]).expect("home");
    assert!(home.contains("alice@example.com") && home.contains("Log out"));
    assert!(home.contains("if&#x2f;user") || home.contains("/if/user/"));
    assert!(!home.contains("/if/admin/"));
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
