//! What the login page weighs, and how soon it can be used.

use serde_json::Value;

use super::with_window;
use crate::support::LOGIN;

/// The most bytes over the wire, headers included.
const HEAVIEST: u64 = 60 * 1024;

/// The most requests.
const MOST: usize = 6;

/// What the browser measured of the page and of everything that it asked for.
const MEASURE: &str = "const done = arguments[arguments.length - 1];
    const measure = () => {
        const [page] = performance.getEntriesByType('navigation');
        const paint = performance.getEntriesByName('first-contentful-paint')[0];
        const rest = performance.getEntriesByType('resource');
        done({
            page: page.transferSize,
            rest: rest.map(it => ({ name: it.name, bytes: it.transferSize })),
            icon: document.querySelector('link[rel=icon]').href,
            usable: Math.max(page.domContentLoadedEventEnd, paint ? paint.startTime : 0),
        });
    };
    if (document.readyState === 'complete') measure(); else addEventListener('load', measure);";

fn bytes(measured: &Value) -> u64 {
    let rest = measured["rest"].as_array().into_iter().flatten();
    let rest: u64 = rest.filter_map(|it| it["bytes"].as_u64()).sum();
    measured["page"].as_u64().unwrap_or_default() + rest
}

#[test]
#[expect(
    clippy::print_stderr,
    reason = "the figures are for docs/performance.md"
)]
fn the_login_page_is_light_and_all_but_the_document_is_kept() {
    with_window(async |server, window| {
        let page = format!("/if/flow/{LOGIN}/");
        window.opens(&page).await?;
        window.sees("input[name=uid_field]").await?;
        let cold: Value = window.execute_async(MEASURE, Vec::new()).await?.convert()?;
        // A browser does not always count the icon of the tab among what the page asked for.
        let rest = cold["rest"].as_array().expect("a list");
        let mut requests = rest.len() + 1;
        let mut all = bytes(&cold);
        if !rest.iter().any(|it| it["name"] == cold["icon"]) {
            let icon = cold["icon"].as_str().unwrap_or_default();
            let icon = server.visitor().gets(&icon[server.base().len()..]).await;
            let length: u64 = icon.header("content-length").parse().expect("a length");
            requests += 1;
            all += length + 300;
        }
        eprintln!(
            "the login page: {requests} requests, {all} bytes, usable after {:.0} ms; {cold:#}",
            cold["usable"].as_f64().unwrap_or_default()
        );
        assert!(requests <= MOST, "{requests} requests: {cold:#}");
        assert!(all <= HEAVIEST, "{all} bytes: {cold:#}");

        window.opens(&page).await?;
        window.sees("input[name=uid_field]").await?;
        let warm: Value = window.execute_async(MEASURE, Vec::new()).await?.convert()?;
        for it in warm["rest"].as_array().into_iter().flatten() {
            assert_eq!(it["bytes"], 0, "it is asked for again: {it}");
        }
        eprintln!(
            "again: {} bytes, usable after {:.0} ms",
            bytes(&warm),
            warm["usable"].as_f64().unwrap_or_default()
        );
        Ok(())
    });
}
