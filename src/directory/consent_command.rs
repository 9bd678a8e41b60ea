//! Consents that are taken back.

use uuid::Uuid;

use super::command::ATTEMPTS;
use super::{Act, Error, UserConsent};
use crate::journal::object::{self, Versioned, delete};

/// Takes a consent back. One that is gone already counts as taken back.
///
/// # Errors
/// [`Error::Contended`], or what the journal says.
pub async fn revoke_consent(act: &Act<'_>, consent: Uuid) -> Result<(), Error> {
    for _ in 0..ATTEMPTS {
        let found: Option<Versioned<UserConsent>> = object::get(act.journal, consent).await?;
        let Some(found) = found else {
            return Ok(());
        };
        let gone = delete::<UserConsent>(consent, found.version);
        if act.commit(vec![gone]).await? {
            return Ok(());
        }
    }
    Err(Error::Contended)
}
