//! An operator looks after people, and after what happened to them.

use serde_json::json;
use thirtyfour::prelude::*;

use super::{Window, axe_everywhere, with_browsers};
use crate::support::{Flow, Options, Person};

/// Opens a page of the console, and waits until it is all there.
async fn opens(window: &Window, path: &str, title: &str) -> WebDriverResult<()> {
    window.opens(&format!("/if/admin{path}")).await?;
    window.shows("h1", title).await?;
    window.sees("main:not([aria-busy])").await?;
    Ok(())
}

/// Clicks on the button or the link with this text.
async fn presses(window: &Window, text: &str) -> WebDriverResult<()> {
    let path = format!("//main//*[self::button or self::a][normalize-space()='{text}']");
    let found = window.query(By::XPath(path)).first().await?;
    found.click().await
}

/// Chooses in a field with suggestions.
async fn chooses(window: &Window, label: &str, text: &str) -> WebDriverResult<()> {
    let path = format!("//input[@id=//label[starts-with(normalize-space(),'{label}')]/@for]");
    let field = window.query(By::XPath(path)).first().await?;
    field.send_keys(text).await?;
    window.sees("[role=option]").await?.click().await
}

#[test]
fn an_operator_makes_a_user_invites_somebody_and_looks_at_both() {
    with_browsers(Options::default(), async |server, browsers| {
        server
            .gatelog(&["blueprint", "enable", "invitation"])
            .succeeds();
        let window = browsers.open().await?;
        window.logs_in(&server.administrator.clone()).await?;
        let ann = Person::new(server.canaries());
        opens(&window, "/users", "Users").await?;
        window.shows("main table", "akadmin").await?;
        axe_everywhere(&window).await?;
        presses(&window, "New user").await?;
        window.types("username", &ann.username).await?;
        window.types("name", &ann.name).await?;
        // It is said at the field, and nothing is lost.
        window.expects("/core/users/ - Failed to load resource");
        window.types("email", "no address").await?;
        presses(&window, "Create").await?;
        window.sees("[name=email][aria-invalid=true]").await?;
        axe_everywhere(&window).await?;
        window.types("email", &ann.mail).await?;
        presses(&window, "Create").await?;
        window.shows("h1", &ann.username).await?;
        presses(&window, "Set password").await?;
        window.types("password", &ann.password).await?;
        axe_everywhere(&window).await?;
        window.clicks("dialog button[type=submit]").await?;
        window.shows("#said", "The password was set.").await?;
        browsers.open().await?.logs_in(&ann).await?;

        opens(&window, "/groups/new", "New group").await?;
        window.types("name", "crew").await?;
        presses(&window, "Create").await?;
        window.shows("h1", "crew").await?;
        chooses(&window, "Put somebody in", &ann.username).await?;
        presses(&window, "Add").await?;
        window.shows("main table", &ann.name).await?;
        axe_everywhere(&window).await?;

        opens(&window, "/invitations/new", "New invitation").await?;
        window.types("name", "friends").await?;
        chooses(&window, "Flow", "nvit").await?;
        presses(&window, "Create").await?;
        let link = window.sees("dialog input[readonly]").await?;
        let link = link.prop("value").await?.unwrap_or_default();
        assert!(link.contains("/if/flow/"), "{link}");
        axe_everywhere(&window).await?;
        let guest = browsers.open().await?;
        guest.goto(&link).await?;
        guest.sees("[autocomplete=new-password]").await?;
        window.clicks("dialog .head button").await?;
        window.shows("main table", "friends").await
    });
}

#[test]
fn an_operator_finds_what_happened_by_the_code_that_somebody_was_shown() {
    with_browsers(Options::default(), async |server, browsers| {
        let denies = json!({ "deny_message": "Not today" });
        server.has_flow(&Flow::new("refusing").stage("deny", "no-way", denies));
        let visitor = browsers.open().await?;
        visitor.opens_flow("refusing").await?;
        let code = visitor.sees("main .code").await?.text().await?;
        let operator = browsers.open().await?;
        operator.logs_in(&server.administrator.clone()).await?;
        opens(&operator, "/executions", "Executions").await?;
        operator.shows("main table", "refusing").await?;
        operator.shows(".live.on", "Live").await?;
        axe_everywhere(&operator).await?;
        // It shows up by itself.
        let other = browsers.open().await?;
        other.opens("/").await?;
        other.sees("[name=uid_field]").await?;
        operator
            .shows("main tbody tr:first-child", "Running")
            .await?;
        operator.clicks(".filter input[type=search]").await?;
        let search = operator.sees(".filter input[type=search]").await?;
        search.send_keys(code.to_lowercase()).await?;
        operator.arrives("/if/admin/executions?search=").await?;
        operator.shows("main tbody tr:only-child", &code).await?;
        operator.clicks("main tbody a.code").await?;
        operator.shows("h1", &code).await?;
        operator.shows(".timeline", "Not today").await?;
        axe_everywhere(&operator).await?;
        presses(&operator, "Verify").await?;
        operator.shows("dialog", "the same events").await?;
        axe_everywhere(&operator).await
    });
}

#[test]
fn an_operator_sees_what_a_blueprint_would_change_before_it_does() {
    with_browsers(Options::default(), async |server, browsers| {
        let window = browsers.open().await?;
        window.logs_in(&server.administrator.clone()).await?;
        opens(&window, "/blueprints/import", "Import a blueprint").await?;
        let flow = "{version: 1, entries: [{model: authentik_flows.flow, identifiers: {slug: made}, \
                    attrs: {name: Made, title: Made, designation: authorization}}]}";
        window.types("blueprint", flow).await?;
        window.types("blueprint-name", "made").await?;
        presses(&window, "Show what would change").await?;
        window.shows(".diff", "made").await?;
        axe_everywhere(&window).await?;
        presses(&window, "Apply these changes").await?;
        window.shows("main", "It was applied").await?;
        opens(&window, "/flows/made", "Made").await
    });
}

#[test]
fn every_page_of_the_console_is_usable_by_everybody() {
    with_browsers(Options::default(), async |server, browsers| {
        let window = browsers.open().await?;
        window.logs_in(&server.administrator.clone()).await?;
        for (path, title) in [
            ("/users/new-service", "New service account"),
            ("/groups", "Groups"),
            ("/roles", "Roles"),
            ("/roles/new", "New role"),
            ("/invitations", "Invitations"),
            ("/tokens", "Tokens"),
            ("/tokens/new", "New token"),
            ("/brands", "Brands"),
            ("/brands/new", "New brand"),
            ("/blueprints", "Blueprints"),
            ("/events", "Events"),
            ("/health", "System health"),
        ] {
            opens(&window, path, title).await?;
            window.sees("main section").await?;
            axe_everywhere(&window).await?;
        }
        opens(&window, "/users", "Users").await?;
        window.clicks("main tbody th a").await?;
        window.shows("h1", "akadmin").await?;
        for part in [
            "edit",
            "devices",
            "sessions",
            "tokens",
            "executions",
            "events",
            "history",
        ] {
            window.clicks(&format!(".tabs a[href$='/{part}']")).await?;
            window.arrives("/if/admin/users/").await?;
            window
                .sees(&format!(".tabs a[href$='/{part}'][aria-current=page]"))
                .await?;
            window.sees("main:not([aria-busy]) section").await?;
            axe_everywhere(&window).await?;
        }
        Ok(())
    });
}
