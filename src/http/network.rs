//! Whether a session is still used from the network that it is bound to.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use maxminddb::Reader;
use maxminddb::geoip2::Asn;

use crate::directory::session::NetworkBinding;

/// A database that tells which provider's network an address belongs to, if there is one.
#[derive(Default)]
pub struct Networks(Option<Reader<Vec<u8>>>);

impl fmt::Debug for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Networks").field(&self.0.is_some()).finish()
    }
}

/// What changed, in the words that authentik logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The network of one of the addresses is not known.
    #[error("network.missing")]
    Missing,
    /// The provider is another one.
    #[error("network.asn")]
    Provider,
    /// The provider's network is another one.
    #[error("network.asn_network")]
    Network,
    /// The address is another one.
    #[error("network.ip")]
    Address,
}

impl Networks {
    /// Reads a `MaxMind` database of autonomous systems.
    ///
    /// # Errors
    /// When the file cannot be read or is no such database.
    pub fn open(path: &Path) -> Result<Self, maxminddb::MaxMindDbError> {
        Reader::open_readfile(path).map(|reader| Self(Some(reader)))
    }

    /// Compares where a session was last used with where it is used now.
    ///
    /// # Errors
    /// What is not as the binding asks.
    pub fn check(
        &self,
        binding: NetworkBinding,
        before: IpAddr,
        now: IpAddr,
    ) -> Result<(), Broken> {
        if binding == NetworkBinding::NoBinding || before.to_canonical() == now.to_canonical() {
            return Ok(());
        }
        let before = self.find(before).ok_or(Broken::Missing)?;
        let now = self.find(now).ok_or(Broken::Missing)?;
        if before.0 != now.0 {
            Err(Broken::Provider)
        } else if binding == NetworkBinding::BindAsn {
            Ok(())
        } else if before.1 != now.1 {
            Err(Broken::Network)
        } else if binding == NetworkBinding::BindAsnNetwork {
            Ok(())
        } else {
            Err(Broken::Address)
        }
    }

    /// The number of the provider and the announced network.
    fn find(&self, address: IpAddr) -> Option<(u32, String)> {
        let found = self.0.as_ref()?.lookup(address).ok()?;
        let number = found.decode::<Asn<'_>>().ok()??.autonomous_system_number?;
        Some((number, found.network().ok()?.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_database_only_the_same_address_is_believed() {
        let networks = Networks::default();
        let here: IpAddr = "192.0.2.1".parse().expect("a literal");
        let there: IpAddr = "192.0.2.2".parse().expect("a literal");
        for (binding, now, outcome) in [
            (NetworkBinding::NoBinding, there, Ok(())),
            (NetworkBinding::BindAsn, here, Ok(())),
            (NetworkBinding::BindAsn, there, Err(Broken::Missing)),
            (
                NetworkBinding::BindAsnNetworkIp,
                there,
                Err(Broken::Missing),
            ),
        ] {
            assert_eq!(networks.check(binding, here, now), outcome);
        }
    }
}
