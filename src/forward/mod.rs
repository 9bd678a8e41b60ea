//! Forward authentication: a proxy asks about each request to an application whether it may pass, and
//! as whom.
//!
//! The way of a question: what was asked for is read from what the proxy says ([`original`]); the
//! application is the one that lives there ([`known`]); who asks is told by the application's cookie or
//! a token ([`shown`]); the application's policies decide; and what came of it is kept for a few seconds
//! ([`kept`]) with the headers that say who it is ([`identity`]).
//!
//! A cookie comes to the application's domain by way of the login's, signed all the way ([`seal`]).
//!
//! Nothing here knows of HTTP, and nothing is written.

pub mod fresh;
pub mod identity;
pub mod kept;
pub mod known;
pub mod original;
pub mod path;
pub mod seal;
pub mod shown;

use secrecy::SecretBox;

use crate::directory::Group;
use crate::directory::User;
use crate::journal::object::{self, Versioned};
use crate::journal::{Journal, Result};

pub use fresh::Fresh;
pub use kept::{Decision, Ground, Kept, Name};
pub use known::{Known, Protected};
pub use original::{Original, destination};
pub use seal::Seal;
pub use shown::{Bearer, By};

/// What a question comes to.
#[derive(Clone, Debug)]
pub enum Verdict<T> {
    /// Nobody needs to be logged in for this path.
    Skipped,
    /// Somebody may pass: the answer for the proxy.
    Granted(T),
    /// Somebody is known and may not pass.
    Denied {
        /// Who it is.
        user: Box<User>,
        /// What the policies say about it.
        messages: Vec<String>,
    },
    /// Nobody is known.
    Stranger {
        /// Whether something was shown in the header `Authorization`.
        showed: bool,
    },
    /// No application lives there.
    Nowhere,
}

/// What is kept between questions. `T` is an answer as the proxy gets it.
#[derive(Debug)]
pub struct Forward<T> {
    /// Signs what goes by way of a browser.
    pub seal: Seal,
    /// The applications.
    pub known: Known,
    /// The decisions.
    pub kept: Kept<T>,
}

impl<T> Forward<T> {
    /// With this key, which must be the same on all nodes and after every restart.
    #[must_use]
    pub fn new(key: SecretBox<[u8; 32]>) -> Self {
        Self {
            seal: Seal::new(key),
            known: Known::default(),
            kept: Kept::default(),
        }
    }
}

/// The names of the groups that a user is in, sorted. As with authentik, those above them are not
/// among these.
///
/// # Errors
/// When the journal cannot be read.
pub async fn groups(journal: &dyn Journal, user: &User) -> Result<Vec<String>> {
    let mut names = Vec::with_capacity(user.groups.len());
    for group in &user.groups {
        let found: Option<Versioned<Group>> = object::get(journal, *group).await?;
        names.extend(found.map(|it| it.value.name));
    }
    names.sort();
    Ok(names)
}
