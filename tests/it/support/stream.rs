//! Listens to a stream of events, as a browser's `EventSource` does.

use reqwest::{Method, Response};
use serde_json::Value;

use super::Visitor;

/// A stream that is open.
pub(crate) struct Events {
    response: Response,
    /// What arrived and was not read.
    rest: String,
}

impl Visitor {
    /// Opens a stream of events.
    pub(crate) async fn listens(&self, path: &str) -> Events {
        self.listens_with(path, &[]).await
    }

    /// Opens one again that broke off after the event with this id.
    pub(crate) async fn listens_after(&self, path: &str, id: &str) -> Events {
        self.listens_with(path, &[("last-event-id", id)]).await
    }

    async fn listens_with(&self, path: &str, more: &[(&str, &str)]) -> Events {
        let mut headers = vec![("accept", "text/event-stream")];
        headers.extend(more);
        let response = self.opens_stream(Method::GET, path, &headers).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events {
            response,
            rest: String::new(),
        }
    }
}

impl Events {
    /// The data of the next event; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        Some(self.next_with_id().await?.1)
    }

    /// The id of the next event, empty where it has none, and its data.
    pub(crate) async fn next_with_id(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.rest.split_once("\n\n") {
                let line = |name: &str| event.lines().find_map(|it| it.strip_prefix(name));
                let id = line("id: ").unwrap_or_default().to_owned();
                let data = line("data: ").map(str::to_owned);
                let rest = rest.to_owned();
                self.rest = rest;
                match data {
                    Some(data) => return Some((id, serde_json::from_str(&data).expect("JSON"))),
                    // A comment, which says that the stream is alive.
                    None => continue,
                }
            }
            let piece = self.response.chunk().await.expect("a piece")?;
            self.rest
                .push_str(std::str::from_utf8(&piece).expect("text"));
        }
    }
}
