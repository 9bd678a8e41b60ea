//! Changes to the directory that are made on their own, by an operator or the first run.
//!
//! An execution never comes here: what it changes is part of its own commit.

use secrecy::SecretString;
use uuid::Uuid;

use super::change::{self, Author};
use super::consent::{UserConsent, consents_of};
use super::login::{Login, logins_of};
use super::password_history::{Keeping, removal, replaced};
use super::role::role_of_one;
use super::{
    Device, Error, Install, MfaAttempts, NewUser, Role, Session, Token, User, devices_of, install,
};
use super::{event, push_attempts};
use super::{session::sessions_of, token::tokens_of};
use crate::clock::Clock;
use crate::journal::object::{self, Versioned, delete, put};
use crate::journal::{self, Commit, Durability, Journal, KeyId, Objects, Version, Write};

/// How often a change is tried again after somebody else was faster.
pub(super) const ATTEMPTS: usize = 16;

/// The user who is made by these writes, and the writes: their key, themselves, and the count.
pub fn creation(install: &Versioned<Install>, clock: &Clock, new: NewUser) -> (User, Vec<Write>) {
    let user = new.into_user(install.value.next_user_pk, clock);
    let mut counted = install.value.clone();
    counted.next_user_pk += 1;
    let writes = vec![
        Write::CreateKey {
            id: KeyId(user.uuid),
            under: KeyId::SYSTEM,
        },
        put(&user, Version::NONE),
        put(&counted, install.version),
    ];
    (user, writes)
}

/// The writes that end sessions, which logs out whoever is logged in there.
#[must_use]
pub fn termination(sessions: &[Versioned<Session>]) -> Vec<Write> {
    let ends = |it: &Versioned<Session>| delete::<Session>(it.value.id, it.version);
    sessions.iter().map(ends).collect()
}

/// The writes that remove a user with their sessions, tokens, consents, devices, logins, audit events and
/// the role of theirs alone, and destroy the key of all that was ever written of them: nobody can read it any more, in no copy of the journal. Of sessions
/// that are `spared` somebody else writes what becomes of them.
pub async fn deletion(
    objects: &(impl Objects + ?Sized),
    user: &Versioned<User>,
    spared: &[Uuid],
) -> journal::Result<Vec<Write>> {
    let id = user.value.uuid;
    let mut sessions = sessions_of(objects, id).await?;
    sessions.retain(|session| !spared.contains(&session.value.id));
    let mut writes = termination(&sessions);
    let tokens = tokens_of(objects, id).await?;
    let ends = |it: &Versioned<Token>| delete::<Token>(it.value.token_uuid, it.version);
    writes.extend(tokens.iter().map(ends));
    writes.extend(belongings(objects, id).await?);
    let role = role_of_one(objects, &user.value).await?;
    writes.extend(role.map(|it| delete::<Role>(it.value.pk, it.version)));
    writes.push(delete::<User>(id, user.version));
    writes.push(Write::DestroyKey { id: KeyId(id) });
    Ok(writes)
}

/// The writes that remove what a user who goes leaves behind, but their sessions and tokens:
/// consents, devices, logins and former passwords.
pub async fn belongings(
    objects: &(impl Objects + ?Sized),
    user: Uuid,
) -> journal::Result<Vec<Write>> {
    let consents = consents_of(objects, user).await?;
    let ends = |it: &Versioned<UserConsent>| delete::<UserConsent>(it.value.id, it.version);
    let mut writes: Vec<Write> = consents.iter().map(ends).collect();
    writes.extend(without_factors(objects, user).await?);
    let logins = logins_of(objects, user).await?;
    let ends = |it: &Versioned<Login>| delete::<Login>(it.value.id, it.version);
    writes.extend(logins.iter().map(ends));
    writes.extend(removal(objects, user).await?);
    writes.extend(event::removal(objects, user).await?);
    Ok(writes)
}

/// The writes that remove the devices of a user who goes, and what was counted of wrong codes and of
/// pushes.
async fn without_factors(
    objects: &(impl Objects + ?Sized),
    user: Uuid,
) -> journal::Result<Vec<Write>> {
    let devices = devices_of(objects, user).await?;
    let ends = |it: &Versioned<Device>| delete::<Device>(it.value.uuid, it.version);
    let mut writes: Vec<Write> = devices.iter().map(ends).collect();
    let attempts: Option<Versioned<MfaAttempts>> = object::get(objects, user).await?;
    writes.extend(attempts.map(|it| delete::<MfaAttempts>(user, it.version)));
    writes.extend(push_attempts::removal(objects, user).await?);
    Ok(writes)
}

/// Makes the installation's own object where there is none, and returns what there is.
pub async fn prepare(journal: &dyn Journal, clock: &Clock) -> Result<Versioned<Install>, Error> {
    for _ in 0..ATTEMPTS {
        if let Some(found) = install(journal).await? {
            return Ok(found);
        }
        let writes = vec![put(&Install::new(clock), Version::NONE)];
        commit(journal, clock, writes, &Author::server()).await?;
    }
    Err(Error::Contended)
}

/// Makes a user on behalf of the operator and commits it.
///
/// # Errors
/// [`Error::Invalid`] when a field is wrong or the name is taken, [`Error::NotInstalled`] before
/// [`prepare`].
pub async fn create_user(
    journal: &dyn Journal,
    clock: &Clock,
    new: NewUser,
) -> Result<User, Error> {
    let problems = new.problems();
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    for _ in 0..ATTEMPTS {
        let install = install(journal).await?.ok_or(Error::NotInstalled)?;
        let (user, writes) = creation(&install, clock, new.clone());
        if commit(journal, clock, writes, &Author::operator()).await? {
            return Ok(user);
        }
    }
    Err(Error::Contended)
}

/// Sets an encoded password on behalf of the operator and commits it; the former one is kept where
/// `keeping` says so.
///
/// # Errors
/// [`Error::NoSuchUser`] when there is none with this identifier.
pub async fn set_password(
    journal: &dyn Journal,
    clock: &Clock,
    user: Uuid,
    encoded: SecretString,
    keeping: Keeping,
) -> Result<User, Error> {
    for _ in 0..ATTEMPTS {
        let found: Option<Versioned<User>> = object::get(journal, user).await?;
        let mut found = found.ok_or_else(|| Error::NoSuchUser(user.to_string()))?;
        let now = clock.now();
        let history = replaced(journal, keeping, &found.value, now).await?;
        found.value.set_password(encoded.clone(), now);
        let mut writes = vec![put(&found.value, found.version)];
        writes.extend(history);
        if commit(journal, clock, writes, &Author::operator()).await? {
            return Ok(found.value);
        }
    }
    Err(Error::Contended)
}

/// Whether the writes are durable, with a note of who wrote them; they are not when somebody else
/// was faster.
pub(super) async fn commit(
    journal: &dyn Journal,
    clock: &Clock,
    writes: Vec<Write>,
    author: &Author,
) -> Result<bool, Error> {
    match commit_noted(journal, clock, writes, author, clock.ordered_id()).await {
        // Two who make a user at once may both have taken the same number.
        Err(journal::Error::Taken { name, .. }) if name == "pk" => Ok(false),
        committed => Ok(committed?),
    }
}

/// Commits writes with a note of who wrote them, under this id; whether they are durable, which
/// they are not when somebody else was faster.
///
/// # Errors
/// What the journal says.
pub async fn commit_noted(
    journal: &dyn Journal,
    clock: &Clock,
    mut writes: Vec<Write>,
    author: &Author,
    correlation: Uuid,
) -> journal::Result<bool> {
    change::note(&mut writes, author, correlation);
    let commit = Commit {
        writes,
        durability: Durability::Durable,
        fence: None,
        at: clock.now(),
        correlation,
    };
    match journal.commit(commit).await {
        Ok(_) => Ok(true),
        Err(journal::Error::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
