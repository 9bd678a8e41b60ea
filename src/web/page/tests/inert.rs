//! Pages that are only looked at.

use super::*;

fn looked_at(challenge: &Value) -> String {
    let form = Form {
        inert: true,
        ..Form::default()
    };
    Pages::new()
        .challenge(&dress(), challenge, &form, None)
        .expect("every challenge can be shown")
}

#[test]
fn a_page_that_is_only_looked_at_runs_nothing_and_frames_nothing() {
    let mut framed = identification();
    framed["flow_info"]["layout"] = "sidebar_left_frame_background".into();
    framed["flow_info"]["background"] = "https://a.example/page".into();
    framed["passkey_challenge"] = json!({ "challenge": "x" });
    framed["captcha_stage"] = json!({
        "site_key": "k", "interactive": true, "js_url": "https://captcha.example/a.js",
    });
    let captcha = json!({
        "component": "ak-stage-captcha", "site_key": "k", "interactive": true,
        "js_url": "https://captcha.example/a.js", "flow_info": framed["flow_info"],
    });
    let key = json!({
        "component": "ak-stage-authenticator-webauthn", "registration": { "challenge": "x" },
        "flow_info": framed["flow_info"],
    });
    for challenge in [&framed, &captcha, &key] {
        for part in ["<script", "<iframe", "<noscript"] {
            assert!(shown(challenge).contains(part), "the usual page has {part}");
            let page = looked_at(challenge);
            assert!(!page.contains(part), "{part} in {page}");
            assert!(page.contains(" inert>"), "{page}");
        }
    }
    assert!(!shown(&framed).contains(" inert>"));
}
