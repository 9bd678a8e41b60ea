//! Two tabs, going back, and reloading, at every step of a login.

use serde_json::json;
use thirtyfour::prelude::*;

use super::{Window, with_window};
use crate::support::{Flow, Person, TestServer};

/// A login of three questions behind the name.
fn has_flow(server: &TestServer) {
    let login = json!({ "remember_me_offset": "days=7" });
    server.has_flow(
        &Flow::new("long")
            .identification_and_password()
            .dummy("long-notice")
            .stage("user_login", "long-login", login),
    );
}

/// What the page of each step has, and nothing else.
const STEPS: [&str; 4] = [
    "input[name=uid_field]",
    "input[name=password]",
    "input[name=component][value=ak-stage-dummy]",
    "button[name=remember_me]",
];

async fn is_at(window: &Window, step: usize) -> WebDriverResult<()> {
    let found = window.query(By::Css(STEPS[step])).wait(
        std::time::Duration::from_secs(30),
        std::time::Duration::from_millis(50),
    );
    // Some of them are not to be seen.
    found.first().await.map(drop)
}

async fn goes_on(window: &Window, step: usize, alice: &Person) -> WebDriverResult<()> {
    is_at(window, step).await?;
    match step {
        0 => window.names(alice).await,
        1 => window.proves(alice).await,
        2 => window.presses().await,
        _ => window.clicks("button[name=remember_me][value=false]").await,
    }
}

async fn reloads_and_goes_back(
    server: &TestServer,
    window: &Window,
    runs_scripts: bool,
) -> WebDriverResult<()> {
    has_flow(server);
    window.runs_scripts(runs_scripts).await?;
    let alice = server.person();
    window.opens_flow("long").await?;
    for step in 0..STEPS.len() {
        is_at(window, step).await?;
        window.refresh().await?;
        is_at(window, step).await?;
        window.refresh().await?;
        if step > 0 {
            // Whatever the browser shows of the former step, the server knows where one is.
            window.back().await?;
            window.opens_flow("long").await?;
        }
        goes_on(window, step, &alice).await?;
    }
    window.is_logged_in(&alice).await?;
    // Going back from behind the end begins nothing anew, and breaks nothing.
    window.back().await?;
    window.opens("/").await?;
    window.is_logged_in(&alice).await
}

#[test]
fn a_login_survives_reloading_and_going_back_at_every_step() {
    with_window(async |server, window| reloads_and_goes_back(server, window, true).await);
}

#[test]
fn a_login_survives_reloading_and_going_back_at_every_step_without_javascript() {
    with_window(async |server, window| reloads_and_goes_back(server, window, false).await);
}

#[test]
fn a_late_form_of_one_tab_shows_where_the_other_has_got_to() {
    with_window(async |server, window| {
        has_flow(server);
        let alice = server.person();
        let first = window.window().await?;
        window.opens_flow("long").await?;
        is_at(window, 0).await?;
        let second = window.new_tab().await?;
        window.switch_to_window(second.clone()).await?;
        window.opens_flow("long").await?;
        // The tabs take turns: each answers what the other has already left behind.
        for (step, shown) in STEPS.iter().enumerate() {
            window.switch_to_window(second.clone()).await?;
            window.opens_flow("long").await?;
            goes_on(window, step, &alice).await?;
            if step + 1 < STEPS.len() {
                is_at(window, step + 1).await?;
                window.switch_to_window(first.clone()).await?;
                // A page that runs scripts may have moved on by itself.
                if window.find(By::Css(*shown)).await.is_ok() {
                    goes_on(window, step, &alice).await?;
                }
                is_at(window, step + 1).await?;
            }
        }
        window.is_logged_in(&alice).await?;
        window.switch_to_window(first).await?;
        window.opens("/").await?;
        window.is_logged_in(&alice).await
    });
}

#[test]
fn two_tabs_on_two_flows_do_not_disturb_each_other() {
    with_window(async |server, window| {
        has_flow(server);
        let alice = server.person();
        let first = window.window().await?;
        window.opens_flow("long").await?;
        window.names(&alice).await?;
        is_at(window, 1).await?;
        let second = window.new_tab().await?;
        window.switch_to_window(second).await?;
        window.opens("/").await?;
        window.sees("input[name=uid_field]").await?;
        window.switch_to_window(first).await?;
        for step in 1..STEPS.len() {
            goes_on(window, step, &alice).await?;
        }
        window.is_logged_in(&alice).await
    });
}
