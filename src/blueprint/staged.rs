//! The objects as they will be once the import is committed, laid over the journal.
//!
//! Objects are read when they are first asked for and then looked up in memory, so that lookups see
//! what earlier entries made: one by its key or one of its names, or all of a kind. Nothing is
//! written here: [`Staged::writes`] says what is to be.

use std::collections::{BTreeMap, HashMap, HashSet};

use secrecy::ExposeSecret;
use uuid::Uuid;

use super::model::Object;
use super::references::{falls_with, touched, without};
use super::resolve::{Miss, Need, Read};
use crate::catalog::{Application, Flow, FlowStageBinding, Source, problem_of as catalog_problem};
use crate::directory::password_history;
use crate::directory::problem_of as directory_problem;
use crate::directory::role::name_of_one;
use crate::directory::{Group, Install, Invitation, Role, Token, User, install};
use crate::flow::field::Invalid;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{self, Journal, Key, KeyId, Kind, StreamId, Version, Write};
use crate::policy::unique_password;

/// One object before and after.
struct Slot {
    version: Version,
    before: Option<Object>,
    now: Option<Object>,
    /// Whether it is among those that were changed.
    noted: bool,
}

/// The kinds that the directory has the say about; the rest are the catalog's.
const OF_DIRECTORY: [Kind; 5] = [
    User::KIND,
    Group::KIND,
    Role::KIND,
    Token::KIND,
    Invitation::KIND,
];

/// The overlay.
#[derive(Default)]
pub(crate) struct Staged {
    slots: BTreeMap<StreamId, Slot>,
    /// The kinds of which everything was read.
    read: HashSet<Kind>,
    /// The streams that were asked for and hold nothing.
    absent: HashSet<StreamId>,
    /// Who has a unique key; whether anybody has is known of these alone.
    taken: HashMap<(Kind, &'static str, Vec<u8>), Option<Uuid>>,
    /// Streams in the order in which they were first changed.
    changed: Vec<StreamId>,
    install: Option<Versioned<Install>>,
    /// Whether it was asked for.
    asked_install: bool,
    next_user_pk: Option<i64>,
}

impl Staged {
    /// Reads all objects of a kind, unless that was done before.
    pub(crate) async fn read(&mut self, journal: &dyn Journal, kind: Kind) -> journal::Result<()> {
        if !self.read.insert(kind) {
            return Ok(());
        }
        for stored in journal.list(kind, None, usize::MAX).await? {
            self.lay(&stored)?;
        }
        Ok(())
    }

    /// Reads what was missing.
    pub(crate) async fn meet(&mut self, journal: &dyn Journal, need: Read) -> journal::Result<()> {
        match need {
            Read::Objects(kind) => self.read(journal, kind).await?,
            Read::Object(stream) => match journal.get(stream).await? {
                Some(stored) => self.lay(&stored)?,
                None => {
                    self.absent.insert(stream);
                }
            },
            Read::Holder(kind, key) => {
                let asked = (kind, key.name, key.value.clone());
                let holder = journal.find(kind, key).await?;
                if let Some(stored) = &holder {
                    self.lay(stored)?;
                }
                // Whoever was changed before this was asked may have given it up.
                self.taken.entry(asked).or_insert(None);
            }
            Read::Install => {
                self.install = install(journal).await?;
                self.asked_install = true;
                let next = self.install.as_ref().map_or(1, |it| it.value.next_user_pk);
                self.next_user_pk = Some(self.next_user_pk.unwrap_or_default().max(next));
            }
        }
        Ok(())
    }

    /// Lays down an object as it was read, unless it is there already.
    fn lay(&mut self, stored: &journal::Object) -> journal::Result<()> {
        if self.slots.contains_key(&stored.stream) {
            return Ok(());
        }
        let Versioned { version, value } = Object::open(stored)?;
        for key in value.unique() {
            // An object that was changed before may have taken the name over.
            let asked = (stored.stream.kind, key.name, key.value);
            self.taken.entry(asked).or_insert(Some(stored.stream.id));
        }
        let slot = Slot {
            version,
            before: Some(value.clone()),
            now: Some(value),
            noted: false,
        };
        self.slots.insert(stored.stream, slot);
        Ok(())
    }

    fn needs(&self, kind: Kind) -> Result<(), Miss> {
        if self.read.contains(&kind) {
            Ok(())
        } else {
            Err(Miss::Need(Need::Read(Read::Objects(kind))))
        }
    }

    /// The objects of a kind in the order of their keys.
    pub(crate) fn all(&self, kind: Kind) -> Result<Vec<&Object>, Miss> {
        self.needs(kind)?;
        let first = StreamId::new(kind, Uuid::nil());
        let last = StreamId::new(kind, Uuid::max());
        let slots = self.slots.range(first..=last);
        let mut found: Vec<&Object> = slots.filter_map(|(_, slot)| slot.now.as_ref()).collect();
        if kind == User::KIND {
            found.sort_by_key(|object| object.pk().as_i64());
        }
        Ok(found)
    }

    pub(crate) fn get(&self, kind: Kind, id: Uuid) -> Result<Option<&Object>, Miss> {
        let stream = StreamId::new(kind, id);
        match self.slots.get(&stream) {
            Some(slot) => Ok(slot.now.as_ref()),
            None if self.read.contains(&kind) || self.absent.contains(&stream) => Ok(None),
            None => Err(Miss::Need(Need::Read(Read::Object(stream)))),
        }
    }

    pub(crate) fn exists(&self, kind: Kind, id: Uuid) -> Result<bool, Miss> {
        Ok(self.get(kind, id)?.is_some())
    }

    /// The object that has this unique key.
    pub(super) fn holder(
        &self,
        kind: Kind,
        key: &'static str,
        value: Vec<u8>,
    ) -> Result<Option<&Object>, Miss> {
        match self.holder_id(kind, Key::new(key, value))? {
            Some(id) => self.get(kind, id),
            None => Ok(None),
        }
    }

    fn holder_id(&self, kind: Kind, key: Key) -> Result<Option<Uuid>, Miss> {
        match self.taken.get(&(kind, key.name, key.value.clone())) {
            Some(holder) => Ok(*holder),
            None if self.read.contains(&kind) => Ok(None),
            None => Err(Miss::Need(Need::Read(Read::Holder(kind, key)))),
        }
    }

    /// What policies are bound to: a flow, a stage's place in one, a source or an application, by its
    /// own key or by the one under which they are bound.
    pub(crate) fn target(&self, id: Uuid) -> Result<Option<&Object>, Miss> {
        for kind in [Flow::KIND, FlowStageBinding::KIND, Source::KIND] {
            let found = match self.get(kind, id)? {
                Some(found) => Some(found),
                None => self.holder(kind, "pbm", id.as_bytes().to_vec())?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        // It has one key for both.
        self.get(Application::KIND, id)
    }

    pub(crate) fn users(&self) -> Result<impl Iterator<Item = &User>, Miss> {
        let all = self.all(User::KIND)?;
        Ok(all.into_iter().filter_map(|object| match object {
            Object::User(user) => Some(user.as_ref()),
            _ => None,
        }))
    }

    pub(crate) fn user_by_pk(&self, pk: i64) -> Result<Option<&User>, Miss> {
        match self.holder(User::KIND, "pk", pk.to_be_bytes().to_vec())? {
            Some(Object::User(user)) => Ok(Some(user.as_ref())),
            _ => Ok(None),
        }
    }

    /// The number of the next new user.
    pub(super) fn next_user_pk(&self) -> Result<i64, Miss> {
        let next = self.next_user_pk.filter(|_| self.install.is_some());
        match next {
            Some(next) => Ok(next),
            None if self.asked_install => {
                let message = "users can be made only once the server has been started or set up";
                Err(Miss::Wrong(message.to_owned()))
            }
            None => Err(Miss::Need(Need::Read(Read::Install))),
        }
    }

    /// The lookups in which `object` would collide with another one.
    ///
    /// It reads by itself: an object that is made anew for each try has other random keys then.
    pub(crate) async fn collisions(
        &mut self,
        journal: &dyn Journal,
        object: &Object,
    ) -> journal::Result<Vec<Invalid>> {
        let StreamId { kind, id } = object.stream();
        let mut found = Vec::new();
        for key in object.unique() {
            let name = key.name;
            let holder = if let Ok(holder) = self.holder_id(kind, key.clone()) {
                holder
            } else {
                self.meet(journal, Read::Holder(kind, key.clone())).await?;
                self.holder_id(kind, key).unwrap_or_default()
            };
            if holder.is_none_or(|holder| holder == id) {
                continue;
            }
            let error = journal::Error::Taken {
                kind,
                name: name.to_owned(),
            };
            let invalid = if OF_DIRECTORY.contains(&kind) {
                directory_problem(&error)
            } else {
                catalog_problem(&error)
            };
            found.push(
                invalid
                    .unwrap_or_else(|| Invalid::new("pk", crate::flow::field::Problem::NotUnique)),
            );
        }
        Ok(found)
    }

    /// Makes `object` the current one of its stream. The caller looked for collisions before.
    pub(crate) fn put(&mut self, object: Object) {
        let stream = object.stream();
        self.forget_keys(stream);
        for key in object.unique() {
            self.taken
                .insert((stream.kind, key.name, key.value), Some(stream.id));
        }
        if let Object::User(user) = &object {
            let next = user.pk.saturating_add(1);
            self.next_user_pk = Some(self.next_user_pk.unwrap_or_default().max(next));
        }
        let slot = self.slots.entry(stream).or_insert(Slot {
            version: Version::NONE,
            before: None,
            now: None,
            noted: false,
        });
        slot.now = Some(object);
        if !std::mem::replace(&mut slot.noted, true) {
            self.changed.push(stream);
        }
    }

    fn forget_keys(&mut self, stream: StreamId) {
        let now = self.slots.get(&stream).and_then(|slot| slot.now.as_ref());
        for key in now.map(Object::unique).unwrap_or_default() {
            self.taken.insert((stream.kind, key.name, key.value), None);
        }
    }

    /// Says which kinds have to be read before an object of this kind can be removed.
    pub(crate) fn removable(&self, kind: Kind) -> Result<(), Miss> {
        // Roles may permit something on whatever goes.
        self.needs(Role::KIND)?;
        let mut touched = touched(kind).iter();
        touched.try_for_each(|kind| self.needs(*kind))
    }

    /// Removes an object and what cannot be without it, and clears what refers to it.
    pub(crate) fn remove(&mut self, stream: StreamId) {
        self.forget_keys(stream);
        let mut pbm = None;
        let mut removed = None;
        if let Some(slot) = self.slots.get_mut(&stream) {
            removed = slot.now.take();
            pbm = removed.as_ref().and_then(Object::pbm);
            if !std::mem::replace(&mut slot.noted, true) {
                self.changed.push(stream);
            }
        }
        let mut gone = Vec::new();
        let mut changed = Vec::new();
        for slot in self.slots.values() {
            match &slot.now {
                Some(Object::Role(it)) if is_of_one(it, removed.as_ref()) => {
                    gone.push(StreamId::new(Role::KIND, it.pk));
                }
                Some(Object::Role(it)) => {
                    let mut role = it.clone();
                    let permitted = removed.as_ref().is_some_and(|gone| {
                        role.forget(gone.model_name(), &super::format::text(&gone.pk()))
                    });
                    changed.extend(permitted.then_some(Object::Role(role)));
                }
                Some(object) if falls_with(object, stream, pbm) => gone.push(object.stream()),
                Some(object) => changed.extend(without(object, stream)),
                None => {}
            }
        }
        for stream in gone {
            self.remove(stream);
        }
        for object in changed {
            self.put(object);
        }
    }

    /// Every changed object, before and after, in the order in which they were first changed.
    pub(super) fn differences(&self) -> impl Iterator<Item = (Option<&Object>, Option<&Object>)> {
        let slots = self.changed.iter().filter_map(|it| self.slots.get(it));
        let pairs = slots.map(|slot| (slot.before.as_ref(), slot.now.as_ref()));
        pairs.filter(|pair| match pair {
            (Some(before), Some(now)) => !before.is_like(now),
            (None, None) => false,
            _ => true,
        })
    }

    /// What is known of an object at the moment, or was when it was read.
    pub(super) fn known(&self, kind: Kind, id: Uuid) -> Option<&Object> {
        let slot = self.slots.get(&StreamId::new(kind, id))?;
        slot.now.as_ref().or(slot.before.as_ref())
    }

    /// The same of all objects of a kind.
    pub(super) fn known_of(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        let first = StreamId::new(kind, Uuid::nil());
        let last = StreamId::new(kind, Uuid::max());
        let slots = self.slots.range(first..=last);
        slots.filter_map(|(_, slot)| slot.now.as_ref().or(slot.before.as_ref()))
    }

    /// Everything that has to be written, deletions first, so that a name is free again for
    /// whoever takes it over.
    pub(crate) async fn writes(&self, journal: &dyn Journal) -> journal::Result<Vec<Write>> {
        let (mut gone, mut keys, mut puts) = (Vec::new(), Vec::new(), Vec::new());
        let mut keeping = None;
        for stream in &self.changed {
            let Some(slot) = self.slots.get(stream) else {
                continue;
            };
            match (&slot.before, &slot.now) {
                (None, None) => {}
                (Some(_), None) => {
                    if stream.kind == User::KIND {
                        let sessions = crate::directory::sessions_of(journal, stream.id).await?;
                        gone.extend(crate::directory::command::termination(&sessions));
                        let left = crate::directory::command::belongings;
                        gone.extend(left(journal, stream.id).await?);
                        keys.push(Write::DestroyKey {
                            id: KeyId(stream.id),
                        });
                    }
                    gone.push(Write::Delete {
                        stream: *stream,
                        expected: slot.version,
                    });
                }
                (Some(before), Some(now)) if before.is_like(now) => {}
                (Some(before), Some(now)) => {
                    puts.push(now.put(slot.version));
                    if let (Object::User(before), Object::User(now)) = (before, now)
                        && before.is_active
                        && !now.is_active
                    {
                        let sessions = crate::directory::sessions_of(journal, stream.id).await?;
                        gone.extend(crate::directory::command::termination(&sessions));
                    }
                    if let (Object::User(before), Object::User(now)) = (before, now)
                        && before.password.expose_secret() != now.password.expose_secret()
                    {
                        let keeping = match keeping {
                            Some(keeping) => keeping,
                            None => *keeping.insert(unique_password::keeping(journal).await?),
                        };
                        let changed = now.password_change_date;
                        let history =
                            password_history::replaced(journal, keeping, before, changed).await?;
                        puts.extend(history);
                    }
                }
                (None, Some(now)) => {
                    if stream.kind == User::KIND {
                        keys.push(Write::CreateKey {
                            id: KeyId(stream.id),
                            under: KeyId::SYSTEM,
                        });
                    }
                    // An object that was deleted long ago may come back under its old key.
                    let (version, _) = journal.head(*stream).await?;
                    puts.push(now.put(version));
                }
            }
        }
        let makes_users = self.slots.iter().any(|(stream, slot)| {
            stream.kind == User::KIND && slot.before.is_none() && slot.now.is_some()
        });
        let install = match &self.install {
            // A user who brings their number along counts as well.
            None if makes_users => install(journal).await?,
            known => known.clone(),
        };
        if let (Some(install), Some(next)) = (&install, self.next_user_pk)
            && install.value.next_user_pk < next
        {
            let mut counted = install.value.clone();
            counted.next_user_pk = next;
            puts.push(object::put(&counted, install.version));
        }
        gone.extend(keys);
        gone.extend(puts);
        Ok(gone)
    }
}

/// Whether the role is what this user, who goes, was given alone.
fn is_of_one(role: &Role, gone: Option<&Object>) -> bool {
    let Some(Object::User(user)) = gone else {
        return false;
    };
    role.managed.as_deref() == Some(&name_of_one(user.pk))
}
