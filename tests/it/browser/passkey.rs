//! Passkeys and security keys, by the browser's own virtual one.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use thirtyfour::common::command::{Command, ExtensionCommand};

use super::with_window;

/// Gives the window a security key that does whatever it is asked.
#[derive(Debug)]
struct Plug;

impl ExtensionCommand for Plug {
    fn parameters_json(&self) -> Option<Value> {
        Some(json!({
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": true,
            "hasUserVerification": true,
            "isUserConsenting": true,
            "isUserVerified": true,
        }))
    }

    fn method(&self) -> Method {
        Method::POST
    }

    fn endpoint(&self) -> Arc<str> {
        "/webauthn/authenticator".into()
    }
}

#[test]
fn a_passkey_is_registered_and_logs_in_by_itself() {
    with_window(async |server, window| {
        let alice = server.person();
        // Browsers know no passkeys for an address that is a number.
        let base = server.base().replace("127.0.0.1", "localhost");
        let page = |flow: &str| format!("{base}/if/flow/{flow}/");
        let plug = Command::ExtensionCommand(Box::new(Plug));
        window.cmd(plug).await?;
        window.goto(format!("{base}/")).await?;
        window.names(&alice).await?;
        window.proves(&alice).await?;
        window.is_logged_in(&alice).await?;

        // The page begins by itself, and is over as soon as the device has answered.
        window
            .goto(page("default-authenticator-webauthn-setup"))
            .await?;
        window.is_logged_in(&alice).await?;
        window.goto(page("default-invalidation-flow")).await?;
        window.sees("input[name=uid_field]").await?;

        // As the second factor.
        window.goto(page("default-authentication-flow")).await?;
        window.names(&alice).await?;
        window.proves(&alice).await?;
        window.is_logged_in(&alice).await?;
        window.goto(page("default-invalidation-flow")).await?;
        window.sees("input[name=uid_field]").await?;

        // As the only one.
        let on = server.gatelog(&["blueprint", "enable", "passwordless"]);
        on.succeeds();
        window.goto(page("default-passwordless-flow")).await?;
        window.is_logged_in(&alice).await
    });
}
