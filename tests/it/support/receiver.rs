//! The server of a webhook: checks who signed what it gets, keeps it, and answers as it is told.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatelog::clock::Clock;
use gatelog::feed::signature;
use secrecy::SecretString;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::peer::{http, read};

/// How long a message may be waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// A message that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Its identifier.
    pub(crate) id: String,
    /// What it says.
    pub(crate) body: Value,
}

/// A receiver that listens as long as its test runs.
#[derive(Clone)]
pub(crate) struct Receiver {
    url: String,
    secret: String,
    status: Arc<AtomicU16>,
    refused: Arc<AtomicU16>,
    taken: Arc<Mutex<Vec<Message>>>,
    problems: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    /// Starts it; messages have to be signed with this secret.
    pub(crate) async fn start(secret: &str) -> Self {
        Self::start_at("127.0.0.1:0", secret).await
    }

    /// The same at this address.
    pub(crate) async fn start_at(address: &str, secret: &str) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let receiver = Self {
            url: format!("http://{address}/in"),
            secret: secret.to_owned(),
            status: Arc::new(AtomicU16::new(200)),
            refused: Arc::default(),
            taken: Arc::default(),
            problems: Arc::default(),
        };
        let this = receiver.clone();
        tokio::spawn(async move {
            while let Ok((line, _)) = listener.accept().await {
                tokio::spawn(this.clone().serve(line));
            }
        });
        receiver
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Answers with this status from now on; only what it answers with 200 it has taken.
    pub(crate) fn answers_with(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// How many messages it refused.
    pub(crate) fn refused(&self) -> u16 {
        self.refused.load(Ordering::SeqCst)
    }

    /// What it has taken, all of it signed.
    #[track_caller]
    pub(crate) fn taken(&self) -> Vec<Message> {
        let problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(problems.is_empty(), "{problems:?}");
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.clone()
    }

    /// Waits until it has taken a message of which this holds.
    pub(crate) async fn wait_for(&self, what: &str, holds: impl Fn(&Value) -> bool) {
        let clock = Clock::system();
        let deadline = clock.monotonic() + PATIENCE;
        while !self.taken().iter().any(|message| holds(&message.body)) {
            assert!(clock.monotonic() < deadline, "no message: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn serve(self, mut line: TcpStream) {
        let Some((head, body)) = read(&mut line).await else {
            return;
        };
        let header = |name: &str| {
            let lines = head.lines();
            let found = lines.filter_map(|it| it.split_once(": "));
            let found = found.filter(|(known, _)| known.eq_ignore_ascii_case(name));
            found
                .map(|(_, value)| value.to_owned())
                .next()
                .unwrap_or_default()
        };
        let body = String::from_utf8_lossy(&body).into_owned();
        let (id, second) = (header("webhook-id"), header("webhook-timestamp"));
        let second: i64 = second.parse().unwrap_or_default();
        let secret: SecretString = self.secret.clone().into();
        let mut problems = Vec::new();
        if header("webhook-signature") != signature(&secret, &id, second, &body) {
            problems.push(format!("the message {id} is not signed"));
        }
        let late = Clock::system().now().as_second() - second;
        if !(-5..60).contains(&late) {
            problems.push(format!("the message {id} is {late} seconds old"));
        }
        if header("x-extra") != "yes" {
            problems.push(format!("the message {id} misses a header"));
        }
        self.problems
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(problems);
        let status = self.status.load(Ordering::SeqCst);
        if status == 200 {
            let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            taken.push(Message { id, body });
        } else {
            self.refused.fetch_add(1, Ordering::SeqCst);
        }
        let answer = http(&format!("{status} Said"), "text/plain", "");
        // The server may have been killed.
        let _ = line.write_all(answer.as_bytes()).await;
    }
}
