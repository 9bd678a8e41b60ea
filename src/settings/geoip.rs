//! The database that tells networks from addresses.

use std::path::PathBuf;

use super::reader::Reader;

/// `geoip.*`.
#[derive(Clone, Debug)]
pub struct Geoip {
    /// A `MaxMind` database of autonomous systems, such as `GeoLite2-ASN.mmdb`. Without one,
    /// sessions cannot be bound to the network of their login.
    pub asn: Option<PathBuf>,
}

impl Geoip {
    pub(super) fn read(from: &mut Reader) -> Self {
        let asn = from.optional("geoip.asn", |text| Ok(text.to_owned()));
        Self {
            asn: asn.map(PathBuf::from),
        }
    }
}
