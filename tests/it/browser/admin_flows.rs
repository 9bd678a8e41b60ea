//! An operator makes a flow in the console by clicking, and nothing that they type is lost.

use thirtyfour::prelude::*;

use super::{Window, axe_everywhere, with_browsers};
use crate::support::Options;

/// A part of the console.
const FLOWS: &str = "/if/admin/flows";

/// Presses the button or link of this name, in front of everything else.
async fn presses(window: &Window, name: &str) -> WebDriverResult<()> {
    let inside = "(//dialog[@open])[last()]";
    let named =
        format!("*[self::button or self::a][normalize-space()={name:?} or strong={name:?}]");
    let path = if window.find(By::XPath(inside)).await.is_ok() {
        format!("{inside}//{named}")
    } else {
        format!("//{named}")
    };
    let patience = std::time::Duration::from_secs(30);
    let between = std::time::Duration::from_millis(50);
    let found = window.query(By::XPath(path)).wait(patience, between);
    found.and_clickable().first().await?.click().await
}

/// What the focus is on.
async fn focused(window: &Window) -> WebDriverResult<String> {
    window.active_element().await?.text().await
}

/// Adds a stage of this kind to the flow that is shown.
async fn adds(window: &Window, kind: &str, name: &str) -> WebDriverResult<()> {
    presses(window, "Add a new stage").await?;
    presses(window, kind).await?;
    window.types("name", name).await?;
    presses(window, "Create and add").await?;
    window.shows(".steps", name).await
}

async fn fills_new_flow(window: &Window, name: &str, slug: &str) -> WebDriverResult<()> {
    window.opens(FLOWS).await?;
    presses(window, "New flow").await?;
    window.types("name", name).await?;
    window.types("title", "Come in").await?;
    window.types("slug", slug).await?;
    window
        .clicks("select[name=designation] option[value=authentication]")
        .await
}

#[test]
fn an_operator_makes_a_flow_by_clicking_and_somebody_goes_through_it() {
    with_browsers(Options::default(), async |server, browsers| {
        let window = browsers.open().await?;
        window.logs_in(&server.administrator.clone()).await?;
        window.opens(FLOWS).await?;
        window.shows("tbody", "default-authentication-flow").await?;
        axe_everywhere(&window).await?;

        fills_new_flow(&window, "A new door", "a-new-door").await?;
        axe_everywhere(&window).await?;
        presses(&window, "Create the flow").await?;
        window.arrives("/if/admin/flows/a-new-door/stages").await?;
        window.shows("h1", "A new door").await?;
        assert_eq!(focused(&window).await?, "A new door");

        adds(&window, "Identification Stage", "door-who").await?;
        adds(&window, "User Login Stage", "door-in").await?;
        adds(&window, "Password Stage", "door-password").await?;
        axe_everywhere(&window).await?;
        // The password comes before the login.
        window
            .clicks("[aria-label='Move door-password up']")
            .await?;
        window
            .shows(".steps li:nth-child(2)", "door-password")
            .await?;

        window.opens("/if/admin/flows/a-new-door").await?;
        window.shows(".diagram", "door-password").await?;
        window.shows(".diagram .end", "Done: log in").await?;
        axe_everywhere(&window).await?;

        let visitor = browsers.open().await?;
        let alice = server.person();
        visitor.opens_flow("a-new-door").await?;
        visitor.shows("h1", "Come in").await?;
        visitor.names(&alice).await?;
        visitor.proves(&alice).await?;
        visitor.is_logged_in(&alice).await
    });
}

#[test]
fn nothing_is_lost_when_a_save_fails_when_one_leaves_or_when_the_session_ends() {
    with_browsers(Options::default(), async |server, browsers| {
        let window = browsers.open().await?;
        // The browser itself tells of refusals.
        window.expects("status of 400");
        window.expects("status of 403");
        window.logs_in(&server.administrator.clone()).await?;

        let taken = "default-authentication-flow";
        fills_new_flow(&window, "Another door", taken).await?;
        presses(&window, "Create the flow").await?;
        window
            .shows("form [role=alert]", "This was not saved")
            .await?;
        assert!(focused(&window).await?.contains("This was not saved"));
        let slug = window.sees("[name=slug]").await?;
        assert_eq!(slug.attr("aria-invalid").await?.as_deref(), Some("true"));
        assert_eq!(slug.value().await?.as_deref(), Some(taken));
        axe_everywhere(&window).await?;

        presses(&window, "Policies").await?;
        window.shows("dialog h2", "Leave without saving?").await?;
        presses(&window, "Cancel").await?;
        let name = window.sees("[name=name]").await?;
        assert_eq!(name.value().await?.as_deref(), Some("Another door"));

        window.types("slug", "another-door").await?;
        let session = window.get_named_cookie("authentik_session").await?;
        window.delete_cookie("authentik_session").await?;
        presses(&window, "Create the flow").await?;
        window.shows("dialog h2", "Your session has ended").await?;
        window.add_cookie(session).await?;
        presses(&window, "I have logged in").await?;
        presses(&window, "Create the flow").await?;
        window.arrives("/if/admin/flows/another-door/stages").await
    });
}

#[test]
fn an_operator_writes_a_policy_asks_it_binds_it_and_sees_what_goes_with_it() {
    with_browsers(Options::default(), async |server, browsers| {
        let window = browsers.open().await?;
        window.logs_in(&server.administrator.clone()).await?;
        window.opens("/if/admin/policies/new").await?;
        presses(&window, "Expression Policy").await?;
        window.types("name", "never").await?;
        let written = "if request.user:\nak_message(\"Not you.\")\nreturn False";
        window.types("expression", written).await?;
        presses(&window, "Create Expression Policy").await?;
        window.shows("h1", "never").await?;
        // The editor indents below a colon.
        let expression = window.sees("[name=expression]").await?;
        let kept = "if request.user:\n    ak_message(\"Not you.\")\n    return False";
        assert_eq!(expression.value().await?.as_deref(), Some(kept));

        presses(&window, "Test").await?;
        window
            .sees("input[role=combobox]")
            .await?
            .send_keys("akadmin")
            .await?;
        window.clicks("[role=option]").await?;
        presses(&window, "Ask the policy").await?;
        window.shows("h3", "The policy says no").await?;
        window.shows("main", "Not you.").await?;
        axe_everywhere(&window).await?;

        window
            .opens("/if/admin/flows/default-user-settings-flow/policies")
            .await?;
        presses(&window, "Bind something").await?;
        window
            .sees("dialog input[role=combobox]")
            .await?
            .send_keys("never")
            .await?;
        window.clicks("dialog [role=option]").await?;
        axe_everywhere(&window).await?;
        presses(&window, "Bind").await?;
        window.shows(".steps", "never").await?;

        window.opens("/if/admin/policies?search=never").await?;
        window.clicks("[aria-label='Delete never']").await?;
        window.shows("dialog", "is deleted as well").await?;
        axe_everywhere(&window).await?;
        presses(&window, "Delete").await?;
        window.shows(".list", "Nothing fits").await
    });
}
