//! A person in front of a real browser: Chromium, driven through its own driver.
//!
//! The tests are skipped where the driver is not installed.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use thirtyfour::common::command::{Command, ExtensionCommand};
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, ChromiumLikeCapabilities};

use crate::support::{
    CaptchaProvider, Flow, MailSink, Options, Person, TestServer, random, skip, with_server,
    with_server_of,
};

const DRIVER: &str = "chromedriver";

/// Keeps the browser to itself and to this machine.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The driver's process, which takes the browser with it.
struct Driver {
    child: Child,
    port: u16,
    profile: tempfile::TempDir,
}

impl Driver {
    fn start() -> Self {
        let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = taken.local_addr().expect("an address").port();
        drop(taken);
        let child = std::process::Command::new(DRIVER)
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver can be started");
        Self {
            child,
            port,
            profile: tempfile::tempdir().expect("a directory"),
        }
    }

    /// Opens a window.
    async fn window(&self, runs_scripts: bool) -> WebDriver {
        let mut browser = ChromeCapabilities::new();
        for flag in FLAGS {
            browser.add_arg(flag).expect("a flag");
        }
        let profile = format!("--user-data-dir={}", self.profile.path().display());
        browser.add_arg(&profile).expect("a flag");
        if !runs_scripts {
            let refuse = json!({ "profile.managed_default_content_settings.javascript": 2 });
            browser
                .add_experimental_option("prefs", refuse)
                .expect("a preference");
        }
        let address = format!("http://127.0.0.1:{}", self.port);
        for _ in 0..100 {
            if let Ok(window) = WebDriver::new(&address, browser.clone()).await {
                return window;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the browser does not start");
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|it: PathBuf| it.join(program));
    places.any(|place| place.is_file())
}

/// Runs a scenario with a server and a window, and closes the window whatever happens.
fn with_window(
    runs_scripts: bool,
    scenario: impl AsyncFnOnce(&TestServer, &WebDriver) -> WebDriverResult<()>,
) {
    if !is_installed(DRIVER) {
        skip(DRIVER);
        return;
    }
    with_server(async |server| {
        let driver = Driver::start();
        let window = driver.window(runs_scripts).await;
        let outcome = scenario(server, &window).await;
        if outcome.is_ok() {
            remember_cookies(server, &window).await.expect("cookies");
        }
        let page = window.source().await.unwrap_or_default();
        // The driver's end takes the window along if this does not.
        let _ = window.quit().await;
        if let Err(error) = outcome {
            panic!("{error}\n{page}");
        }
    });
}

async fn remember_cookies(server: &TestServer, window: &WebDriver) -> WebDriverResult<()> {
    for cookie in window.get_all_cookies().await? {
        let name = format!("the cookie {}", cookie.name);
        server.canaries().secret(&name, &cookie.value);
    }
    Ok(())
}

/// What stands in the only element of its kind, once it is there.
async fn sees(window: &WebDriver, selector: &str) -> WebDriverResult<WebElement> {
    window
        .query(By::Css(selector))
        .wait(PATIENCE, Duration::from_millis(50))
        .single()
        .await
}

async fn types(window: &WebDriver, field: &str, text: &str) -> WebDriverResult<()> {
    let field = sees(window, &format!("input[name={field}]:not([readonly])")).await?;
    field.clear().await?;
    field.send_keys(text).await
}

async fn presses(window: &WebDriver) -> WebDriverResult<()> {
    sees(window, "button[type=submit]").await?.click().await
}

async fn names_themselves(window: &WebDriver, person: &Person) -> WebDriverResult<()> {
    types(window, "uid_field", &person.username).await?;
    presses(window).await
}

async fn shows(window: &WebDriver, selector: &str, text: &str) -> WebDriverResult<()> {
    // The page is replaced under us, so the element is looked for until it says so.
    let mut said = String::new();
    for _ in 0..300 {
        if let Ok(element) = window.find(By::Css(selector)).await {
            said = element.text().await.unwrap_or_default();
            if said.contains(text) {
                return Ok(());
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let page = window.source().await?;
    panic!("{selector} says {said:?} instead of {text:?} in {page}");
}

/// From the start page to the login, in, and out again.
async fn comes_and_goes(server: &TestServer, window: &WebDriver) -> WebDriverResult<()> {
    let alice = server.person();
    window.goto(format!("{}/", server.base())).await?;
    names_themselves(window, &alice).await?;
    shows(window, ".person", &alice.username).await?;

    server
        .canaries()
        .secret("a typed password", "wrong-and-long-enough");
    types(window, "password", "wrong-and-long-enough").await?;
    presses(window).await?;
    shows(window, "[role=alert]", "Invalid password").await?;
    let field = sees(window, "input[name=password]").await?;
    assert_eq!(field.attr("aria-invalid").await?.as_deref(), Some("true"));
    assert_eq!(field.prop("value").await?.as_deref(), Some(""));

    types(window, "password", &alice.password).await?;
    presses(window).await?;
    shows(window, "main", &alice.username).await?;
    shows(window, "main", &alice.name).await?;
    assert_eq!(window.current_url().await?.path(), "/");

    let links = window.find_all(By::Css("a.button")).await?;
    links.first().expect("a way out").click().await?;
    // Out again, the start page leads to the login.
    sees(window, "input[name=uid_field]").await?;
    window.goto(format!("{}/", server.base())).await?;
    sees(window, "input[name=uid_field]").await?;
    assert!(window.current_url().await?.path().starts_with("/if/flow/"));
    Ok(())
}

#[test]
fn a_person_logs_in_and_out() {
    with_window(true, comes_and_goes);
}

#[test]
fn a_person_logs_in_and_out_without_javascript() {
    with_window(false, async |server, window| {
        let probe = "data:text/html,<body><script>document.title='ran'</script>";
        window.goto(probe).await?;
        assert_ne!(window.title().await?, "ran", "scripts run");
        comes_and_goes(server, window).await
    });
}

#[test]
fn a_person_is_where_they_were_after_the_server_was_killed() {
    if !is_installed(DRIVER) {
        skip(DRIVER);
        return;
    }
    with_server(async |server| {
        let driver = Driver::start();
        let window = driver.window(true).await;
        let alice = server.person();
        let scenario = async {
            window.goto(format!("{}/", server.base())).await?;
            names_themselves(&window, &alice).await?;
            shows(&window, ".person", &alice.username).await?;
            server.kill().await;
            types(&window, "password", &alice.password).await?;
            presses(&window).await?;
            shows(&window, "main", "You are logged in").await?;
            remember_cookies(server, &window).await
        };
        let outcome = scenario.await;
        let _ = window.quit().await;
        outcome.expect("the browser does as it is told");
    });
}

#[test]
fn a_captcha_is_shown_and_answered() {
    with_window(true, async |server, window| {
        let provider = CaptchaProvider::start().await;
        let attrs = json!({
            "public_key": "the-site-key",
            "private_key": "the-private-key",
            "js_url": provider.script(),
            "api_url": provider.url(),
        });
        let flow = Flow::new("check").stage("captcha", "check-it", attrs.clone());
        server.has_flow(&flow.dummy("check-after"));
        window
            .goto(format!("{}/if/flow/check/", server.base()))
            .await?;
        shows(window, "main", "check-after").await?;

        let alice = server.person();
        let backends = json!({ "backends": ["authentik.core.auth.InbuiltBackend"] });
        let who = json!({
            "user_fields": ["username"],
            "password_stage": "!KeyOf one-password",
            "captcha_stage": "!KeyOf one-captcha",
        });
        let flow = Flow::new("one")
            .unbound("password", "one-password", backends)
            .unbound("captcha", "one-captcha", attrs)
            .stage("identification", "one-who", who);
        server.has_flow(&flow.stage("user_login", "one-login", json!({})));
        window
            .goto(format!("{}/if/flow/one/", server.base()))
            .await?;
        shows(window, "#captcha", "A check of the-site-key").await?;
        types(window, "uid_field", &alice.username).await?;
        types(window, "password", &alice.password).await?;
        presses(window).await?;
        shows(window, "main", &alice.name).await?;
        assert_eq!(provider.asked().len(), 2);
        Ok(())
    });
}

/// Gives the window a security key that does whatever it is asked.
#[derive(Debug)]
struct Plug;

impl ExtensionCommand for Plug {
    fn parameters_json(&self) -> Option<Value> {
        Some(json!({
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": true,
            "hasUserVerification": true,
            "isUserConsenting": true,
            "isUserVerified": true,
        }))
    }

    fn method(&self) -> Method {
        Method::POST
    }

    fn endpoint(&self) -> Arc<str> {
        "/webauthn/authenticator".into()
    }
}

#[test]
fn a_passkey_is_registered_and_logs_in_by_itself() {
    with_window(true, async |server, window| {
        let alice = server.person();
        // Browsers know no passkeys for an address that is a number.
        let base = server.base().replace("127.0.0.1", "localhost");
        let page = |flow: &str| format!("{base}/if/flow/{flow}/");
        let plug = Command::ExtensionCommand(Box::new(Plug));
        window.cmd(plug).await?;
        window.goto(format!("{base}/")).await?;
        names_themselves(window, &alice).await?;
        types(window, "password", &alice.password).await?;
        presses(window).await?;
        shows(window, "main", "You are logged in").await?;

        // The page begins by itself, and is over as soon as the device has answered.
        window
            .goto(page("default-authenticator-webauthn-setup"))
            .await?;
        shows(window, "main", "You are logged in").await?;
        window.goto(page("default-invalidation-flow")).await?;
        sees(window, "input[name=uid_field]").await?;

        // As the second factor.
        window.goto(page("default-authentication-flow")).await?;
        names_themselves(window, &alice).await?;
        types(window, "password", &alice.password).await?;
        presses(window).await?;
        shows(window, "main", "You are logged in").await?;
        window.goto(page("default-invalidation-flow")).await?;
        sees(window, "input[name=uid_field]").await?;

        // As the only one.
        let on = server.gatelog(&["blueprint", "enable", "passwordless"]);
        on.succeeds();
        window.goto(page("default-passwordless-flow")).await?;
        shows(window, "main", "You are logged in").await?;
        shows(window, "main", &alice.username).await?;
        Ok(())
    });
}

/// Asks for a mail and for another one, and opens the link of that in another browser.
async fn sets_a_password_anew(
    server: &TestServer,
    sink: &MailSink,
    asks: &WebDriver,
    confirms: &WebDriver,
) -> WebDriverResult<()> {
    let person = server.person();
    let page = format!("{}/if/flow/default-recovery-flow/", server.base());
    asks.goto(&page).await?;
    names_themselves(asks, &person).await?;
    shows(asks, "h2", "We sent you a mail").await?;
    presses(asks).await?;
    shows(asks, "[role=status]", "Sent again.").await?;
    let link = sink.wait_for(2).await[1].letter().link();
    let (_, secret) = link.split_once("flow_token=").expect("a secret");
    server.canaries().secret("the secret of a link", secret);

    confirms.goto(&link).await?;
    shows(confirms, ".lead", "Continue to confirm").await?;
    presses(confirms).await?;
    let password = random(20);
    server.canaries().secret("a new password", &password);
    types(confirms, "\"secret:password\"", &password).await?;
    types(confirms, "\"secret:password_repeat\"", &password).await?;

    asks.goto(&page).await?;
    shows(asks, "h1", "Continued in another window").await?;
    sees(asks, ".links a").await?.click().await?;
    asks.goto(&page).await?;
    sees(asks, "input[name=uid_field]").await?;

    presses(confirms).await?;
    shows(confirms, "main", "You are logged in").await?;
    shows(confirms, "main", &person.username).await?;
    remember_cookies(server, asks).await?;
    remember_cookies(server, confirms).await
}

#[test]
fn a_password_is_set_anew_by_a_link_in_another_browser_without_javascript() {
    if !is_installed(DRIVER) {
        skip(DRIVER);
        return;
    }
    let sink = MailSink::start();
    with_server_of(sink.serves(Options::default()), async |server| {
        let on = server.gatelog(&["blueprint", "enable", "recovery"]);
        on.succeeds();
        let (here, there) = (Driver::start(), Driver::start());
        let (asks, confirms) = (here.window(false).await, there.window(false).await);
        let outcome = sets_a_password_anew(server, &sink, &asks, &confirms).await;
        // The drivers' end takes the windows along if this does not.
        let _ = asks.quit().await;
        let _ = confirms.quit().await;
        outcome.expect("the browsers do as they are told");
    });
}
