//! Keeps the passwords that a command replaces, where a policy asks for them.

use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::Shared;
use crate::directory::password_history::replaced;
use crate::directory::user::User;
use crate::journal::object::{self, Versioned};
use crate::journal::{Result, Write};
use crate::policy::unique_password;

/// The writes that keep the former passwords of these users, who are about to be written.
pub(super) async fn passwords(
    shared: &Shared,
    now: Timestamp,
    changed: impl Iterator<Item = &User>,
) -> Result<Vec<Write>> {
    let journal = shared.journal.as_ref();
    let mut writes = Vec::new();
    for user in changed {
        let before: Option<Versioned<User>> = object::get(journal, user.uuid).await?;
        let is_other = |it: &User| it.password.expose_secret() != user.password.expose_secret();
        if let Some(before) = before.filter(|it| is_other(&it.value)) {
            let keeping = unique_password::keeping(journal).await?;
            writes.extend(replaced(journal, keeping, &before.value, now).await?);
        }
    }
    Ok(writes)
}
