//! Turns what a command led to into one commit: events, observations, changed objects.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::actor::{Handle, Loaded};
use super::live::Left;
use super::{Shared, attempts, former, timers, unfinished, vault};
use crate::clock::Clock;
use crate::courier::outbox::enqueue;
use crate::directory::command::deletion;
use crate::directory::install::{Install, Setup, install};
use crate::directory::login::{self, Login};
use crate::directory::session::Session;
use crate::directory::setup;
use crate::directory::user::{User, last_login_counter};
use crate::flow::event::Event;
use crate::flow::execution::Running;
use crate::flow::input::{Input, Request};
use crate::flow::{Context, Execution};
use crate::journal::object::{self, Versioned};
use crate::journal::{Commit, Durability, Error, Journal, KeyId, Result, StreamId, Version, Write};
use crate::stage::Handled;
use crate::world::record::{self, Record};
use crate::world::{Attempt, Change, Observation, StartSession};

/// The stream of an execution.
pub(super) fn stream(execution: Uuid) -> StreamId {
    StreamId::new(record::KIND, execution)
}

/// Builds the commit of one command, and says whether the secret of the browser's session is
/// another one after it.
pub(super) async fn build(
    shared: &Shared,
    execution: Uuid,
    before: &Loaded,
    handle: &Handle,
    handled: &Handled,
    left: Left,
) -> Result<(Commit, bool)> {
    let key = KeyId(execution);
    let now = handle.input.at;
    let mut writes = Vec::new();
    let objects = shared.journal.as_ref();
    if handle.begin.is_some() {
        writes.push(Write::CreateKey {
            id: key,
            under: KeyId::SYSTEM,
        });
    }
    let deleted = deleted(&left.changes);
    let mut written = written(&left.changes);
    written.retain(|id, _| !deleted.contains_key(id));
    writes.extend(creation(shared, &written).await?);
    let begun = handle.begin.as_ref().map(|begin| &begin.unfinished);
    writes.extend(unfinished::write(objects, begun, &before.state, &handled.state).await?);
    // In a new session, nobody is logged in.
    let arrived = match (&handle.begin, &handle.session) {
        (Some(_), None) => logged_in(objects, &handled.state).await?,
        _ => None,
    };
    writes.extend(wrap(key, &before.state, handled, arrived));
    writes.extend(timers::writes(
        &before.state,
        &handled.state,
        shared.journal.node(),
    ));
    let durability = durability(handle, handled);
    let mut input = handle.input.clone();
    input.body = handled.body.clone();
    let record = Record {
        input,
        observations: left.observations,
        events: handled.events.clone(),
    };
    writes.push(Write::Append {
        stream: stream(execution),
        expected: before.version,
        key,
        schema: record::SCHEMA,
        body: serde_json::to_vec(&record).expect("a record has only string keys"),
    });
    let attempts: Vec<Attempt> = left
        .changes
        .iter()
        .filter_map(Change::attempt)
        .cloned()
        .collect();
    writes.extend(attempts::writes(shared, &attempts, now).await?);
    let changed = written.values().map(|user| &user.value);
    writes.extend(former::passwords(shared, now, changed).await?);
    writes.extend(
        left.links
            .iter()
            .map(|made| object::put(&made.link, Version::NONE)),
    );
    writes.extend(left.mails.iter().flat_map(enqueue));
    writes.extend(others(&left.changes, &deleted));
    let proven = match proven(handled) {
        Some(session) => Some(session),
        None => rekeyed(shared, handled).await?,
    };
    let (touched, ended) =
        sessions(shared, handle, &record.observations, left.changes, proven).await?;
    writes.extend(ended);
    for (user, checked, upgrade) in left.upgrades {
        upgraded(shared, now, user, &checked, upgrade, &mut written).await?;
    }
    written.retain(|id, _| !deleted.contains_key(id));
    let written = written.values();
    writes.extend(written.map(|user| object::put(&user.value, user.version)));
    let (named, over) = (named(&before.state), handled.state.is_over());
    let still = self::named(&handled.state);
    writes.extend(vault::writes(objects, execution, left.kept, (&named, &still), over).await?);
    // Last of all, since nothing that is theirs can be written once their key is gone.
    for user in deleted.values() {
        writes.extend(deletion(objects, user, &touched).await?);
    }
    let own = handled.state.latest().map(|it| it.session);
    let commit = Commit {
        writes,
        durability,
        fence: None,
        at: now,
        correlation: handle.correlation,
    };
    Ok((commit, own.is_some_and(|own| touched.contains(&own))))
}

/// The secrets that an execution names.
fn named(state: &Execution) -> BTreeSet<Uuid> {
    let context = state.latest().map(|running| &running.context);
    context.map(Context::secrets).unwrap_or_default()
}

/// The writes that make room for new users, a key for each and the count of them, and the one that
/// notes that the first administrator has a password.
///
/// # Errors
/// A conflict when somebody else took the number meanwhile.
async fn creation(
    shared: &Shared,
    written: &BTreeMap<Uuid, Versioned<User>>,
) -> Result<Vec<Write>> {
    let new = written.values().filter(|it| it.version == Version::NONE);
    let mut writes = Vec::new();
    let mut pks = Vec::new();
    for user in new {
        writes.push(Write::CreateKey {
            id: KeyId(user.value.uuid),
            under: KeyId::SYSTEM,
        });
        pks.push(user.value.pk);
    }
    let sets_up = written.values().any(|user| setup::sets_up(&user.value));
    if pks.is_empty() && !sets_up {
        return Ok(writes);
    }
    let conflict = |expected, actual| Error::Conflict {
        stream: object::stream::<Install>(Install::ID),
        expected,
        actual,
    };
    let install = install(shared.journal.as_ref()).await?;
    let mut install = install.ok_or_else(|| conflict(Version(1), Version::NONE))?;
    if pks.is_empty() && install.value.is_set_up() {
        return Ok(writes);
    }
    if sets_up {
        install.value.setup = Setup::Done;
    }
    pks.sort_unstable();
    for pk in pks {
        if pk != install.value.next_user_pk {
            return Err(conflict(Version::NONE, install.version));
        }
        install.value.next_user_pk += 1;
    }
    writes.push(object::put(&install.value, install.version));
    Ok(writes)
}

/// Once the user is known, the execution is readable only as long as the user's key exists.
///
/// For somebody who does not exist it is wrapped as well, as it was: whether a key was written must
/// not be what tells who exists.
fn wrap(key: KeyId, before: &Execution, handled: &Handled, arrived: Option<Uuid>) -> Option<Write> {
    let names = |event: &Event| matches!(event, Event::UserIdentified { .. });
    let identified = handled.events.iter().any(names);
    let after = whose(&handled.state).or(arrived);
    (identified || whose(before) != after).then_some(Write::WrapKey {
        id: key,
        under: after.map_or(KeyId::SYSTEM, KeyId),
    })
}

/// Who was logged in where an execution begins.
async fn logged_in(journal: &dyn Journal, state: &Execution) -> Result<Option<Uuid>> {
    let Some(running) = state.latest() else {
        return Ok(None);
    };
    let session: Option<Versioned<Session>> = object::get(journal, running.session).await?;
    Ok(session.and_then(|session| session.value.user))
}

fn whose(state: &Execution) -> Option<Uuid> {
    state.latest().and_then(Running::about)
}

fn durability(handle: &Handle, handled: &Handled) -> Durability {
    let looks = match handle.input.request {
        // Nobody is told of an expiry, and one that is lost with the machine expires again.
        Request::Visit | Request::Expire => true,
        Request::Begin { .. } => handle.typed.is_none(),
        _ => false,
    };
    if looks && !handled.events.iter().any(Event::acts) {
        Durability::Relaxed
    } else {
        Durability::Durable
    }
}

/// The writes that the changes to sessions come to, and the sessions that they write.
///
/// # Errors
/// A conflict when a session is not any more what the command saw, or has gone: what was
/// decided about it would not be true.
async fn sessions(
    shared: &Shared,
    handle: &Handle,
    observations: &[Observation],
    changes: Vec<Change>,
    proven: Option<Uuid>,
) -> Result<(Vec<Uuid>, Vec<Write>)> {
    let now = handle.input.at;
    let mut touched: BTreeMap<Uuid, Versioned<Session>> = BTreeMap::new();
    let mut writes = Vec::new();
    let mut gone = Vec::new();
    if let Some(new) = handle.session.clone() {
        touched.insert(
            new.id,
            Versioned {
                version: Version::NONE,
                value: new,
            },
        );
    }
    let rotates =
        |change: &Change| matches!(change, Change::StartSession(_) | Change::EndSession { .. });
    if let Some(id) = proven.filter(|_| !changes.iter().any(rotates)) {
        let session = touch(shared, &mut touched, observations, id).await?;
        take_over(&shared.clock, &handle.input, session);
    }
    for change in changes {
        match change {
            Change::StartSession(start) => {
                let session = touch(shared, &mut touched, observations, start.session).await?;
                log_in(shared, &handle.input, session, &start);
                writes.push(Write::Add {
                    counter: last_login_counter(start.user),
                    delta: 0,
                    min: now.as_second(),
                    max: now.as_second(),
                    expires: None,
                });
                writes.extend(remembered(shared, &handle.input, start.user).await?);
            }
            Change::EndSession { session } => {
                let session = touch(shared, &mut touched, observations, session).await?;
                let clock = &shared.clock;
                let (sid, csrf) = (clock.random_text(32), clock.random_text(32));
                session.log_out(sid, csrf, now, shared.limits.lifetime);
            }
            // Written together with the hashes, one revision for each user.
            Change::WriteUser(_)
            | Change::DeleteUser(_)
            | Change::Write(_)
            | Change::Reputation(_) => {}
            Change::TerminateSessions { sessions } => {
                for id in sessions {
                    gone.push(id);
                    let found: Option<Versioned<Session>> =
                        object::get(shared.journal.as_ref(), id).await?;
                    writes.extend(found.map(|it| object::delete::<Session>(id, it.version)));
                }
            }
        }
    }
    writes.extend(
        touched
            .values()
            .map(|it| object::put(&it.value, it.version)),
    );
    gone.extend(touched.keys());
    Ok((gone, writes))
}

/// The session in which somebody has just shown that they are who they say.
fn proven(handled: &Handled) -> Option<Uuid> {
    let proven = handled.events.iter().any(is_proof);
    handled
        .state
        .latest()
        .filter(|_| proven)
        .map(|it| it.session)
}

/// Whether somebody has shown by it that they are who they say.
fn is_proof(event: &Event) -> bool {
    matches!(
        event,
        Event::PasswordVerified { .. } | Event::LinkConsumed { .. } | Event::MfaVerified { .. }
    )
}

/// Whether the session of whoever did it may have another secret since.
pub(super) fn may_rotate(event: &Event) -> bool {
    is_proof(event)
        || matches!(event, Event::SessionStarted { .. })
        || new_password(event).is_some()
}

/// The user whose password was written.
fn new_password(event: &Event) -> Option<Uuid> {
    match event {
        Event::UserWritten { user, fields, .. } => fields
            .iter()
            .any(|field| field.contains("password"))
            .then_some(*user),
        _ => None,
    }
}

/// The session of whoever changed their own password in it. Source: authentik
/// `stages/user_write/stage.py`, `update_session_auth_hash`.
async fn rekeyed(shared: &Shared, handled: &Handled) -> Result<Option<Uuid>> {
    let changed = handled.events.iter().find_map(new_password);
    let (Some(user), Some(latest)) = (changed, handled.state.latest()) else {
        return Ok(None);
    };
    let found: Option<Versioned<Session>> =
        object::get(shared.journal.as_ref(), latest.session).await?;
    let is_theirs = found.is_some_and(|session| session.value.user == Some(user));
    Ok(is_theirs.then_some(latest.session))
}

/// Leaves the session to whoever typed the password, while the flow goes on: somebody may have
/// planted its cookie, and must not take the steps that follow. Pages in other tabs stay good,
/// so they keep their token until the login replaces it.
fn take_over(clock: &Clock, input: &Input, session: &mut Session) {
    let csrf = session.csrf.clone();
    session.rotate(clock.random_text(32), csrf, input.at);
    session.last_ip = input.client.address;
    session.last_user_agent.clone_from(&input.client.user_agent);
}

async fn touch<'a>(
    shared: &Shared,
    touched: &'a mut BTreeMap<Uuid, Versioned<Session>>,
    observations: &[Observation],
    id: Uuid,
) -> Result<&'a mut Session> {
    let found = match touched.remove(&id) {
        Some(found) => found,
        None => current(shared, observations, id).await?,
    };
    Ok(&mut touched.entry(id).or_insert(found).value)
}

/// The session as it is, provided that it is as the command saw it, if it looked.
async fn current(
    shared: &Shared,
    observations: &[Observation],
    id: Uuid,
) -> Result<Versioned<Session>> {
    let stream = object::stream::<Session>(id);
    let seen = observations.iter().rev().find_map(|note| match note {
        Observation::Object { kind, id, version } if StreamId::new(*kind, *id) == stream => {
            Some(version.unwrap_or_default())
        }
        _ => None,
    });
    let found: Option<Versioned<Session>> = object::get(shared.journal.as_ref(), id).await?;
    let actual = found.as_ref().map_or(Version::NONE, |it| it.version);
    let moved = seen.is_some_and(|seen| seen != actual);
    found.filter(|_| !moved).ok_or(Error::Conflict {
        stream,
        expected: seen.unwrap_or_default(),
        actual,
    })
}

/// The session belongs to the browser that logged in, whoever made it: an address and a program
/// that somebody else left there must not open the session with its former secret.
fn log_in(shared: &Shared, input: &Input, session: &mut Session, start: &StartSession) {
    let clock = &shared.clock;
    session.log_in(
        start.user,
        clock.random_text(32),
        clock.random_text(32),
        input.at,
        start.persistent.then_some(start.expires),
        shared.limits.lifetime,
    );
    session.expires = start.expires;
    session.last_ip = input.client.address;
    session.last_user_agent.clone_from(&input.client.user_agent);
    session.network_binding = start.network_binding;
    session.geoip_binding = start.geoip_binding;
}

/// The users that are written, as the last change leaves each. Whoever was written by somebody
/// else meanwhile is a conflict, and the command is judged again.
fn written(changes: &[Change]) -> BTreeMap<Uuid, Versioned<User>> {
    let written = changes.iter().filter_map(|change| match change {
        Change::WriteUser(user) => Some((user.value.uuid, (**user).clone())),
        _ => None,
    });
    written.collect()
}

/// The users who are deleted.
fn deleted(changes: &[Change]) -> BTreeMap<Uuid, Versioned<User>> {
    let deleted = changes.iter().filter_map(|change| match change {
        Change::DeleteUser(user) => Some((user.value.uuid, (**user).clone())),
        _ => None,
    });
    deleted.collect()
}

/// The writes of all other objects: of each object the last one, as all were made of the revision
/// that the command saw, and none that a deleted user would leave behind.
fn others(changes: &[Change], deleted: &BTreeMap<Uuid, Versioned<User>>) -> Vec<Write> {
    let mut writes: Vec<(StreamId, &Write)> = Vec::new();
    for change in changes {
        let Change::Write(write) = change else {
            continue;
        };
        let (Write::Put { stream, .. } | Write::Delete { stream, .. }) = write else {
            continue;
        };
        writes.retain(|(other, _)| other != stream);
        let is_theirs = matches!(write, Write::Put { key, .. } if deleted.contains_key(&key.0));
        if !is_theirs {
            writes.push((*stream, write));
        }
    }
    writes.into_iter().map(|(_, write)| write.clone()).collect()
}

/// What is kept of a login for policies that compare places; nothing where no place is known.
async fn remembered(shared: &Shared, input: &Input, user: Uuid) -> Result<Vec<Write>> {
    let geoip = &shared.outside.geoip;
    if !geoip.has_cities() {
        return Ok(Vec::new());
    }
    let address = input.client.address;
    let login = Login {
        id: shared.clock.ordered_id(),
        user,
        at: input.at,
        address,
        place: geoip.place(address),
    };
    login::remember(shared.journal.as_ref(), &login).await
}

/// Replaces a password hash, unless the password was changed meanwhile.
async fn upgraded(
    shared: &Shared,
    now: Timestamp,
    user: Uuid,
    checked: &SecretString,
    upgrade: SecretString,
    written: &mut BTreeMap<Uuid, Versioned<User>>,
) -> Result<()> {
    let found = if let Some(changed) = written.remove(&user) {
        Some(changed)
    } else {
        let found: Option<Versioned<User>> = object::get(shared.journal.as_ref(), user).await?;
        let same =
            |it: &Versioned<User>| it.value.password.expose_secret() == checked.expose_secret();
        found.filter(same)
    };
    let Some(mut found) = found else {
        return Ok(());
    };
    if found.value.password.expose_secret() == checked.expose_secret() {
        found.value.upgrade_password(upgrade, now);
    }
    written.insert(user, found);
    Ok(())
}
