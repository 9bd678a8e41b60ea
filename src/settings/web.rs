//! How requests arrive.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::reader::Reader;
use super::value::{self, Parsed};

/// `web.*`.
#[derive(Clone, Debug)]
pub struct Web {
    /// The peers whose `X-Forwarded-*` headers are believed.
    ///
    /// Whoever is listed here can claim any client address, and so step around limits per
    /// address; the default is this machine alone. authentik trusts all private networks.
    pub trusted_proxies: Vec<IpNet>,
    /// The scheme and host under which browsers reach the server, such as `https://id.example.org`.
    /// Links in mails lead there.
    pub public_url: Option<String>,
    /// How often an address may post to a flow, in the long run, for each second.
    pub posts_per_second: u32,
    /// How often it may post at once.
    pub posts_at_once: u32,
    /// How often an address may ask for anything, in the long run, for each second.
    pub requests_per_second: u32,
    /// How often it may ask at once.
    pub requests_at_once: u32,
    /// How many connections there may be.
    pub connections: usize,
    /// How many of them from one address, unless it is a trusted proxy's.
    pub connections_per_address: usize,
    /// How many bytes the head of a request may have.
    pub head_size: u64,
    /// How long it may take to arrive.
    pub head_timeout: Duration,
    /// How many bytes a body may have.
    pub body_size: u64,
    /// How many bytes the bodies of all requests may take together.
    pub bodies: u64,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long a connection is kept open without a request.
    pub keep_alive: Duration,
    /// How long a shutdown waits for requests and executions before it gives up.
    pub shutdown_timeout: Duration,
}

impl Web {
    pub(super) fn read(from: &mut Reader) -> Self {
        let loopback = value::networks("loopback").unwrap_or_default();
        Self {
            trusted_proxies: from.list("web.trusted_proxies", loopback, value::networks),
            public_url: from.optional("web.public_url", origin),
            posts_per_second: from.parsed("web.posts_per_second", 20, value::small_count),
            posts_at_once: from.parsed("web.posts_at_once", 200, value::small_count),
            requests_per_second: from.parsed("web.requests_per_second", 200, value::small_count),
            requests_at_once: from.parsed("web.requests_at_once", 2_000, value::small_count),
            connections: from.count("web.connections", 8_192),
            connections_per_address: from.count("web.connections_per_address", 1_024),
            head_size: from.size("web.head_size", 64 << 10),
            head_timeout: from.duration("web.head_timeout", Duration::from_secs(10)),
            body_size: from.size("web.body_size", 256 << 10),
            bodies: from.size("web.bodies", 64 << 20),
            body_timeout: from.duration("web.body_timeout", Duration::from_secs(30)),
            keep_alive: from.duration("web.keep_alive", Duration::from_secs(75)),
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

/// Nothing but a scheme and a host: paths belong to flows.
fn origin(text: &str) -> Parsed<String> {
    let url = Url::parse(text).ok();
    let is_web = |url: &Url| ["http", "https"].contains(&url.scheme()) && url.has_host();
    match url.filter(is_web) {
        Some(url) if url.path() == "/" && url.query().is_none() && url.username().is_empty() => {
            Ok(url.origin().ascii_serialization())
        }
        _ => Err(format!(
            "{text:?} is no address of a server, such as https://id.example.org"
        )),
    }
}
