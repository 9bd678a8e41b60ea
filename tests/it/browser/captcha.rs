//! A captcha, alone and beside the question who somebody is.

use serde_json::json;

use super::{axe, with_window};
use crate::support::{CaptchaProvider, Flow};

#[test]
fn a_captcha_is_shown_and_answered() {
    with_window(async |server, window| {
        let provider = CaptchaProvider::start().await;
        let script = provider.script();
        let origin = url::Url::parse(&script).expect("an address").origin();
        window.may_ask(&origin.ascii_serialization());
        let attrs = json!({
            "public_key": "the-site-key",
            "private_key": "the-private-key",
            "js_url": script,
            "api_url": provider.url(),
        });
        let flow = Flow::new("check").stage("captcha", "check-it", attrs.clone());
        server.has_flow(&flow.dummy("check-after"));
        window.opens_flow("check").await?;
        window.shows("main", "check-after").await?;

        let alice = server.person();
        let backends = json!({ "backends": ["authentik.core.auth.InbuiltBackend"] });
        let who = json!({
            "user_fields": ["username"],
            "password_stage": "!KeyOf one-password",
            "captcha_stage": "!KeyOf one-captcha",
        });
        let flow = Flow::new("one")
            .unbound("password", "one-password", backends)
            .unbound("captcha", "one-captcha", attrs)
            .stage("identification", "one-who", who);
        server.has_flow(&flow.stage("user_login", "one-login", json!({})));
        window.opens_flow("one").await?;
        window.shows("#captcha", "A check of the-site-key").await?;
        axe(window).await?;
        window.types("uid_field", &alice.username).await?;
        window.types("password", &alice.password).await?;
        window.presses().await?;
        window.is_logged_in(&alice).await?;
        assert_eq!(provider.asked().len(), 2);
        Ok(())
    });
}
