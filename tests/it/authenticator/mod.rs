//! Second factors of a running server.

mod devices;
mod duo;
mod email;
mod headless;
mod sms;
mod static_codes;
mod totp;
mod validate;
mod webauthn;

use serde_json::json;

use crate::support::{Answer, App, LOGIN, Person, TestServer, Visitor};

pub(crate) const VALIDATE: &str = "ak-stage-authenticator-validate";
const TOTP: &str = "ak-stage-authenticator-totp";
const STATIC: &str = "ak-stage-authenticator-static";

const TOTP_SETUP: &str = "default-authenticator-totp-setup";
const STATIC_SETUP: &str = "default-authenticator-static-setup";

/// What is read of a code that is refused.
const WRONG: &str =
    "Invalid Token. Please ensure the time on your device is accurate and try again.";

/// Types the password in a flow that begins with it.
async fn enters(visitor: &mut Visitor, slug: &str, person: &Person) -> Answer {
    visitor.opens(slug).await.sees("ak-stage-identification");
    let who = json!({ "uid_field": person.username });
    visitor.answers(who).await.sees("ak-stage-password");
    let what = json!({ "password": person.password });
    visitor.answers(what).await
}

/// The same in the default login.
pub(crate) async fn begins(visitor: &mut Visitor, person: &Person) -> Answer {
    enters(visitor, LOGIN, person).await
}

pub(crate) async fn types(visitor: &mut Visitor, code: &str) -> Answer {
    visitor.answers(json!({ "code": code })).await
}

#[track_caller]
fn is_refused(answer: &Answer) {
    answer.sees(VALIDATE);
    let expected = json!({ "code": [{ "string": WRONG, "code": "invalid" }] });
    assert_eq!(answer.json()["response_errors"], expected, "{answer:?}");
}

/// Sets an app up for somebody who is logged in.
pub(crate) async fn sets_up_app(server: &TestServer, visitor: &mut Visitor) -> App {
    let shown = visitor.opens(TOTP_SETUP).await;
    shown.sees(TOTP);
    let address = shown.json()["config_url"].clone();
    let app = App::of(address.as_str().expect("an address"), server.canaries());
    types(visitor, &app.code(0)).await.is_redirected_to("/");
    app
}

/// Gives codes to somebody who is logged in.
pub(crate) async fn gets_codes(server: &TestServer, visitor: &mut Visitor) -> Vec<String> {
    let shown = visitor.opens(STATIC_SETUP).await;
    shown.sees(STATIC);
    let codes: Vec<String> = serde_json::from_value(shown.json()["codes"].clone()).expect("codes");
    for code in &codes {
        server.canaries().secret("a code to write down", code);
    }
    visitor.answers(json!({})).await.is_redirected_to("/");
    codes
}

/// Moves the server's clock by a restart.
pub(crate) async fn shifts(server: &mut TestServer, seconds: i64) {
    server.sets("GATELOG_CLOCK_SHIFT", &seconds.to_string());
    server.restart().await;
}
