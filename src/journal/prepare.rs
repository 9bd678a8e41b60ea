//! What every store does with a commit before it changes anything: check it, and seal it.
//!
//! The rules of conflicts, unique keys, fences and limits are here once, for all stores. A store
//! shows what it holds through [`View`]; nothing here writes but keys, which do no harm when the
//! commit fails after all.

use std::collections::HashMap;

use uuid::Uuid;

use super::frame::{Lookup, Record};
use super::keys::Keyring;
use super::pack::Bodies;
use super::{Commit, Error, Hash, KeyId, Kind, Lease, Result, StreamId, Version, Write, seal};

/// What a store holds, including commits that were accepted and wait for their sync.
pub trait View {
    /// The last version of a stream and its hash; [`Version::NONE`] and zeros for an empty one.
    fn head(&self, stream: StreamId) -> Result<(Version, Hash)>;

    /// The object of `kind` that has this unique key.
    fn holder(&self, kind: Kind, unique: Lookup) -> Result<Option<Uuid>>;

    /// The unique keys that an object has; none when it does not exist.
    fn unique(&self, object: StreamId) -> Result<Vec<Lookup>>;

    /// Who holds the lease called `name`, whether or not it has run out.
    fn lease(&self, name: &str) -> Result<Option<Lease>>;
}

/// Checks all of `commit` and returns its records, with these bodies, in the order of its writes.
///
/// Keys are made and wrapped here, since bodies are sealed under them. A store that makes the
/// commit durable calls [`Keyring::sync`] first; once it is durable, it calls [`destroy_keys`].
///
/// # Errors
/// [`Error::Conflict`], [`Error::Taken`], [`Error::LeaseLost`], [`Error::TooLarge`] or
/// [`Error::NoKey`]: then nothing may be written.
pub(super) fn prepare(
    commit: &Commit,
    bodies: &Bodies,
    view: &impl View,
    keyring: &Keyring,
) -> Result<Vec<Record>> {
    seal::check_size(commit)?;
    check_fence(commit, view)?;
    let mut heads = check_versions(commit, view, keyring)?;
    check_unique(commit, view, keyring)?;
    check_keys(commit, keyring)?;
    for write in &commit.writes {
        match write {
            Write::CreateKey { id, under } => keyring.create(*id, *under)?,
            Write::WrapKey { id, under } => keyring.wrap(*id, *under)?,
            _ => {}
        }
    }
    let mut records = Vec::with_capacity(commit.writes.len());
    for (number, write) in commit.writes.iter().enumerate() {
        let Some(stream) = seal::stream(write, keyring) else {
            continue;
        };
        let (version, previous) = match heads.remove(&stream) {
            Some(head) => head,
            None => view.head(stream)?,
        };
        let version = version.next();
        if let Some(record) = seal::record(
            write,
            bodies.get(number),
            commit,
            version,
            previous,
            keyring,
        )? {
            heads.insert(stream, (version, record.frame.hash()));
            records.push(record);
        }
    }
    Ok(records)
}

/// Destroys the keys that these commits say, with one sync, once they can no longer fail.
///
/// A key that is gone already is no error, so a store may repeat this after a crash.
///
/// # Errors
/// [`Error::Io`] when a key could not be overwritten.
pub fn destroy_keys<'a>(
    commits: impl IntoIterator<Item = &'a Commit>,
    keyring: &Keyring,
) -> Result<()> {
    let mut gone = commits
        .into_iter()
        .flat_map(|commit| &commit.writes)
        .filter_map(|write| match write {
            Write::DestroyKey { id } => Some(*id),
            _ => None,
        })
        .peekable();
    if gone.peek().is_none() {
        return Ok(());
    }
    keyring.destroy_all(gone)
}

fn check_fence(commit: &Commit, view: &impl View) -> Result<()> {
    let Some(fence) = &commit.fence else {
        return Ok(());
    };
    match view.lease(&fence.name)? {
        Some(lease) if lease.epoch == fence.epoch => Ok(()),
        _ => Err(Error::LeaseLost {
            name: fence.name.clone(),
        }),
    }
}

type Heads = HashMap<StreamId, (Version, Hash)>;

/// Several writes of one commit to the same stream follow each other.
fn check_versions(commit: &Commit, view: &impl View, keyring: &Keyring) -> Result<Heads> {
    let mut heads = Heads::new();
    let mut versions: HashMap<StreamId, Version> = HashMap::new();
    for write in &commit.writes {
        let Some(stream) = seal::stream(write, keyring) else {
            continue;
        };
        let actual = if let Some(version) = versions.get(&stream) {
            *version
        } else {
            let head = view.head(stream)?;
            heads.insert(stream, head);
            head.0
        };
        if let Some(expected) = expected(write)
            && expected != actual
        {
            return Err(Error::Conflict {
                stream,
                expected,
                actual,
            });
        }
        versions.insert(stream, actual.next());
    }
    Ok(heads)
}

const fn expected(write: &Write) -> Option<Version> {
    match write {
        Write::Append { expected, .. }
        | Write::Put { expected, .. }
        | Write::Delete { expected, .. } => Some(*expected),
        _ => None,
    }
}

/// What all objects of the commit have given up counts as free for any of its writes, so two
/// objects may exchange a key in one commit.
fn check_unique(commit: &Commit, view: &impl View, keyring: &Keyring) -> Result<()> {
    let mut holders: HashMap<(Kind, Lookup), Option<Uuid>> = HashMap::new();
    for write in &commit.writes {
        if let Write::Put { stream, .. } | Write::Delete { stream, .. } = write {
            for unique in view.unique(*stream)? {
                holders.insert((stream.kind, unique), None);
            }
        }
    }
    let mut taken: HashMap<StreamId, Vec<Lookup>> = HashMap::new();
    for write in &commit.writes {
        if let Write::Put { stream, .. } | Write::Delete { stream, .. } = write {
            for unique in taken.remove(stream).into_iter().flatten() {
                holders.insert((stream.kind, unique), None);
            }
        }
        let Write::Put { stream, unique, .. } = write else {
            continue;
        };
        for key in unique {
            let lookup = keyring.lookup(stream.kind, key);
            let place = (stream.kind, lookup);
            let holder = match holders.get(&place) {
                Some(holder) => *holder,
                None => view.holder(stream.kind, lookup)?,
            };
            if holder.is_some_and(|holder| holder != stream.id) {
                return Err(Error::Taken {
                    kind: stream.kind,
                    name: key.name.into(),
                });
            }
            holders.insert(place, Some(stream.id));
            taken.entry(*stream).or_default().push(lookup);
        }
    }
    Ok(())
}

/// Every key that is named exists, or is made by the same commit.
fn check_keys(commit: &Commit, keyring: &Keyring) -> Result<()> {
    let mut made: Vec<KeyId> = Vec::new();
    for write in &commit.writes {
        if let Write::CreateKey { id, under } = write {
            check_key(*under, &made, keyring)?;
            made.push(*id);
        } else if let Write::WrapKey { id, under } = write {
            check_key(*id, &made, keyring)?;
            check_key(*under, &made, keyring)?;
        }
    }
    for write in &commit.writes {
        match write {
            Write::Append { key, .. } | Write::Put { key, .. } => {
                check_key(*key, &made, keyring)?;
            }
            Write::DestroyKey { id: KeyId::SYSTEM } => {
                return Err(Error::KeyRefused {
                    id: KeyId::SYSTEM.0,
                    problem: "is the system key, which cannot be destroyed",
                });
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_key(id: KeyId, made: &[KeyId], keyring: &Keyring) -> Result<()> {
    if made.contains(&id) || keyring.contains(id) {
        Ok(())
    } else {
        Err(Error::NoKey(id.0))
    }
}
