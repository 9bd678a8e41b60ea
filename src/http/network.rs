//! Whether a session is still used from the network that it is bound to.

use std::net::IpAddr;

use crate::directory::session::NetworkBinding;
use crate::geoip::Geoip;

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

/// Compares where a session was last used with where it is used now.
///
/// # Errors
/// What is not as the binding asks.
pub fn check(
    known: &Geoip,
    binding: NetworkBinding,
    before: IpAddr,
    now: IpAddr,
) -> Result<(), Broken> {
    if binding == NetworkBinding::NoBinding || before.to_canonical() == now.to_canonical() {
        return Ok(());
    }
    let before = known.network(before).ok_or(Broken::Missing)?;
    let now = known.network(now).ok_or(Broken::Missing)?;
    if before.asn != now.asn {
        Err(Broken::Provider)
    } else if binding == NetworkBinding::BindAsn {
        Ok(())
    } else if before.network != now.network {
        Err(Broken::Network)
    } else if binding == NetworkBinding::BindAsnNetwork {
        Ok(())
    } else {
        Err(Broken::Address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_database_only_the_same_address_is_believed() {
        let known = Geoip::default();
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
            assert_eq!(check(&known, binding, here, now), outcome);
        }
    }
}
