//! Each rule, with places that are far apart and near each other.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::*;
use crate::clock::Clock;
use crate::directory::login::remember;
use crate::directory::{NewUser, User};
use crate::flow::Context;
use crate::flow::context::Value as Known;
use crate::geoip::{City, Place};
use crate::journal::memory::MemoryJournal;
use crate::journal::object::Versioned;
use crate::journal::{Commit, Durability, Journal, KeyId, Version, Write};
use crate::policy::Kind;
use crate::policy::request::{Object, Scope, Subject};
use crate::world::{Observed, Recorded, Revisions};

/// Where a login or a request comes from.
#[derive(Clone, Copy)]
enum Spot {
    Toronto,
    Ottawa,
    Warsaw,
    Nowhere,
}

use Spot::{Nowhere, Ottawa, Toronto, Warsaw};

impl Spot {
    fn city(self) -> Option<City> {
        let (continent, country, lat, long, city) = match self {
            Toronto => ("NA", "CA", 43.7, -79.4, "Toronto"),
            Ottawa => ("NA", "CA", 45.4, -75.7, "Ottawa"),
            Warsaw => ("EU", "PL", 52.2, 21.0, "Warsaw"),
            Nowhere => return None,
        };
        Some(City {
            continent: Some(continent.to_owned()),
            country: Some(country.to_owned()),
            lat: Some(lat),
            long: Some(long),
            city: city.to_owned(),
        })
    }

    fn context(self) -> Context {
        let mut context = Context::default();
        let geoip = serde_json::to_value(self.city()).expect("a city is JSON");
        let asn = json!({"asn": 64_496, "as_org": "Example", "network": "192.0.2.0/24"});
        context.set("geoip", Some(Known::Json(geoip)));
        context.set("asn", Some(Known::Json(asn)));
        context
    }
}

/// A user and what is known of their logins.
struct Traveller {
    clock: Clock,
    journal: Arc<MemoryJournal>,
    user: User,
}

impl Traveller {
    async fn new() -> Self {
        let clock = Clock::fixed("2026-01-01T00:00:00Z".parse().expect("a moment"));
        let journal = Arc::new(MemoryJournal::new(clock.clone()));
        let user = NewUser::named("alice").into_user(1, &clock);
        let it = Self {
            clock,
            journal,
            user,
        };
        let key = Write::CreateKey {
            id: KeyId(it.user.uuid),
            under: KeyId::SYSTEM,
        };
        it.commit(vec![key]).await;
        it
    }

    async fn commit(&self, writes: Vec<Write>) {
        let commit = Commit {
            writes,
            durability: Durability::Relaxed,
            fence: None,
            at: self.clock.now(),
            correlation: Uuid::nil(),
        };
        self.journal.commit(commit).await.expect("a commit");
    }

    /// Logs in, and some hours pass.
    async fn logged_in(self, from: Spot, hours: u64) -> Self {
        let login = Login {
            id: self.clock.ordered_id(),
            user: self.user.uuid,
            at: self.clock.now(),
            address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
            place: Place {
                city: from.city(),
                asn: None,
            },
        };
        let writes = remember(self.journal.as_ref(), &login).await;
        self.commit(writes.expect("a read")).await;
        self.clock.advance(Duration::from_hours(hours));
        self
    }

    /// What a policy with these settings says of a request from there.
    async fn comes(&self, from: Spot, settings: Json) -> Result<(bool, Vec<String>), String> {
        self.judged(from.context(), settings).await
    }

    async fn judged(
        &self,
        context: Context,
        settings: Json,
    ) -> Result<(bool, Vec<String>), String> {
        // The world that a replay has: what it knows was asked before.
        let observed = Observed::new(self.journal.clone());
        logins_of(&observed, self.user.uuid).await.expect("a read");
        let revisions = Arc::new(Revisions::of(self.journal.clone()));
        let world = Recorded::new(revisions, self.clock.now(), observed.into_notes(), None);
        let subject = Subject::User(Box::new(Versioned {
            version: Version(1),
            value: self.user.clone(),
        }));
        let scope = Scope::new(context, None, Vec::new());
        let request = Request::new(&world, &subject, None, Object::None, &scope);
        let policy: GeoIp = serde_json::from_value(settings).expect("settings");
        match policy.judge(&request).await {
            Ok(judged) => Ok((judged.passing, judged.messages)),
            Err(error) => Err(error.to_string()),
        }
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it is compared with what may have failed"
)]
fn said(passing: bool, message: &str) -> Result<(bool, Vec<String>), String> {
    Ok((passing, vec![message.to_owned()]))
}

const PASSES: Result<(bool, Vec<String>), String> = Ok((true, Vec::new()));
const FAILS_SILENTLY: Result<(bool, Vec<String>), String> = Ok((false, Vec::new()));

fn near() -> Json {
    json!({"check_history_distance": true})
}

fn possible() -> Json {
    json!({"check_impossible_travel": true})
}

#[tokio::test]
async fn where_nothing_is_configured_everybody_passes() {
    let alice = Traveller::new().await;
    assert_eq!(alice.comes(Nowhere, json!({})).await, PASSES);
    assert_eq!(alice.judged(Context::default(), json!({})).await, PASSES);
}

#[tokio::test]
async fn a_country_is_allowed_or_not() {
    let alice = Traveller::new().await;
    let canada = json!({"countries": ["CA", "DE"]});
    assert_eq!(alice.comes(Toronto, canada.clone()).await, PASSES);
    assert_eq!(
        alice.comes(Warsaw, canada).await,
        said(false, "Client IP is not in an allowed country.")
    );
}

#[tokio::test]
async fn a_network_is_allowed_or_not() {
    let alice = Traveller::new().await;
    assert_eq!(
        alice.comes(Nowhere, json!({"asns": [64_496]})).await,
        PASSES
    );
    assert_eq!(
        alice.comes(Nowhere, json!({"asns": [64_497]})).await,
        said(
            false,
            "Client IP is not part of an allowed autonomous system."
        )
    );
}

#[tokio::test]
async fn one_of_two_matches_suffices_and_the_other_still_says_why() {
    let alice = Traveller::new().await;
    let settings = json!({"asns": [64_497], "countries": ["PL"]});
    assert_eq!(
        alice.comes(Warsaw, settings).await,
        said(
            true,
            "Client IP is not part of an allowed autonomous system."
        )
    );
}

#[tokio::test]
async fn an_address_of_which_nothing_is_known_is_a_failure() {
    let alice = Traveller::new().await;
    let unknown = "GeoIP: client IP address not found in City database.".to_owned();
    for context in [Nowhere.context(), Context::default()] {
        let judged = alice.judged(context, json!({"countries": ["CA"]})).await;
        assert_eq!(judged, Err(unknown.clone()));
    }
    let judged = alice
        .judged(Context::default(), json!({"asns": [64_496]}))
        .await;
    let unknown = "GeoIP: client IP not found in ASN database.".to_owned();
    assert_eq!(judged, Err(unknown));
}

#[tokio::test]
async fn who_never_logged_in_can_come_from_anywhere_that_is_known() {
    let alice = Traveller::new().await;
    assert_eq!(alice.comes(Warsaw, near()).await, PASSES);
    assert_eq!(alice.comes(Nowhere, near()).await, FAILS_SILENTLY);
    assert_eq!(alice.comes(Nowhere, possible()).await, FAILS_SILENTLY);
}

#[tokio::test]
async fn a_country_without_coordinates_is_no_place_to_measure_from() {
    let alice = Traveller::new().await.logged_in(Toronto, 1).await;
    let mut context = Context::default();
    let geoip = json!({"country": "CA", "lat": null, "long": null, "city": ""});
    context.set("geoip", Some(Known::Json(geoip)));
    let canada = json!({"countries": ["CA"]});
    assert_eq!(alice.judged(context.clone(), canada).await, PASSES);
    assert_eq!(alice.judged(context, near()).await, FAILS_SILENTLY);
}

#[tokio::test]
async fn poland_is_far_from_canada() {
    let alice = Traveller::new().await.logged_in(Toronto, 24 * 30).await;
    assert_eq!(
        alice.comes(Warsaw, near()).await,
        said(
            false,
            "Distance from previous authentication is larger than threshold."
        )
    );
    // 350 km, and 400 with the tolerance are enough.
    let wide = json!({"check_history_distance": true, "history_max_distance_km": 350});
    assert_eq!(alice.comes(Ottawa, wide).await, PASSES);
    assert_eq!(alice.comes(Toronto, near()).await, PASSES);
}

#[tokio::test]
async fn nobody_travels_faster_than_an_aircraft() {
    let impossible = said(false, "Distance is further than possible.");
    let alice = Traveller::new().await.logged_in(Toronto, 0).await;
    assert_eq!(alice.comes(Toronto, possible()).await, PASSES);
    assert_eq!(alice.comes(Ottawa, possible()).await, PASSES);
    assert_eq!(alice.comes(Warsaw, possible()).await, impossible);
    // 6,960 km take seven hours.
    alice.clock.advance(Duration::from_hours(6));
    assert_eq!(alice.comes(Warsaw, possible()).await, impossible);
    alice.clock.advance(Duration::from_mins(59));
    assert_eq!(alice.comes(Warsaw, possible()).await, impossible);
    alice.clock.advance(Duration::from_mins(1));
    assert_eq!(alice.comes(Warsaw, possible()).await, PASSES);
}

#[tokio::test]
async fn the_tolerance_for_impossible_travel_changes_nothing() {
    let alice = Traveller::new().await.logged_in(Toronto, 0).await;
    let settings = json!({"check_impossible_travel": true, "impossible_tolerance_km": 20_000});
    let judged = alice.comes(Warsaw, settings).await;
    assert_eq!(judged, said(false, "Distance is further than possible."));
    let settings = json!({"check_impossible_travel": true, "distance_tolerance_km": 20_000});
    assert_eq!(alice.comes(Warsaw, settings).await, PASSES);
}

#[tokio::test]
async fn a_history_without_places_fails_both_checks() {
    let alice = Traveller::new().await.logged_in(Nowhere, 1).await;
    assert_eq!(alice.comes(Toronto, near()).await, FAILS_SILENTLY);
    assert_eq!(alice.comes(Toronto, possible()).await, FAILS_SILENTLY);
    // One login with a place suffices.
    let alice = alice
        .logged_in(Toronto, 1)
        .await
        .logged_in(Nowhere, 1)
        .await;
    assert_eq!(alice.comes(Toronto, near()).await, PASSES);
}

#[tokio::test]
async fn only_the_latest_logins_count() {
    let mut alice = Traveller::new().await.logged_in(Warsaw, 1).await;
    for _ in 0..5 {
        alice = alice.logged_in(Toronto, 1).await;
    }
    assert_eq!(alice.comes(Toronto, near()).await, PASSES);
    let six = json!({"check_history_distance": true, "history_login_count": 6});
    let (passing, _) = alice.comes(Toronto, six).await.expect("an answer");
    assert!(!passing, "the sixth login was in Warsaw");
}

#[tokio::test]
async fn a_country_that_is_allowed_does_not_excuse_the_distance() {
    let alice = Traveller::new().await.logged_in(Toronto, 1).await;
    let settings = json!({"countries": ["PL"], "check_impossible_travel": true});
    let judged = alice.comes(Warsaw, settings).await;
    assert_eq!(judged, said(false, "Distance is further than possible."));
}

#[test]
fn distances_are_those_of_the_ellipsoid() {
    // GeographicLib's own example: JFK to LHR.
    let jfk = Point {
        north: 40.6,
        east: -73.8,
    };
    let lhr = Point {
        north: 51.6,
        east: -0.5,
    };
    let distance = jfk.kilometres_to(lhr).expect("both are on earth");
    assert!((distance - 5_551.759_400_319).abs() < 1e-6, "{distance}");
    let nowhere = Point {
        north: 91.0,
        east: 0.0,
    };
    assert_eq!(jfk.kilometres_to(nowhere), None);
}

#[test]
fn settings_have_defaults_and_countries_are_checked() {
    let valid = Kind::GeoIp.validate(&Map::new()).expect("valid settings");
    let expected = json!({
        "asns": [],
        "countries": [],
        "distance_tolerance_km": 50,
        "check_history_distance": false,
        "history_max_distance_km": 100,
        "history_login_count": 5,
        "check_impossible_travel": false,
        "impossible_tolerance_km": 100,
    });
    assert_eq!(Json::Object(valid), expected);
    let wrong = json!({"countries": ["DE", "XX", "de"]});
    let wrong = wrong.as_object().cloned().expect("an object");
    let errors = Kind::GeoIp.validate(&wrong).expect_err("no such countries");
    let texts: Vec<_> = errors["countries"].iter().map(|it| &it.string).collect();
    assert_eq!(
        texts,
        [
            "\"XX\" is not a valid choice.",
            "\"de\" is not a valid choice."
        ]
    );
}
