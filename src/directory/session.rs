//! A browser's session. Its identity never changes; the secret in the cookie does at login.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::clock::{Clock, later};
use crate::flow::client::Client;
use crate::flow::model::words;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, KeyId, Kind, Objects, Result};

/// How long the former secret is still honoured, for requests that were under way at login.
pub const GRACE: Duration = Duration::from_secs(10);

words! {
    /// What of a client's network has to stay the same for its session to go on.
    #[derive(Default)]
    NetworkBinding as NetworkBindingEnum {
        /// Nothing.
        #[default]
        NoBinding = "no_binding",
        /// The provider.
        BindAsn = "bind_asn",
        /// The provider and its network.
        BindAsnNetwork = "bind_asn_network",
        /// The address itself.
        BindAsnNetworkIp = "bind_asn_network_ip",
    }
}

words! {
    /// What of a client's whereabouts has to stay the same for its session to go on.
    #[derive(Default)]
    GeoipBinding as GeoipBindingEnum {
        /// Nothing.
        #[default]
        NoBinding = "no_binding",
        /// The continent.
        BindContinent = "bind_continent",
        /// The continent and the country.
        BindContinentCountry = "bind_continent_country",
        /// The continent, the country and the city.
        BindContinentCountryCity = "bind_continent_country_city",
    }
}

/// A session's former secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FormerSid {
    /// The secret.
    #[serde(with = "object::sealed")]
    pub sid: SecretString,
    /// When it stops being honoured.
    pub until: Timestamp,
}

/// A session. Serialising one puts its secrets into the result: only the journal may.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// What it is known by everywhere but in the cookie; it never changes.
    pub id: Uuid,
    /// The secret in the cookie.
    #[serde(with = "object::sealed")]
    pub sid: SecretString,
    /// The secret before that.
    pub previous: Option<FormerSid>,
    /// Who is logged in.
    pub user: Option<Uuid>,
    /// When it began.
    pub created: Timestamp,
    /// When it ends unless it is used.
    pub expires: Timestamp,
    /// From where it was last used.
    pub last_ip: IpAddr,
    /// With which program it was last used, as that calls itself.
    pub last_user_agent: String,
    /// When it was last written.
    pub last_used: Timestamp,
    /// What of the client's network has to stay the same.
    pub network_binding: NetworkBinding,
    /// What of the client's whereabouts has to stay the same.
    pub geoip_binding: GeoipBinding,
    /// When the cookie ends; without it the cookie ends with the browser, and use prolongs
    /// the session.
    pub persistent: Option<Timestamp>,
    /// The secret that a page repeats in each request that acts.
    #[serde(with = "object::sealed")]
    pub csrf: SecretString,
    /// How often the secret in the cookie has been replaced.
    pub generation: u64,
}

impl Session {
    /// A session in which nobody is logged in, for a client that was seen `now`.
    #[must_use]
    pub fn anonymous(
        clock: &Clock,
        now: Timestamp,
        lifetime: Duration,
        ip: IpAddr,
        user_agent: &str,
    ) -> Self {
        Self {
            id: clock.opaque_id(),
            sid: clock.random_text(32),
            previous: None,
            user: None,
            created: now,
            expires: later(now, lifetime),
            last_ip: ip,
            last_user_agent: user_agent.to_owned(),
            last_used: now,
            network_binding: NetworkBinding::default(),
            geoip_binding: GeoipBinding::default(),
            persistent: None,
            csrf: clock.random_text(32),
            generation: 0,
        }
    }

    /// Replaces the secrets. The caller draws both, so that it can record having done so.
    pub fn rotate(&mut self, sid: SecretString, csrf: SecretString, now: Timestamp) {
        let former = std::mem::replace(&mut self.sid, sid);
        self.previous = Some(FormerSid {
            sid: former,
            until: later(now, GRACE),
        });
        self.csrf = csrf;
        self.generation += 1;
    }

    /// Logs the user in under new secrets.
    ///
    /// With `lasting`, session and cookie end at that moment; without it the cookie ends with
    /// the browser and the session `unused` after its last use.
    pub fn log_in(
        &mut self,
        user: Uuid,
        sid: SecretString,
        csrf: SecretString,
        now: Timestamp,
        lasting: Option<Timestamp>,
        unused: Duration,
    ) {
        self.rotate(sid, csrf, now);
        self.user = Some(user);
        self.persistent = lasting;
        self.expires = lasting.unwrap_or_else(|| later(now, unused));
        self.last_used = now;
    }

    /// Logs whoever it is out under new secrets; the former ones are honoured no more.
    pub fn log_out(
        &mut self,
        sid: SecretString,
        csrf: SecretString,
        now: Timestamp,
        unused: Duration,
    ) {
        self.rotate(sid, csrf, now);
        self.previous = None;
        self.user = None;
        self.persistent = None;
        self.network_binding = NetworkBinding::default();
        self.geoip_binding = GeoipBinding::default();
        self.expires = later(now, unused);
        self.last_used = now;
    }

    /// Notes a use, which prolongs a session whose end is not fixed.
    pub fn touch(&mut self, now: Timestamp, unused: Duration, ip: IpAddr, user_agent: &str) {
        user_agent.clone_into(&mut self.last_user_agent);
        self.last_ip = ip;
        self.last_used = now;
        if self.persistent.is_none() {
            self.expires = later(now, unused);
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires <= now
    }

    /// Whether this is the secret that the cookie has to hold.
    #[must_use]
    pub fn is_current(&self, sid: &SecretString) -> bool {
        same(&self.sid, sid)
    }

    /// Whether whoever sent this secret may use the session: with the former one only the browser
    /// that had the present one made, since somebody may have planted the former.
    #[must_use]
    pub fn admits(&self, sid: &SecretString, client: &Client, now: Timestamp) -> bool {
        self.is_current(sid) || (self.honours(sid, now) && self.is_same_client(client))
    }

    /// Whether the client is the one that used the session last.
    #[must_use]
    pub fn is_same_client(&self, client: &Client) -> bool {
        self.last_ip == client.address && self.last_user_agent == client.user_agent
    }

    /// Whether this is the secret that a page has to repeat.
    #[must_use]
    pub fn csrf_is(&self, csrf: &SecretString) -> bool {
        same(&self.csrf, csrf)
    }

    fn honours(&self, sid: &SecretString, now: Timestamp) -> bool {
        let former = self.previous.as_ref();
        self.is_current(sid) || former.is_some_and(|it| now < it.until && same(&it.sid, sid))
    }
}

impl Stored for Session {
    const KIND: Kind = Kind::new("session");

    fn id(&self) -> Uuid {
        self.id
    }

    fn sealed_by(&self) -> KeyId {
        self.user.map_or(KeyId::SYSTEM, KeyId)
    }

    fn unique(&self) -> Vec<Key> {
        let former = self.previous.iter().map(|former| &former.sid);
        std::iter::once(&self.sid)
            .chain(former)
            .map(|sid| Key::new("sid", sid.expose_secret()))
            .collect()
    }

    fn index(&self) -> Vec<Key> {
        self.user
            .iter()
            .map(|user| Key::new("user", user))
            .collect()
    }
}

fn same(a: &SecretString, b: &SecretString) -> bool {
    let (a, b) = (a.expose_secret().as_bytes(), b.expose_secret().as_bytes());
    a.ct_eq(b).into()
}

/// The session whose cookie holds this secret, unless it has ended.
pub async fn session_by_sid(
    objects: &(impl Objects + ?Sized),
    sid: &SecretString,
    now: Timestamp,
) -> Result<Option<Versioned<Session>>> {
    let found: Option<Versioned<Session>> =
        object::find(objects, Key::new("sid", sid.expose_secret())).await?;
    Ok(found.filter(|it| it.value.honours(sid, now) && !it.value.is_expired(now)))
}

/// The sessions in which this user is logged in, also those that have ended, by identifier.
pub async fn sessions_of(
    objects: &(impl Objects + ?Sized),
    user: Uuid,
) -> Result<Vec<Versioned<Session>>> {
    object::scan(objects, Key::new("user", user)).await
}
