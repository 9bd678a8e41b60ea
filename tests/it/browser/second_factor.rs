//! An app that shows codes: set up in the browser, and asked for from then on.

use std::time::Duration;

use thirtyfour::prelude::*;

use super::{Window, axe_everywhere, with_window};
use crate::support::{App, Person, TestServer};

/// Opens the page that sets an app up, and gets the address that an app reads from the picture.
pub(super) async fn app_of(server: &TestServer, window: &Window) -> WebDriverResult<App> {
    window
        .opens_flow("default-authenticator-totp-setup")
        .await?;
    window.sees("svg.qr[aria-label]").await?;
    let link = window.find(By::Css("a[href^='otpauth://']")).await?;
    let address = link.attr("href").await?.expect("an address");
    Ok(App::of(&address, server.canaries()))
}

async fn sets_up_and_uses(
    server: &TestServer,
    window: &Window,
    alice: &Person,
) -> WebDriverResult<()> {
    window.logs_in(alice).await?;
    let app = app_of(server, window).await?;
    axe_everywhere(window).await?;
    window.types("code", &app.wrong_code()).await?;
    window.presses().await?;
    window.sees("input[name=code][aria-invalid=true]").await?;
    axe_everywhere(window).await?;
    // After a wrong code, no code counts for a second.
    tokio::time::sleep(Duration::from_secs(1)).await;
    window.types("code", &app.code(0)).await?;
    window.presses().await?;
    window.is_logged_in(alice).await?;
    window.logs_out().await?;

    window.opens("/").await?;
    window.names(alice).await?;
    window.proves(alice).await?;
    let field = window.sees("input[name=code]").await?;
    let hint = field.attr("autocomplete").await?;
    assert_eq!(hint.as_deref(), Some("one-time-code"));
    axe_everywhere(window).await?;
    window.types("code", &app.code(1)).await?;
    window.presses().await?;
    window.is_logged_in(alice).await
}

#[test]
fn an_app_is_set_up_and_logs_in() {
    with_window(async |server, window| {
        let alice = server.person();
        sets_up_and_uses(server, window, &alice).await
    });
}

#[test]
fn an_app_is_set_up_and_logs_in_without_javascript() {
    with_window(async |server, window| {
        let alice = server.person();
        window.runs_scripts(false).await?;
        sets_up_and_uses(server, window, &alice).await
    });
}
