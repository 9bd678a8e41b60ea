//! The cookies of one browser.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{HeaderMap, SET_COOKIE};
use serde_json::Value;

use super::Canaries;

/// The cookie that names the session.
pub(crate) const SESSION: &str = "authentik_session";

/// The cookie that is sent back as a header.
pub(crate) const CSRF: &str = "authentik_csrf";

/// A browser's cookies for one server.
#[derive(Debug, Default)]
pub(crate) struct Jar(Mutex<BTreeMap<String, String>>);

impl Jar {
    /// Keeps what the server set, and tells the canaries.
    pub(crate) fn take(&self, headers: &HeaderMap, canaries: &Canaries) {
        let mut jar = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for header in headers.get_all(SET_COOKIE) {
            let header = header.to_str().expect("a cookie is plain text");
            let mut parts = header.split(';').map(str::trim);
            let pair = parts.next().and_then(|pair| pair.split_once('='));
            let (name, value) = pair.expect("a cookie has a name and a value");
            if parts.any(|part| part.eq_ignore_ascii_case("Max-Age=0")) || value.is_empty() {
                jar.remove(name);
                continue;
            }
            canaries.secret(&format!("the cookie {name}"), value);
            if let Some(sid) = claims(value).and_then(|it| it["sid"].as_str().map(str::to_owned)) {
                canaries.secret("the secret of a session", &sid);
            }
            jar.insert(name.to_owned(), value.to_owned());
        }
    }

    /// What is sent with a request.
    pub(crate) fn header(&self) -> String {
        let jar = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs: Vec<String> = jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    /// The value of a cookie.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let jar = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jar.get(name).cloned()
    }

    /// Puts a cookie as somebody could who has the browser in hand.
    pub(crate) fn put(&self, name: &str, value: &str) {
        let mut jar = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        jar.insert(name.to_owned(), value.to_owned());
    }

    /// What the session's cookie says.
    pub(crate) fn claims(&self) -> Value {
        self.get(SESSION)
            .and_then(|cookie| claims(&cookie))
            .expect("there is a session cookie with claims")
    }
}

/// The claims of a JWT, unverified.
fn claims(cookie: &str) -> Option<Value> {
    let middle = cookie.split('.').nth(1)?;
    let bytes = URL_SAFE_NO_PAD.decode(middle).ok()?;
    serde_json::from_slice(&bytes).ok()
}
