//! How often a name failed or succeeded from an address. Nobody is judged here.
//!
//! A row says only that there is something to count; its score is a counter of the journal, so
//! that attempts at the same moment never conflict once the row is there.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::clock::Clock;
use crate::flow::client::network;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, Kind, Objects, Result};

/// Of more rows that match one address or one name, so many count. Their ids are random, so
/// nobody can choose which.
const COUNTED: usize = 256;

/// No more of a name is kept, in characters: strangers type what they like.
const LONGEST: usize = 256;

/// One name, tried from one address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reputation {
    /// Its identifier, and its counter's.
    pub id: Uuid,
    /// The name: a user's, or what was typed.
    pub identifier: String,
    /// The address; of IPv6 the network, which one subscriber has for themselves.
    pub ip: IpAddr,
    /// Where the address was, as far as was known then.
    pub geo: Option<Value>,
    /// Whose it was, as far as was known then.
    pub asn: Option<Value>,
    /// When the first attempt was counted.
    pub created: Timestamp,
    /// From this moment on nothing of it counts.
    pub expires: Timestamp,
}

/// How attempts are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long after the first attempt the score is forgotten.
    pub lasts: Duration,
    /// The least that a score becomes.
    pub lower: i64,
    /// The most that it becomes.
    pub upper: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            lasts: Duration::from_hours(24),
            lower: -5,
            upper: 5,
        }
    }
}

impl Rules {
    /// The score after one more attempt.
    #[must_use]
    pub fn after(&self, score: i64, amount: i64) -> i64 {
        score.saturating_add(amount).min(self.upper).max(self.lower)
    }
}

/// The name and the address of an attempt in the form in which they are compared. Upper and lower
/// case are the same: a name that is spelt in another way is still the same target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The name.
    pub identifier: String,
    /// The address.
    pub ip: IpAddr,
}

impl Place {
    /// The place of an attempt.
    #[must_use]
    pub fn new(identifier: &str, ip: IpAddr) -> Self {
        Self {
            identifier: folded(identifier),
            ip: network(ip),
        }
    }

    fn key(&self) -> Key {
        let text = format!("{} {}", self.ip, self.identifier);
        Key::new("place", text)
    }
}

/// What rows are looked for by; a row counts when either matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    ip: Option<IpAddr>,
    identifier: Option<String>,
}

impl Wanted {
    /// The rows of an address, and those of a name.
    #[must_use]
    pub fn new(ip: Option<IpAddr>, identifier: Option<&str>) -> Self {
        Self {
            ip: ip.map(network),
            identifier: identifier.map(folded),
        }
    }

    /// Whether an attempt there counts.
    #[must_use]
    pub fn includes(&self, place: &Place) -> bool {
        self.ip == Some(place.ip) || self.identifier.as_ref() == Some(&place.identifier)
    }
}

fn folded(identifier: &str) -> String {
    cut(identifier).to_lowercase()
}

fn cut(identifier: &str) -> &str {
    let end = identifier.char_indices().nth(LONGEST);
    end.map_or(identifier, |(end, _)| &identifier[..end])
}

impl Reputation {
    /// A row in which nothing is counted yet.
    #[must_use]
    pub fn new(clock: &Clock, identifier: &str, ip: IpAddr, now: Timestamp, rules: Rules) -> Self {
        let mut row = Self {
            id: clock.opaque_id(),
            identifier: cut(identifier).to_owned(),
            ip: network(ip),
            geo: None,
            asn: None,
            created: now,
            expires: now,
        };
        row.renew(now, rules);
        row
    }

    /// Lets the row begin again, with nothing counted.
    pub fn renew(&mut self, now: Timestamp, rules: Rules) {
        self.created = now;
        self.expires = now.checked_add(rules.lasts).unwrap_or(Timestamp::MAX);
    }

    /// Whether nothing of it counts any more.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires <= now
    }

    /// What it stands for.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::new(&self.identifier, self.ip)
    }

    /// The counter that holds its score.
    #[must_use]
    pub fn counter(&self) -> Vec<u8> {
        format!("reputation/{}", self.id).into_bytes()
    }
}

impl Stored for Reputation {
    const KIND: Kind = Kind::new("reputation");

    fn id(&self) -> Uuid {
        self.id
    }

    fn unique(&self) -> Vec<Key> {
        vec![self.place().key()]
    }

    fn index(&self) -> Vec<Key> {
        let place = self.place();
        vec![by_ip(place.ip), by_identifier(&place.identifier)]
    }
}

fn by_ip(ip: IpAddr) -> Key {
    Key::new("ip", ip.to_string())
}

fn by_identifier(folded: &str) -> Key {
    Key::new("identifier", folded)
}

/// The row of a place, also one that has expired.
pub async fn row(
    objects: &(impl Objects + ?Sized),
    place: &Place,
) -> Result<Option<Versioned<Reputation>>> {
    object::find(objects, place.key()).await
}

/// The rows that are wanted and have not expired, each once, and no more than so many of one address or one name.
pub async fn rows(
    objects: &(impl Objects + ?Sized),
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Vec<Reputation>> {
    let ip = wanted.ip.map(by_ip);
    let identifier = wanted.identifier.as_deref().map(by_identifier);
    let mut found = BTreeMap::new();
    for key in ip.into_iter().chain(identifier) {
        for object in objects.scan(Reputation::KIND, key, None, COUNTED).await? {
            let row: Versioned<Reputation> = object::open(&object)?;
            if !row.value.is_expired(now) {
                found.insert(row.value.id, row.value);
            }
        }
    }
    Ok(found.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_name_is_the_same_in_any_case_and_an_ipv6_network_is_one_address() {
        let one = Place::new("Ann", ip("2001:db8::1"));
        assert_eq!(one, Place::new("aNN", ip("2001:db8::2")));
        assert_ne!(one, Place::new("ann", ip("2001:db8:0:1::1")));
        assert_eq!(ip("192.0.2.1"), Place::new("", ip("::ffff:192.0.2.1")).ip);
    }

    #[test]
    fn either_the_address_or_the_name_has_to_match() {
        let place = Place::new("ann", ip("192.0.2.1"));
        for (address, name, included) in [
            (Some("192.0.2.1"), Some("bob"), true),
            (Some("192.0.2.2"), Some("ann"), true),
            (Some("192.0.2.2"), None, false),
            (None, Some("ANN"), true),
            (None, None, false),
        ] {
            let wanted = Wanted::new(address.map(ip), name);
            assert_eq!(wanted.includes(&place), included, "{wanted:?}");
        }
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let long = "ü".repeat(LONGEST + 1);
        let row = Reputation::new(
            &Clock::system(),
            &long,
            ip("192.0.2.1"),
            Timestamp::UNIX_EPOCH,
            Rules::default(),
        );
        assert_eq!(row.identifier.chars().count(), LONGEST);
        assert_eq!(row.place(), Place::new(&long, row.ip));
    }

    #[test]
    fn a_score_goes_up_from_four_to_five_and_down_to_three_and_no_further_than_its_limits() {
        let rules = Rules::default();
        assert_eq!((rules.after(4, 1), rules.after(4, -1)), (5, 3));
        assert_eq!((rules.after(0, 1000), rules.after(0, -1000)), (5, -5));
        assert_eq!(rules.after(5, i64::MAX), 5);
    }
}
