//! People in front of a real browser: Chromium, driven through its own driver.
//!
//! Every window is watched: what the browser complains about, what is blocked or asked of a
//! stranger, and a document without a strict policy fail the scenario at its end.
//! The tests are skipped where the driver is not installed.

mod account;
mod admin_data;
mod admin_flows;
mod admin_manners;
mod axe;
mod captcha;
mod components;
mod driver;
mod flow;
mod interface;
mod login;
mod look;
mod own;
mod passkey;
mod pictures;
mod push;
mod recovery;
mod second_factor;
mod tabs;
mod timeline;
mod watch;
mod weight;
mod window;

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use thirtyfour::prelude::*;

pub(crate) use axe::{axe, axe_everywhere};
pub(crate) use window::Window;

use crate::support::{Options, TestServer, skip, with_server_of};
use driver::Driver;

/// Opens browsers, each with cookies of its own, and looks after them at the end.
pub(crate) struct Browsers {
    driver: Driver,
    base: String,
    open: Mutex<Vec<Arc<Window>>>,
}

impl Browsers {
    /// One more browser.
    pub(crate) async fn open(&self) -> WebDriverResult<Arc<Window>> {
        self.open_at(&self.base).await
    }

    /// One more browser, for which the server is at this origin.
    pub(crate) async fn open_at(&self, base: &str) -> WebDriverResult<Arc<Window>> {
        let window = Arc::new(Window::open(&self.driver, base).await?);
        let mut all = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Arc::clone(&window));
        Ok(window)
    }

    fn all(&self) -> Vec<Arc<Window>> {
        let all = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        all.clone()
    }

    /// What is looked at when the scenario is over.
    async fn finish(&self, server: &TestServer) -> WebDriverResult<()> {
        for window in self.all() {
            window.tells_cookies(server).await?;
            let complaints = window.complaints().await?;
            assert!(complaints.is_empty(), "{complaints:#?}");
        }
        Ok(())
    }

    /// Shows where every browser is, for whoever looks for what went wrong.
    #[expect(clippy::print_stderr, reason = "a test that fails shows the pages")]
    async fn show(&self) {
        for window in self.all() {
            let at = window.current_url().await;
            let page = window.source().await.unwrap_or_default();
            eprintln!("--- at {at:?}\n{page}\n---");
            if let Ok(complaints) = window.complaints().await {
                eprintln!("--- complaints {complaints:#?}");
            }
        }
    }
}

/// Runs a scenario with a server and a window.
pub(crate) fn with_window(
    scenario: impl AsyncFnOnce(&mut TestServer, &Window) -> WebDriverResult<()>,
) {
    with_browsers(Options::default(), async |server, browsers| {
        let window = browsers.open().await?;
        scenario(server, &window).await
    });
}

/// Runs a scenario with a server and as many browsers as it opens, closes them whatever happens,
/// and fails on whatever one of them complained about.
pub(crate) fn with_browsers(
    options: Options,
    scenario: impl AsyncFnOnce(&mut TestServer, &Browsers) -> WebDriverResult<()>,
) {
    if let Some(missing) = Driver::missing() {
        skip(missing);
        return;
    }
    with_server_of(options, async |server| {
        let browsers = Browsers {
            driver: Driver::start(),
            base: server.base().to_owned(),
            open: Mutex::default(),
        };
        let whole = async {
            scenario(server, &browsers).await?;
            browsers.finish(server).await
        };
        let outcome = AssertUnwindSafe(whole).catch_unwind().await;
        if !matches!(outcome, Ok(Ok(()))) {
            browsers.show().await;
        }
        for window in browsers.all() {
            window.closes().await;
        }
        match outcome {
            Ok(outcome) => outcome.expect("the browser does as it is told"),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
}
