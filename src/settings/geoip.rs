//! The databases that tell where an address is and whose.

use std::path::PathBuf;

use super::reader::Reader;

/// `geoip.*`.
#[derive(Clone, Debug)]
pub struct Geoip {
    /// A `MaxMind` database of cities, such as `GeoLite2-City.mmdb`. Without one, policies that
    /// ask where somebody is fail.
    pub city: Option<PathBuf>,
    /// A `MaxMind` database of autonomous systems, such as `GeoLite2-ASN.mmdb`. Without one,
    /// sessions cannot be bound to the network of their login.
    pub asn: Option<PathBuf>,
}

impl Geoip {
    pub(super) fn read(from: &mut Reader) -> Self {
        let city = from.optional("geoip.city", |text| Ok(text.to_owned()));
        let asn = from.optional("geoip.asn", |text| Ok(text.to_owned()));
        Self {
            city: city.map(PathBuf::from),
            asn: asn.map(PathBuf::from),
        }
    }
}
