//! Mails that were written to files, as there was no server to hand them to.

use std::path::Path;

use super::needles::is_in_text;
use super::places::Place;
use crate::courier::kept::{self, Kept};
use crate::courier::outbox::Mail;
use crate::directory::erasure::{Remainder, Sought};
use crate::journal::Version;
use crate::journal::object::Stored;

/// The files in which somebody is named.
#[derive(Debug, Default)]
pub(super) struct Letters {
    /// Those that go.
    pub(super) go: Vec<Kept>,
    /// Those that name what another account is known by as well.
    pub(super) stay: Vec<Kept>,
}

/// Looks through all files.
pub(super) async fn found(folder: Option<&Path>, sought: &Sought) -> Letters {
    let Some(folder) = folder.map(Path::to_owned) else {
        return Letters::default();
    };
    let sought = sought.clone();
    let looked = tokio::task::spawn_blocking(move || look(&folder, &sought)).await;
    looked.unwrap_or_default()
}

fn look(folder: &Path, sought: &Sought) -> Letters {
    let known: Vec<&String> = sought.identifiers.iter().collect();
    let shared: Vec<&String> = sought.shared.iter().collect();
    let mut letters = Letters::default();
    let read = kept::each(folder, |kept, text| {
        if is_in_text(&known, text, Place::Written) {
            letters.go.push(kept);
        } else if is_in_text(&shared, text, Place::Written) {
            letters.stay.push(kept);
        }
    });
    if let Err(error) = read {
        tracing::warn!(?folder, %error, "mails that were written to files cannot be looked through");
    }
    letters
}

/// Removes them, and says how many. One that cannot be removed is listed later.
pub(super) async fn remove(folder: Option<&Path>, sought: &Sought) -> u64 {
    let mut removed = 0;
    for kept in found(folder, sought).await.go {
        match kept.remove() {
            Ok(()) => removed += 1,
            Err(error) => tracing::warn!(mail = %kept.mail, %error, "a mail cannot be removed"),
        }
    }
    removed
}

/// Those that are still there.
pub(super) async fn remainders(folder: Option<&Path>, sought: &Sought) -> Vec<Remainder> {
    let Letters { go, stay } = found(folder, sought).await;
    let of = |kept: Kept| Remainder {
        kind: Mail::KIND,
        id: kept.mail,
        version: Version::NONE,
    };
    go.into_iter().chain(stay).map(of).collect()
}
