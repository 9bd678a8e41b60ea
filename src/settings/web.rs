//! How requests arrive.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::reader::Reader;
use super::value;

/// `web.*`.
#[derive(Clone, Debug)]
pub struct Web {
    /// The path under which everything is served; begins and ends with a slash.
    pub path: String,
    /// The peers whose `X-Forwarded-*` headers are believed.
    ///
    /// Whoever is listed here can claim any client address, and so step around limits per
    /// address; the default is this machine alone. authentik trusts all private networks.
    pub trusted_proxies: Vec<IpNet>,
    /// How long a shutdown waits for requests and executions before it gives up.
    pub shutdown_timeout: Duration,
}

impl Web {
    pub(super) fn read(from: &mut Reader) -> Self {
        let loopback = value::networks("loopback").unwrap_or_default();
        Self {
            path: from.parsed("web.path", "/".to_owned(), path),
            trusted_proxies: from.list("web.trusted_proxies", loopback, value::networks),
            shutdown_timeout: from.duration("web.shutdown_timeout", Duration::from_secs(30)),
        }
    }

    /// Whether the headers of this peer are believed.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.trusted_proxies.iter().any(|net| net.contains(&peer))
    }
}

fn path(text: &str) -> Result<String, String> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-._~".contains(letter);
    let segments: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
    let valid = |part: &&str| !matches!(*part, "." | "..") && part.chars().all(allowed);
    if !text.starts_with('/') || !segments.iter().all(valid) {
        return Err(format!("{text:?} is no path, such as \"/\" or \"/login/\""));
    }
    Ok(segments
        .iter()
        .fold("/".to_owned(), |path, part| path + part + "/"))
}
