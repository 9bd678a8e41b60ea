//! What the installation remembers of itself. There is one such object, made by the first start.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::clock::Clock;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Kind, Objects, Result};

/// How far the first run has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Setup {
    /// The administrator has no password yet; whoever holds the link may set it.
    Waiting {
        /// The secret in the link.
        #[serde(with = "object::sealed")]
        token: SecretString,
    },
    /// The administrator has a password.
    Done,
}

/// The installation. Serialising it puts the secret of the link into the result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Install {
    /// What sets this installation apart from others; part of every user's `uid`.
    pub install_id: Uuid,
    /// How far the first run has come.
    pub setup: Setup,
    /// The number that the next user gets. Whoever makes a user writes this object too, so two
    /// who do it at once conflict, and one of them tries again.
    pub next_user_pk: i64,
    /// The names of the blueprints that came with the server and were offered to this
    /// installation. The first version noted none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<Vec<String>>,
}

impl Install {
    /// The object's own identifier, the same everywhere.
    pub const ID: Uuid = Uuid::nil();

    /// An installation that waits for its administrator.
    #[must_use]
    pub fn new(clock: &Clock) -> Self {
        Self {
            install_id: clock.opaque_id(),
            setup: Setup::Waiting {
                token: clock.random_text(43),
            },
            next_user_pk: 1,
            defaults: None,
        }
    }

    /// Whether the administrator has a password.
    #[must_use]
    pub fn is_set_up(&self) -> bool {
        matches!(self.setup, Setup::Done)
    }

    /// Whether this is the secret of a link that is still good.
    #[must_use]
    pub fn setup_token_is(&self, typed: &SecretString) -> bool {
        match &self.setup {
            Setup::Waiting { token } => {
                let typed = typed.expose_secret().as_bytes();
                token.expose_secret().as_bytes().ct_eq(typed).into()
            }
            Setup::Done => false,
        }
    }
}

impl Stored for Install {
    const KIND: Kind = Kind::new("install");

    fn id(&self) -> Uuid {
        Self::ID
    }
}

/// The installation, once the first start has made it.
pub async fn install(objects: &(impl Objects + ?Sized)) -> Result<Option<Versioned<Install>>> {
    object::get(objects, Install::ID).await
}
