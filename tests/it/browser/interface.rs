//! authentik's own interface, kept: what stands in for it runs under the policy of its page.

use thirtyfour::prelude::*;

use super::{Window, with_browsers};
use crate::support::{LOGIN, Options, stand_in};

/// Types into the only field, which is where the page alone reaches, and sends it.
async fn answers(window: &Window, component: &str, text: &str) -> WebDriverResult<()> {
    window
        .sees(&format!("ak-flow-executor[data-component={component}]"))
        .await?;
    let type_it = "const root = document.querySelector('ak-flow-executor').shadowRoot;
        root.querySelector('input').value = arguments[0];
        root.querySelector('form').requestSubmit();";
    window.execute(type_it, vec![text.into()]).await?;
    Ok(())
}

#[test]
fn what_stands_in_for_authentiks_interface_logs_in_and_tells_the_other_tab() {
    let folder = stand_in();
    let path = folder.path().display().to_string();
    let options = Options::default().with("GATELOG_WEB_DIST", &path);
    with_browsers(options, async |server, browsers| {
        let window = browsers.open().await?;
        for source in ["'nonce-", "'unsafe-inline'", "data:", "blob:"] {
            window.may_allow(source);
        }
        // Before the first challenge there is no session that could be listened to.
        window.expects("/ws/client/");
        let alice = server.person();
        let flow = format!("/if/flow/{LOGIN}/?next=%2F");
        let first = window.window().await?;
        window.opens(&flow).await?;
        window.sees("ak-flow-executor[data-listens=yes]").await?;
        let style = "const root = document.querySelector('ak-flow-executor').shadowRoot;
            return getComputedStyle(root.querySelector('input')).color";
        let colour: String = window.execute(style, Vec::new()).await?.convert()?;
        assert_eq!(colour, "rgb(1, 2, 3)");

        let second = window.new_tab().await?;
        window.switch_to_window(second).await?;
        window.opens(&flow).await?;
        answers(&window, "ak-stage-identification", &alice.username).await?;
        answers(&window, "ak-stage-password", &alice.password).await?;
        window.is_logged_in(&alice).await?;
        window.switch_to_window(first).await?;
        window
            .sees("ak-flow-executor[data-heard='session.authenticated']")
            .await?;
        Ok(())
    });
}
