//! The objects as they will be once the import is committed, laid over the journal.
//!
//! Objects are read once per kind and then looked up in memory, so that lookups see what earlier
//! entries made. Nothing is written here: [`Staged::writes`] says what is to be.

use std::collections::{BTreeMap, HashMap, HashSet};

use secrecy::ExposeSecret;
use serde_json::Value;
use uuid::Uuid;

use super::model::{Object, STAGE_LISTS, STAGE_REFERENCES};
use super::resolve::{Miss, Need};
use crate::catalog::{
    Brand, Flow, FlowStageBinding, Policy, PolicyBinding, Prompt, Source, Stage, WebhookMapping,
    problem_of as catalog_problem,
};
use crate::directory::problem_of as directory_problem;
use crate::directory::{Group, Install, Invitation, Token, User, install};
use crate::directory::{event, password_history};
use crate::flow::field::Invalid;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{self, Journal, KeyId, Kind, StreamId, Version, Write};
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
const OF_DIRECTORY: [Kind; 4] = [User::KIND, Group::KIND, Token::KIND, Invitation::KIND];

/// The overlay.
#[derive(Default)]
pub(super) struct Staged {
    slots: BTreeMap<StreamId, Slot>,
    read: HashSet<Kind>,
    taken: HashMap<(Kind, &'static str, Vec<u8>), Uuid>,
    /// Streams in the order in which they were first changed.
    changed: Vec<StreamId>,
    install: Option<Versioned<Install>>,
    next_user_pk: i64,
}

impl Staged {
    /// Reads all objects of a kind, unless that was done before.
    pub(super) async fn read(&mut self, journal: &dyn Journal, kind: Kind) -> journal::Result<()> {
        if !self.read.insert(kind) {
            return Ok(());
        }
        for stored in journal.list(kind, None, usize::MAX).await? {
            let Versioned { version, value } = Object::open(&stored)?;
            for key in value.unique() {
                self.taken
                    .insert((kind, key.name, key.value), stored.stream.id);
            }
            let slot = Slot {
                version,
                before: Some(value.clone()),
                now: Some(value),
                noted: false,
            };
            self.slots.insert(stored.stream, slot);
        }
        if kind == User::KIND {
            self.install = install(journal).await?;
            self.next_user_pk = self.install.as_ref().map_or(1, |it| it.value.next_user_pk);
        }
        Ok(())
    }

    fn needs(&self, kind: Kind) -> Result<(), Miss> {
        if self.read.contains(&kind) {
            Ok(())
        } else {
            Err(Miss::Need(Need::Objects(kind)))
        }
    }

    /// The objects of a kind in the order of their keys.
    pub(super) fn all(&self, kind: Kind) -> Result<Vec<&Object>, Miss> {
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

    pub(super) fn get(&self, kind: Kind, id: Uuid) -> Result<Option<&Object>, Miss> {
        self.needs(kind)?;
        let slot = self.slots.get(&StreamId::new(kind, id));
        Ok(slot.and_then(|slot| slot.now.as_ref()))
    }

    pub(super) fn exists(&self, kind: Kind, id: Uuid) -> Result<bool, Miss> {
        Ok(self.get(kind, id)?.is_some())
    }

    /// The object that has this unique key.
    pub(super) fn holder(
        &self,
        kind: Kind,
        key: &'static str,
        value: Vec<u8>,
    ) -> Result<Option<&Object>, Miss> {
        self.needs(kind)?;
        match self.taken.get(&(kind, key, value)) {
            Some(id) => self.get(kind, *id),
            None => Ok(None),
        }
    }

    /// What policies are bound to: a flow, a stage's place in one or a source, by its own key or by
    /// the one under which they are bound.
    pub(super) fn target(&self, id: Uuid) -> Result<Option<&Object>, Miss> {
        for kind in [Flow::KIND, FlowStageBinding::KIND, Source::KIND] {
            let found = match self.get(kind, id)? {
                Some(found) => Some(found),
                None => self.holder(kind, "pbm", id.as_bytes().to_vec())?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    pub(super) fn users(&self) -> Result<impl Iterator<Item = &User>, Miss> {
        let all = self.all(User::KIND)?;
        Ok(all.into_iter().filter_map(|object| match object {
            Object::User(user) => Some(user.as_ref()),
            _ => None,
        }))
    }

    pub(super) fn user_by_pk(&self, pk: i64) -> Result<Option<&User>, Miss> {
        match self.holder(User::KIND, "pk", pk.to_be_bytes().to_vec())? {
            Some(Object::User(user)) => Ok(Some(user.as_ref())),
            _ => Ok(None),
        }
    }

    /// The number of the next new user.
    pub(super) fn next_user_pk(&self) -> Result<i64, Miss> {
        self.needs(User::KIND)?;
        if self.install.is_none() {
            let message = "users can be made only once the server has been started or set up";
            return Err(Miss::Wrong(message.to_owned()));
        }
        Ok(self.next_user_pk)
    }

    /// The lookups in which `object` would collide with another one.
    pub(super) fn collisions(&self, object: &Object) -> Result<Vec<Invalid>, Miss> {
        let StreamId { kind, id } = object.stream();
        self.needs(kind)?;
        let mut found = Vec::new();
        for key in object.unique() {
            let holder = self.taken.get(&(kind, key.name, key.value));
            if holder.is_none_or(|holder| *holder == id) {
                continue;
            }
            let error = journal::Error::Taken {
                kind,
                name: key.name.to_owned(),
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
    pub(super) fn put(&mut self, object: Object) {
        let stream = object.stream();
        self.forget_keys(stream);
        for key in object.unique() {
            self.taken
                .insert((stream.kind, key.name, key.value), stream.id);
        }
        if let Object::User(user) = &object {
            self.next_user_pk = self.next_user_pk.max(user.pk.saturating_add(1));
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
            self.taken.remove(&(stream.kind, key.name, key.value));
        }
    }

    /// Says which kinds have to be read before an object of this kind can be removed.
    pub(super) fn removable(&self, kind: Kind) -> Result<(), Miss> {
        let touched: &[Kind] = match kind {
            Flow::KIND => &[
                FlowStageBinding::KIND,
                PolicyBinding::KIND,
                Brand::KIND,
                Stage::KIND,
            ],
            Stage::KIND => &[FlowStageBinding::KIND, PolicyBinding::KIND, Stage::KIND],
            FlowStageBinding::KIND => &[PolicyBinding::KIND],
            Policy::KIND | Source::KIND => &[PolicyBinding::KIND, Stage::KIND],
            Prompt::KIND | WebhookMapping::KIND => &[Stage::KIND],
            User::KIND => &[Token::KIND, PolicyBinding::KIND],
            Group::KIND => &[User::KIND, Group::KIND, PolicyBinding::KIND],
            _ => &[],
        };
        touched.iter().try_for_each(|kind| self.needs(*kind))
    }

    /// Removes an object and what cannot be without it, and clears what refers to it.
    pub(super) fn remove(&mut self, stream: StreamId) {
        self.forget_keys(stream);
        let mut pbm = None;
        if let Some(slot) = self.slots.get_mut(&stream) {
            pbm = slot.now.take().and_then(|object| object.pbm());
            if !std::mem::replace(&mut slot.noted, true) {
                self.changed.push(stream);
            }
        }
        let id = stream.id;
        let mut gone = Vec::new();
        let mut changed = Vec::new();
        for slot in self.slots.values() {
            match &slot.now {
                Some(Object::Binding(it)) if it.target == id || it.stage == id => {
                    gone.push(StreamId::new(FlowStageBinding::KIND, it.pk));
                }
                Some(Object::PolicyBinding(it))
                    if Some(it.target) == pbm
                        || [it.policy, it.group, it.user].contains(&Some(id)) =>
                {
                    gone.push(StreamId::new(PolicyBinding::KIND, it.pk));
                }
                Some(Object::Token(it)) if it.user == id => {
                    gone.push(StreamId::new(Token::KIND, it.token_uuid));
                }
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

    /// Everything that has to be written, deletions first, so that a name is free again for
    /// whoever takes it over.
    pub(super) async fn writes(&self, journal: &dyn Journal) -> journal::Result<Vec<Write>> {
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
                        gone.extend(password_history::removal(journal, stream.id).await?);
                        gone.extend(event::removal(journal, stream.id).await?);
                        let factors = crate::directory::command::without_factors;
                        gone.extend(factors(journal, stream.id).await?);
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
        if let Some(install) = &self.install
            && install.value.next_user_pk != self.next_user_pk
        {
            let mut counted = install.value.clone();
            counted.next_user_pk = self.next_user_pk;
            puts.push(object::put(&counted, install.version));
        }
        gone.extend(keys);
        gone.extend(puts);
        Ok(gone)
    }
}

/// `object` without its references to `gone`, if it has any.
fn without(object: &Object, gone: StreamId) -> Option<Object> {
    let id = gone.id.to_string();
    match object {
        Object::Brand(brand) if gone.kind == Flow::KIND => {
            let mut brand = brand.clone();
            let mut cleared = false;
            for flow in [
                &mut brand.flow_authentication,
                &mut brand.flow_invalidation,
                &mut brand.flow_recovery,
                &mut brand.flow_unenrollment,
                &mut brand.flow_user_settings,
                &mut brand.flow_device_code,
            ] {
                cleared |= flow.take_if(|flow| *flow == gone.id).is_some();
            }
            cleared.then_some(Object::Brand(brand))
        }
        Object::Stage(stage) => {
            let mut stage = stage.clone();
            let mut cleared = false;
            for (name, kind) in STAGE_REFERENCES {
                let value = stage.settings.get_mut(*name);
                match value.filter(|_| *kind == gone.kind) {
                    Some(Value::Array(items)) => {
                        let before = items.len();
                        items.retain(|item| item.as_str() != Some(&id));
                        cleared |= items.len() != before;
                    }
                    Some(value) if value.as_str() == Some(&id) => {
                        *value = Value::Null;
                        cleared = true;
                    }
                    _ => {}
                }
            }
            for (name, kind) in STAGE_LISTS {
                if let Some(serde_json::Value::Array(ids)) = stage.settings.get_mut(*name)
                    && *kind == gone.kind
                {
                    let before = ids.len();
                    ids.retain(|it| it.as_str() != Some(&id));
                    cleared |= ids.len() < before;
                }
            }
            cleared.then_some(Object::Stage(stage))
        }
        Object::User(user) if user.groups.contains(&gone.id) => {
            let mut user = user.clone();
            user.groups.retain(|group| *group != gone.id);
            Some(Object::User(user))
        }
        Object::Group(group) if group.parents.contains(&gone.id) => {
            let mut group = group.clone();
            group.parents.retain(|parent| *parent != gone.id);
            Some(Object::Group(group))
        }
        _ => None,
    }
}
