//! Passwords that were checked, so that a command that is run again hashes none twice.

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{Live, locked};
use crate::directory::password::Verdict;
use crate::directory::user::User;
use crate::world::{Error, PasswordAnswer};

#[derive(Clone)]
pub(super) struct Checked {
    pub(super) user: Uuid,
    /// The hash that was checked: after a change of password the answer counts no more.
    pub(super) encoded: SecretString,
    /// What was typed: a policy may try another password in the same command.
    pub(super) typed: SecretString,
    pub(super) answer: PasswordAnswer,
    pub(super) upgrade: Option<SecretString>,
}

impl Live {
    /// Whether a password is the user's, and what replaces a hash that is out of date.
    pub(super) async fn check(
        &self,
        user: &User,
        password: &SecretString,
    ) -> Result<Checked, Error> {
        let encoded = user.password.clone();
        let known = {
            let checked = locked(&self.carried.checked);
            let same = |it: &&Checked| {
                let typed = it.typed.expose_secret().as_bytes();
                it.user == user.uuid
                    && it.encoded.expose_secret() == encoded.expose_secret()
                    && bool::from(typed.ct_eq(password.expose_secret().as_bytes()))
            };
            checked.iter().find(same).cloned()
        };
        if let Some(checked) = known {
            return Ok(checked);
        }
        let pool = &self.shared.pool;
        let verdict = pool
            .verify(password.clone(), encoded.clone())
            .await
            .map_err(|_| Error::Busy)?;
        let (answer, upgrade) = match verdict {
            // An inactive user gets nothing done by a right password, not even a better hash.
            Verdict::Accepted { outdated: true, .. } if user.is_active => {
                let upgrade = pool.hash(password.clone()).await.map_err(|_| Error::Busy)?;
                (PasswordAnswer::Upgraded, Some(upgrade))
            }
            Verdict::Accepted { .. } => (PasswordAnswer::Accepted, None),
            Verdict::Rejected => (PasswordAnswer::Rejected, None),
            Verdict::Unusable => (PasswordAnswer::Unusable, None),
        };
        let checked = Checked {
            user: user.uuid,
            encoded,
            typed: password.clone(),
            answer,
            upgrade,
        };
        locked(&self.carried.checked).push(checked.clone());
        Ok(checked)
    }
}
