//! Logging in with a name and a password, and out again.

use thirtyfour::prelude::*;

use super::{Window, axe_everywhere, with_window};
use crate::support::TestServer;

/// From the start page to the login, in, and out again.
async fn comes_and_goes(server: &TestServer, window: &Window) -> WebDriverResult<()> {
    let alice = server.person();
    window.opens("/").await?;
    window.sees("input[name=uid_field]").await?;
    axe_everywhere(window).await?;
    window.names(&alice).await?;
    window.shows(".person", &alice.username).await?;
    axe_everywhere(window).await?;

    let wrong = "wrong-and-long-enough";
    server.canaries().secret("a typed password", wrong);
    window.types("password", wrong).await?;
    window.presses().await?;
    let field = window
        .sees("input[name=password][aria-invalid=true]")
        .await?;
    assert_eq!(field.prop("value").await?.as_deref(), Some(""));
    let described = field.attr("aria-describedby").await?.expect("an error");
    let first = described.split(' ').next().unwrap_or_default();
    window.sees(&format!("[role=alert]#{first}")).await?;
    axe_everywhere(window).await?;

    window.proves(&alice).await?;
    window.is_logged_in(&alice).await?;
    window.shows("main", &alice.name).await?;
    axe_everywhere(window).await?;

    window
        .clicks("main a[href*='/flows/-/default/invalidation/']")
        .await?;
    // Out again, the start page leads to the login.
    window.sees("input[name=uid_field]").await?;
    window.opens("/").await?;
    window.sees("input[name=uid_field]").await?;
    window.arrives("/if/flow/").await
}

#[test]
fn a_person_logs_in_and_out() {
    with_window(async |server, window| comes_and_goes(server, window).await);
}

#[test]
fn a_person_logs_in_and_out_without_javascript() {
    with_window(async |server, window| {
        window.runs_scripts(false).await?;
        let probe = "data:text/html,<html lang=en><script>document.title='ran'</script>";
        window.goto(probe).await?;
        assert_ne!(window.title().await?, "ran", "scripts run");
        comes_and_goes(server, window).await
    });
}

#[test]
fn a_person_is_where_they_were_after_the_server_was_killed() {
    with_window(async |server, window| {
        let alice = server.person();
        // What listens to the server hears that it is gone.
        for part in [
            "ERR_CONNECTION_REFUSED",
            "ERR_INCOMPLETE",
            "ERR_CONNECTION_RESET",
        ] {
            window.expects(part);
        }
        window.opens("/").await?;
        window.names(&alice).await?;
        window.shows(".person", &alice.username).await?;
        server.kill().await;
        window.proves(&alice).await?;
        window.is_logged_in(&alice).await
    });
}
