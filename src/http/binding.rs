//! Whether a session is still used from the network and the place that it is bound to.
//!
//! Source: authentik `stages/user_login/middleware.py`. It judges addresses and changes nothing.

use std::net::IpAddr;

use crate::directory::session::{GeoipBinding, NetworkBinding};
use crate::geoip::Geoip;

/// What changed, in the words that authentik logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The network of one of the addresses is not known.
    #[error("network.missing")]
    NetworkMissing,
    /// The provider is another one.
    #[error("network.asn")]
    Provider,
    /// The provider's network is another one.
    #[error("network.asn_network")]
    Network,
    /// The address is another one.
    #[error("network.ip")]
    Address,
    /// The place of one of the addresses is not known.
    #[error("geoip.missing")]
    PlaceMissing,
    /// The continent is another one.
    #[error("geoip.continent")]
    Continent,
    /// The country is another one.
    #[error("geoip.country")]
    Country,
    /// The city is another one.
    #[error("geoip.city")]
    City,
}

/// Compares where a session was last used with where it is used now.
///
/// # Errors
/// What is not as the bindings ask.
pub fn check(
    known: &Geoip,
    (network, place): (NetworkBinding, GeoipBinding),
    before: IpAddr,
    now: IpAddr,
) -> Result<(), Broken> {
    let (before, now) = (before.to_canonical(), now.to_canonical());
    if before == now {
        return Ok(());
    }
    check_network(known, network, before, now)?;
    check_place(known, place, before, now)
}

fn check_network(
    known: &Geoip,
    binding: NetworkBinding,
    before: IpAddr,
    now: IpAddr,
) -> Result<(), Broken> {
    if binding == NetworkBinding::NoBinding {
        return Ok(());
    }
    let before = known.network(before).ok_or(Broken::NetworkMissing)?;
    let now = known.network(now).ok_or(Broken::NetworkMissing)?;
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

fn check_place(
    known: &Geoip,
    binding: GeoipBinding,
    before: IpAddr,
    now: IpAddr,
) -> Result<(), Broken> {
    if binding == GeoipBinding::NoBinding {
        return Ok(());
    }
    let before = known.city(before).ok_or(Broken::PlaceMissing)?;
    let now = known.city(now).ok_or(Broken::PlaceMissing)?;
    if before.continent != now.continent {
        Err(Broken::Continent)
    } else if binding == GeoipBinding::BindContinent {
        Ok(())
    } else if before.country != now.country {
        Err(Broken::Country)
    } else if binding == GeoipBinding::BindContinentCountry {
        Ok(())
    } else if before.city != now.city {
        Err(Broken::City)
    } else {
        Ok(())
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
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().expect("a literal");
        let none = (NetworkBinding::NoBinding, GeoipBinding::NoBinding);
        let network = |it| (it, GeoipBinding::NoBinding);
        let place = |it| (NetworkBinding::NoBinding, it);
        let all = (
            NetworkBinding::BindAsnNetworkIp,
            GeoipBinding::BindContinent,
        );
        for (bindings, now, outcome) in [
            (none, there, Ok(())),
            (all, here, Ok(())),
            (all, mapped, Ok(())),
            (
                network(NetworkBinding::BindAsn),
                there,
                Err(Broken::NetworkMissing),
            ),
            (
                network(NetworkBinding::BindAsnNetworkIp),
                there,
                Err(Broken::NetworkMissing),
            ),
            (
                place(GeoipBinding::BindContinent),
                there,
                Err(Broken::PlaceMissing),
            ),
            // The network is looked at first.
            (all, there, Err(Broken::NetworkMissing)),
        ] {
            assert_eq!(check(&known, bindings, here, now), outcome);
        }
    }
}
