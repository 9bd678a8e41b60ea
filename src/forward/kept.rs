//! Decisions that were made lately, with what they depended on.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use lru::LruCache;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::fresh::Fresh;
use super::known::Protected;
use super::seal::Login;
use crate::catalog::{Origin, PolicyBinding, conditions_of};
use crate::directory::{Session, Token, User};
use crate::journal::object::{self, Versioned};
use crate::journal::{Journal, Result, Version};

/// How many parts the decisions are kept in, so that requests do not wait for each other.
const PARTS: usize = 16;

/// How many decisions each part has; those that nobody asked for the longest time go first.
const EACH: NonZeroUsize = NonZeroUsize::new(4_096).expect("it is not zero");

/// By what a decision is found: a digest of what was shown, where, and to which application. Nothing
/// secret can be read in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Name([u8; 32]);

impl Name {
    /// The name of the decision about whoever showed this at this origin.
    #[must_use]
    pub fn of(application: Uuid, origin: &Origin, shown: &[u8]) -> Self {
        let origin = origin.as_str().as_bytes();
        let digest = Sha256::new()
            .chain_update(application.as_bytes())
            .chain_update(origin.len().to_be_bytes())
            .chain_update(origin)
            .chain_update(shown);
        Self(digest.finalize().into())
    }
}

/// What a decision depended on. Policies, and the groups above those that the user is in, are not
/// among it: what changes there counts once the decision is too old.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The login, where it is one.
    pub login: Option<Login>,
    /// The token, where it is one.
    pub token: Option<(Uuid, Version)>,
    /// The user.
    pub user: (Uuid, Version),
    /// The application.
    pub application: (Uuid, Version),
    /// What the application is bound to.
    pub conditions: Vec<(Uuid, Version)>,
    /// When what was shown ends by itself.
    pub ends: Timestamp,
}

impl Ground {
    /// Whether all of it is still as it was.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn holds(
        &self,
        journal: &dyn Journal,
        protected: &Protected,
        now: Timestamp,
    ) -> Result<bool> {
        if self.ends <= now || self.application != (protected.application.pk, protected.version) {
            return Ok(false);
        }
        if let Some(login) = &self.login {
            let found: Option<Versioned<Session>> = object::get(journal, login.session).await?;
            if !found.is_some_and(|it| is_in(&it.value, login, now)) {
                return Ok(false);
            }
        }
        if let Some((token, version)) = self.token {
            let found: Option<Versioned<Token>> = object::get(journal, token).await?;
            if found.is_none_or(|it| it.version != version) {
                return Ok(false);
            }
        }
        let (user, version) = self.user;
        let found: Option<Versioned<User>> = object::get(journal, user).await?;
        if found.is_none_or(|it| it.version != version) {
            return Ok(false);
        }
        let bound = conditions_of(journal, protected.application.pk).await?;
        Ok(revisions(&bound) == self.conditions)
    }
}

/// Whether this session is still the login that it was.
#[must_use]
pub fn is_in(session: &Session, login: &Login, now: Timestamp) -> bool {
    session.id == login.session
        && session.generation == login.generation
        && session.user == Some(login.user)
        && !session.is_expired(now)
}

/// Which revisions of what an application is bound to.
#[must_use]
pub fn revisions(conditions: &[Versioned<PolicyBinding>]) -> Vec<(Uuid, Version)> {
    let all = conditions.iter().map(|it| (it.value.pk, it.version));
    all.collect()
}

/// A decision: that somebody may use an application, in whatever form it is answered.
#[derive(Debug)]
pub struct Decision<T> {
    /// The answer.
    pub answer: T,
    /// What it depended on.
    pub ground: Ground,
    /// When it is too old (monotonic).
    pub until: Instant,
}

type Part<T> = LruCache<Name, (Arc<Decision<T>>, Fresh)>;

/// The decisions.
#[derive(Debug)]
pub struct Kept<T>([Mutex<Part<T>>; PARTS]);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(LruCache::new(EACH))))
    }
}

impl<T> Kept<T> {
    /// A decision that holds without anybody being asked.
    #[must_use]
    pub fn at_hand(
        &self,
        journal: &dyn Journal,
        now: Instant,
        name: &Name,
    ) -> Option<Arc<Decision<T>>> {
        let mut part = self.part(name);
        let (decision, fresh) = part.get(name)?;
        let holds = now < decision.until && fresh.is_still(journal, now);
        holds.then(|| Arc::clone(decision))
    }

    /// A decision that is not too old; whether it still holds is to be looked at.
    #[must_use]
    pub fn recent(&self, now: Instant, name: &Name) -> Option<Arc<Decision<T>>> {
        let mut part = self.part(name);
        let (decision, _) = part.get(name)?;
        (now < decision.until).then(|| Arc::clone(decision))
    }

    /// Keeps a decision, for which everything was read after `fresh`.
    pub fn keep(&self, name: Name, decision: Arc<Decision<T>>, fresh: Fresh) {
        self.part(&name).put(name, (decision, fresh));
    }

    /// Forgets a decision.
    pub fn forget(&self, name: &Name) {
        self.part(name).pop(name);
    }

    fn part(&self, name: &Name) -> MutexGuard<'_, Part<T>> {
        let at = usize::from(name.0[0]) % PARTS;
        self.0[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_to_one_application_is_nothing_to_another() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let here = Origin::of_host(true, "a.example").expect("a host");
        let there = Origin::of_host(true, "b.example").expect("a host");
        let name = Name::of(one, &here, b"cookie");
        assert_eq!(name, Name::of(one, &here, b"cookie"));
        assert_ne!(name, Name::of(other, &here, b"cookie"));
        assert_ne!(name, Name::of(one, &there, b"cookie"));
        assert_ne!(name, Name::of(one, &here, b"cooki"));
    }
}
