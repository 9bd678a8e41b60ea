//! A push to a telephone: the page waits, and goes on by itself.

use serde_json::json;
use thirtyfour::prelude::*;

use super::{Window, axe_everywhere, with_window};
use crate::support::duo::Duo;
use crate::support::{Flow, Person, TestServer};

/// The button that asks for a push.
const ASKS: &str = "form:has(input[name=duo]) button[type=submit]";

/// Sets a telephone up, and comes back to where a push is asked for.
async fn comes_to_the_push(
    server: &TestServer,
    window: &Window,
    duo: &Duo,
    alice: &Person,
) -> WebDriverResult<()> {
    server.has_flow(
        &Flow::new("duo-setup")
            .with("designation", "stage_configuration")
            .stage("authenticator_duo", "duo-enrols", duo.settings()),
    );
    let validates = json!({ "not_configured_action": "deny" });
    server.has_flow(
        &Flow::new("duo-login")
            .identification_and_password()
            .stage("authenticator_validate", "duo-validates", validates)
            .stage("user_login", "duo-logs-in", json!({})),
    );
    window.logs_in(alice).await?;
    window.opens_flow("duo-setup").await?;
    window.sees("form:has([name=component]) button").await?;
    axe_everywhere(window).await?;
    duo.enrolled("success");
    window.presses().await?;
    window.is_logged_in(alice).await?;
    window.logs_out().await?;
    window.opens_flow("duo-login").await?;
    window.names(alice).await?;
    window.proves(alice).await?;
    window.sees(ASKS).await?;
    axe_everywhere(window).await
}

async fn waits_and_goes_on(
    server: &TestServer,
    window: &Window,
    runs_scripts: bool,
) -> WebDriverResult<()> {
    let duo = Duo::start(server.canaries()).await;
    let alice = server.person();
    window.runs_scripts(runs_scripts).await?;
    comes_to_the_push(server, window, &duo, &alice).await?;
    // It is told at once that the telephone was asked, while the answer is still out.
    let button = window.sees(ASKS).await?;
    let (clicked, ()) = tokio::join!(button.click(), duo.has_pushed(1));
    clicked?;
    window.sees("main [role=status]").await?;
    if runs_scripts {
        axe_everywhere(window).await?;
    } else {
        // The page looks again all the time, and would be gone before one has looked at it.
        window.execute("window.stop()", Vec::new()).await?;
        axe_everywhere(window).await?;
        window.refresh().await?;
    }
    duo.approves();
    window.is_logged_in(&alice).await?;
    assert_eq!(duo.pushes().len(), 1);
    Ok(())
}

#[test]
fn a_push_is_waited_for_and_lets_in() {
    with_window(async |server, window| waits_and_goes_on(server, window, true).await);
}

#[test]
fn a_push_is_waited_for_and_lets_in_without_javascript() {
    with_window(async |server, window| waits_and_goes_on(server, window, false).await);
}

#[test]
fn a_push_that_is_refused_says_so() {
    with_window(async |server, window| {
        let duo = Duo::start(server.canaries()).await;
        let alice = server.person();
        comes_to_the_push(server, window, &duo, &alice).await?;
        let button = window.sees(ASKS).await?;
        let (clicked, ()) = tokio::join!(button.click(), async {
            duo.has_pushed(1).await;
            duo.is_asked().await;
            duo.denies();
        });
        clicked?;
        window.sees("[role=alert]").await?;
        axe_everywhere(window).await
    });
}
