//! Makes events of drafts: looks up what people and objects were called, as far as they may still
//! be named. It reads the journal and writes nothing.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use jiff::Timestamp;
use lru::LruCache;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::cleanse::cleanse;
use super::draft::{Condition, Draft, Letter, Origin, Reference, Who};
use super::model;
use crate::catalog::brand::{brands, select};
use crate::catalog::{Brand, Policy, Stage};
use crate::directory::{AuditEvent, Session, Token, User};
use crate::flow::plan::Pinned;
use crate::geoip::Geoip;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Journal, KeyId, Kind, Position, Result, StreamId, Version};
use crate::world::Observation;

/// How many policies it is remembered of whether they ask to be told of.
const POLICIES: NonZeroUsize = NonZeroUsize::new(1024).expect("it is not zero");

/// What an address that is not known is written as.
const UNKNOWN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::BROADCAST);

/// What a record is known by, and what was seen when it was made.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Its place.
    pub position: Position,
    /// When it was made.
    pub at: Timestamp,
    /// The request.
    pub correlation: Uuid,
    /// The key that seals the record, for events about nobody who is known.
    pub key: KeyId,
    /// What the world answered.
    pub observations: &'a [Observation],
}

impl Seen<'_> {
    /// The revision of an object that was seen last.
    fn version(&self, kind: Kind, id: Uuid) -> Option<Version> {
        let mut notes = self.observations.iter().rev();
        notes
            .find_map(|note| match note {
                Observation::Object {
                    kind: of,
                    id: which,
                    version,
                } if *of == kind && *which == id => Some(*version),
                _ => None,
            })
            .flatten()
    }
}

/// What makes events.
pub struct Resolver {
    journal: Arc<dyn Journal>,
    geoip: Arc<Geoip>,
    /// How long events are kept.
    kept: Option<std::time::Duration>,
    /// Whom mails come from where their stage does not say.
    sender: String,
    logs: LruCache<(Uuid, u64), bool>,
}

impl Resolver {
    /// One that reads this journal.
    #[must_use]
    pub fn new(
        journal: Arc<dyn Journal>,
        geoip: Arc<Geoip>,
        kept: Option<std::time::Duration>,
        sender: String,
    ) -> Self {
        Self {
            journal,
            geoip,
            kept,
            sender,
            logs: LruCache::new(POLICIES),
        }
    }

    /// Whether a policy asks that its evaluations are told.
    ///
    /// # Errors
    /// What the journal said.
    pub async fn logs(&mut self, policy: Pinned) -> Result<bool> {
        let key = (policy.id, policy.version);
        if let Some(known) = self.logs.get(&key) {
            return Ok(*known);
        }
        let version = Version(policy.version);
        let found: Option<Versioned<Policy>> =
            object::get_at(&*self.journal, policy.id, version).await?;
        let logs = found.is_some_and(|it| it.value.execution_logging);
        self.logs.put(key, logs);
        Ok(logs)
    }

    /// The events of the drafts of one record. What concerns somebody who is gone is left out.
    ///
    /// # Errors
    /// What the journal said.
    pub async fn events(
        &mut self,
        seen: Seen<'_>,
        origin: &Origin,
        drafts: Vec<Draft>,
    ) -> Result<Vec<AuditEvent>> {
        let mut events = Vec::new();
        if drafts.is_empty() {
            return Ok(events);
        }
        let acting = self.acting(seen, origin).await?;
        for (index, draft) in drafts.into_iter().enumerate() {
            if self.applies(draft.condition).await? {
                events.extend(self.event(seen, origin, acting, index, draft).await?);
            }
        }
        Ok(events)
    }

    /// Who was logged in where the request came from, when it came.
    async fn acting(&self, seen: Seen<'_>, origin: &Origin) -> Result<Option<Uuid>> {
        let Some(session) = origin.session else {
            return Ok(None);
        };
        let Some(version) = seen.version(Session::KIND, session) else {
            return Ok(None);
        };
        let found: Option<Versioned<Session>> =
            object::get_at(&*self.journal, session, version).await?;
        Ok(found.and_then(|it| it.value.user))
    }

    async fn applies(&mut self, condition: Condition) -> Result<bool> {
        match condition {
            Condition::Always => Ok(true),
            Condition::Logs(policy) => self.logs(policy).await,
            Condition::PasswordSet(user, version) => {
                let set = async |version: Version| {
                    let found: Option<Versioned<User>> =
                        object::get_at(&*self.journal, user, version).await?;
                    Ok::<_, crate::journal::Error>(found.map(|it| it.value.password_change_date))
                };
                let before = Version(version.0.saturating_sub(1));
                let (before, after) = (set(before).await?, set(version).await?);
                Ok(before.is_some() && after.is_some() && before != after)
            }
            Condition::KeySet(token, version) => {
                let before = Version(version.0.saturating_sub(1));
                let before: Option<Versioned<Token>> =
                    object::get_at(&*self.journal, token, before).await?;
                let after: Option<Versioned<Token>> =
                    object::get_at(&*self.journal, token, version).await?;
                Ok(before.zip(after).is_some_and(|(before, after)| {
                    before.value.key.expose_secret() != after.value.key.expose_secret()
                }))
            }
        }
    }

    async fn event(
        &self,
        seen: Seen<'_>,
        origin: &Origin,
        acting: Option<Uuid>,
        index: usize,
        draft: Draft,
    ) -> Result<Option<AuditEvent>> {
        let who = match (draft.who, acting) {
            (Who::Anonymous, Some(user)) => Who::User(user),
            (who, _) => who,
        };
        let mut about = None;
        let mut context = draft.context;
        let mut user = match &who {
            Who::Nobody => Map::new(),
            Who::Anonymous => anonymous(),
            Who::Stranger(identifier) => stranger(identifier),
            Who::User(id) => {
                let Some(found) = self.user(seen, *id).await? else {
                    return Ok(None);
                };
                about = Some(*id);
                if draft.action == "login_failed" && !context.contains_key("username") {
                    context.insert("username".to_owned(), found.username.clone().into());
                }
                if let Some(letter) = draft.letter {
                    self.sent(letter, &found, &mut context).await?;
                }
                shown(&found)
            }
        };
        if draft.letter.is_some() {
            // The mail is sent by nobody, though it is about somebody.
            user.clear();
        }
        let other = draft.is_pending && (acting != about || about.is_none());
        let authenticated_as = acting.filter(|_| other);
        if other && acting.is_none() && who != Who::Anonymous {
            user.insert("authenticated_as".to_owned(), anonymous().into());
        }
        let concerns = match draft.model {
            Some(of) => {
                let (named, another) = self.name(of, about).await?;
                context.insert(draft.called.to_owned(), named.into());
                another
            }
            None => None,
        };
        self.whereabouts(seen, origin, &mut context);
        let kept = self.kept.and_then(|kept| seen.at.checked_add(kept).ok());
        Ok(Some(AuditEvent {
            pk: AuditEvent::id(seen.at, seen.position, index),
            about,
            key: about.map_or(seen.key, KeyId),
            authenticated_as,
            concerns,
            user,
            action: draft.action,
            app: draft.app,
            context: cleanse(context),
            client_ip: Some(origin.address.unwrap_or(UNKNOWN)),
            created: seen.at,
            expires: kept,
            brand: self.brand(origin).await?,
        }))
    }

    /// The user as they were when it was seen; `None` once they are gone.
    async fn user(&self, seen: Seen<'_>, id: Uuid) -> Result<Option<User>> {
        let current: Option<Versioned<User>> = object::get(&*self.journal, id).await?;
        let Some(current) = current else {
            return Ok(None);
        };
        let then: Option<Versioned<User>> = match seen.version(User::KIND, id) {
            Some(version) => object::get_at(&*self.journal, id, version).await?,
            None => None,
        };
        Ok(Some(then.unwrap_or(current).value))
    }

    /// Says what a mail was. What it said is nobody's business: there was a link in it that is
    /// worth as much as a password.
    async fn sent(
        &self,
        letter: Letter,
        user: &User,
        context: &mut Map<String, Value>,
    ) -> Result<()> {
        let stage: Option<Versioned<Stage>> = match letter.stage {
            Some(stage) => {
                let version = Version(stage.version);
                object::get_at(&*self.journal, stage.id, version).await?
            }
            None => None,
        };
        let text = |name: &str| {
            let settings = stage.as_ref().map(|it| &it.value.settings);
            let text = settings.and_then(|it| it.get(name)).and_then(Value::as_str);
            text.filter(|text| !text.is_empty()).map(ToOwned::to_owned)
        };
        let own = stage.as_ref().is_some_and(|it| {
            it.value.settings.get("use_global_settings") == Some(&Value::Bool(false))
        });
        let from = text("from_address").filter(|_| own);
        // Where another stage sent it, it may have gone to an address that is not theirs yet.
        let to: &[&str] = if stage.is_some() { &[&user.email] } else { &[] };
        let message = match to {
            [address] => format!("Email to {address} sent"),
            _ => "Email sent".to_owned(),
        };
        context.insert("message".to_owned(), message.into());
        context.insert(
            "subject".to_owned(),
            text("subject").unwrap_or_default().into(),
        );
        context.insert("body".to_owned(), "".into());
        let from = from.unwrap_or_else(|| self.sender.clone());
        context.insert("from_email".to_owned(), from.into());
        context.insert("to_email".to_owned(), json!(to));
        Ok(())
    }

    /// Names the object. Another user, or what is theirs, is only numbered: their name must not
    /// outlive their account. Returns the user whose name is to be read when it is shown.
    async fn name(
        &self,
        of: Reference,
        about: Option<Uuid>,
    ) -> Result<(Map<String, Value>, Option<Uuid>)> {
        let stream = StreamId::new(of.kind, of.id);
        let found = match of.version {
            Some(version) => self.journal.get_at(stream, version).await?,
            None => self.journal.get(stream).await?,
        };
        let body: Value = found
            .and_then(|object| serde_json::from_slice(&object.body).ok())
            .unwrap_or(Value::Null);
        let mut named = model::reference(of.kind, of.id, &body);
        let owner = if of.kind == User::KIND {
            Some(of.id)
        } else {
            let owner = body.get("user").and_then(Value::as_str);
            owner.and_then(|owner| owner.parse().ok())
        };
        let another = owner.filter(|owner| Some(*owner) != about);
        if another.is_some() {
            named.insert("name".to_owned(), "".into());
        }
        Ok((named, another.filter(|_| of.kind == User::KIND)))
    }

    fn whereabouts(&self, seen: Seen<'_>, origin: &Origin, context: &mut Map<String, Value>) {
        if let Some(Value::Object(mut request)) = origin.request.clone() {
            let id = seen.correlation.simple().to_string();
            request.insert("request_id".to_owned(), id.into());
            context.insert("http_request".to_owned(), request.into());
        }
        let Some(address) = origin.address else {
            return;
        };
        if let Some(city) = self.geoip.city(address) {
            context.insert(
                "geo".to_owned(),
                json!({
                    "continent": city.continent, "country": city.country, "lat": city.lat,
                    "long": city.long, "city": city.city,
                }),
            );
        }
        if let Some(asn) = self.geoip.network(address) {
            context.insert(
                "asn".to_owned(),
                json!({ "asn": asn.asn, "as_org": asn.as_org, "network": asn.network }),
            );
        }
    }

    async fn brand(&self, origin: &Origin) -> Result<Map<String, Value>> {
        let brands = brands(&*self.journal).await?;
        let host = origin.host.as_deref().unwrap_or_default();
        let brand = select(&brands, host).value;
        let body = json!({ "default": brand.default, "domain": brand.domain });
        Ok(model::reference(Brand::KIND, brand.brand_uuid, &body))
    }
}

/// How an event names a user.
#[must_use]
pub fn shown(user: &User) -> Map<String, Value> {
    Map::from_iter([
        ("pk".to_owned(), user.pk.into()),
        ("email".to_owned(), user.email.clone().into()),
        ("username".to_owned(), user.username.clone().into()),
    ])
}

/// How an event names a browser in which nobody is logged in.
#[must_use]
pub fn anonymous() -> Map<String, Value> {
    Map::from_iter([
        ("pk".to_owned(), Value::Null),
        ("email".to_owned(), "".into()),
        ("username".to_owned(), "AnonymousUser".into()),
        ("is_anonymous".to_owned(), true.into()),
    ])
}

fn stranger(identifier: &str) -> Map<String, Value> {
    Map::from_iter([
        ("pk".to_owned(), Value::Null),
        ("email".to_owned(), identifier.into()),
        ("username".to_owned(), identifier.into()),
    ])
}
