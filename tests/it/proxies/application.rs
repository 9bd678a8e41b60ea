//! An application that knows nothing of logins: its pages show the requests that reach it, and it counts them.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::peer;

/// It answers as long as this lives.
pub(super) struct Application {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Application {
    /// Starts it on a port of its own.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((mut line, _)) = listener.accept().await {
                let noted = Arc::clone(&noted);
                tokio::spawn(async move {
                    let Some((head, _)) = peer::read(&mut line).await else {
                        return;
                    };
                    let answer = peer::http("200 OK", "text/html; charset=utf-8", &page(&head));
                    note(&noted, head);
                    // Whoever asked may be gone.
                    let _ = line.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self { port, seen, task }
    }

    /// Where a proxy reaches it.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The heads of all requests that reached it until now.
    pub(super) fn seen(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.clone()
    }
}

fn note(seen: &Mutex<Vec<String>>, head: String) {
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(head);
}

impl Drop for Application {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A page with a request on it.
fn page(head: &str) -> String {
    let head = head.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<!doctype html><html lang=en><title>The application</title><link rel=icon href='data:,'>\
         <h1>The application</h1><pre id=request>{head}</pre></html>"
    )
}

/// What a request says under a name, which is compared as applications do that read headers from their
/// environment: `-` and `_`, and upper and lower case, are the same.
pub(super) fn said(head: &str, name: &str) -> Vec<String> {
    let plain = |name: &str| name.to_lowercase().replace('_', "-");
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    lines
        .filter(|it| plain(it.0) == plain(name))
        .map(|it| it.1.trim().to_owned())
        .collect()
}
