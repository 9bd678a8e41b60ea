//! A user, and the ways to find one.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::password;
use crate::clock::Clock;
use crate::flow::field::{Invalid, Problem, text};
use crate::flow::model::words;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Journal, Key, KeyId, Kind, Objects, Result};

words! {
    /// What sort of user somebody is.
    #[derive(Default)]
    UserType as UserTypeEnum {
        /// A person who belongs here.
        #[default]
        Internal = "internal",
        /// A person from outside, such as a customer.
        External = "external",
        /// A program of the operator's.
        ServiceAccount = "service_account",
        /// A program of this server's own, such as an outpost.
        InternalServiceAccount = "internal_service_account",
    }
}

words! {
    /// What a typed identifier is compared with.
    LookupField as UserFieldsEnum {
        /// The e-mail address; several users may have the same.
        Email = "email",
        /// The user name.
        Username = "username",
        /// The attribute `upn`.
        Upn = "upn",
    }
}

/// A user. Serialising one puts the password hash into the result: only the journal may.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// The object's identifier, and the name of the key that seals all that is theirs.
    pub uuid: Uuid,
    /// The number by which the API knows them.
    pub pk: i64,
    /// What they log in with; unique, upper and lower case being different.
    pub username: String,
    /// What they are called.
    pub name: String,
    /// Their address; not unique, may be empty.
    pub email: String,
    /// Whether they may log in.
    pub is_active: bool,
    /// What sort of user they are.
    #[serde(rename = "type")]
    pub user_type: UserType,
    /// The folder that an operator keeps them in.
    pub path: String,
    /// Anything else that is known of them.
    pub attributes: Map<String, Value>,
    /// The groups that they are put in, not those above.
    pub groups: Vec<Uuid>,
    /// The roles that they are given, without those of their groups.
    #[serde(default)]
    pub roles: Vec<Uuid>,
    /// When the account was made.
    pub date_joined: Timestamp,
    /// When the password was last set.
    pub password_change_date: Timestamp,
    /// When anything of this was last written.
    pub last_updated: Timestamp,
    /// The encoded password, see [`super::password`].
    #[serde(with = "object::sealed")]
    pub password: SecretString,
}

impl User {
    /// The identifier that outsiders get to see: SHA-256 of number and installation, in hex.
    #[must_use]
    pub fn uid(&self, install_id: Uuid) -> String {
        let digest = Sha256::digest(format!("{}-{install_id}", self.pk));
        base16ct::lower::encode_string(&digest)
    }

    /// What is wrong with it, field by field; nothing is when it may be stored.
    #[must_use]
    pub fn problems(&self) -> Vec<Invalid> {
        problems(&self.username, &self.email, &self.path)
    }

    /// Stores another encoded password.
    pub fn set_password(&mut self, encoded: SecretString, now: Timestamp) {
        self.password = encoded;
        self.password_change_date = now;
        self.last_updated = now;
    }

    /// Stores the same password encoded anew, which is no change of the password.
    pub fn upgrade_password(&mut self, encoded: SecretString, now: Timestamp) {
        self.password = encoded;
        self.last_updated = now;
    }

    /// Makes the password one that nobody can have, for whoever left it unchanged for too long.
    /// The day of its last change stays, and the same one becomes the same.
    pub fn expire_password(&mut self, now: Timestamp) {
        self.password = password::unusable_after(&self.password);
        self.last_updated = now;
    }

    fn upn(&self) -> Option<&str> {
        self.attributes.get("upn").and_then(Value::as_str)
    }
}

impl Stored for User {
    const KIND: Kind = Kind::new("user");

    fn id(&self) -> Uuid {
        self.uuid
    }

    fn sealed_by(&self) -> KeyId {
        KeyId(self.uuid)
    }

    fn unique(&self) -> Vec<Key> {
        vec![
            Key::new("username", &self.username),
            Key::new("pk", self.pk.to_be_bytes()),
        ]
    }

    fn index(&self) -> Vec<Key> {
        let mut keys = vec![Key::new("username_ci", self.username.to_lowercase())];
        if !self.email.is_empty() {
            keys.push(Key::new("email", &self.email));
            keys.push(Key::new("email_ci", self.email.to_lowercase()));
        }
        if let Some(upn) = self.upn().filter(|upn| !upn.is_empty()) {
            keys.push(Key::new("upn", upn));
            keys.push(Key::new("upn_ci", upn.to_lowercase()));
        }
        keys.extend(self.groups.iter().map(|group| Key::new("group", group)));
        keys.extend(self.roles.iter().map(|role| Key::new("role", role)));
        keys
    }
}

/// What has to be known of a user who is about to be made.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// What they log in with.
    pub username: String,
    /// What they are called; may be empty.
    pub name: String,
    /// Their address; may be empty.
    pub email: String,
    /// Whether they may log in.
    pub is_active: bool,
    /// What sort of user they are.
    pub user_type: UserType,
    /// The folder that an operator keeps them in.
    pub path: String,
    /// Anything else that is known of them.
    pub attributes: Map<String, Value>,
    /// The groups that they are put in.
    pub groups: Vec<Uuid>,
    /// The encoded password; without one nobody can log in by password.
    pub password: Option<SecretString>,
}

impl NewUser {
    /// An active user of the usual sort with this name, and with nothing else.
    #[must_use]
    pub fn named(username: &str) -> Self {
        Self {
            username: username.to_owned(),
            name: String::new(),
            email: String::new(),
            is_active: true,
            user_type: UserType::default(),
            path: "users".to_owned(),
            attributes: Map::new(),
            groups: Vec::new(),
            password: None,
        }
    }

    /// What is wrong with it, field by field; nothing is when it may be stored.
    #[must_use]
    pub fn problems(&self) -> Vec<Invalid> {
        problems(&self.username, &self.email, &self.path)
    }

    /// The user with this number.
    #[must_use]
    pub fn into_user(self, pk: i64, clock: &Clock) -> User {
        let now = clock.now();
        User {
            uuid: clock.opaque_id(),
            pk,
            username: self.username,
            name: self.name,
            email: self.email,
            is_active: self.is_active,
            user_type: self.user_type,
            path: self.path,
            attributes: self.attributes,
            groups: self.groups,
            roles: Vec::new(),
            date_joined: now,
            password_change_date: now,
            last_updated: now,
            password: self.password.unwrap_or_else(|| password::unusable(clock)),
        }
    }
}

fn problems(username: &str, email: &str, path: &str) -> Vec<Invalid> {
    let mut found = Vec::new();
    if let Err(problem) = text(username, 150) {
        found.push(Invalid::new("username", problem));
    }
    if let Err(problem) = check_email(email) {
        found.push(Invalid::new("email", problem));
    }
    let path_problem = if path.starts_with('/') || path.ends_with('/') {
        Some("No leading or trailing slashes allowed.")
    } else if path.split('/').any(str::is_empty) {
        Some("No empty segments in user path allowed.")
    } else {
        None
    };
    found.extend(path_problem.map(|problem| Invalid::new("path", Problem::Other(problem))));
    found
}

/// Whether something may be an address is decided by delivering to it; this finds typing errors.
fn check_email(email: &str) -> std::result::Result<(), Problem> {
    if email.chars().count() > 254 {
        return Err(Problem::TooLong(254));
    }
    let plausible = email.is_empty()
        || email.rsplit_once('@').is_some_and(|(local, domain)| {
            let clean = |part: &str| {
                !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control())
            };
            clean(local) && clean(domain) && !domain.starts_with('.') && !domain.ends_with('.')
        });
    if plausible {
        Ok(())
    } else {
        Err(Problem::NotAnEmail)
    }
}

/// The user with this number.
pub async fn user_by_pk(
    objects: &(impl Objects + ?Sized),
    pk: i64,
) -> Result<Option<Versioned<User>>> {
    object::find(objects, Key::new("pk", pk.to_be_bytes())).await
}

/// The user with exactly this name.
pub async fn user_by_username(
    objects: &(impl Objects + ?Sized),
    username: &str,
) -> Result<Option<Versioned<User>>> {
    object::find(objects, Key::new("username", username)).await
}

/// All users, by number.
pub async fn users(objects: &(impl Objects + ?Sized)) -> Result<Vec<Versioned<User>>> {
    let mut users: Vec<Versioned<User>> = object::all(objects).await?;
    users.sort_by_key(|user| user.value.pk);
    Ok(users)
}

/// The users who were put in this very group, by number.
pub async fn users_in(
    objects: &(impl Objects + ?Sized),
    group: Uuid,
) -> Result<Vec<Versioned<User>>> {
    let mut users: Vec<Versioned<User>> = object::scan(objects, Key::new("group", group)).await?;
    users.sort_by_key(|user| user.value.pk);
    Ok(users)
}

/// The users of whom any of `fields` is the whole `identifier`, the lowest number first.
///
/// Whoever logs in is the first of them, also when several have the same address. No fields or
/// an empty identifier match nobody.
pub async fn users_matching(
    objects: &(impl Objects + ?Sized),
    fields: &[LookupField],
    identifier: &str,
    case_insensitive: bool,
) -> Result<Vec<Versioned<User>>> {
    let mut found: Vec<Versioned<User>> = Vec::new();
    if identifier.is_empty() {
        return Ok(found);
    }
    for field in fields {
        if case_insensitive {
            let name = match field {
                LookupField::Email => "email_ci",
                LookupField::Username => "username_ci",
                LookupField::Upn => "upn_ci",
            };
            let key = Key::new(name, identifier.to_lowercase());
            found.extend(object::scan(objects, key).await?);
        } else if *field == LookupField::Username {
            found.extend(user_by_username(objects, identifier).await?);
        } else {
            let key = Key::new(field.as_str(), identifier);
            found.extend(object::scan(objects, key).await?);
        }
    }
    found.sort_by_key(|user| user.value.pk);
    found.dedup_by_key(|user| user.value.pk);
    Ok(found)
}

/// The counter that holds when the user last logged in, in seconds since 1970.
///
/// It is no field of the user: a login that rewrote the user would conflict with another one.
#[must_use]
pub fn last_login_counter(user: Uuid) -> Vec<u8> {
    format!("last_login/{user}").into_bytes()
}

/// When the user last logged in, to the second; `None` when they never did.
///
/// # Errors
/// When the journal cannot be read.
pub async fn last_login(
    journal: &(impl Journal + ?Sized),
    user: Uuid,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let seconds = journal.counter(&last_login_counter(user), now).await?;
    Ok((seconds != 0)
        .then(|| Timestamp::from_second(seconds).ok())
        .flatten())
}

/// Whether any password may fit: a user made without one has none that does.
#[must_use]
pub fn has_usable_password(user: &User) -> bool {
    password::is_usable(user.password.expose_secret())
}
