//! A captcha's provider: speaks the protocol of reCAPTCHA, hCaptcha and Turnstile, and says what
//! the token tells it to say.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::peer::{http, read};
use super::{Canaries, random};

/// What it was asked once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The key of whoever asks.
    pub(crate) secret: String,
    /// The token that it gave to the browser.
    pub(crate) response: String,
    /// The address of the browser.
    pub(crate) remoteip: String,
}

/// A provider that listens as long as its test runs.
#[derive(Clone, Debug)]
pub(crate) struct CaptchaProvider {
    base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// What was wrong with what it was sent.
    problems: Arc<Mutex<Vec<String>>>,
}

impl CaptchaProvider {
    /// Starts it.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let provider = Self {
            base: format!("http://{address}"),
            asked: Arc::default(),
            problems: Arc::default(),
        };
        let this = provider.clone();
        tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                tokio::spawn(this.clone().serve(line));
            }
        });
        provider
    }

    /// Where it is; also the origin of its script.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Where its script is.
    pub(crate) fn script(&self) -> String {
        format!("{}/api.js", self.base)
    }

    /// Where it is asked.
    pub(crate) fn url(&self) -> String {
        format!("{}/siteverify", self.base)
    }

    /// What it was asked so far, all of it as the protocol wants it.
    #[track_caller]
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(problems.is_empty(), "{problems:?}");
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.clone()
    }

    /// A token to which it says what `word` means, see [`said`].
    pub(crate) fn token(canaries: &Canaries, word: &str) -> String {
        let token = format!("{word}:{}", random(24));
        canaries.secret("a captcha's token", &token);
        token
    }

    async fn serve(self, mut line: TcpStream) {
        let Some((head, body)) = read(&mut line).await else {
            return;
        };
        if head.starts_with("GET /api.js") {
            let answer = http("200 OK", "text/javascript", SCRIPT);
            // The browser may have gone.
            let _ = line.write_all(answer.as_bytes()).await;
            return;
        }
        let lower = head.to_lowercase();
        let mut fields: Vec<(String, String)> =
            url::form_urlencoded::parse(&body).into_owned().collect();
        fields.sort();
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        let mut problems = Vec::new();
        if !head.starts_with("POST /siteverify HTTP/1.1") {
            problems.push(format!("the request is {head}"));
        }
        if !lower.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n") {
            problems.push(format!("the content type is wrong: {head}"));
        }
        if names != ["remoteip", "response", "secret"] {
            problems.push(format!("the fields are {names:?}"));
        }
        self.problems
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .append(&mut problems);
        let field = |wanted: &str| {
            let found = fields.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let asked = Asked {
            secret: field("secret"),
            response: field("response"),
            remoteip: field("remoteip"),
        };
        let word = asked.response.split(':').next().unwrap_or_default();
        let answer = said(word);
        let stalls = word.strip_prefix("stalls=");
        let wait = stalls.and_then(|seconds| seconds.parse().ok());
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(asked.clone());
        tokio::time::sleep(Duration::from_secs(wait.unwrap_or(0))).await;
        // Whoever asked may have gone.
        let _ = line.write_all(answer.as_bytes()).await;
    }
}

/// What it says to a token that begins with this word.
fn said(word: &str) -> String {
    let json = |answer: &Value| http("200 OK", "application/json", &answer.to_string());
    let refuses = |code: &str| json(&json!({"success": false, "error-codes": [code]}));
    if let Some(score) = word.strip_prefix("score=") {
        let score: Value = serde_json::from_str(score).expect("a score is JSON");
        return json(&json!({"success": true, "score": score}));
    }
    match word {
        "" => refuses("missing-input-response"),
        "expired" => refuses("timeout-or-duplicate"),
        "wrong-key" => refuses("invalid-input-secret"),
        "refused" => json(&json!({"success": false})),
        "no-codes" => json(&json!({"success": false, "error-codes": []})),
        "no-keys" => json(&json!({})),
        "broken" => http("500 Oops", "application/json", r#"{"success":true}"#),
        "html" => http("200 OK", "text/html", "<h1>Maintenance</h1>"),
        _ => json(&json!({
            "success": true,
            "score": 0.5,
            "challenge_ts": "2026-01-01T00:00:00Z",
            "hostname": "login.example",
        })),
    }
}

/// The provider's script, which goes by the name of one of them.
const SCRIPT: &str = r#"
window.turnstile = {
  render: (box, options) => {
    box.textContent = "A check of " + options.sitekey;
    window.setTimeout(() => options.callback("passed:in-the-browser"), 200);
    return 1;
  },
  reset: () => {},
};
"#;
