//! Browser sessions and their cookie.

use std::time::Duration;

use super::reader::Reader;

/// `session.*`.
#[derive(Clone, Debug)]
pub struct Session {
    /// How long a session lives that nobody has logged in to, or that ends with the browser.
    pub unauthenticated_age: Duration,
    /// The domain for which cookies are set; the host of the request when there is none.
    pub cookie_domain: Option<String>,
}

impl Session {
    pub(super) fn read(from: &mut Reader) -> Self {
        let domain = |text: &str| {
            let allowed = |letter: char| letter.is_ascii_alphanumeric() || ".-".contains(letter);
            if !text.is_empty() && text.chars().all(allowed) {
                Ok(text.to_owned())
            } else {
                Err(format!("{text:?} is no domain, such as \"example.org\""))
            }
        };
        Self {
            unauthenticated_age: from
                .duration("session.unauthenticated_age", Duration::from_hours(24)),
            cookie_domain: from.optional("session.cookie_domain", domain),
        }
    }
}
