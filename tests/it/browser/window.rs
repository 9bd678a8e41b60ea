//! A window of a browser, and what somebody in front of it does and sees.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::extensions::query::ElementQueryable as _;
use thirtyfour::prelude::*;

use super::driver::Driver;
use super::watch::{Permitted, complaints};
use crate::support::{Person, TestServer};

/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often one looks whether it is there.
const BETWEEN: Duration = Duration::from_millis(50);

/// The button that sends the answer to what a flow asks, and no other form of the page.
const ANSWERS: &str = "form:has(input[name=component]) button[type=submit]";

/// One browser with cookies of its own. All that the driver can do, it can do too.
pub(crate) struct Window {
    driver: WebDriver,
    base: String,
    permitted: Mutex<Permitted>,
    runs_scripts: Mutex<bool>,
    _profile: TempDir,
}

impl Deref for Window {
    type Target = WebDriver;

    fn deref(&self) -> &WebDriver {
        &self.driver
    }
}

impl Window {
    /// Opens it.
    pub(super) async fn open(driver: &Driver, base: &str) -> WebDriverResult<Self> {
        let profile = tempfile::tempdir()?;
        Ok(Self {
            driver: driver.open(profile.path()).await?,
            base: base.to_owned(),
            permitted: Mutex::default(),
            runs_scripts: Mutex::new(true),
            _profile: profile,
        })
    }

    fn permitted(&self) -> MutexGuard<'_, Permitted> {
        self.permitted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the pages ask another server, and say so in their policies.
    pub(crate) fn may_ask(&self, origin: &str) {
        self.permitted().origins.push(origin.to_owned());
    }

    /// Complaints of the browser that hold this are part of the scenario.
    pub(crate) fn expects(&self, part: &str) {
        self.permitted().complaints.push(part.to_owned());
    }

    /// Policies may have sources that begin with this, though they are not strict.
    pub(crate) fn may_allow(&self, source: &str) {
        self.permitted().sources.push(source.to_owned());
    }

    /// What the browser complained about until now, besides what is expected. Each complaint is
    /// told once.
    pub(crate) async fn complaints(&self) -> WebDriverResult<Vec<String>> {
        let console = self.browser_log().await?;
        let network = self.get_log("performance").await?;
        Ok(complaints(
            &self.base,
            &self.permitted(),
            &console,
            &network,
        ))
    }

    /// A command of the browser's own protocol.
    pub(crate) async fn commands(&self, name: &str, with: Value) -> WebDriverResult<Value> {
        self.cdp().send_raw(name, with).await
    }

    /// Switches scripts on or off, from the next page on.
    pub(crate) async fn runs_scripts(&self, runs: bool) -> WebDriverResult<()> {
        self.allows_scripts(runs).await?;
        *self
            .runs_scripts
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = runs;
        Ok(())
    }

    /// Whether pages run scripts.
    pub(super) fn has_scripts(&self) -> bool {
        *self
            .runs_scripts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn allows_scripts(&self, runs: bool) -> WebDriverResult<()> {
        let off = json!({ "value": !runs });
        self.commands("Emulation.setScriptExecutionDisabled", off)
            .await?;
        Ok(())
    }

    /// Opens a page of the server.
    pub(crate) async fn opens(&self, path: &str) -> WebDriverResult<()> {
        self.goto(format!("{}{path}", self.base)).await
    }

    /// Opens the page of a flow.
    pub(crate) async fn opens_flow(&self, slug: &str) -> WebDriverResult<()> {
        self.opens(&format!("/if/flow/{slug}/")).await
    }

    /// Where it is, from the path on.
    pub(crate) async fn path(&self) -> WebDriverResult<String> {
        let address = self.current_url().await?;
        Ok(address[url::Position::BeforePath..].to_owned())
    }

    /// The first element of its kind, once it is there.
    pub(crate) async fn sees(&self, selector: &str) -> WebDriverResult<WebElement> {
        self.query(By::Css(selector))
            .wait(PATIENCE, BETWEEN)
            .first()
            .await
    }

    /// Types into a field by its name, instead of what is there.
    pub(crate) async fn types(&self, field: &str, text: &str) -> WebDriverResult<()> {
        let selector =
            format!("[name={field:?}]:is(input, textarea):not([readonly], [type=hidden])");
        let field = self.sees(&selector).await?;
        field.clear().await?;
        field.send_keys(text).await
    }

    /// Clicks on what the selector finds first.
    pub(crate) async fn clicks(&self, selector: &str) -> WebDriverResult<()> {
        self.sees(selector).await?.click().await
    }

    /// Sends the answer to what a flow asks.
    pub(crate) async fn presses(&self) -> WebDriverResult<()> {
        self.clicks(ANSWERS).await
    }

    /// Waits until an element holds a text. The page may be replaced meanwhile.
    pub(crate) async fn shows(&self, selector: &str, text: &str) -> WebDriverResult<()> {
        let mut said = String::new();
        for _ in 0..(PATIENCE.as_millis() / BETWEEN.as_millis()) {
            for element in self.find_all(By::Css(selector)).await.unwrap_or_default() {
                said = element.text().await.unwrap_or_default();
                if said.contains(text) {
                    return Ok(());
                }
            }
            tokio::time::sleep(BETWEEN).await;
        }
        let at = self.path().await?;
        panic!("at {at}, {selector} says {said:?} instead of {text:?}");
    }

    /// Waits until it is at a path that begins so.
    pub(crate) async fn arrives(&self, path: &str) -> WebDriverResult<()> {
        let mut at = String::new();
        for _ in 0..(PATIENCE.as_millis() / BETWEEN.as_millis()) {
            at = self.path().await?;
            if at.starts_with(path) {
                return Ok(());
            }
            tokio::time::sleep(BETWEEN).await;
        }
        panic!("it is at {at} instead of {path}");
    }

    /// Answers who somebody is.
    pub(crate) async fn names(&self, person: &Person) -> WebDriverResult<()> {
        self.types("uid_field", &person.username).await?;
        self.presses().await
    }

    /// Answers with the password.
    pub(crate) async fn proves(&self, person: &Person) -> WebDriverResult<()> {
        self.types("password", &person.password).await?;
        self.presses().await
    }

    /// Logs in by the default flow, up to the page behind it.
    pub(crate) async fn logs_in(&self, person: &Person) -> WebDriverResult<()> {
        self.opens("/").await?;
        self.names(person).await?;
        self.proves(person).await?;
        self.is_logged_in(person).await
    }

    /// The page says who is logged in.
    pub(crate) async fn is_logged_in(&self, person: &Person) -> WebDriverResult<()> {
        self.shows("main", &person.username).await?;
        // The page of a flow names people too, before they are in.
        self.sees(
            "main a[href*='/flows/-/default/invalidation/'], main form[action*=invalidation]",
        )
        .await?;
        Ok(())
    }

    /// Logs out by the default flow, up to the question who it is.
    pub(crate) async fn logs_out(&self) -> WebDriverResult<()> {
        self.opens("/flows/-/default/invalidation/").await?;
        self.sees("input[name=uid_field]").await?;
        Ok(())
    }

    /// Tells the canaries of the server what this browser knows.
    pub(super) async fn tells_cookies(&self, server: &TestServer) -> WebDriverResult<()> {
        for cookie in self.get_all_cookies().await? {
            // A language is no secret.
            if cookie.value.len() > 8 {
                let name = format!("the cookie {}", cookie.name);
                server.canaries().secret(&name, &cookie.value);
            }
        }
        Ok(())
    }

    /// Closes it.
    pub(super) async fn closes(&self) {
        // The driver's end takes it along if this does not.
        let _ = self.driver.clone().quit().await;
    }
}
