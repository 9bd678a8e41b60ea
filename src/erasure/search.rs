//! Reads the whole journal once, and says what is somebody's and where else they are named.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures_util::StreamExt;
use serde_json::Value;
use uuid::Uuid;

use super::places::{Place, is_named};
use super::{Error, Pace, needles};
use crate::courier::outbox::Mail;
use crate::directory::erasure::{Erased, Erasure, Remainder, Sought};
use crate::directory::{
    AuditEvent, Device, Invitation, Reputation, Session, User, install, remark, users,
};
use crate::journal::object::{self, Stored};
use crate::journal::{Envelope, Journal, KeyId, Kind, Position, StreamId, Version};
use crate::world::record;

/// The kinds that only say that somebody was erased.
const OWN: [Kind; 3] = [Erasure::KIND, Erased::KIND, Sought::KIND];

/// So many wrappers of executions' keys are remembered. The records of one execution lie close together.
const WRAPPERS: usize = 4_096;

/// Reads every record that there is now. With the body of an execution comes what wraps its key.
async fn each<P: Pace>(
    journal: &dyn Journal,
    pace: &mut P,
    mut look: impl FnMut(&Envelope, Option<KeyId>),
) -> Result<(), Error> {
    let last = journal.last();
    if last == Position(0) {
        return Ok(());
    }
    let mut records = journal.follow(Position(0));
    let mut wrappers: HashMap<KeyId, Option<KeyId>> = HashMap::new();
    while let Some(found) = records.next().await {
        let (position, envelope) = found?;
        let mut wrapper = None;
        if envelope.stream.kind == record::KIND && envelope.body.is_some() {
            wrapper = if let Some(known) = wrappers.get(&envelope.key) {
                *known
            } else {
                if wrappers.len() >= WRAPPERS {
                    wrappers.clear();
                }
                let found = journal.wrapper(envelope.key).await?;
                wrappers.insert(envelope.key, found);
                found
            };
        }
        look(&envelope, wrapper);
        if position >= last {
            break;
        }
        if !pace.rest().await {
            return Err(Error::Abandoned);
        }
    }
    Ok(())
}

/// What a user is and was known by, and in which browsers they were logged in. Their key still has to
/// be there.
pub(super) async fn sought<P: Pace>(
    journal: &dyn Journal,
    user: &User,
    pace: &mut P,
) -> Result<Sought, Error> {
    let id = user.uuid;
    let install = install(journal).await?;
    let mut sought = Sought {
        user: id,
        uid: install.map_or_else(String::new, |it| user.uid(it.value.install_id)),
        ..Sought::default()
    };
    let mut sessions = BTreeSet::new();
    each(journal, pace, |envelope, _| {
        if envelope.key != KeyId(id) {
            return;
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
                    needles::of_device(&device, &mut sought);
                }
            }
            _ => {}
        }
    })
    .await?;
    sought.sessions = sessions.into_iter().collect();
    let mut others = Sought::default();
    for other in users(journal).await? {
        if other.value.uuid != id {
            needles::of_account(&other.value, &mut others);
        }
    }
    for device in object::all::<Device>(journal).await? {
        if device.value.user != id {
            needles::of_device(&device.value, &mut others);
        }
    }
    needles::share(&mut sought, &others.identifiers.into_iter().collect());
    Ok(sought)
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The executions of nobody that go.
    pub(super) of_nobody: BTreeMap<Uuid, Version>,
    /// The executions of others that name the user.
    pub(super) of_others: BTreeMap<Uuid, Version>,
    /// Whether those go.
    pub(super) others: bool,
    /// The mails that go, with their keys.
    pub(super) mails: BTreeMap<Uuid, (KeyId, Version)>,
    /// Audit events that are sealed by a key that goes, or name the user, with their keys.
    pub(super) events: BTreeMap<Uuid, (KeyId, Version)>,
    /// Other objects that go.
    pub(super) objects: BTreeMap<StreamId, Version>,
    /// The records whose bodies go, as their keys stay, or as there are lookups beside them.
    pub(super) bodies: HashSet<(StreamId, Version)>,
    /// Where the user stays named.
    pub(super) remains: BTreeMap<StreamId, Version>,
}

impl Found {
    /// How many rows, or whatever else, of this kind go.
    pub(super) fn count(&self, kind: Kind) -> u64 {
        self.objects.keys().filter(|it| it.kind == kind).count() as u64
    }

    /// Whether there is nothing that goes, but for bodies.
    pub(super) fn is_clear(&self) -> bool {
        self.of_nobody.is_empty()
            && (self.of_others.is_empty() || !self.others)
            && self.mails.is_empty()
            && self.events.is_empty()
            && self.objects.is_empty()
    }

    /// Where the user is named, what should have gone and came after the last look included.
    pub(super) fn remainders(&self) -> Vec<Remainder> {
        let mut all = self.remains.clone();
        let executions = self.of_nobody.iter().chain(&self.of_others);
        all.extend(executions.map(|(id, at)| (StreamId::new(record::KIND, *id), *at)));
        let mails = self.mails.iter();
        all.extend(mails.map(|(id, (_, at))| (object::stream::<Mail>(*id), *at)));
        let events = self.events.iter();
        all.extend(events.map(|(id, (_, at))| (object::stream::<AuditEvent>(*id), *at)));
        all.extend(self.objects.iter().map(|(stream, at)| (*stream, *at)));
        let of = |(stream, version): (StreamId, Version)| Remainder {
            kind: stream.kind,
            id: stream.id,
            version,
        };
        all.into_iter().map(of).collect()
    }
}

/// Looks for a user in everything that can be read, and for what is locked since their key is gone.
/// `own` are the executions that went with it; `others` says whether also those go that are somebody
/// else's.
pub(super) async fn search<P: Pace>(
    journal: &dyn Journal,
    sought: &Sought,
    own: &HashSet<Uuid>,
    others: bool,
    pace: &mut P,
) -> Result<Found, Error> {
    let mut search = Search {
        sought,
        known: sought.identifiers.iter().collect(),
        shared: sought.shared.iter().collect(),
        all: [&sought.identifiers, &sought.shared, &sought.details]
            .into_iter()
            .flatten()
            .collect(),
        own,
        sessions: sought.sessions.iter().copied().collect(),
        found: Found {
            others,
            ..Found::default()
        },
        events: HashMap::new(),
        named: BTreeSet::new(),
        left: BTreeMap::new(),
    };
    each(journal, pace, |envelope, wrapper| {
        search.look(envelope, wrapper);
    })
    .await?;
    Ok(search.end())
}

struct Search<'a> {
    sought: &'a Sought,
    /// What only they are known by.
    known: Vec<&'a String>,
    /// What another account is known by as well.
    shared: Vec<&'a String>,
    /// All of it, and what else is known of them.
    all: Vec<&'a String>,
    own: &'a HashSet<Uuid>,
    sessions: HashSet<Uuid>,
    found: Found,
    /// The events that there are, with their keys and last revisions.
    events: HashMap<Uuid, (KeyId, Version)>,
    /// Those that name the user.
    named: BTreeSet<Uuid>,
    /// The browsers of the user in which nobody is logged in, and the last revision of each.
    left: BTreeMap<StreamId, Version>,
}

impl Search<'_> {
    fn look(&mut self, envelope: &Envelope, wrapper: Option<KeyId>) {
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
            record::KIND => self.execution(envelope, wrapper),
            Session::KIND => self.session(envelope),
            AuditEvent::KIND => self.event(envelope),
            _ if is_theirs => {}
            Mail::KIND => self.mail(envelope),
            Reputation::KIND | Invitation::KIND => self.row(envelope),
            remark::KIND => {
                if self.names(envelope, Place::Written) {
                    self.found.bodies.insert((stream, envelope.version));
                }
            }
            // Nothing of these goes, so they are looked at wherever a name may be.
            _ => {
                if self.names(envelope, Place::Personal) {
                    self.stays(envelope);
                }
            }
        }
        let has_looked = [record::KIND, Session::KIND, AuditEvent::KIND].contains(&stream.kind);
        if !has_looked && !is_theirs && self.shares(envelope) {
            self.stays(envelope);
        }
    }

    /// Notes where the user is named and nothing can be taken away.
    fn stays(&mut self, envelope: &Envelope) {
        let (stream, version) = (envelope.stream, envelope.version);
        self.found.remains.insert(stream, version);
    }

    fn execution(&mut self, envelope: &Envelope, wrapper: Option<KeyId>) {
        let id = envelope.stream.id;
        let Some(record) = value(envelope).filter(|_| !self.found.of_nobody.contains_key(&id))
        else {
            return;
        };
        // Their own go with their key, and are counted where that is destroyed.
        if wrapper == Some(KeyId(self.sought.user)) {
            return;
        }
        let is_nobodys = wrapper == Some(KeyId::SYSTEM);
        let shows = self.shows_their_browser(&record);
        if is_nobodys {
            if shows
                || self.is_in_their_browser(&record)
                || is_named(&self.all, &record, Place::Written)
            {
                self.found.of_nobody.insert(id, envelope.version);
            }
        } else if is_named(&self.known, &record, Place::Written) {
            self.found.of_others.insert(id, envelope.version);
        } else if shows || is_named(&self.shared, &record, Place::Written) {
            // Nobody loses what happened to them for a browser or an address that two people share.
            self.stays(envelope);
        }
    }

    /// Whether an execution was begun in a browser in which they were logged in at some time.
    fn is_in_their_browser(&self, record: &Value) -> bool {
        let request = &record["input"]["request"];
        let session = request["session"].as_str().and_then(|it| it.parse().ok());
        session.is_some_and(|it| self.sessions.contains(&it))
    }

    /// Whether the browser showed that they had logged in there.
    fn shows_their_browser(&self, record: &Value) -> bool {
        let shown = record["input"]["client"]["device"]["user"].as_str();
        !self.sought.uid.is_empty() && shown == Some(&self.sought.uid)
    }

    fn event(&mut self, envelope: &Envelope) {
        let (id, key) = (envelope.stream.id, envelope.key);
        if envelope.body.is_none() && !envelope.is_locked {
            self.events.remove(&id);
            self.named.remove(&id);
            self.found.remains.remove(&envelope.stream);
            return;
        }
        self.events.insert(id, (key, envelope.version));
        if self.names(envelope, Place::Written) {
            self.named.insert(id);
            self.found
                .bodies
                .insert((envelope.stream, envelope.version));
        } else if self.shares(envelope) {
            self.stays(envelope);
        }
    }

    fn mail(&mut self, envelope: &Envelope) {
        let stream = envelope.stream;
        if self.names(envelope, Place::Written) || self.is_for_own(envelope) {
            let mail = (envelope.key, envelope.version);
            self.found.mails.insert(stream.id, mail);
        } else if envelope.body.is_none() {
            // One that is gone leaves no body.
            self.found.mails.remove(&stream.id);
            self.found.remains.remove(&stream);
        }
    }

    fn row(&mut self, envelope: &Envelope) {
        let stream = envelope.stream;
        if self.names(envelope, Place::Written) {
            self.found.objects.insert(stream, envelope.version);
            self.found.bodies.insert((stream, envelope.version));
        } else if envelope.body.is_none() {
            self.found.objects.remove(&stream);
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

    fn names(&self, envelope: &Envelope, place: Place) -> bool {
        let value = value(envelope);
        value.is_some_and(|it| is_named(&self.known, &it, place))
    }

    /// Whether somebody is named who may as well be the other account.
    fn shares(&self, envelope: &Envelope) -> bool {
        !self.shared.is_empty()
            && value(envelope).is_some_and(|it| is_named(&self.shared, &it, Place::Written))
    }

    fn is_for_own(&self, envelope: &Envelope) -> bool {
        let value = value(envelope).unwrap_or_default();
        let execution = value["execution"].as_str().and_then(|it| it.parse().ok());
        execution.is_some_and(|it: Uuid| self.own.contains(&it))
    }

    fn end(mut self) -> Found {
        let found = &mut self.found;
        found.objects.extend(&self.left);
        for (id, (key, version)) in self.events {
            let goes = key == KeyId(self.sought.user)
                || self.own.contains(&key.0)
                || found.of_nobody.contains_key(&key.0)
                || (found.others && found.of_others.contains_key(&key.0));
            if goes || self.named.contains(&id) {
                found.events.insert(id, (key, version));
            }
        }
        // What goes is not listed as well.
        found.remains.retain(|stream, _| {
            let is_execution = stream.kind == record::KIND;
            !(found.objects.contains_key(stream)
                || (is_execution && found.of_others.contains_key(&stream.id))
                || (stream.kind == AuditEvent::KIND && found.events.contains_key(&stream.id))
                || (stream.kind == Mail::KIND && found.mails.contains_key(&stream.id)))
        });
        self.found
    }
}

fn value(envelope: &Envelope) -> Option<Value> {
    serde_json::from_slice(envelope.body.as_deref()?).ok()
}
