//! A password is forgotten, and set anew by a link in a mail.

use thirtyfour::prelude::*;

use super::{Window, axe_everywhere, with_browsers};
use crate::support::{MailSink, Options, TestServer, random};

/// Asks for a mail and for another one, and opens the link of that in another browser.
async fn sets_a_password_anew(
    server: &TestServer,
    sink: &MailSink,
    asks: &Window,
    confirms: &Window,
) -> WebDriverResult<()> {
    let person = server.person();
    asks.opens_flow("default-recovery-flow").await?;
    asks.names(&person).await?;
    sink.wait_for(1).await;
    asks.sees("form:has([name=component]) button[type=submit]")
        .await?;
    axe_everywhere(asks).await?;
    // A page that runs scripts may count down before it lets one ask again.
    asks.clicks("form:has([name=component]) button[type=submit]:not([disabled])")
        .await?;
    asks.sees("[role=status]").await?;
    axe_everywhere(asks).await?;
    let link = sink.wait_for(2).await[1].letter().link();
    let (_, secret) = link.split_once("flow_token=").expect("a secret");
    server.canaries().secret("the secret of a link", secret);

    confirms.goto(&link).await?;
    confirms.sees("form:has([name=component]) button").await?;
    axe_everywhere(confirms).await?;
    confirms.presses().await?;
    let password = random(20);
    server.canaries().secret("a new password", &password);
    confirms.types("secret:password", &password).await?;
    confirms.types("secret:password_repeat", &password).await?;
    axe_everywhere(confirms).await?;

    asks.opens_flow("default-recovery-flow").await?;
    let away = asks.sees("main a[href*='/flows/-/cancel/']").await?;
    axe_everywhere(asks).await?;
    away.click().await?;
    asks.opens_flow("default-recovery-flow").await?;
    asks.sees("input[name=uid_field]").await?;

    confirms.presses().await?;
    confirms.is_logged_in(&person).await
}

fn a_password_is_set_anew(runs_scripts: bool) {
    let sink = MailSink::start();
    let options = sink.serves(Options::default());
    with_browsers(options, async |server, browsers| {
        let on = server.gatelog(&["blueprint", "enable", "recovery"]);
        on.succeeds();
        let (asks, confirms) = (browsers.open().await?, browsers.open().await?);
        asks.runs_scripts(runs_scripts).await?;
        confirms.runs_scripts(runs_scripts).await?;
        sets_a_password_anew(server, &sink, &asks, &confirms).await
    });
}

#[test]
fn a_password_is_set_anew_by_a_link_in_another_browser() {
    a_password_is_set_anew(true);
}

#[test]
fn a_password_is_set_anew_by_a_link_in_another_browser_without_javascript() {
    a_password_is_set_anew(false);
}
