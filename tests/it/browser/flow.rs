//! What our script adds to the pages of flows, and what they are without it.

use serde_json::json;
use thirtyfour::prelude::*;

use super::{Window, axe_everywhere, with_browsers, with_window};
use crate::support::{Flow, MailSink, Options, TestServer, random};

#[test]
fn a_password_is_shown_and_hidden_and_is_one_again_when_it_is_sent() {
    with_window(async |server, window| {
        let shows = json!({ "backends": ["authentik.core.auth.InbuiltBackend"],
            "allow_show_password": true });
        let who = json!({ "user_fields": ["username"], "password_stage": "!KeyOf shows-password" });
        server.has_flow(
            &Flow::new("shows")
                .unbound("password", "shows-password", shows)
                .stage("identification", "shows-who", who)
                .stage("user_login", "shows-login", json!({})),
        );
        let alice = server.person();
        window.opens_flow("shows").await?;
        let button = window.sees("button.show").await?;
        let field = window.sees("input[name=password]").await?;
        for (pressed, kind) in [("true", "text"), ("false", "password"), ("true", "text")] {
            button.click().await?;
            assert_eq!(button.attr("aria-pressed").await?.as_deref(), Some(pressed));
            assert_eq!(field.prop("type").await?.as_deref(), Some(kind));
        }
        axe_everywhere(window).await?;
        window.types("uid_field", &alice.username).await?;
        window.proves(&alice).await?;
        window.is_logged_in(&alice).await
    });
}

#[test]
fn another_language_keeps_what_was_typed() {
    with_window(async |server, window| {
        let who = json!({ "user_fields": ["username"], "password_stage": "!KeyOf keeps-password" });
        let backends = json!({ "backends": ["authentik.core.auth.InbuiltBackend"] });
        server.has_flow(
            &Flow::new("keeps")
                .unbound("password", "keeps-password", backends)
                .stage("identification", "keeps-who", who),
        );
        window.opens_flow("keeps").await?;
        window.types("uid_field", "ann").await?;
        let typed = random(20);
        server.canaries().secret("a typed password", &typed);
        window.types("password", &typed).await?;
        window.clicks(".languages a[hreflang=de]").await?;
        window.sees("html[lang=de]").await?;
        window.shows("main", "Passwort").await?;
        let field = window.sees("input[name=uid_field]").await?;
        assert_eq!(field.prop("value").await?.as_deref(), Some("ann"));
        let field = window.sees("input[name=password]").await?;
        assert_eq!(field.prop("value").await?.as_deref(), Some(""));
        axe_everywhere(window).await?;
        window.runs_scripts(false).await?;
        window.clicks(".languages a[hreflang=en]").await?;
        window.sees("html[lang=en]").await?;
        window.shows("main", "Password").await
    });
}

#[test]
fn codes_that_are_shown_once_can_be_taken_along() {
    with_window(async |server, window| {
        let alice = server.person();
        window.logs_in(&alice).await?;
        window
            .opens_flow("default-authenticator-static-setup")
            .await?;
        window.sees(".keep button").await?;
        for code in window.find_all(By::Css(".codes code")).await? {
            server
                .canaries()
                .secret("a code on paper", &code.text().await?);
        }
        assert_eq!(window.find_all(By::Css(".keep button")).await?.len(), 3);
        axe_everywhere(window).await
    });
}

/// A page that says that a mail was sent goes on when its link is followed elsewhere.
async fn waits(
    server: &TestServer,
    sink: &MailSink,
    asks: &Window,
    confirms: &Window,
) -> WebDriverResult<()> {
    let person = server.person();
    asks.opens_flow("default-recovery-flow").await?;
    asks.names(&person).await?;
    sink.wait_for(1).await;
    asks.sees("form[data-watch]").await?;
    let link = sink.wait_for(1).await[0].letter().link();
    let (_, secret) = link.split_once("flow_token=").expect("a secret");
    server.canaries().secret("the secret of a link", secret);
    confirms.goto(&link).await?;
    confirms.presses().await?;
    confirms.sees("input[name='secret:password']").await?;
    asks.shows("h1", "Continued in another window").await?;
    asks.sees(".support .code").await?;
    axe_everywhere(asks).await
}

#[test]
fn a_page_that_waits_for_a_mail_goes_on_by_itself() {
    let sink = MailSink::start();
    let options = sink.serves(Options::default());
    with_browsers(options, async |server, browsers| {
        server
            .gatelog(&["blueprint", "enable", "recovery"])
            .succeeds();
        let (asks, confirms) = (browsers.open().await?, browsers.open().await?);
        waits(server, &sink, &asks, &confirms).await
    });
}

#[test]
fn a_form_is_sent_once_and_a_reload_sends_nothing() {
    with_window(async |server, window| {
        server.has_flow(&Flow::new("three").dummy("one").dummy("two").dummy("three"));
        window.opens_flow("three").await?;
        window.shows(".lead", "one").await?;
        let twice = "const button = document.querySelector('main [type=submit]');
            button.click(); button.click(); return button.classList.contains('busy');";
        window.execute(twice, Vec::new()).await?;
        window.shows(".lead", "two").await?;

        // The answer to a wrong password is no form that a reload would send again.
        let alice = server.person();
        window.opens("/").await?;
        window.names(&alice).await?;
        let wrong = random(20);
        server.canaries().secret("a typed password", &wrong);
        window.types("password", &wrong).await?;
        window.presses().await?;
        window.sees("input[aria-invalid=true]").await?;
        window.refresh().await?;
        window
            .sees("input[name=password]:not([aria-invalid])")
            .await?;
        Ok(())
    });
}

#[test]
fn a_flow_in_compatibility_mode_runs_no_script() {
    with_window(async |server, window| {
        let flow = Flow::new("plain").with("compatibility_mode", true);
        let flow = flow.identification_and_password();
        server.has_flow(&flow.stage("user_login", "plain-login", json!({})));
        let alice = server.person();
        window.opens_flow("plain").await?;
        assert!(window.find_all(By::Css("script")).await?.is_empty());
        window.names(&alice).await?;
        window.sees("input[name=password]").await?;
        let hidden = window.sees("input[name=username][readonly]").await?;
        let name = hidden.prop("value").await?;
        assert_eq!(name.as_deref(), Some(alice.username.as_str()));
        assert!(window.find_all(By::Css("script")).await?.is_empty());
        window.proves(&alice).await?;
        window.is_logged_in(&alice).await
    });
}
