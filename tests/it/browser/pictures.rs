//! Pictures of the main pages, for the README: `GATELOG_PICTURES=<folder>` has them written there.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use super::look::Light;
use super::second_factor::app_of;
use super::{Window, with_browsers};
use crate::support::{Flow, Options, Person, TestServer};

/// As large as they are, in points; they have twice as many dots each way.
const SIZE: (u32, u32) = (1280, 800);

/// Somebody with a name that can be shown.
fn ada(server: &TestServer) -> Person {
    let ada = Person {
        username: "ada".to_owned(),
        name: "Ada Lovelace".to_owned(),
        mail: "ada@example.org".to_owned(),
        password: "correct horse battery staple".to_owned(),
    };
    server.create_user(&ada);
    ada
}

/// What there is besides, so that lists and diagrams are no empty ones.
fn has_a_life(server: &TestServer) {
    for ready in ["recovery", "enrollment", "invitation"] {
        server.gatelog(&["blueprint", "enable", ready]).succeeds();
    }
    for (username, name) in [("grace", "Grace Hopper"), ("alan", "Alan Turing")] {
        server.create_user(&Person {
            username: username.to_owned(),
            name: name.to_owned(),
            mail: format!("{username}@example.org"),
            password: "correct horse battery staple".to_owned(),
        });
    }
    let office = "return ip_address(request.http_request.META['REMOTE_ADDR']).is_private";
    server.has_flow(
        &Flow::new("office")
            .with("title", "Welcome to the office")
            .identification_and_password()
            .stage("authenticator_validate", "office-second", json!({}))
            .stage("user_login", "office-login", json!({}))
            .expression("outside-only", office)
            .asks("office-second", "outside-only", json!({ "negate": true })),
    );
}

async fn takes(window: &Window, folder: &Path, name: &str, light: Light) -> WebDriverResult<()> {
    window.is_in(light).await?;
    // What moves has come to its end by then.
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    let picture = window.screenshot_as_png().await?;
    std::fs::write(folder.join(format!("{name}.png")), picture)?;
    window.is_in(Light::Light).await
}

#[test]
fn pictures_are_taken_for_whoever_wants_them() {
    let Some(folder) = std::env::var_os("GATELOG_PICTURES").map(PathBuf::from) else {
        return;
    };
    std::fs::create_dir_all(&folder).expect("a folder");
    with_browsers(Options::default(), async |server, browsers| {
        has_a_life(server);
        let ada = ada(server);
        let window = browsers.open().await?;
        let size: Value = json!({
            "width": SIZE.0, "height": SIZE.1, "deviceScaleFactor": 2, "mobile": false,
        });
        window
            .commands("Emulation.setDeviceMetricsOverride", size)
            .await?;
        window.opens("/").await?;
        window.sees("input[name=uid_field]").await?;
        takes(&window, &folder, "login-light", Light::Light).await?;
        takes(&window, &folder, "login-dark", Light::Dark).await?;
        window.logs_in(&ada).await?;
        let app = app_of(server, &window).await?;
        takes(&window, &folder, "enrolment", Light::Light).await?;
        window.types("code", &app.code(0)).await?;
        window.presses().await?;
        window.arrives("/").await?;
        window.logs_out().await?;
        window.opens("/").await?;
        window.names(&ada).await?;
        window.types("password", "not quite").await?;
        window.presses().await?;
        window.proves(&ada).await?;
        window.sees("input[name=code]").await?;
        takes(&window, &folder, "second-factor", Light::Light).await?;
        window.types("code", &app.code(1)).await?;
        window.presses().await?;
        window.arrives("/").await?;
        window.opens("/if/user/").await?;
        window.sees("main h1").await?;
        takes(&window, &folder, "account", Light::Light).await?;

        let operator = browsers.open().await?;
        operator
            .commands(
                "Emulation.setDeviceMetricsOverride",
                json!({
                    "width": SIZE.0, "height": 1000, "deviceScaleFactor": 2, "mobile": false,
                }),
            )
            .await?;
        operator.logs_in(&server.administrator.clone()).await?;
        let latest = server.gatelog(&["execution", "list", "--json", "--limit", "50"]);
        // The login that took two tries and a code.
        let logins = latest.succeeds().values();
        let of_ada = logins
            .iter()
            .filter(|it| it["flow"] == crate::support::LOGIN);
        let id = of_ada.filter_map(|it| it["execution"].as_str()).nth(1);
        let timeline = format!("/if/admin/executions/{}", id.unwrap_or_default());
        for (name, path) in [
            (
                "console-flow",
                "/if/admin/flows/default-authentication-flow",
            ),
            ("console-execution", timeline.as_str()),
            ("console-executions", "/if/admin/executions"),
        ] {
            operator.opens(path).await?;
            operator.sees("main:not([aria-busy]) h1").await?;
            takes(&operator, &folder, name, Light::Light).await?;
        }
        takes(&operator, &folder, "console-dark", Light::Dark).await
    });
}
