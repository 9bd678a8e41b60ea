//! What pages have for our script, and what they are without it.

use super::*;

fn enhanced(challenge: &Value, form: Form) -> String {
    let form = Form {
        enhanced: true,
        status: "/api/v3/flows/executor/login/status/?query=".into(),
        ..form
    };
    Pages::new()
        .challenge(&dress(), challenge, &form, None)
        .expect("every challenge can be shown")
}

#[test]
fn only_an_enhanced_page_has_the_script_and_what_it_says() {
    let page = enhanced(&identification(), form()).replace("&#x2f;", "/");
    for part in [
        r#"<script type="module" src="/static/dist/assets/flow.js?v="#,
        r#"data-status="/api/v3/flows/executor/login/status/?query=""#,
        "Show the password",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains("style="));
    assert!(!shown(&identification()).contains("flow.js"));
}

#[test]
fn a_page_that_waits_refreshes_itself_only_where_no_script_does() {
    let challenge = json!({
        "component": "ak-stage-authenticator-duo", "stage_uuid": "s1",
        "flow_info": identification()["flow_info"],
    });
    let waiting = Form {
        waits: true,
        ..form()
    };
    let page = enhanced(&challenge, waiting);
    assert!(
        page.contains(r#"<noscript><meta http-equiv="refresh""#),
        "{page}"
    );
    assert!(page.contains("data-watch"));
    let page = enhanced(&challenge, form());
    assert!(page.contains("data-enrolment=") && !page.contains("data-watch"));
}

#[test]
fn a_password_is_shown_only_where_the_stage_allows_it() {
    let mut challenge = json!({
        "component": "ak-stage-password", "pending_user": "alice", "allow_show_password": false,
        "flow_info": identification()["flow_info"],
    });
    assert!(!enhanced(&challenge, form()).contains("data-show"));
    challenge["allow_show_password"] = json!(true);
    assert!(enhanced(&challenge, form()).contains("data-show"));
}

#[test]
fn a_new_password_is_filed_under_the_user_unless_the_page_asks_for_a_name() {
    let field = |kind: &str, key: &str| {
        json!({"field_key": key, "type": kind, "label": key, "required": true,
            "placeholder": "", "initial_value": "", "order": 0, "sub_text": "", "choices": null})
    };
    let mut challenge = json!({
        "component": "ak-stage-prompt", "flow_info": identification()["flow_info"],
        "fields": [field("password", "password")],
    });
    let known = Form {
        username: Some("alice".into()),
        ..form()
    };
    let name = r#"name="username" value="alice" autocomplete="username" readonly"#;
    let page = enhanced(&challenge, known.clone());
    assert!(page.contains(name), "{page}");
    assert!(page.contains("data-show") && page.contains(r#"autocomplete="new-password""#));
    assert!(!enhanced(&challenge, form()).contains(r#"name="username""#));
    challenge["fields"] = json!([field("username", "username"), field("password", "password")]);
    assert!(!enhanced(&challenge, known).contains(name));
}

#[test]
fn a_denial_says_what_to_do_and_names_the_execution() {
    let denied = |message: &str| {
        json!({
            "component": "ak-stage-access-denied", "error_message": message,
            "flow_info": identification()["flow_info"], "pending_user": "alice",
        })
    };
    let coded = Form {
        code: Some("D7K2M-9QX4T".into()),
        again: "/if/flow/login/".into(),
        ..form()
    };
    let page = enhanced(
        &denied("Too many attempts. Please start again."),
        coded.clone(),
    );
    for part in [
        r#"<strong class="code">D7K2M-9QX4T</strong>"#,
        "you can start again",
        ">Start again</a>",
    ] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert_eq!(page.matches("<h1>").count(), 1);
    let elsewhere =
        "This was continued in another window. You can close this one, or cancel to start again.";
    let page = enhanced(&denied(elsewhere), coded.clone());
    assert!(page.contains("D7K2M-9QX4T") && page.contains("Continued in another window"));
    let here = Form {
        is_logged_in: true,
        ..coded.clone()
    };
    let page = enhanced(&denied("Flow does not apply to current user."), here);
    assert!(page.contains("You are logged in already"), "{page}");
    let error = json!({"component": "ak-stage-flow-error", "request_id": "r1"});
    let page = enhanced(&error, coded);
    assert!(page.contains("D7K2M-9QX4T") && page.contains("<code>r1</code>"));
}

#[test]
fn a_step_is_not_called_the_same_twice() {
    let mut challenge = json!({
        "component": "ak-stage-authenticator-totp", "config_url": "otpauth://totp/x?secret=ABCD",
        "flow_info": {"title": "Set up an authenticator app", "layout": "stacked"},
    });
    assert!(!shown(&challenge).contains("<h2>"));
    challenge["flow_info"]["title"] = json!("Make an account");
    assert!(shown(&challenge).contains("<h2>Set up an authenticator app</h2>"));
}

#[test]
fn themed_pictures_are_two_and_a_page_may_stand_behind_the_form() {
    let mut challenge = identification();
    challenge["flow_info"]["background"] = json!("/media/light.jpg");
    challenge["flow_info"]["background_themed_urls"] =
        json!({"light": "/media/light.jpg", "dark": "/media/dark.jpg"});
    let page = shown(&challenge).replace("&#x2f;", "/");
    let dark = r#"<source srcset="/media/dark.jpg" media="(prefers-color-scheme: dark)">"#;
    assert!(page.contains(dark), "{page}");
    assert!(page.contains(r#"src="/media/light.jpg""#));
    challenge["flow_info"]["layout"] = json!("sidebar_left_frame_background");
    let page = shown(&challenge).replace("&#x2f;", "/");
    assert!(
        page.contains(r#"<iframe class="backdrop" src="/media/light.jpg""#),
        "{page}"
    );
    assert!(!page.contains(r#"<img class="backdrop""#));
}
