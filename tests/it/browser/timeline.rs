//! An operator goes through what happened in a login, event by event.

use serde_json::json;
use thirtyfour::prelude::*;

use super::{Browsers, Window, axe_everywhere, with_browsers};
use crate::support::{Flow, LOGIN, Options, TestServer};

/// The event at the cursor.
const HERE: &str = ".event[aria-current=step]";

/// Somebody who typed a wrong password first; answers with the id of what they went through.
async fn a_login(server: &TestServer) -> String {
    let alice = server.person();
    let mut visitor = server.visitor();
    visitor.opens(LOGIN).await;
    for answer in [
        json!({ "uid_field": alice.username }),
        json!({ "password": "not it" }),
        json!({ "password": alice.password }),
    ] {
        visitor.answers(answer).await;
    }
    server.latest()
}

/// An operator who looks at an execution.
async fn looks_at(
    server: &TestServer,
    browsers: &Browsers,
    id: &str,
    query: &str,
) -> WebDriverResult<std::sync::Arc<Window>> {
    let window = browsers.open().await?;
    window.logs_in(&server.administrator.clone()).await?;
    window
        .opens(&format!("/if/admin/executions/{id}{query}"))
        .await?;
    window.sees("main:not([aria-busy])").await?;
    window.sees(".at-cursor:not(.loads) .part").await?;
    Ok(window)
}

async fn types(window: &Window, keys: impl Into<TypingData>) -> WebDriverResult<()> {
    let at = window.active_element().await?;
    at.send_keys(keys).await
}

#[test]
fn an_operator_steps_through_a_login_with_the_keyboard() {
    with_browsers(Options::default(), async |server, browsers| {
        let id = a_login(server).await;
        let window = looks_at(server, browsers, &id, "").await?;
        // It begins at the end, and the whole way is drawn.
        window.shows(HERE, "completed").await?;
        window.shows(".way .end.passed", "Completed").await?;
        window
            .shows(".way .passed", "default-authentication-password")
            .await?;
        window.shows(".way .passed", "one answer refused").await?;

        types(&window, "k").await?;
        window.shows(HERE, "passed stage").await?;
        window
            .arrives(&format!("/if/admin/executions/{id}?at="))
            .await?;
        let slider = window.sees("[role=slider]").await?;
        slider.send_keys(Key::Home).await?;
        window.shows(HERE, "started flow").await?;
        window.shows(".count", "Event 1 of").await?;
        window.shows(".changes-of", "running").await?;
        window
            .shows(".way li:last-child", "default-authentication-flow")
            .await?;
        types(&window, Key::Right).await?;
        types(&window, Key::Right).await?;
        window.shows(HERE, "entered stage").await?;
        types(&window, "j").await?;
        window.shows(HERE, "asked the visitor").await?;
        window
            .shows(".way .here", "default-authentication-identification")
            .await?;
        window
            .shows(".changes-of", "ak-stage-identification")
            .await?;
        let now = slider.attr("aria-valuetext").await?.unwrap_or_default();
        assert!(now.starts_with("Event 4 of"), "{now}");

        // The list is one stop for the keyboard, and the cursor takes the focus along.
        window.clicks(".timeline .bad .event").await?;
        window.shows(HERE, "refused").await?;
        types(&window, Key::Down).await?;
        let focused = window.active_element().await?;
        assert_eq!(focused.attr("aria-current").await?.as_deref(), Some("step"));
        types(&window, Key::End).await?;
        window.shows(HERE, "completed").await?;
        types(&window, "?").await?;
        window.shows("dialog", "One event back").await?;
        axe_everywhere(&window).await
    });
}

#[test]
fn the_cursor_stands_in_the_address_and_the_visitor_is_seen_as_they_saw_it() {
    with_browsers(Options::default(), async |server, browsers| {
        let id = a_login(server).await;
        let window = looks_at(server, browsers, &id, "?at=1.4").await?;
        window.shows(HERE, "asked the visitor").await?;
        axe_everywhere(&window).await?;
        let frame = window.sees(".seen iframe").await?;
        assert_eq!(frame.attr("sandbox").await?.as_deref(), Some(""));
        frame.scroll_into_view().await?;
        frame.enter_frame().await?;
        window.sees("body[inert] [name=uid_field]").await?;
        window.enter_default_frame().await?;
        // The page after a wrong password says so, and who it is.
        window.clicks(".timeline .bad .event").await?;
        types(&window, Key::Down).await?;
        types(&window, Key::Down).await?;
        window.shows(HERE, "Invalid password").await?;
        window.shows(".fields-of", "Challenge").await?;
        window.shows(".known", "pending_user").await?;
        let selector = ".seen iframe[title*='ak-stage-password']";
        window.sees(selector).await?.enter_frame().await?;
        window.sees("body[inert] [name=password]").await?;
        window.shows("#error-password", "Invalid password").await?;
        window.enter_default_frame().await?;
        // Coming back by the address leads to the same event.
        window.refresh().await?;
        window.shows(HERE, "Invalid password").await
    });
}

#[test]
fn a_stage_that_was_left_out_says_why_in_the_drawing() {
    with_browsers(Options::default(), async |server, browsers| {
        server.has_flow(
            &Flow::new("choosy")
                .dummy("terms")
                .expression("never", "return False")
                .asks("terms", "never", json!({}))
                .stage("deny", "closed", json!({ "deny_message": "Not today" })),
        );
        server
            .visitor()
            .opens("choosy")
            .await
            .is_denied("Not today");
        let window = looks_at(server, browsers, &server.latest(), "").await?;
        window.shows(".way .skipped", "terms").await?;
        window.shows(".way .skipped .gates", "policy never").await?;
        window.shows(".way .failed", "closed").await?;
        window.shows(".way .end", "Denied: Not today").await?;
        window.clicks(".way .skipped .jumps button").await?;
        window.shows(HERE, "skipped stage terms").await?;
        axe_everywhere(&window).await
    });
}
