//! A link, as long as nothing but the command that made it knows its secret.

use secrecy::{ExposeSecret, SecretString};

use crate::directory::link::Link;
use crate::flow::query::{self, LINK};

/// A link that a command made, with the secret that nobody else has.
#[derive(Clone, Debug)]
pub(crate) struct MadeLink {
    pub(crate) link: Link,
    pub(crate) secret: SecretString,
    /// What else is in its query string.
    pub(super) query: String,
}

impl MadeLink {
    /// The path and the query string at which it is opened.
    pub(crate) fn path(&self) -> SecretString {
        let query = if self.query.is_empty() {
            String::new()
        } else {
            format!("{}&", self.query)
        };
        let secret = self.secret.expose_secret();
        query::flow_url(&self.link.slug, &format!("{query}{LINK}={secret}")).into()
    }
}
