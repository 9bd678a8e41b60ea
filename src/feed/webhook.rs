//! One message to the server of a webhook.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Response};

use super::sign::signature;
use crate::clock::Clock;
use crate::settings::{FeedFormat, Header, Webhook};
use crate::tls;

/// How long a message may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(15);

/// Where messages go.
pub(super) struct Receiver {
    webhook: Webhook,
    headers: HeaderMap,
    client: Option<Client>,
}

impl Receiver {
    pub(super) fn new(webhook: &Webhook) -> Self {
        Self {
            webhook: webhook.clone(),
            headers: Header::map(&webhook.headers),
            client: None,
        }
    }

    /// Sends a message. Under the same identifier it may come again, and the receiver knows it by
    /// that.
    ///
    /// # Errors
    /// Why it was not taken, in words that hold nothing of it.
    pub(super) async fn send(&mut self, clock: &Clock, id: &str, body: &str) -> Result<(), String> {
        let client = tls::kept(&mut self.client, TIMEOUT).await?;
        let second = clock.now().as_second();
        let kind = match self.webhook.format {
            FeedFormat::Json | FeedFormat::Ocsf => "application/json",
            FeedFormat::Syslog => "text/plain; charset=utf-8",
        };
        let signature = signature(&self.webhook.secret, id, second, body);
        let sent = client
            .post(self.webhook.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, kind)
            .header("webhook-id", id)
            .header("webhook-timestamp", second)
            .header("webhook-signature", signature)
            .body(body.to_owned())
            .send()
            .await;
        taken(sent)
    }
}

/// Whether a message was taken, and why not.
pub(super) fn taken(sent: reqwest::Result<Response>) -> Result<(), String> {
    match sent {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("it answered with {}", answer.status().as_u16())),
        // The address may hold a secret.
        Err(error) => Err(error.without_url().to_string()),
    }
}
