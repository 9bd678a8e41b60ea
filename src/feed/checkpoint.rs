//! Signed checkpoints for a server that keeps them where nobody from here can reach them.

use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use url::Url;

use super::webhook::{TIMEOUT, taken};
use crate::tls;

/// Where checkpoints are posted. They are signed already, so nothing else proves their origin.
pub struct Post {
    url: Url,
    client: Option<Client>,
}

impl Post {
    /// Posts to this address.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self { url, client: None }
    }

    /// Sends a signed note.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn send(&mut self, note: &str) -> Result<(), String> {
        let client = tls::kept(&mut self.client, TIMEOUT).await?;
        let sent = client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .body(note.to_owned())
            .send()
            .await;
        taken(sent)
    }
}
