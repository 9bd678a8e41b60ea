//! What is known about whoever sent a request.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The sender of one request, as the outermost trusted proxy describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The address of the browser.
    pub address: IpAddr,
    /// What it calls itself; empty when it does not say.
    pub user_agent: String,
    /// The host that it asked for, with the port.
    pub host: String,
    /// Whether it came over TLS.
    pub secure: bool,
    /// The `Accept-Language` header.
    pub language: Option<String>,
    /// The user name of the outpost on whose behalf the request comes, if its token was good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outpost: Option<String>,
    /// What the browser's device cookie says, if this server signed it and it has not run out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// What the browser's cookie of second factors says, if this server signed it and it has not
    /// run out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa: Option<Box<Verified>>,
}

/// A browser in which somebody logged in before, as its device cookie says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The login stage that gave the cookie out; it means nothing to others.
    pub stage: Uuid,
    /// The `uid` of whoever logged in.
    pub user: String,
}

/// A browser in which somebody showed a second factor before, as its cookie says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// The stage that gave the cookie out; it means nothing to others.
    pub stage: Uuid,
    /// The number of the authenticator.
    pub device: i64,
    /// When the cookie runs out.
    pub until: Timestamp,
}

impl Client {
    /// The server itself, where somebody has to be named.
    #[must_use]
    pub fn nobody() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            user_agent: String::new(),
            host: String::new(),
            secure: false,
            language: None,
            outpost: None,
            device: None,
            mfa: None,
        }
    }

    /// The scheme and host, such as `https://id.example`.
    #[must_use]
    pub fn origin(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.host)
    }
}

/// What counts as one address where something is limited: a subscriber has a whole /64 of IPv6.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
        address @ IpAddr::V4(_) => address,
    }
}
