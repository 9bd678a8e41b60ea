//! Providers of text messages: speaks Twilio's protocol and the generic one, checks who asks, and
//! does what the number tells it to.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatelog::clock::Clock;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::peer::{http, read};
use super::{Canaries, Options, random, random_below};

const JSON: &str = "application/json";

/// A message that it was handed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    /// From which number.
    pub(crate) from: String,
    /// To which number.
    pub(crate) to: String,
    /// What a person reads.
    pub(crate) body: String,
    /// The whole of it, where it was JSON.
    pub(crate) json: Value,
}

impl Text {
    /// The code in it.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        let words = self.body.split(|it: char| !it.is_ascii_digit());
        let mut codes = words.filter(|word| word.len() == 6);
        codes.next().expect("a code").to_owned()
    }
}

/// A provider that listens as long as its test runs.
#[derive(Clone, Debug)]
pub(crate) struct SmsProvider {
    base: String,
    /// The account at Twilio.
    pub(crate) account: String,
    /// What Twilio, or whoever takes JSON, knows the operator by.
    pub(crate) auth: String,
    /// The password, of whoever takes JSON and wants one.
    pub(crate) password: String,
    texts: Arc<Mutex<Vec<Text>>>,
    /// What was wrong with what it was sent.
    problems: Arc<Mutex<Vec<String>>>,
}

fn locked<T>(list: &Mutex<Vec<T>>) -> MutexGuard<'_, Vec<T>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SmsProvider {
    /// Starts it.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let provider = Self {
            base: format!("http://{address}"),
            account: format!("AC{}", random(32)),
            auth: random(32),
            password: random(32),
            texts: Arc::default(),
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

    /// The options of a server for which it is Twilio.
    pub(crate) fn serves(&self, options: Options) -> Options {
        options.with("GATELOG_SMS__TWILIO_URL", &self.base)
    }

    /// Where JSON is posted.
    pub(crate) fn url(&self) -> String {
        format!("{}/send", self.base)
    }

    /// Tells the canaries what nobody may read.
    pub(crate) fn tells(&self, canaries: &Canaries) {
        canaries.secret("a provider's token", &self.auth);
        canaries.secret("a provider's password", &self.password);
    }

    /// A number that nobody has. What it ends with says what becomes of a message there, see
    /// [`SmsProvider::serve`].
    pub(crate) fn number(canaries: &Canaries, end: &str) -> String {
        let middle = 100_000_000 + random_below(900_000_000);
        let number = format!("+49{middle}{end}");
        canaries.personal("a telephone number", &number);
        number
    }

    /// The messages so far, all of them as the protocol wants them.
    #[track_caller]
    pub(crate) fn texts(&self) -> Vec<Text> {
        let problems = locked(&self.problems);
        assert!(problems.is_empty(), "{problems:?}");
        locked(&self.texts).clone()
    }

    /// Waits until it has so many.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Text> {
        let clock = Clock::system();
        let deadline = clock.monotonic() + Duration::from_secs(30);
        while self.texts().len() < count {
            assert!(clock.monotonic() < deadline, "no {count} messages");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.texts()
    }

    /// Numbers that end with 00 are none, those with 01 end the conversation, those with 02 are
    /// kept waiting; whatever else is sent.
    async fn serve(self, mut line: TcpStream) {
        let Some((head, body)) = read(&mut line).await else {
            return;
        };
        let taken = if head.starts_with("POST /2010-04-01/") {
            self.twilio(&head, &body)
        } else {
            self.generic(&head, &body)
        };
        let (text, refusal) = match taken {
            Ok(text) => (
                text,
                r#"{"code":21211,"message":"The number is none.","status":400}"#,
            ),
            Err(problem) => {
                locked(&self.problems).push(problem);
                return;
            }
        };
        let to = text.to.clone();
        locked(&self.texts).push(text);
        let answer = match to.get(to.len() - 2..) {
            Some("00") => http("400 Bad Request", JSON, refusal),
            Some("01") => return,
            Some("02") => {
                tokio::time::sleep(Duration::from_mins(5)).await;
                return;
            }
            _ => http("201 Created", JSON, r#"{"status":"queued"}"#),
        };
        // Whoever asked may have gone.
        let _ = line.write_all(answer.as_bytes()).await;
    }

    fn twilio(&self, head: &str, body: &[u8]) -> Result<Text, String> {
        let Self { account, auth, .. } = self;
        let line = format!("POST /2010-04-01/Accounts/{account}/Messages.json HTTP/1.1\r\n");
        if !head.starts_with(&line) {
            return Err(format!("the request is {head}"));
        }
        has_header(head, "authorization", &basic(account, auth))?;
        has_header(head, "content-type", "application/x-www-form-urlencoded")?;
        let mut fields: Vec<(String, String)> =
            url::form_urlencoded::parse(body).into_owned().collect();
        fields.sort();
        match <[_; 3]>::try_from(fields) {
            Ok([(a, body), (b, from), (c, to)]) if [&*a, &*b, &*c] == ["Body", "From", "To"] => {
                Ok(Text {
                    from,
                    to,
                    body,
                    json: Value::Null,
                })
            }
            other => Err(format!("the fields are {other:?}")),
        }
    }

    fn generic(&self, head: &str, body: &[u8]) -> Result<Text, String> {
        if !head.starts_with("POST /send HTTP/1.1\r\n") {
            return Err(format!("the request is {head}"));
        }
        has_header(head, "content-type", "application/json")?;
        let bearer = format!("Bearer {}", self.auth);
        has_header(head, "authorization", &bearer)
            .or_else(|_| has_header(head, "authorization", &basic(&self.auth, &self.password)))?;
        let json: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        Ok(Text {
            from: text("From"),
            to: text("To"),
            body: text("Message"),
            json: json.clone(),
        })
    }
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

fn has_header(head: &str, name: &str, value: &str) -> Result<(), String> {
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
    if lines.any(|(key, found)| key.eq_ignore_ascii_case(name) && found == value) {
        Ok(())
    } else {
        Err(format!("{name} is wrong in {head}"))
    }
}
