//! What somebody may do. Superusers may do everything.

use super::{User, is_superuser};
use crate::journal::{Objects, Result};

/// What a user may do.
#[derive(Clone, Debug, Default)]
pub struct Granted {
    is_superuser: bool,
}

impl Granted {
    /// Whether they may do everything.
    #[must_use]
    pub fn is_superuser(&self) -> bool {
        self.is_superuser
    }

    /// Whether they may do this, such as `authentik_flows.view_flow`, with everything.
    #[must_use]
    pub fn may(&self, _permission: &str) -> bool {
        self.is_superuser
    }

    /// Whether they may do this with the object of this key.
    #[must_use]
    pub fn may_of(&self, permission: &str, _pk: &str) -> bool {
        self.may(permission)
    }
}

/// What a user may do now.
pub async fn granted(objects: &(impl Objects + ?Sized), user: &User) -> Result<Granted> {
    Ok(Granted {
        is_superuser: is_superuser(objects, user).await?,
    })
}
