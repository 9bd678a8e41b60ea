//! The first administrator: made by the first start, and given a password once.
//!
//! While the installation waits for that password, a link with a secret leads into the flow that
//! sets it; the commit that does so ends the link, see [`sets_up`]. Each step is one commit, so that
//! no crash leaves half an administrator.

use secrecy::SecretString;
use uuid::Uuid;

use super::change::Author;
use super::command::{ATTEMPTS, commit, prepare, termination};
use super::password_history::{Keeping, replaced};
use super::session::sessions_of;
use super::token::{Intent, Token};
use super::user::has_usable_password;
use super::{
    Error, Group, Install, NewUser, Setup, User, group_by_name, install, user_by_username,
};
use crate::clock::Clock;
use crate::journal::object::{Versioned, put};
use crate::journal::{Journal, KeyId, Version, Write};

/// The user name of the first administrator.
pub const ADMINISTRATOR: &str = "akadmin";

/// The group of those who may do everything.
pub const ADMINISTRATORS: &str = "authentik Admins";

/// What the operator decided before the first start.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The administrator's encoded password; a link is made without one.
    pub password: Option<SecretString>,
    /// The administrator's address.
    pub email: String,
    /// The key of an API token of the administrator.
    pub token: Option<SecretString>,
    /// What is kept of former passwords.
    pub keeping: Keeping,
}

/// Makes whatever is missing of installation, group and administrator.
///
/// While the installation waits, every call applies a wanted password, or else replaces the
/// secret of the link; afterwards it changes nothing, not even an administrator who was removed.
///
/// # Errors
/// When the journal fails, or a wanted field cannot be stored.
pub async fn begin(
    journal: &dyn Journal,
    clock: &Clock,
    wanted: &Wanted,
) -> Result<Versioned<Install>, Error> {
    for _ in 0..ATTEMPTS {
        let found = prepare(journal, clock).await?;
        if found.value.is_set_up() {
            return Ok(found);
        }
        let writes = first_steps(journal, clock, wanted, &found).await?;
        if commit(journal, clock, writes, &Author::server()).await? {
            return install(journal).await?.ok_or(Error::NotInstalled);
        }
    }
    Err(Error::Contended)
}

async fn first_steps(
    journal: &dyn Journal,
    clock: &Clock,
    wanted: &Wanted,
    found: &Versioned<Install>,
) -> Result<Vec<Write>, Error> {
    let mut next = Install {
        setup: Install::new(clock).setup,
        ..found.value.clone()
    };
    let mut writes = Vec::new();
    if wanted.password.is_some() {
        next.setup = Setup::Done;
    }
    if let Some(mut user) = user_by_username(journal, ADMINISTRATOR).await? {
        if let Some(password) = &wanted.password {
            let now = clock.now();
            writes.extend(replaced(journal, wanted.keeping, &user.value, now).await?);
            user.value.set_password(password.clone(), now);
            writes.push(put(&user.value, user.version));
        } else if sets_up(&user.value) {
            // A blueprint, or a policy, was faster than the link.
            next.setup = Setup::Done;
        }
    } else {
        let group = administrators(journal, clock, &mut writes).await?;
        let mut new = NewUser::named(ADMINISTRATOR);
        "Default Administrator".clone_into(&mut new.name);
        new.email.clone_from(&wanted.email);
        new.groups = vec![group];
        new.password.clone_from(&wanted.password);
        let problems = new.problems();
        if !problems.is_empty() {
            return Err(Error::Invalid(problems));
        }
        let user = new.into_user(next.next_user_pk, clock);
        next.next_user_pk += 1;
        writes.push(Write::CreateKey {
            id: KeyId(user.uuid),
            under: KeyId::SYSTEM,
        });
        writes.push(put(&user, Version::NONE));
        writes.extend(token(clock, wanted, user.uuid).map(|token| put(&token, Version::NONE)));
    }
    writes.push(put(&next, found.version));
    Ok(writes)
}

/// Whether the installation is set up once this user is written: its administrator has a password
/// then.
#[must_use]
pub fn sets_up(user: &User) -> bool {
    user.username == ADMINISTRATOR && has_usable_password(user)
}

/// The group of administrators, made if there is none.
async fn administrators(
    journal: &dyn Journal,
    clock: &Clock,
    writes: &mut Vec<Write>,
) -> Result<Uuid, Error> {
    if let Some(group) = group_by_name(journal, ADMINISTRATORS).await? {
        return Ok(group.value.pk);
    }
    let mut group = Group::new(clock, ADMINISTRATORS);
    group.is_superuser = true;
    writes.push(put(&group, Version::NONE));
    Ok(group.pk)
}

/// Notes which blueprints that come with the server this installation was offered.
///
/// # Errors
/// When the journal fails.
pub async fn note_defaults(
    journal: &dyn Journal,
    clock: &Clock,
    names: &[String],
) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        let mut found = install(journal).await?.ok_or(Error::NotInstalled)?;
        if found.value.defaults.as_deref() == Some(names) {
            return Ok(());
        }
        found.value.defaults = Some(names.to_vec());
        let writes = vec![put(&found.value, found.version)];
        if commit(journal, clock, writes, &Author::server()).await? {
            return Ok(());
        }
    }
    Err(Error::Contended)
}

fn token(clock: &Clock, wanted: &Wanted, user: Uuid) -> Option<Token> {
    let key = wanted.token.clone()?;
    let identifier = "authentik-bootstrap-token".parse().expect("it is a slug");
    let mut token = Token::new(clock, identifier, Intent::Api, user);
    token.key = key;
    token.expiring = false;
    token.expires = None;
    Some(token)
}

/// Sets the password of a user on behalf of the operator, and ends the user's sessions: whoever
/// knew the former password may have them. That password is kept where `keeping` says so. If it is the first administrator's, the link that
/// would have set it ends.
///
/// # Errors
/// [`Error::NoSuchUser`] when nobody has that name.
pub async fn set_password(
    journal: &dyn Journal,
    clock: &Clock,
    username: &str,
    encoded: &SecretString,
    keeping: Keeping,
) -> Result<User, Error> {
    for _ in 0..ATTEMPTS {
        let waiting = install(journal)
            .await?
            .filter(|found| username == ADMINISTRATOR && !found.value.is_set_up());
        if let Some(user) = set(journal, clock, username, encoded, keeping, waiting).await? {
            return Ok(user);
        }
    }
    Err(Error::Contended)
}

/// Sets the password and, if the installation is given, notes that it is set up. `None` when
/// somebody else was faster.
async fn set(
    journal: &dyn Journal,
    clock: &Clock,
    username: &str,
    encoded: &SecretString,
    keeping: Keeping,
    installation: Option<Versioned<Install>>,
) -> Result<Option<User>, Error> {
    let mut user = user_by_username(journal, username)
        .await?
        .ok_or_else(|| Error::NoSuchUser(username.to_owned()))?;
    let now = clock.now();
    let history = replaced(journal, keeping, &user.value, now).await?;
    user.value.set_password(encoded.clone(), now);
    let mut writes = vec![put(&user.value, user.version)];
    writes.extend(history);
    writes.extend(termination(&sessions_of(journal, user.value.uuid).await?));
    if let Some(mut install) = installation {
        install.value.setup = Setup::Done;
        writes.push(put(&install.value, install.version));
    }
    let written = commit(journal, clock, writes, &Author::operator()).await?;
    Ok(written.then_some(user.value))
}
