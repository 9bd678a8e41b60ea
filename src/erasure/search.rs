//! Reads the whole journal once, and says what is somebody's and where else they are named.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures_util::StreamExt;
use serde_json::Value;
use uuid::Uuid;

use super::needles;
use crate::courier::outbox::Mail;
use crate::directory::device::Authenticator;
use crate::directory::erasure::{Erased, Erasure, Remainder, Sought};
use crate::directory::{AuditEvent, Device, Invitation, Reputation, Session, User, remark, users};
use crate::journal::object::Stored;
use crate::journal::{self, Envelope, Journal, KeyId, Kind, Position, StreamId, Version};
use crate::world::record;

/// After so many records without a break, whoever is served comes first for a moment.
const BREATH: u64 = 64;

/// The kinds that only say that somebody was erased.
const OWN: [Kind; 3] = [Erasure::KIND, Erased::KIND, Sought::KIND];

/// Reads every record that there is now.
async fn each(
    journal: &dyn Journal,
    mut look: impl FnMut(&Envelope) -> journal::Result<()>,
) -> journal::Result<()> {
    let last = journal.last();
    if last == Position(0) {
        return Ok(());
    }
    let mut records = journal.follow(Position(0));
    while let Some(found) = records.next().await {
        let (position, envelope) = found?;
        look(&envelope)?;
        if position >= last {
            break;
        }
        if position.0.is_multiple_of(BREATH) {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

/// What a user is and was known by, and in which browsers they were logged in. Their key still has to
/// be there.
pub(super) async fn sought(journal: &dyn Journal, user: Uuid) -> journal::Result<Sought> {
    let mut sought = Sought {
        user,
        ..Sought::default()
    };
    let mut sessions = BTreeSet::new();
    each(journal, |envelope| {
        if envelope.key != KeyId(user) {
            return Ok(());
        }
        match (envelope.stream.kind, &envelope.body) {
            (Session::KIND, _) => {
                sessions.insert(envelope.stream.id);
            }
            (User::KIND, Some(body)) => {
                if let Ok(user) = serde_json::from_slice::<User>(body) {
                    needles::of_user(&user, &mut sought);
                }
            }
            (Device::KIND, Some(body)) => {
                if let Ok(device) = serde_json::from_slice::<Device>(body) {
                    of_device(&device, &mut sought);
                }
            }
            _ => {}
        }
        Ok(())
    })
    .await?;
    sought.sessions = sessions.into_iter().collect();
    let mut others = BTreeSet::new();
    for other in users(journal).await? {
        if other.value.uuid != user {
            let mut known = Sought::default();
            needles::of_user(&other.value, &mut known);
            others.extend(known.identifiers);
        }
    }
    needles::share(&mut sought, &others);
    Ok(sought)
}

fn of_device(device: &Device, sought: &mut Sought) {
    match &device.of {
        Authenticator::Sms { phone_number, .. } => needles::identifier(phone_number, sought),
        Authenticator::Email { email, .. } => needles::identifier(email, sought),
        Authenticator::Duo { duo_user_id, .. } => needles::identifier(duo_user_id, sought),
        _ => {}
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The executions of nobody that go.
    pub(super) of_nobody: BTreeSet<Uuid>,
    /// The executions of others that go.
    pub(super) of_others: BTreeSet<Uuid>,
    /// The mails that go, with their keys.
    pub(super) mails: BTreeMap<Uuid, KeyId>,
    /// Audit events that are sealed by a key that goes, or name the user, with their keys.
    pub(super) events: BTreeMap<Uuid, KeyId>,
    /// Other objects that go.
    pub(super) objects: BTreeSet<StreamId>,
    /// The records whose bodies go, as their keys stay, or as there are lookups beside them.
    pub(super) bodies: HashSet<(StreamId, Version)>,
    /// Where the user stays named.
    pub(super) remains: BTreeMap<StreamId, Version>,
}

impl Found {
    /// How many rows, or whatever else, of this kind go.
    pub(super) fn count(&self, kind: Kind) -> u64 {
        self.objects.iter().filter(|it| it.kind == kind).count() as u64
    }

    /// Where the user stays named.
    pub(super) fn remainders(&self) -> Vec<Remainder> {
        let of = |(stream, version): (&StreamId, &Version)| Remainder {
            kind: stream.kind,
            id: stream.id,
            version: *version,
        };
        self.remains.iter().map(of).collect()
    }
}

/// Looks for a user in everything that can be read, and for what is locked since their key is gone.
/// `own` are the executions that went with it.
pub(super) async fn search(
    journal: &dyn Journal,
    sought: &Sought,
    own: &HashSet<Uuid>,
) -> journal::Result<Found> {
    let mut search = Search {
        journal,
        sought,
        own,
        sessions: sought.sessions.iter().copied().collect(),
        found: Found::default(),
        events: HashMap::new(),
        named: BTreeSet::new(),
        left: BTreeMap::new(),
    };
    each(journal, |envelope| {
        search.look(envelope);
        Ok(())
    })
    .await?;
    Ok(search.end())
}

struct Search<'a> {
    journal: &'a dyn Journal,
    sought: &'a Sought,
    own: &'a HashSet<Uuid>,
    sessions: HashSet<Uuid>,
    found: Found,
    /// The events that there are, with their keys.
    events: HashMap<Uuid, KeyId>,
    /// Those that name the user.
    named: BTreeSet<Uuid>,
    /// The browsers of the user in which nobody is logged in, and the last revision of each.
    left: BTreeMap<StreamId, Version>,
}

impl Search<'_> {
    fn look(&mut self, envelope: &Envelope) {
        let stream = envelope.stream;
        let is_theirs = envelope.key == KeyId(self.sought.user);
        if OWN.contains(&stream.kind) {
            return;
        }
        if is_theirs && stream.kind != record::KIND {
            // Nobody can open it, but what it was found by is beside it.
            self.found.bodies.insert((stream, envelope.version));
        }
        match stream.kind {
            record::KIND => self.execution(envelope),
            AuditEvent::KIND => self.event(envelope),
            Session::KIND => self.session(envelope),
            _ if is_theirs => {}
            Mail::KIND => {
                if self.names(envelope, true) || self.is_for_own(envelope) {
                    self.found.mails.insert(stream.id, envelope.key);
                } else if envelope.body.is_none() {
                    // One that is gone leaves no body.
                    self.found.mails.remove(&stream.id);
                }
            }
            Reputation::KIND | Invitation::KIND => {
                if self.names(envelope, false) {
                    self.found.objects.insert(stream);
                    self.found.bodies.insert((stream, envelope.version));
                } else if envelope.body.is_none() {
                    self.found.objects.remove(&stream);
                }
            }
            remark::KIND => {
                if self.names(envelope, false) {
                    self.found.bodies.insert((stream, envelope.version));
                }
            }
            _ => {
                if self.names(envelope, false) {
                    self.found.remains.insert(stream, envelope.version);
                }
            }
        }
    }

    fn execution(&mut self, envelope: &Envelope) {
        let id = envelope.stream.id;
        let is_known = self.found.of_nobody.contains(&id) || self.found.of_others.contains(&id);
        let Some(record) = value(envelope).filter(|_| !is_known) else {
            return;
        };
        let wrapper = self.journal.wrapper(envelope.key);
        // Their own go with their key, and are counted where that is destroyed.
        if wrapper == Some(KeyId(self.sought.user)) {
            return;
        }
        let is_nobodys = wrapper == Some(KeyId::SYSTEM);
        let goes = needles::is_named(self.sought, &record, is_nobodys)
            || (is_nobodys && self.is_in_their_browser(&record));
        if goes && is_nobodys {
            self.found.of_nobody.insert(id);
        } else if goes {
            self.found.of_others.insert(id);
        }
    }

    /// Whether an execution was begun in a browser in which they were logged in at some time.
    fn is_in_their_browser(&self, record: &Value) -> bool {
        let request = &record["input"]["request"];
        let session = request["session"].as_str().and_then(|it| it.parse().ok());
        session.is_some_and(|it| self.sessions.contains(&it))
    }

    fn event(&mut self, envelope: &Envelope) {
        let (id, key) = (envelope.stream.id, envelope.key);
        if envelope.body.is_none() && !envelope.is_locked {
            self.events.remove(&id);
            self.named.remove(&id);
            return;
        }
        self.events.insert(id, key);
        if self.names(envelope, false) {
            self.named.insert(id);
            self.found
                .bodies
                .insert((envelope.stream, envelope.version));
        }
    }

    /// What a browser of theirs left while nobody was logged in there: from where it came.
    fn session(&mut self, envelope: &Envelope) {
        let stream = envelope.stream;
        if !self.sessions.contains(&stream.id) {
            return;
        }
        self.left.remove(&stream);
        if envelope.key == KeyId::SYSTEM && envelope.body.is_some() {
            self.found.bodies.insert((stream, envelope.version));
            self.left.insert(stream, envelope.version);
        }
    }

    fn names(&self, envelope: &Envelope, also_details: bool) -> bool {
        let value = value(envelope);
        value.is_some_and(|it| needles::is_named(self.sought, &it, also_details))
    }

    fn is_for_own(&self, envelope: &Envelope) -> bool {
        let value = value(envelope).unwrap_or_default();
        let execution = value["execution"].as_str().and_then(|it| it.parse().ok());
        execution.is_some_and(|it: Uuid| self.own.contains(&it))
    }

    fn end(mut self) -> Found {
        let found = &mut self.found;
        found.objects.extend(self.left.keys());
        for (id, key) in self.events {
            let goes = key == KeyId(self.sought.user)
                || self.own.contains(&key.0)
                || found.of_nobody.contains(&key.0)
                || found.of_others.contains(&key.0);
            if goes || self.named.contains(&id) {
                found.events.insert(id, key);
            }
        }
        self.found
    }
}

fn value(envelope: &Envelope) -> Option<Value> {
    serde_json::from_slice(envelope.body.as_deref()?).ok()
}
