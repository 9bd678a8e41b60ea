//! Which server is asked. Other machines are refused unless somebody says that they are meant: a
//! tool that makes load must not be a weapon by accident.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use hyper::header::HeaderValue;
use url::{Host, Url};

/// Why a server is not asked.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It is no address.
    #[error("{0:?} is no address of a server, such as http://127.0.0.1:9000")]
    Syntax(String),
    /// It speaks TLS.
    #[error(
        "only http:// is spoken: TLS is measured with other tools; ask the server without a proxy"
    )]
    Encrypted,
    /// Nobody knows the name.
    #[error("{host}: {source}")]
    Unknown {
        /// The name.
        host: String,
        /// What the resolver said.
        source: std::io::Error,
    },
    /// It is somewhere else.
    #[error(
        "{host} is {address}, which is not this machine; with --elsewhere it is asked all the \
         same: do that only with servers of your own"
    )]
    Elsewhere {
        /// The name.
        host: String,
        /// Where it is.
        address: IpAddr,
    },
}

/// A server.
#[derive(Clone, Debug)]
pub struct Target {
    address: SocketAddr,
    host: HeaderValue,
    base: String,
}

impl Target {
    /// The server at an address such as `http://127.0.0.1:9000`; what stands behind host and port
    /// is not looked at. The name is looked up here, once, so that nobody can move it later.
    ///
    /// # Errors
    /// When it is no address, or not of this machine and `elsewhere` is false.
    pub fn parse(text: &str, elsewhere: bool) -> Result<Self, Refused> {
        let syntax = || Refused::Syntax(text.to_owned());
        let url = Url::parse(text).map_err(|_| syntax())?;
        match url.scheme() {
            "http" => {}
            "https" => return Err(Refused::Encrypted),
            _ => return Err(syntax()),
        }
        let host = url.host().ok_or_else(syntax)?;
        let port = url.port_or_known_default().ok_or_else(syntax)?;
        let found = resolve(&host, port)?;
        let strange = found.iter().find(|it| !is_here(it.ip()));
        if let Some(strange) = strange.filter(|_| !elsewhere) {
            return Err(Refused::Elsewhere {
                host: host.to_string(),
                address: strange.ip(),
            });
        }
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        Ok(Self {
            address: *found.first().ok_or_else(syntax)?,
            host: HeaderValue::from_str(&authority).map_err(|_| syntax())?,
            base: format!("http://{authority}"),
        })
    }

    /// The server of this machine at this port.
    ///
    /// # Panics
    /// Never: an address is text that a header may hold.
    #[must_use]
    pub fn here(address: SocketAddr) -> Self {
        let authority = address.to_string();
        Self {
            address,
            host: HeaderValue::from_str(&authority).expect("digits, dots and colons"),
            base: format!("http://{authority}"),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address for people, without a slash at the end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The header `Host`.
    pub(super) fn host(&self) -> HeaderValue {
        self.host.clone()
    }
}

fn resolve(host: &Host<&str>, port: u16) -> Result<Vec<SocketAddr>, Refused> {
    match host {
        Host::Ipv4(address) => Ok(vec![(*address, port).into()]),
        Host::Ipv6(address) => Ok(vec![(*address, port).into()]),
        Host::Domain(name) => {
            let found = (*name, port).to_socket_addrs();
            let unknown = |source| Refused::Unknown {
                host: (*name).to_owned(),
                source,
            };
            Ok(found.map_err(unknown)?.collect())
        }
    }
}

fn is_here(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked_unless_another_one_is_meant() {
        for here in [
            "http://127.0.0.1:9000",
            "http://[::1]:9000/",
            "http://127.8.8.8",
        ] {
            let target = Target::parse(here, false).expect(here);
            assert!(target.address().ip().is_loopback());
        }
        for strange in [
            "http://192.0.2.1:9000",
            "http://0.0.0.0:9000",
            "http://[2001:db8::1]",
            // The same address as a number, and within one of version 6.
            "http://3221225985/",
            "http://[::ffff:192.0.2.1]/",
        ] {
            let refused = Target::parse(strange, false).expect_err(strange);
            assert!(matches!(refused, Refused::Elsewhere { .. }), "{refused}");
            Target::parse(strange, true).expect(strange);
        }
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for wrong in ["127.0.0.1:9000", "unix:///tmp/a", "", "http://"] {
            let refused = Target::parse(wrong, true).expect_err(wrong);
            assert!(matches!(refused, Refused::Syntax(_)), "{wrong}: {refused}");
        }
        let refused = Target::parse("https://127.0.0.1", true).expect_err("TLS");
        assert!(matches!(refused, Refused::Encrypted));
    }
}
