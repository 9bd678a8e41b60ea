//! The applications that were asked about lately, by origin, with their expressions compiled.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use regex::RegexSet;

use super::fresh::Fresh;
use super::path;
use crate::catalog::application::{ForwardAuth, application_at};
use crate::catalog::{Application, Origin};
use crate::journal::object::Versioned;
use crate::journal::{Journal, Result, Version};

/// How many origins are remembered; with wildcards a visitor could ask for any number.
const MOST: usize = 1_024;

/// An application that is protected.
#[derive(Debug)]
pub struct Protected {
    /// The application.
    pub application: Application,
    /// How it is protected.
    pub forward: ForwardAuth,
    /// Which revision of it this is.
    pub version: Version,
    skipped: RegexSet,
}

impl Protected {
    /// An application as it is configured; `None` where it is not protected. Where its expressions
    /// cannot be used, nothing is let through without a login.
    #[must_use]
    pub fn new(found: Versioned<Application>) -> Option<Self> {
        let Versioned { version, value } = found;
        let forward = value.forward_auth.clone()?;
        let skipped = forward.skipped().unwrap_or_else(|_| RegexSet::empty());
        Some(Self {
            application: value,
            forward,
            version,
            skipped,
        })
    }

    /// Whether this path, as it was sent, needs no login. One that can be read in two ways does.
    #[must_use]
    pub fn skips(&self, path: &str) -> bool {
        !self.skipped.is_empty()
            && path::plain(path).is_some_and(|plain| self.skipped.is_match(&plain))
    }
}

#[derive(Debug)]
struct Entry {
    protected: Arc<Protected>,
    fresh: Fresh,
}

/// What is remembered.
#[derive(Debug, Default)]
pub struct Known(RwLock<HashMap<String, Entry>>);

impl Known {
    /// The application at this origin, where it is known without asking anybody.
    #[must_use]
    pub fn at_hand(
        &self,
        journal: &dyn Journal,
        now: Instant,
        origin: &Origin,
    ) -> Option<Arc<Protected>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let entry = all.get(origin.as_str())?;
        let is_still = entry.fresh.is_still(journal, now);
        is_still.then(|| Arc::clone(&entry.protected))
    }

    /// The application at this origin, if one is protected there. `now` is monotonic.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn at(
        &self,
        journal: &dyn Journal,
        now: Instant,
        origin: &Origin,
    ) -> Result<Option<Arc<Protected>>> {
        if let Some(known) = self.at_hand(journal, now, origin) {
            return Ok(Some(known));
        }
        let fresh = Fresh::now(journal, now);
        let found = application_at(journal, origin).await?;
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Some(found) = found else {
            all.remove(origin.as_str());
            return Ok(None);
        };
        let same = all.get(origin.as_str()).filter(|entry| {
            let known = &entry.protected;
            known.application.pk == found.value.pk && known.version == found.version
        });
        let protected = match same {
            Some(entry) => Arc::clone(&entry.protected),
            None => match Protected::new(found) {
                Some(made) => Arc::new(made),
                None => return Ok(None),
            },
        };
        if all.len() >= MOST && !all.contains_key(origin.as_str()) {
            all.clear();
        }
        let entry = Entry {
            protected: Arc::clone(&protected),
            fresh,
        };
        all.insert(origin.as_str().to_owned(), entry);
        Ok(Some(protected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn protected(skip_paths: &[&str]) -> Protected {
        let slug = "app".parse().expect("a slug");
        let application = Application {
            forward_auth: Some(ForwardAuth {
                hosts: vec!["https://app.example".to_owned()],
                skip_paths: skip_paths.iter().map(|it| (*it).to_owned()).collect(),
                authentication_flow: None,
                invalidation_flow: None,
                session_seconds: 60,
                cache_seconds: 0,
            }),
            ..Application::new(&Clock::system(), slug)
        };
        let found = Versioned {
            version: Version(1),
            value: application,
        };
        Protected::new(found).expect("it is protected")
    }

    #[test]
    fn a_path_is_skipped_only_where_nobody_could_read_another_in_it() {
        let it = protected(&["/public/.*", "/health"]);
        for path in ["/public/", "/public/a/b.css", "/public/s%C3%B8k", "/health"] {
            assert!(it.skips(path), "{path}");
        }
        for path in [
            "/",
            "/admin",
            "/public",
            "/healthy",
            "/health/",
            "/HEALTH",
            "/public/../admin",
            "/public/%2e%2e/admin",
            "/public/..%2fadmin",
            "/public//admin",
            "/public/..;/admin",
            "/public\\..\\admin",
            "//public/x",
        ] {
            assert!(!it.skips(path), "{path}");
        }
    }

    #[test]
    fn without_expressions_nothing_is_skipped() {
        assert!(!protected(&[]).skips("/"));
    }
}
