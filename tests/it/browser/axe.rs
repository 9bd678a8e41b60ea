//! axe-core looks at a page for what keeps people from using it. `.ci/test` installs it.

use std::fmt::Write as _;

use serde_json::Value;
use thirtyfour::prelude::*;

use super::Window;
use super::look::{Light, NARROW, WIDE};
use crate::support::{installed, skip};

/// Runs with everything that axe knows, best practices included, and says what it found. A page that
/// waits looks again by itself, and has no other way where it does without scripts.
const RUN: &str = "const [runs, done] = arguments;
    const has_script = runs && document.querySelector('script[src*=\"/flow.js\"]');
    const rules = has_script ? {} : { 'meta-refresh': { enabled: false } };
    window.axe.run(document, { resultTypes: ['violations'], rules })
        .then(it => done(it.violations.map(one => ({
            id: one.id, help: one.help, impact: one.impact,
            nodes: one.nodes.map(node => ({ html: node.html, why: node.failureSummary })),
        }))))
        .catch(error => done(String(error)));";

/// Looks at the page as it is now. Nothing is looked at where axe is not installed.
pub(crate) async fn axe(window: &Window) -> WebDriverResult<()> {
    let Ok(script) = std::fs::read_to_string(installed("node/node_modules/axe-core/axe.min.js"))
    else {
        skip("axe-core");
        return Ok(());
    };
    let has_scripts = window.has_scripts();
    if !has_scripts {
        window.allows_scripts(true).await?;
    }
    let is_there = window.execute("return !!window.axe", Vec::new()).await?;
    if !is_there.convert::<bool>()? {
        window.execute(script, Vec::new()).await?;
    }
    let found: Value = window
        .execute_async(RUN, vec![has_scripts.into()])
        .await?
        .convert()?;
    if !has_scripts {
        window.allows_scripts(false).await?;
    }
    let at = window.path().await?;
    let violations = found.as_array().expect("axe runs through");
    assert!(violations.is_empty(), "at {at}:{}", readable(violations));
    Ok(())
}

/// Looks at the page in light and dark, wide and as narrow as it has to be usable, where nothing
/// may have to be scrolled to sideways. Without scripts the page has the same colours, so it is looked
/// at once.
pub(crate) async fn axe_everywhere(window: &Window) -> WebDriverResult<()> {
    if !window.has_scripts() {
        window.is_wide(NARROW).await?;
        window.fits().await?;
        axe(window).await?;
        return window.is_wide(WIDE).await;
    }
    for light in [Light::Light, Light::Dark] {
        window.is_in(light).await?;
        window.is_wide(WIDE).await?;
        axe(window).await?;
    }
    window.is_wide(NARROW).await?;
    window.fits().await?;
    axe(window).await?;
    window.is_wide(WIDE).await?;
    window.is_in(Light::Light).await
}

fn readable(violations: &[Value]) -> String {
    let mut text = String::new();
    for it in violations {
        let line = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
        let (id, help, impact) = (line("id"), line("help"), line("impact"));
        write!(text, "\n{id} ({impact}): {help}").expect("a string takes any text");
        for node in it["nodes"].as_array().into_iter().flatten() {
            let of = |key: &str| {
                node[key]
                    .as_str()
                    .unwrap_or_default()
                    .replace('\n', "\n      ")
            };
            let (html, why) = (of("html"), of("why"));
            write!(text, "\n    {html}\n      {why}").expect("a string takes any text");
        }
    }
    text
}
