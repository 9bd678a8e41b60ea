//! Somebody looks after what is theirs.

use serde_json::json;
use thirtyfour::prelude::*;

use super::{Window, axe_everywhere, with_browsers, with_window};
use crate::support::{App, Flow, Options, Person, TestServer, random};

async fn sets_up_app(server: &TestServer, window: &Window) -> WebDriverResult<()> {
    let offer = By::LinkText("Authenticator app");
    window.find(offer).await?.click().await?;
    window.sees("input[name=code]").await?;
    let link = window.find(By::Css("a[href^='otpauth://']")).await?;
    let address = link.attr("href").await?.expect("an address");
    let app = App::of(&address, server.canaries());
    window.types("code", &app.code(0)).await?;
    window.presses().await?;
    window.arrives("/if/user/devices/").await
}

async fn corrects_name(server: &TestServer, window: &Window) -> WebDriverResult<()> {
    window.types("name", "").await?;
    window.clicks("main button[type=submit]").await?;
    window.sees("input[name=name][aria-invalid=true]").await?;
    axe_everywhere(window).await?;
    let name = format!("Name {}", random(16));
    server.canaries().personal("a name", &name);
    window.types("name", &name).await?;
    window.clicks("main button[type=submit]").await?;
    window.shows("[role=status]", "saved").await?;
    window.shows("header", &name).await
}

async fn looks_after_devices(server: &TestServer, window: &Window) -> WebDriverResult<()> {
    window.clicks("nav a[href='/if/user/devices/']").await?;
    window.sees(".offers").await?;
    axe_everywhere(window).await?;
    sets_up_app(server, window).await?;
    window.sees(".item").await?;
    axe_everywhere(window).await?;
    window.clicks(".item .acts a:first-child").await?;
    window.types("name", "My phone").await?;
    axe_everywhere(window).await?;
    window.clicks("main button[type=submit]").await?;
    window.shows(".item h2", "My phone").await?;
    window.clicks(".item .acts a:last-child").await?;
    window.shows(".alert", "only second factor").await?;
    axe_everywhere(window).await?;
    window.clicks("main button[type=submit]").await?;
    window.sees(".empty").await?;
    Ok(())
}

#[test]
fn somebody_corrects_their_name_and_looks_after_their_devices() {
    with_window(async |server, window| {
        let ann = server.person();
        window.logs_in(&ann).await?;
        window.opens("/if/user/").await?;
        window.shows("main", &ann.username).await?;
        axe_everywhere(window).await?;
        corrects_name(server, window).await?;
        looks_after_devices(server, window).await?;
        window.clicks("nav a[href='/if/user/password/']").await?;
        window.sees("main a[href*='/flows/-/configure/']").await?;
        axe_everywhere(window).await
    });
}

#[test]
fn a_browser_that_is_logged_out_from_another_has_to_log_in_again() {
    with_browsers(Options::default(), async |server, browsers| {
        let ann: Person = server.person();
        let (here, there) = (browsers.open().await?, browsers.open().await?);
        here.logs_in(&ann).await?;
        there.logs_in(&ann).await?;
        here.opens("/if/user/sessions/").await?;
        here.sees(".badge").await?;
        axe_everywhere(&here).await?;
        here.clicks("form[action$='/end/'] button").await?;
        here.sees("[role=status]").await?;
        there.opens("/if/user/").await?;
        there.sees("input[name=uid_field]").await?;
        here.opens("/if/user/").await?;
        here.shows("main", &ann.username).await
    });
}

#[test]
fn what_an_application_was_allowed_is_taken_back_without_javascript() {
    with_window(async |server, window| {
        let ann = server.person();
        let known = "context['flow_plan'].context.update({
            'application': {'pk': 'wiki', 'name': 'Wiki'},
            'consent_permissions': [{'name': 'Read your mail', 'id': 'mail'}]})
return True";
        let flow = Flow::new("allow")
            .stage("consent", "allow-ask", json!({ "mode": "permanent" }))
            .expression("allow-known", known)
            .asks("allow-ask", "allow-known", json!({}));
        server.has_flow(&flow);
        window.runs_scripts(false).await?;
        window.logs_in(&ann).await?;
        window.opens_flow("allow").await?;
        window.presses().await?;
        window.is_logged_in(&ann).await?;
        window.opens("/if/user/consents/").await?;
        window.shows(".item h2", "wiki").await?;
        axe_everywhere(window).await?;
        window.clicks("form[action$='/revoke/'] button").await?;
        window.sees(".empty").await?;
        Ok(())
    });
}
