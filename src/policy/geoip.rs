//! Compares where a request comes from with where it may come from, and with where the user
//! logged in before. Source: authentik `policies/geoip`.
//!
//! The place is the one in the context (`geoip`, `asn`), as expressions see it too.

use std::collections::BTreeSet;

use async_trait::async_trait;
use geographiclib_rs::{Geodesic, InverseGeodesic as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Error, Judged, Policy, Request, context};
use crate::directory::login::{Login, logins_of};
use crate::flow::field::{Invalid, Problem};
use crate::flow::verdict::Logged;

pub mod countries;
#[cfg(test)]
mod tests;

/// How far somebody may get in an hour, in kilometres.
const KM_PER_HOUR: f64 = 1000.0;

/// The settings of a policy about places.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = GeoIPPolicy)]
pub struct GeoIp {
    /// The numbers of the autonomous systems that are allowed.
    pub asns: Vec<u32>,
    /// The codes of the countries that are allowed.
    #[schema(value_type = Vec<countries::Code>, max_items = 249)]
    pub countries: Vec<String>,
    /// What is added to both distances, in kilometres.
    pub distance_tolerance_km: u32,
    /// Whether former logins must have been near.
    pub check_history_distance: bool,
    /// How near, in kilometres.
    pub history_max_distance_km: u64,
    /// With how many of the user's latest logins the place is compared.
    pub history_login_count: u32,
    /// Whether somebody must have been able to travel here since their former logins.
    pub check_impossible_travel: bool,
    /// Kept for files and clients; nothing reads it, as in authentik.
    pub impossible_tolerance_km: u32,
}

impl Default for GeoIp {
    fn default() -> Self {
        Self {
            asns: Vec::new(),
            countries: Vec::new(),
            distance_tolerance_km: 50,
            check_history_distance: false,
            history_max_distance_km: 100,
            history_login_count: 5,
            check_impossible_travel: false,
            impossible_tolerance_km: 100,
        }
    }
}

#[async_trait(?Send)]
impl Policy for GeoIp {
    async fn judge(&self, request: &Request<'_>) -> Result<Judged, Error> {
        let mut allowed = Vec::new();
        if !self.asns.is_empty() {
            allowed.push(self.network(request)?);
        }
        if !self.countries.is_empty() {
            allowed.push(self.country(request)?);
        }
        let mut judged = Judged::new(allowed.is_empty() || allowed.iter().any(|it| it.passing));
        if self.check_history_distance || self.check_impossible_travel {
            let reached = self.journey(request).await?;
            judged.passing &= reached.passing;
            allowed.push(reached);
        }
        for part in allowed {
            judged.messages.extend(part.messages);
            judged.log.extend(part.log);
        }
        Ok(judged)
    }

    fn problems(&self) -> Vec<Invalid> {
        let unknown: BTreeSet<&String> = self
            .countries
            .iter()
            .filter(|code| !countries::is_country(code))
            .collect();
        let unknown = unknown.into_iter().cloned().map(Problem::NotAChoice);
        unknown
            .map(|problem| Invalid::new("countries", problem))
            .collect()
    }
}

impl GeoIp {
    /// Whether the network is one of those that are allowed.
    fn network(&self, request: &Request<'_>) -> Result<Judged, Error> {
        let asn = context::entry(request, "asn").and_then(|asn| asn["asn"].as_u64());
        let asn = asn.filter(|asn| *asn != 0);
        let asn =
            asn.ok_or_else(|| Error::failed("GeoIP: client IP not found in ASN database."))?;
        let allowed = self.asns.iter().any(|it| u64::from(*it) == asn);
        Ok(if allowed {
            Judged::new(true)
        } else {
            let message = "Client IP is not part of an allowed autonomous system.";
            Judged::new(false).saying(message)
        })
    }

    /// Whether the country is one of those that are allowed.
    fn country(&self, request: &Request<'_>) -> Result<Judged, Error> {
        let place = context::entry(request, "geoip").unwrap_or_default();
        let country = place["country"].as_str().filter(|code| !code.is_empty());
        let country = country
            .ok_or_else(|| Error::failed("GeoIP: client IP address not found in City database."))?;
        Ok(if self.countries.iter().any(|code| code == country) {
            Judged::new(true)
        } else {
            Judged::new(false).saying("Client IP is not in an allowed country.")
        })
    }

    /// Whether the user can have come here from where they logged in before.
    async fn journey(&self, request: &Request<'_>) -> Result<Judged, Error> {
        let place = context::entry(request, "geoip").unwrap_or_default();
        let Some(here) = Point::of(&place["lat"], &place["long"]) else {
            return Ok(silently_fails("where the request comes from is not known"));
        };
        // Whoever is not in the directory has never been anywhere.
        let Some(user) = request.subject.user() else {
            return Ok(Judged::new(true));
        };
        let logins = logins_of(request.world.objects(), user.value.uuid).await?;
        let count = usize::try_from(self.history_login_count).unwrap_or(usize::MAX);
        let logins: Vec<_> = logins.into_iter().take(count).collect();
        if logins.is_empty() {
            return Ok(Judged::new(true));
        }
        let now = request.world.now();
        let distances = logins
            .iter()
            .filter_map(|login| Some((&login.value, here.kilometres_to(was_at(&login.value)?)?)));
        let mut compared = false;
        for (login, distance) in distances {
            if let Some(message) = self.objection(login, distance, now) {
                return Ok(Judged::new(false).saying(message));
            }
            compared = true;
        }
        Ok(if compared {
            Judged::new(true)
        } else {
            silently_fails("where the former logins came from is not known")
        })
    }

    /// What speaks against somebody being so far from where they logged in then.
    fn objection(&self, login: &Login, distance: f64, now: Timestamp) -> Option<&'static str> {
        let tolerance = f64::from(self.distance_tolerance_km);
        if self.check_history_distance {
            #[expect(
                clippy::cast_precision_loss,
                reason = "no distance on earth is that long"
            )]
            let most = self.history_max_distance_km as f64;
            if distance >= most + tolerance {
                return Some("Distance from previous authentication is larger than threshold.");
            }
        }
        if self.check_impossible_travel {
            let hours = (now.duration_since(login.at).as_secs_f64() / 3600.0).floor();
            if distance >= KM_PER_HOUR * hours.max(1.0) + tolerance {
                return Some("Distance is further than possible.");
            }
        }
        None
    }
}

/// A refusal that the visitor is told nothing about, but the trail is.
fn silently_fails(why: &str) -> Judged {
    let mut judged = Judged::new(false);
    judged.log.push(Logged {
        level: "info".to_owned(),
        text: why.to_owned(),
    });
    judged
}

/// A point on the globe, in degrees.
#[derive(Clone, Copy, Debug)]
struct Point {
    north: f64,
    east: f64,
}

impl Point {
    fn of(north: &Value, east: &Value) -> Option<Self> {
        let (north, east) = (north.as_f64()?, east.as_f64()?);
        Some(Self { north, east })
    }

    /// Along the surface of WGS 84; `None` when one of the two is no point on it.
    fn kilometres_to(self, other: Self) -> Option<f64> {
        let earth = Geodesic::wgs84();
        let metres: f64 = earth.inverse(self.north, self.east, other.north, other.east);
        metres.is_finite().then_some(metres / 1000.0)
    }
}

/// Where a login came from, if that was known.
fn was_at(login: &Login) -> Option<Point> {
    let city = login.place.city.as_ref()?;
    let (north, east) = (city.lat?, city.long?);
    Some(Point { north, east })
}
