//! What a visitor or a program shows to be let in: the cookie of the application, a token, or a name
//! with an app password. Whether that is worth anything is looked up; nothing is decided.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;

use super::kept::is_in;
use super::seal::{Pass, Seal};
use crate::catalog::Origin;
use crate::directory::token::{Intent, app_password};
use crate::directory::{Session, Token, User, token_by_key, user_by_username};
use crate::journal::object::{self, Versioned};
use crate::journal::{Journal, Result};

/// The cookie of an application.
pub const COOKIE: &str = "gatelog_app";

/// Somebody who may be let in.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// Who.
    pub user: Versioned<User>,
    /// By what.
    pub by: By,
    /// When that ends by itself.
    pub ends: Timestamp,
}

/// By what somebody may be let in.
#[derive(Clone, Debug)]
pub enum By {
    /// A cookie, which stands for a login.
    Cookie(Pass, Versioned<Session>),
    /// A token.
    Token(Versioned<Token>),
}

/// Who is logged in, as this cookie says that was given out for this application at this origin.
///
/// # Errors
/// When the journal cannot be read.
pub async fn by_cookie(
    journal: &dyn Journal,
    seal: &Seal,
    (application, origin): (Uuid, &Origin),
    cookie: &str,
    now: Timestamp,
) -> Result<Option<Bearer>> {
    let Some(pass) = seal.read_at::<Pass>(cookie, now) else {
        return Ok(None);
    };
    if pass.application != application || pass.origin != origin.as_str() {
        return Ok(None);
    }
    let login = pass.login;
    let session: Option<Versioned<Session>> = object::get(journal, login.session).await?;
    let Some(session) = session.filter(|it| is_in(&it.value, &login, now)) else {
        return Ok(None);
    };
    let user: Option<Versioned<User>> = object::get(journal, login.user).await?;
    Ok(user.filter(|it| it.value.is_active).map(|user| Bearer {
        user,
        ends: pass.until.min(session.value.expires),
        by: By::Cookie(pass, session),
    }))
}

/// Whose token the header `Authorization` holds: one for the API after `Bearer`, or, after `Basic`,
/// the name of a user and an app password of theirs.
///
/// # Errors
/// When the journal cannot be read.
pub async fn by_authorization(
    journal: &dyn Journal,
    header: &str,
    now: Timestamp,
) -> Result<Option<Bearer>> {
    let Some((scheme, value)) = header.split_once(' ') else {
        return Ok(None);
    };
    let value = value.trim();
    let token = if scheme.eq_ignore_ascii_case("bearer") {
        let key = SecretString::from(value.to_owned());
        token_by_key(journal, &key, Intent::Api, now).await?
    } else if scheme.eq_ignore_ascii_case("basic") {
        let Some((name, password)) = name_and_password(value) else {
            return Ok(None);
        };
        match user_by_username(journal, &name).await? {
            Some(user) => app_password(journal, user.value.uuid, &password, now).await?,
            None => None,
        }
    } else {
        None
    };
    let Some(token) = token else {
        return Ok(None);
    };
    let user: Option<Versioned<User>> = object::get(journal, token.value.user).await?;
    let expires = token.value.expires.filter(|_| token.value.expiring);
    Ok(user.filter(|it| it.value.is_active).map(|user| Bearer {
        user,
        ends: expires.unwrap_or(Timestamp::MAX),
        by: By::Token(token),
    }))
}

fn name_and_password(encoded: &str) -> Option<(String, SecretString)> {
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), password.to_owned().into()))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_password_may_hold_colons() {
        let (name, password) =
            name_and_password(&STANDARD.encode("ann:a:b")).expect("a name and a password");
        assert_eq!((name.as_str(), password.expose_secret()), ("ann", "a:b"));
        for wrong in ["", "x", "%%", &STANDARD.encode("ann")] {
            assert!(name_and_password(wrong).is_none(), "{wrong}");
        }
    }
}
