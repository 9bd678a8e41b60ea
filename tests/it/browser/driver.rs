//! The browser's driver: a process that opens windows and ends with its test.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, ChromiumLikeCapabilities, LoggingPrefsLogLevel};

const DRIVER: &str = "chromedriver";

/// Keeps the browser to itself and to this machine, and from doing what no test looks at.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--mute-audio",
    "--lang=en-US",
    "--window-size=1280,900",
];

/// What a driver of our own says once it listens, before the port.
const LISTENS: &str = "started successfully on port ";

/// The process.
pub(super) struct Driver {
    child: Child,
    port: u16,
    /// Kept open, since the driver would not survive writing into a closed one.
    _output: BufReader<ChildStdout>,
}

impl Driver {
    /// The program that is missing, if it is.
    pub(super) fn missing() -> Option<&'static str> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut places = std::env::split_paths(&path).map(|it: PathBuf| it.join(DRIVER));
        (!places.any(|place| place.is_file())).then_some(DRIVER)
    }

    /// Starts it on a port that is free.
    pub(super) fn start() -> Self {
        let mut child = Command::new(DRIVER)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver can be started");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        let port = loop {
            line.clear();
            let length = output.read_line(&mut line).expect("the driver speaks");
            assert_ne!(length, 0, "the driver ended instead of listening");
            if let Some((_, rest)) = line.split_once(LISTENS) {
                let digits = rest.trim_end().trim_end_matches('.');
                break digits.parse().expect("a port");
            }
        };
        Self {
            child,
            port,
            _output: output,
        }
    }

    /// Opens a browser that keeps what it knows in this folder.
    pub(super) async fn open(&self, profile: &Path) -> WebDriverResult<WebDriver> {
        let mut browser = ChromeCapabilities::new();
        for flag in FLAGS {
            browser.add_arg(flag)?;
        }
        browser.add_arg(&format!("--user-data-dir={}", profile.display()))?;
        // Passwords and translations are offered in bubbles that take the focus.
        let quiet = json!({
            "credentials_enable_service": false,
            "profile.password_manager_enabled": false,
            "translate.enabled": false,
        });
        browser.add_experimental_option("prefs", quiet)?;
        for log in ["browser", "performance"] {
            browser.set_logging_prefs(log, LoggingPrefsLogLevel::All)?;
        }
        let address = format!("http://127.0.0.1:{}", self.port);
        // A machine with much to do may be too slow for the driver's own patience.
        let mut last = None;
        for _ in 0..5 {
            match WebDriver::new(&address, browser.clone()).await {
                Ok(window) => return Ok(window),
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        Err(last.expect("it was tried"))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
