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
        let headers = [("accept", "text/event-stream")];
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
        loop {
            if let Some((event, rest)) = self.rest.split_once("\n\n") {
                let data = event.strip_prefix("data: ").map(str::to_owned);
                let rest = rest.to_owned();
                self.rest = rest;
                match data {
                    Some(data) => return Some(serde_json::from_str(&data).expect("JSON")),
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
