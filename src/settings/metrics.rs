//! Where metrics are read.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use super::reader::Reader;
use super::value::{self, Parsed};

/// Where they are read unless told otherwise: this machine only, on authentik's port.
const USUAL: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9300));

/// `metrics.*`.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// The address and port on which `/metrics` is served.
    pub listen: MetricsListen,
}

/// Where metrics are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsListen {
    /// At the usual place, if nobody else is there.
    Usual,
    /// Here.
    At(SocketAddr),
    /// Nowhere.
    Off,
}

impl MetricsListen {
    /// The address, where there is one.
    #[must_use]
    pub const fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Usual => Some(USUAL),
            Self::At(address) => Some(address),
            Self::Off => None,
        }
    }
}

impl fmt::Display for MetricsListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address() {
            Some(address) => address.fmt(f),
            None => f.write_str("off"),
        }
    }
}

impl Metrics {
    pub(super) fn read(from: &mut Reader) -> Self {
        let listen = |text: &str| -> Parsed<MetricsListen> {
            if text == "off" {
                return Ok(MetricsListen::Off);
            }
            let address = value::address(text).map_err(|error| format!("{error}, or \"off\""));
            address.map(MetricsListen::At)
        };
        Self {
            listen: from.parsed("metrics.listen", MetricsListen::Usual, listen),
        }
    }
}
