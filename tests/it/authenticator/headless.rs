//! The client of LDAP and RADIUS logs in by its own rules.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha1::Sha1;

use super::duo::{LOGIN, Scene};
use crate::support::{Flow, Headless, block_on, with_server};

fn headless(person: &crate::support::Person, code: Option<String>) -> Headless {
    Headless {
        username: person.username.clone(),
        password: person.password.clone(),
        code,
    }
}

/// The code of an `otpauth` address at a moment, in seconds since 1970 (RFC 6238).
fn code(address: &str, second: i64) -> String {
    let secret = address.split("secret=").nth(1).expect("a secret");
    let secret = secret.split('&').next().expect("its end");
    let mut mac = Hmac::<Sha1>::new_from_slice(&base32(secret)).expect("any key");
    mac.update(&(second / 30).to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 0x0f);
    let number = u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

fn base32(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let digit = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
            .iter()
            .position(|it| *it == letter);
        bits = (bits << 5) | u32::try_from(digit.expect("base32")).expect("small");
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).expect("a byte"));
        }
    }
    bytes
}

#[test]
fn it_logs_in_with_a_push() {
    block_on(async {
        let scene = Scene::start().await;
        let mut visitor = scene.server.visitor();
        let client = headless(&scene.alice, None);
        let (done, ()) = tokio::join!(client.logs_in(&mut visitor, LOGIN), async {
            scene.duo.has_pushed(1).await;
            scene.duo.approves();
        });
        assert_eq!(done, Ok(()));
        let me = visitor.gets("/api/v3/core/users/me/").await.json();
        assert_eq!(me["user"]["username"], scene.alice.username.as_str());
        let mut visitor = scene.server.visitor();
        let (done, ()) = tokio::join!(client.logs_in(&mut visitor, LOGIN), async {
            scene.duo.has_pushed(2).await;
            scene.duo.denies();
        });
        let complaint = "flow error duo: \"Duo denied access\"";
        assert_eq!(done, Err(complaint.to_owned()));
        assert_eq!(scene.duo.pushes().len(), 2);
        scene.server.finish().await;
    });
}

#[test]
fn it_logs_in_with_a_password_and_a_code() {
    with_server(async |server| {
        server.has_flow(
            &Flow::new("setup")
                .with("designation", "stage_configuration")
                .stage(
                    "authenticator_totp",
                    "headless-setup",
                    json!({ "digits": "6" }),
                ),
        );
        server.has_flow(
            &Flow::new("login")
                .identification_and_password()
                .stage(
                    "authenticator_validate",
                    "headless-validates",
                    json!({ "not_configured_action": "deny" }),
                )
                .stage(
                    "user_login",
                    "headless-logs-in",
                    json!({ "remember_me_offset": "days=7" }),
                ),
        );
        let alice = server.person();
        let now = || gatelog::clock::Clock::system().now().as_second();
        let mut visitor = server.visitor();
        visitor.logs_in(&alice).await;
        let shown = visitor.opens("setup").await;
        shown.sees("ak-stage-authenticator-totp");
        let address = shown.json()["config_url"].as_str().expect("it").to_owned();
        let typed = code(&address, now() - 30);
        visitor
            .answers(json!({ "code": typed }))
            .await
            .is_redirected_to("/");

        let mut visitor = server.visitor();
        let client = headless(&alice, Some(code(&address, now())));
        assert_eq!(client.logs_in(&mut visitor, "login").await, Ok(()));
        // The same code is good once.
        let mut visitor = server.visitor();
        let refused = client.logs_in(&mut visitor, "login").await;
        let refused = refused.expect_err("it was used");
        assert!(refused.starts_with("flow error code"), "{refused}");
        let mut visitor = server.visitor();
        let refused = headless(&alice, None).logs_in(&mut visitor, "login").await;
        let none = "no compatible authenticator class found";
        assert_eq!(refused, Err(none.to_owned()));
        let wrong = Headless {
            password: "not-the-password".to_owned(),
            ..client
        };
        let mut visitor = server.visitor();
        let refused = wrong.logs_in(&mut visitor, "login").await;
        assert!(refused.is_err(), "{refused:?}");
    });
}
