//! Who there is, and who may do what: users, groups, roles and permissions, tokens, sessions,
//! consents, brands, and how often somebody failed.

use super::call::Call;
use super::operation::Operation;
use super::schema::Components;
use crate::directory::User;
use crate::directory::command::commit_noted;
use crate::http::Error;
use crate::journal::Write;
use crate::journal::object::{self, Versioned, put};
use uuid::Uuid;

mod account;
mod brands;
mod consents;
mod erasure;
mod groups;
mod guard;
mod keys;
mod me;
mod passwords;
mod permissions;
mod recovery;
mod roles;
mod scores;
mod sessions;
pub(super) mod shown;
mod tokens;
mod users;

/// How often a change is tried that others make at the same time.
const TRIES: usize = 12;

/// All operations of these parts.
pub(super) fn operations() -> Vec<Operation> {
    let parts = [
        users::operations(),
        me::operations(),
        account::operations(),
        passwords::operations(),
        recovery::operations(),
        groups::operations(),
        roles::operations(),
        permissions::operations(),
        tokens::operations(),
        keys::operations(),
        sessions::operations(),
        consents::operations(),
        erasure::operations(),
        brands::operations(),
        scores::operations(),
    ];
    parts.into_iter().flatten().collect()
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    users::describe(components);
    account::describe(components);
    passwords::describe(components);
    recovery::describe(components);
    groups::describe(components);
    roles::describe(components);
    permissions::describe(components);
    tokens::describe(components);
    keys::describe(components);
    sessions::describe(components);
    consents::describe(components);
    erasure::describe(components);
    brands::describe(components);
    scores::describe(components);
}

/// Commits writes on the caller's behalf, with a note of it; false when somebody else was faster.
async fn commit(call: &Call, writes: Vec<Write>) -> Result<bool, Error> {
    let (state, author) = (&call.state, call.author()?);
    let journal = &*state.journal;
    Ok(commit_noted(journal, &state.clock, writes, &author, call.arrival.id).await?)
}

fn contended() -> Error {
    Error::Unavailable {
        cause: "others kept changing the same objects".to_owned(),
    }
}

/// Changes a user as they are at that moment.
///
/// # Errors
/// 404 when they are gone.
async fn change_user(call: &Call, user: Uuid, change: impl Fn(&mut User)) -> Result<(), Error> {
    let attempt = async || {
        let found: Option<Versioned<User>> = object::get(&*call.state.journal, user).await?;
        let mut found = found.ok_or(Error::Missing("User"))?;
        change(&mut found.value);
        found.value.last_updated = call.state.clock.now();
        let changed = commit(call, vec![put(&found.value, found.version)]).await?;
        Ok::<_, Error>(changed.then_some(()))
    };
    let changed = call.state.turns.until(attempt).await?;
    changed.ok_or_else(contended)
}
