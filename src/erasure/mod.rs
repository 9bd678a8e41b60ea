//! Erases a person: destroys the key under which everything of theirs lies, looks for them in
//! everything else, removes what can be removed, and says what came of it.
//!
//! Three steps, of which each may be interrupted and done again. The first commit removes the user and
//! destroys their key; it keeps what they were known by, under a key of its own. Then the whole journal
//! is read, and where they are named goes as well, a portion at a time. The last commit keeps the
//! certificate and forgets what was looked for. This is the only way in which executions are removed.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use crate::clock::Clock;
use crate::directory::change::{self, Author};
use crate::directory::command::deletion;
use crate::directory::erasure::{
    By, Certificate, Chain, Erased, Erasure, LISTED, Removed, Sought, Why, erasure, executions_of,
};
use crate::directory::{AuditEvent, User, erasure as stored, is_superuser, users};
use crate::execution::{self, Executions};
use crate::journal::object::{self, Stored as _, Versioned, put};
use crate::journal::{self, Journal, KeyId, Version, Write};

mod certificate;
mod letters;
mod needles;
mod pace;
mod places;
mod remove;
mod search;
#[cfg(test)]
mod tests;

pub use certificate::{NAME, text};
pub use pace::{Freely, Pace};

/// How often a step is tried again that others were in the way of.
const TRIES: usize = 16;

/// How often it is looked for what came while somebody was being erased.
const ROUNDS: usize = 4;

/// More executions than these are listed in commits of their own, before the one that erases.
const AT_ONCE: usize = 20_000;

/// No two people are erased at the same time.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Why somebody was not erased.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such user, and nobody was erased who had been.
    #[error("there is no user {0}")]
    Unknown(String),
    /// Nobody else could mend anything.
    #[error("this is the last active superuser, who cannot be erased")]
    LastSuperuser,
    /// Others kept changing the same objects.
    #[error("others kept changing the same objects; try again")]
    Contended,
    /// Nobody waits any more for what was looked for.
    #[error("nobody waits for the answer any more")]
    Abandoned,
    /// The journal could not be read or written. What was done until then stays done.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// What was under way could not be ended.
    #[error(transparent)]
    Execution(#[from] execution::Error),
}

/// What erasing needs.
#[derive(Clone)]
pub struct Tools {
    /// Where everything is kept.
    pub journal: Arc<dyn Journal>,
    /// The time and randomness.
    pub clock: Clock,
    /// What is under way.
    pub executions: Executions,
    /// On whose behalf.
    pub author: Author,
    /// The commit in which it begins.
    pub correlation: Uuid,
    /// The folder in which mails lie that were written to files.
    pub letters: Option<PathBuf>,
}

/// What erasing a user would remove.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Preview {
    /// The user.
    pub user: Uuid,
    /// Their number.
    pub pk: i64,
    /// What they log in with.
    pub username: String,
    /// Whether they are already erased, or it was begun.
    pub is_begun: bool,
    /// How much would go.
    pub removed: Removed,
    /// How many executions of others name them. These go only if that is asked for in so many words.
    pub others: u64,
    /// In how many other objects they would stay named.
    pub remains: u64,
}

/// The user who is meant: by what they log in with, by their number, or by their identifier. Somebody
/// who was erased is found by the latter two, and by their name as long as that was interrupted.
///
/// # Errors
/// [`Error::Unknown`].
pub async fn named(journal: &dyn Journal, name: &str) -> Result<Uuid, Error> {
    if let Some(user) = crate::directory::user_by_username(journal, name).await? {
        return Ok(user.value.uuid);
    }
    if let Ok(pk) = name.parse::<i64>() {
        if let Some(user) = crate::directory::user_by_pk(journal, pk).await? {
            return Ok(user.value.uuid);
        }
        if let Some(erased) = stored::erasure_by_pk(journal, pk).await? {
            return Ok(erased.value.user);
        }
    }
    if let Ok(id) = name.parse::<Uuid>() {
        let user: Option<Versioned<User>> = object::get(journal, id).await?;
        if user.is_some() || erasure(journal, id).await?.is_some() {
            return Ok(id);
        }
    }
    let typed = name.to_lowercase();
    for open in stored::unfinished(journal).await? {
        let sought: Option<Versioned<Sought>> = object::get(journal, open.value.user).await?;
        if sought.is_some_and(|it| is_known(&it.value, &typed)) {
            return Ok(open.value.user);
        }
    }
    Err(Error::Unknown(format!("{name:?}")))
}

/// Whether somebody is known by what was typed, alone or with others.
fn is_known(sought: &Sought, typed: &str) -> bool {
    let mut known = sought.identifiers.iter().chain(&sought.shared);
    known.any(|it| it == typed)
}

/// What erasing a user would remove. It reads the whole journal twice, and changes nothing. `letters` is
/// the folder with the mails that were written to files.
///
/// # Errors
/// [`Error::Unknown`], [`Error::LastSuperuser`], [`Error::Abandoned`], or what the journal said.
pub async fn preview<P: Pace>(
    journal: &dyn Journal,
    letters: Option<&Path>,
    user: Uuid,
    pace: &mut P,
) -> Result<Preview, Error> {
    if let Some(erasure) = erasure(journal, user).await? {
        return Ok(Preview {
            user,
            pk: erasure.value.pk,
            username: String::new(),
            is_begun: true,
            removed: erasure.value.removed,
            others: 0,
            remains: 0,
        });
    }
    let found: Option<Versioned<User>> = object::get(journal, user).await?;
    let found = found.ok_or_else(|| Error::Unknown(user.to_string()))?;
    check(journal, &found.value).await?;
    let sought = search::sought(journal, &found.value, pace).await?;
    let own = theirs(journal, user).await?;
    let set = own.iter().copied().collect();
    let traces = search::search(journal, &sought, &set, false, pace).await?;
    let (objects, mut events) = deletes(&deletion(journal, &found, &[]).await?);
    // Those that lie under the user's own key are found as well.
    events.extend(traces.events.keys());
    let counted = remove::counted(&traces);
    let written = letters::found(letters, &sought).await;
    Ok(Preview {
        user,
        pk: found.value.pk,
        username: found.value.username,
        is_begun: false,
        removed: Removed {
            objects,
            events: events.len() as u64,
            executions: own.len() as u64,
            mails: counted.mails + written.go.len() as u64,
            ..counted
        },
        others: traces.of_others.len() as u64,
        remains: (traces.remains.len() + written.stay.len()) as u64,
    })
}

/// Erases a user, or goes on where that was interrupted; what is left to do is [`certify`]. Returns the
/// certificate where it is finished already. With `others`, executions of others go as well in which the
/// user is named; without, they are listed.
///
/// # Errors
/// [`Error::Unknown`], [`Error::LastSuperuser`], or what the journal said: then the same call goes on.
pub async fn erase(tools: &Tools, user: Uuid, others: bool) -> Result<Option<Certificate>, Error> {
    let _turn = TURN.lock().await;
    let journal = &*tools.journal;
    let begun = match erasure(journal, user).await? {
        Some(begun) => begun.value,
        None => begin(tools, user, others).await?,
    };
    if let Some(certificate) = begun.certificate {
        return Ok(Some(*certificate));
    }
    if others && !begun.others {
        remove::also_of_others(tools, user).await?;
    }
    remove::traces(tools, user).await?;
    Ok(None)
}

/// Signs a document of a sort: a signed note, or nothing where nobody can sign.
pub type Sign<'a> = &'a (dyn Fn(&str, &[u8]) -> Option<String> + Send + Sync);

/// Finishes an erasure: `chain` says whether the journal is whole after it, and `sign` signs.
///
/// # Errors
/// [`Error::Unknown`] when it was never begun, or what the journal said.
pub async fn certify(
    tools: &Tools,
    user: Uuid,
    chain: Chain,
    sign: Sign<'_>,
) -> Result<Certificate, Error> {
    let _turn = TURN.lock().await;
    let is_open = erasure(&*tools.journal, user).await?;
    if is_open.is_some_and(|it| it.value.certificate.is_none()) {
        remove::latecomers(tools, user).await?;
    }
    certificate::finish(tools, user, chain, sign).await
}

/// The users whose erasure was interrupted.
///
/// # Errors
/// What the journal said.
pub async fn interrupted(journal: &dyn Journal) -> journal::Result<Vec<Uuid>> {
    let found = stored::unfinished(journal).await?;
    Ok(found.into_iter().map(|it| it.value.user).collect())
}

/// The first step: removes the user and destroys their key.
async fn begin(tools: &Tools, user: Uuid, others: bool) -> Result<Erasure, Error> {
    let journal = &*tools.journal;
    for _ in 0..TRIES {
        let found: Option<Versioned<User>> = object::get(journal, user).await?;
        let found = found.ok_or_else(|| Error::Unknown(user.to_string()))?;
        check(journal, &found.value).await?;
        let sought = search::sought(journal, &found.value, &mut Freely::default()).await?;
        let own = theirs(journal, user).await?;
        // Something of theirs may be begun from here on. It is under their key as well, and goes.
        let (first, rest) = own.split_at(own.len().saturating_sub(AT_ONCE));
        for part in first.chunks(LISTED * 10) {
            let writes = lists(&tools.clock, user, Why::Theirs, part);
            commit(tools, writes, tools.clock.ordered_id()).await?;
        }
        let removal = deletion(journal, &found, &[]).await?;
        let (objects, events) = deletes(&removal);
        let erasure = Erasure {
            user,
            pk: found.value.pk,
            by: By {
                means: tools.author.means.clone(),
                user: tools.author.user.filter(|it| *it != user),
            },
            others,
            began: tools.clock.now(),
            finished: None,
            removed: Removed {
                objects,
                events: events.len() as u64,
                executions: own.len() as u64,
                ..Removed::default()
            },
            certificate: None,
        };
        let mut writes = vec![
            Write::CreateKey {
                id: Sought::key(user),
                under: KeyId::SYSTEM,
            },
            put(&sought, Version::NONE),
            put(&erasure, Version::NONE),
        ];
        writes.extend(lists(&tools.clock, user, Why::Theirs, rest));
        let mut noted = removal.clone();
        change::note(&mut noted, &noting(&tools.author, user), tools.correlation);
        writes.extend(noted);
        if commit(tools, writes, tools.correlation).await? {
            tracing::info!(%user, "the key of a user was destroyed on request");
            return Ok(erasure);
        }
    }
    Err(Error::Contended)
}

/// Who is noted to have done it. Whoever erases themselves leaves no address behind.
fn noting(author: &Author, user: Uuid) -> Author {
    if author.user == Some(user) {
        Author::by(author.means.clone())
    } else {
        author.clone()
    }
}

/// Whether the writes are durable; not when somebody else was faster.
async fn commit(tools: &Tools, writes: Vec<Write>, correlation: Uuid) -> journal::Result<bool> {
    let commit = journal::Commit {
        writes,
        durability: journal::Durability::Durable,
        fence: None,
        at: tools.clock.now(),
        correlation,
    };
    match tools.journal.commit(commit).await {
        Ok(_) => Ok(true),
        // Somebody may have written under the key meanwhile, or made a session.
        Err(journal::Error::Conflict { .. } | journal::Error::NoKey(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The executions that lie under a user's key.
async fn theirs(journal: &dyn Journal, user: Uuid) -> journal::Result<Vec<Uuid>> {
    let mut own = Vec::new();
    for key in journal.keys_under(KeyId(user)).await? {
        let stream = journal::StreamId::new(crate::world::record::KIND, key.0);
        if journal.head(stream).await?.0 != Version::NONE {
            own.push(key.0);
        }
    }
    own.sort_unstable();
    Ok(own)
}

/// The writes that list executions.
fn lists(clock: &Clock, user: Uuid, why: Why, executions: &[Uuid]) -> Vec<Write> {
    let list = |executions: &[Uuid]| {
        let list = Erased {
            id: clock.ordered_id(),
            user,
            why,
            executions: executions.to_vec(),
        };
        put(&list, Version::NONE)
    };
    executions.chunks(LISTED).map(list).collect()
}

/// The executions that are listed.
async fn listed(journal: &dyn Journal, user: Uuid) -> journal::Result<Vec<Erased>> {
    let found = executions_of(journal, user).await?;
    Ok(found.into_iter().map(|it| it.value).collect())
}

/// The same, as a set.
async fn listed_ids(journal: &dyn Journal, user: Uuid) -> journal::Result<HashSet<Uuid>> {
    let lists = listed(journal, user).await?;
    Ok(lists.into_iter().flat_map(|it| it.executions).collect())
}

/// How many objects these writes remove, and which audit events besides.
fn deletes(writes: &[Write]) -> (u64, BTreeSet<Uuid>) {
    let (mut objects, mut events) = (0, BTreeSet::new());
    for write in writes {
        match write {
            Write::Delete { stream, .. } if stream.kind == AuditEvent::KIND => {
                events.insert(stream.id);
            }
            Write::Delete { .. } => objects += 1,
            _ => {}
        }
    }
    (objects, events)
}

/// Keeps the last superuser who can log in.
async fn check(journal: &dyn Journal, user: &User) -> Result<(), Error> {
    if !user.is_active || !is_superuser(journal, user).await? {
        return Ok(());
    }
    for other in users(journal).await? {
        let other = other.value;
        if other.uuid != user.uuid && other.is_active && is_superuser(journal, &other).await? {
            return Ok(());
        }
    }
    Err(Error::LastSuperuser)
}
