//! Where an address is: reads `MaxMind` databases of cities and of autonomous systems.
//!
//! It looks things up and judges nothing. Without a database, nothing is known.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;

use maxminddb::{MaxMindDbError, Reader, geoip2};
use serde::{Deserialize, Serialize};

/// The databases that there are.
#[derive(Default)]
pub struct Geoip {
    city: Option<Reader<Vec<u8>>>,
    asn: Option<Reader<Vec<u8>>>,
}

impl fmt::Debug for Geoip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Geoip")
            .field("city", &self.city.is_some())
            .field("asn", &self.asn.is_some())
            .finish()
    }
}

/// What is known of an address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Where it is; `None` when no database says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<City>,
    /// Whose it is; `None` when no database says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asn: Option<Asn>,
}

/// Where an address is, in the words of authentik's `geoip` (`events/context_processors/geoip.py`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct City {
    /// The continent's code: `EU`.
    pub continent: Option<String>,
    /// The country's code of ISO 3166: `DE`.
    pub country: Option<String>,
    /// Degrees north.
    pub lat: Option<f64>,
    /// Degrees east.
    pub long: Option<f64>,
    /// The city's English name; may be empty.
    pub city: String,
}

/// Whose network an address belongs to, in the words of authentik's `asn`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asn {
    /// The number of the autonomous system.
    pub asn: u32,
    /// Its organisation; may be empty.
    pub as_org: String,
    /// The announced network: `192.0.2.0/24`.
    pub network: String,
}

impl Geoip {
    /// Reads the databases that are named.
    ///
    /// # Errors
    /// When a file cannot be read or is no such database.
    pub fn open(city: Option<&Path>, asn: Option<&Path>) -> Result<Self, MaxMindDbError> {
        Ok(Self {
            city: city.map(Reader::open_readfile).transpose()?,
            asn: asn.map(Reader::open_readfile).transpose()?,
        })
    }

    /// Whether there is a database of cities.
    #[must_use]
    pub fn has_cities(&self) -> bool {
        self.city.is_some()
    }

    /// Whether there is a database of autonomous systems.
    #[must_use]
    pub fn has_networks(&self) -> bool {
        self.asn.is_some()
    }

    /// What the databases say of an address.
    #[must_use]
    pub fn place(&self, address: IpAddr) -> Place {
        Place {
            city: self.city(address),
            asn: self.network(address),
        }
    }

    /// Where an address is.
    #[must_use]
    pub fn city(&self, address: IpAddr) -> Option<City> {
        let found = self.city.as_ref()?.lookup(address).ok()?;
        let found = found.decode::<geoip2::City<'_>>().ok()??;
        Some(City {
            continent: found.continent.code.map(str::to_owned),
            country: found.country.iso_code.map(str::to_owned),
            lat: found.location.latitude,
            long: found.location.longitude,
            city: found.city.names.english.unwrap_or_default().to_owned(),
        })
    }

    /// Whose network an address belongs to.
    #[must_use]
    pub fn network(&self, address: IpAddr) -> Option<Asn> {
        let found = self.asn.as_ref()?.lookup(address).ok()?;
        let asn = found.decode::<geoip2::Asn<'_>>().ok()??;
        Some(Asn {
            asn: asn.autonomous_system_number?,
            as_org: asn
                .autonomous_system_organization
                .unwrap_or_default()
                .to_owned(),
            network: found.network().ok()?.to_string(),
        })
    }
}
