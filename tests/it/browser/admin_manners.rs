//! How the console behaves: it offers what may be done, and says when it does not know how things are.

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use super::look::Light;
use super::{Window, axe_everywhere, with_browsers};
use crate::support::Options;

/// Calls the API as whoever is logged in there.
async fn calls(window: &Window, method: &str, path: &str, body: Value) -> WebDriverResult<Value> {
    let script = "const [method, path, body, done] = arguments;
        const csrf = document.cookie.split('; ').find(it => it.startsWith('authentik_csrf='));
        const token = decodeURIComponent(csrf.slice('authentik_csrf='.length));
        const headers = { 'Content-Type': 'application/json', 'X-authentik-CSRF': token };
        const sent = method === 'GET' ? undefined : JSON.stringify(body);
        fetch('/api/v3' + path, { method, headers, body: sent })
            .then(answer => answer.text()).then(text => done(text ? JSON.parse(text) : null));";
    let given = vec![json!(method), json!(path), body];
    window.execute_async(script, given).await?.convert()
}

async fn opens(window: &Window, path: &str, title: &str) -> WebDriverResult<()> {
    window.opens(&format!("/if/admin{path}")).await?;
    window.shows("h1", title).await?;
    window.sees("main:not([aria-busy])").await?;
    Ok(())
}

#[test]
fn whoever_may_only_look_at_flows_is_offered_nothing_else() {
    with_browsers(Options::default(), async |server, browsers| {
        let person = server.person();
        let admin = browsers.open().await?;
        admin.logs_in(&server.administrator.clone()).await?;
        opens(&admin, "/flows", "Flows").await?;
        let role = json!({ "name": "readers" });
        let role = calls(&admin, "POST", "/rbac/roles/", role).await?;
        let role = role["pk"].as_str().expect("a key").to_owned();
        let found = format!("/core/users/?username={}", person.username);
        let found = calls(&admin, "GET", &found, Value::Null).await?;
        let member = json!({ "pk": found["results"][0]["pk"] });
        let path = format!("/rbac/roles/{role}/add_user/");
        calls(&admin, "POST", &path, member).await?;
        let seen = json!({ "permissions": ["authentik_flows.view_flow"] });
        let path = format!("/rbac/permissions/assigned_by_roles/{role}/assign/");
        calls(&admin, "POST", &path, seen).await?;

        let reader = browsers.open().await?;
        reader.logs_in(&person).await?;
        opens(&reader, "/flows", "Flows").await?;
        reader
            .shows("main table", "default-authentication-flow")
            .await?;
        let offered =
            "return [...document.querySelectorAll('#navigation a, main button, main .button')]
            .map(it => it.textContent.trim()).filter(Boolean);";
        let offered: Vec<String> = reader.execute(offered, Vec::new()).await?.convert()?;
        for hidden in [
            "Users",
            "Executions",
            "System health",
            "New flow",
            "Edit",
            "Delete",
            "Import",
        ] {
            assert!(
                !offered.iter().any(|it| it == hidden),
                "{hidden}: {offered:?}"
            );
        }
        assert!(offered.iter().any(|it| it == "Flows"), "{offered:?}");
        // A page that is not for them is told as such, and not to be tried again.
        reader.expects("/core/users/");
        opens(&reader, "/users", "Users").await?;
        let said = reader.sees("main [role=alert]").await?.text().await?;
        assert!(said.contains("permission"), "{said}");
        assert!(
            reader
                .find_all(By::XPath("//main//button[.='Try again']"))
                .await?
                .is_empty()
        );
        // A superuser is offered all of it.
        opens(&admin, "/flows", "Flows").await?;
        admin.shows("main table", "Delete").await?;
        admin.shows("#navigation", "System health").await
    });
}

#[test]
fn what_is_old_is_called_so_and_one_is_told_when_nothing_was_done() {
    with_browsers(Options::default(), async |server, browsers| {
        let window = browsers.open().await?;
        window.logs_in(&server.administrator.clone()).await?;
        opens(&window, "/health", "System health").await?;
        window.shows("main", "Last record").await?;
        window.expects("ERR_BLOCKED_BY_CLIENT");
        window.expects("ERR_INTERNET_DISCONNECTED");
        let away = |is_away: bool| json!({ "offline": is_away, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        window.commands("Network.enable", json!({})).await?;
        let condition = "Network.emulateNetworkConditions";
        window.commands(condition, away(true)).await?;
        window.clicks("main .buttons button").await?;
        window.shows("main [role=alert]", "as of").await?;
        window.sees("main .stale").await?;
        axe_everywhere(&window).await?;
        window.commands(condition, away(false)).await?;
        window.clicks("main .buttons button").await?;
        window.sees("main div:not(.stale) > .page").await?;

        // The same run is not gone on with: a change of the flow is seen.
        opens(&window, "/flows/default-authentication-flow", "Log in").await?;
        let run = window.sees("main a.primary[target]").await?;
        let one = run.attr("href").await?.unwrap_or_default();
        assert!(one.contains("&run="), "{one}");
        // What a button wanted to do and could not is said.
        window.commands(condition, away(true)).await?;
        let path = "//main//button[.='Run as yourself']";
        window.find(By::XPath(path)).await?.click().await?;
        window.shows("#said", "cannot be reached").await?;
        window.commands(condition, away(false)).await?;
        Ok(())
    });
}

#[test]
fn all_sessions_end_also_where_the_own_one_is_among_them() {
    with_browsers(Options::default(), async |server, browsers| {
        let akadmin = server.administrator.clone();
        let window = browsers.open().await?;
        window.logs_in(&akadmin).await?;
        let others = [browsers.open().await?, browsers.open().await?];
        for other in &others {
            other.logs_in(&akadmin).await?;
        }
        opens(&window, "/users", "Users").await?;
        window.clicks("main tbody th a").await?;
        window.shows("h1", "akadmin").await?;
        window.clicks(".tabs a[href$='/sessions']").await?;
        window.shows("main table", "this one").await?;
        window.expects("Failed to load resource");
        let end = window
            .find(By::XPath("//main//button[.='End all']"))
            .await?;
        end.click().await?;
        window.clicks("dialog .buttons .danger").await?;
        window.shows("dialog", "Your session has ended").await?;
        for other in &others {
            other.opens("/if/user/").await?;
            other.sees("[name=uid_field]").await?;
        }
        Ok(())
    });
}

#[test]
fn colours_of_a_brand_count_in_light_and_in_dark() {
    with_browsers(Options::default(), async |server, browsers| {
        let window = browsers.open().await?;
        window.logs_in(&server.administrator.clone()).await?;
        opens(&window, "/brands", "Brands").await?;
        let found = calls(&window, "GET", "/core/brands/", Value::Null).await?;
        let key = found["results"][0]["brand_uuid"].as_str().expect("a key");
        let style = ":root { --accent: #0a6b4f; } \
             @media (prefers-color-scheme: dark) { :root { --accent: #6fd6b4; } }";
        let style = json!({ "branding_custom_css": style });
        calls(&window, "PATCH", &format!("/core/brands/{key}/"), style).await?;
        let visitor = browsers.open().await?;
        for (light, accent) in [(Light::Light, "#0a6b4f"), (Light::Dark, "#6fd6b4")] {
            visitor.is_in(light).await?;
            visitor.opens("/").await?;
            visitor.sees("[name=uid_field]").await?;
            let look = "return getComputedStyle(document.documentElement)
                .getPropertyValue('--accent').trim();";
            let shown: String = visitor.execute(look, Vec::new()).await?.convert()?;
            assert_eq!(shown, accent, "{light:?}");
        }
        Ok(())
    });
}
