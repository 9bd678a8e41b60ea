//! Turns what a command led to into one commit: events, observations, changed objects.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::Shared;
use super::actor::{Begin, Handle, Loaded};
use super::live::Left;
use super::unfinished::Unfinished;
use crate::directory::session::Session;
use crate::directory::user::User;
use crate::flow::Execution;
use crate::flow::event::Event;
use crate::flow::input::{Input, Request};
use crate::journal::object::{self, Versioned};
use crate::journal::{Commit, Durability, KeyId, Result, StreamId, Version, Write};
use crate::stage::Handled;
use crate::world::record::{self, Record};
use crate::world::{Change, StartSession};

/// The stream of an execution.
pub(super) fn stream(execution: Uuid) -> StreamId {
    StreamId::new(record::KIND, execution)
}

/// The counter that holds when a user last logged in, in seconds since 1970.
fn last_login(user: Uuid) -> Vec<u8> {
    format!("last_login/{user}").into_bytes()
}

/// Builds the commit of one command.
pub(super) async fn build(
    shared: &Shared,
    execution: Uuid,
    before: &Loaded,
    handle: &Handle,
    handled: &Handled,
    left: Left,
) -> Result<Commit> {
    let key = KeyId(execution);
    let now = handle.input.at;
    let mut writes = Vec::new();
    if let Some(begin) = &handle.begin {
        writes.push(Write::CreateKey {
            id: key,
            under: KeyId::SYSTEM,
        });
        writes.push(object::put(&begin.unfinished, Version::NONE));
    }
    writes.extend(wrap(key, &before.state, &handled.state));
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
    writes.extend(sessions(shared, &handle.input, handle.begin.as_deref(), left.changes).await?);
    for (user, checked, upgrade) in left.upgrades {
        writes.extend(upgraded(shared, now, user, &checked, upgrade).await?);
    }
    if handled.state.is_over() {
        let begun = handle.begin.is_some() || before.version != Version::NONE;
        if begun {
            writes.push(object::delete::<Unfinished>(execution, Version(1)));
        }
    }
    Ok(Commit {
        writes,
        durability,
        fence: None,
        at: now,
        correlation: handle.correlation,
    })
}

/// Once the user is known, the execution is readable only as long as the user's key exists.
fn wrap(key: KeyId, before: &Execution, after: &Execution) -> Option<Write> {
    let user = |state: &Execution| {
        state
            .latest()
            .and_then(|it| it.identified)
            .map(|(id, _)| id)
    };
    let under = user(after)?;
    (user(before) != Some(under)).then_some(Write::WrapKey {
        id: key,
        under: KeyId(under),
    })
}

fn durability(handle: &Handle, handled: &Handled) -> Durability {
    let looks = match handle.input.request {
        Request::Visit => true,
        Request::Begin { .. } => handle.typed.is_none(),
        _ => false,
    };
    if looks && !handled.events.iter().any(Event::acts) {
        Durability::Relaxed
    } else {
        Durability::Durable
    }
}

/// The writes that the changes to sessions come to.
async fn sessions(
    shared: &Shared,
    input: &Input,
    begin: Option<&Begin>,
    changes: Vec<Change>,
) -> Result<Vec<Write>> {
    let now = input.at;
    let mut touched: BTreeMap<Uuid, Versioned<Session>> = BTreeMap::new();
    let mut writes = Vec::new();
    if let Some(new) = begin.and_then(|begin| begin.session.clone()) {
        touched.insert(
            new.id,
            Versioned {
                version: Version::NONE,
                value: new,
            },
        );
    }
    for change in changes {
        match change {
            Change::StartSession(start) => {
                if let Some(session) = touch(shared, &mut touched, start.session).await? {
                    log_in(shared, input, session, &start);
                    writes.push(Write::Add {
                        counter: last_login(start.user),
                        delta: 0,
                        min: now.as_second(),
                        max: now.as_second(),
                        expires: None,
                    });
                }
            }
            Change::EndSession { session } => {
                if let Some(session) = touch(shared, &mut touched, session).await? {
                    let clock = &shared.clock;
                    let (sid, csrf) = (clock.random_text(32), clock.random_text(32));
                    session.log_out(sid, csrf, now, shared.limits.lifetime);
                }
            }
            Change::TerminateSessions { sessions } => {
                for id in sessions {
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
    Ok(writes)
}

async fn touch<'a>(
    shared: &Shared,
    touched: &'a mut BTreeMap<Uuid, Versioned<Session>>,
    id: Uuid,
) -> Result<Option<&'a mut Session>> {
    if !touched.contains_key(&id)
        && let Some(session) = object::get(shared.journal.as_ref(), id).await?
    {
        touched.insert(id, session);
    }
    Ok(touched.get_mut(&id).map(|it| &mut it.value))
}

fn log_in(shared: &Shared, input: &Input, session: &mut Session, start: &StartSession) {
    let (clock, now, client) = (&shared.clock, input.at, &input.client);
    session.log_in(
        start.user,
        clock.random_text(32),
        clock.random_text(32),
        now,
        start.persistent.then_some(start.expires),
        shared.limits.lifetime,
    );
    // Whoever began the session may be somebody else; from here on it belongs to this client.
    let unused = shared.limits.lifetime;
    session.touch(now, unused, client.address, &client.user_agent);
    session.network_binding = start.network_binding;
    session.geoip_binding = start.geoip_binding;
}

/// The write that replaces a password hash, unless the password was changed meanwhile.
async fn upgraded(
    shared: &Shared,
    now: Timestamp,
    user: Uuid,
    checked: &SecretString,
    upgrade: SecretString,
) -> Result<Option<Write>> {
    let found: Option<Versioned<User>> = object::get(shared.journal.as_ref(), user).await?;
    let Some(mut found) = found else {
        return Ok(None);
    };
    if found.value.password.expose_secret() != checked.expose_secret() {
        return Ok(None);
    }
    found.value.upgrade_password(upgrade, now);
    Ok(Some(object::put(&found.value, found.version)))
}
