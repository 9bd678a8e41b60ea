//! Secrets that must outlive a crash within one execution: a password typed two stages before it
//! is written, a seed being enrolled, a challenge that a device has to sign.
//!
//! They lie in one object under a key of its own, which is destroyed when the execution ends.
//! Events and observations name them by handle and never hold them.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Shared;
use super::unfinished::Unfinished;
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{
    Commit, Durability, Error, Journal, KeyId, Kind, Result, StreamId, Version, Write,
};

/// The secrets of one execution. Serialising it puts them into the result: only the journal may.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Vault {
    execution: Uuid,
    secrets: BTreeMap<Uuid, Kept>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    #[serde(with = "object::sealed")]
    secret: SecretString,
}

impl Stored for Vault {
    const KIND: Kind = Kind::new("vault");

    fn id(&self) -> Uuid {
        self.execution
    }

    fn sealed_by(&self) -> KeyId {
        key(self.execution)
    }
}

/// The vault's own key. The execution's key stays as long as its trail is to be read, so the
/// vault cannot share it; the bits are those of the execution's id with other fixed ones.
fn key(execution: Uuid) -> KeyId {
    let mut bytes = *execution.as_bytes();
    bytes[6] = 0x80 | (bytes[6] & 0x0f);
    KeyId(Uuid::from_bytes(bytes))
}

fn stream(execution: Uuid) -> StreamId {
    object::stream::<Vault>(execution)
}

/// The secret behind a handle.
///
/// # Errors
/// What the journal said.
pub(super) async fn open(
    journal: &dyn Journal,
    execution: Uuid,
    handle: Uuid,
) -> Result<Option<SecretString>> {
    let vault: Option<Versioned<Vault>> = object::get(journal, execution).await?;
    let kept = vault.and_then(|mut vault| vault.value.secrets.remove(&handle));
    Ok(kept.map(|kept| kept.secret))
}

/// The writes that put `new` secrets beside those that are there, forget those that nobody names
/// any more, or end the vault. `named` is what the context names, before the command and after it.
///
/// # Errors
/// What the journal said.
pub(super) async fn writes(
    journal: &dyn Journal,
    execution: Uuid,
    mut new: Vec<(Uuid, SecretString)>,
    named: (&BTreeSet<Uuid>, &BTreeSet<Uuid>),
    is_over: bool,
) -> Result<Vec<Write>> {
    let (before, after) = named;
    new.retain(|(handle, _)| after.contains(handle));
    if new.is_empty() && before.is_subset(after) && !is_over {
        return Ok(Vec::new());
    }
    let found: Option<Versioned<Vault>> = object::get(journal, execution).await?;
    if is_over {
        // What was kept in the very last command is needed by nobody.
        return Ok(found.map_or_else(Vec::new, |vault| {
            vec![
                Write::Delete {
                    stream: stream(execution),
                    expected: vault.version,
                },
                Write::DestroyKey { id: key(execution) },
            ]
        }));
    }
    if new.is_empty() && found.is_none() {
        return Ok(Vec::new());
    }
    let mut writes = Vec::new();
    let mut vault = found.unwrap_or_else(|| {
        writes.push(Write::CreateKey {
            id: key(execution),
            under: KeyId::SYSTEM,
        });
        let value = Vault {
            execution,
            secrets: BTreeMap::new(),
        };
        Versioned {
            version: Version::NONE,
            value,
        }
    });
    let new = new
        .into_iter()
        .map(|(handle, secret)| (handle, Kept { secret }));
    vault.value.secrets.extend(new);
    vault
        .value
        .secrets
        .retain(|handle, _| after.contains(handle));
    writes.push(object::put(&vault.value, vault.version));
    Ok(writes)
}

/// Keeps a secret that came from outside, before a command can name it: the command that is told of
/// its handle has to. It goes with the execution, also where nobody ever names it.
///
/// # Errors
/// What the journal said; nothing is kept for an execution that is over.
pub(super) async fn keep(shared: &Shared, execution: Uuid, secret: SecretString) -> Result<Uuid> {
    let handle = shared.clock.opaque_id();
    loop {
        if is_over(shared, execution).await? {
            return Err(Error::NoKey(execution));
        }
        let found: Option<Versioned<Vault>> =
            object::get(shared.journal.as_ref(), execution).await?;
        let kept = found.iter().flat_map(|vault| vault.value.secrets.keys());
        let mut named: BTreeSet<Uuid> = kept.copied().collect();
        named.insert(handle);
        let new = vec![(handle, secret.clone())];
        if !commit(shared, execution, new, (&named, &named), false).await? {
            continue;
        }
        // It may have ended meanwhile, and its end is what empties the vault.
        if !is_over(shared, execution).await? {
            return Ok(handle);
        }
        while !commit(shared, execution, Vec::new(), (&named, &named), true).await? {}
    }
}

async fn is_over(shared: &Shared, execution: Uuid) -> Result<bool> {
    let journal = shared.journal.as_ref();
    let record: Option<Versioned<Unfinished>> = object::get(journal, execution).await?;
    Ok(record.is_none())
}

/// Whether the writes of [`writes`] are durable; they are not when somebody else was faster.
async fn commit(
    shared: &Shared,
    execution: Uuid,
    new: Vec<(Uuid, SecretString)>,
    named: (&BTreeSet<Uuid>, &BTreeSet<Uuid>),
    is_over: bool,
) -> Result<bool> {
    let journal = shared.journal.as_ref();
    let commit = Commit {
        writes: writes(journal, execution, new, named, is_over).await?,
        durability: Durability::Durable,
        fence: None,
        at: shared.clock.now(),
        correlation: shared.clock.opaque_id(),
    };
    if commit.writes.is_empty() {
        return Ok(true);
    }
    match journal.commit(commit).await {
        Ok(_) => Ok(true),
        Err(Error::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::journal::memory::MemoryJournal;
    use secrecy::ExposeSecret;

    async fn commit(journal: &MemoryJournal, clock: &Clock, writes: Vec<Write>) {
        let commit = Commit {
            writes,
            durability: Durability::Durable,
            fence: None,
            at: clock.now(),
            correlation: Uuid::nil(),
        };
        journal.commit(commit).await.expect("it is written");
    }

    #[actix::test]
    async fn what_was_kept_is_there_until_the_execution_ends_and_then_nowhere() {
        let clock = Clock::system();
        let journal = MemoryJournal::new(clock.clone());
        let execution = clock.ordered_id();
        let handles = [clock.opaque_id(), clock.opaque_id()];
        let none = BTreeSet::new();
        let all = BTreeSet::from(handles);
        for (handle, text) in handles.iter().zip(["seed", "password"]) {
            let new = vec![(*handle, SecretString::from(text))];
            let writes = writes(&journal, execution, new, (&none, &all), false)
                .await
                .expect("it reads");
            commit(&journal, &clock, writes).await;
        }
        for (handle, text) in handles.iter().zip(["seed", "password"]) {
            let kept = open(&journal, execution, *handle).await.expect("it reads");
            assert_eq!(kept.expect("it is there").expose_secret(), text);
        }
        let unknown = open(&journal, execution, clock.opaque_id())
            .await
            .expect("it reads");
        assert!(unknown.is_none());

        let only = BTreeSet::from([handles[0]]);
        let fewer = writes(&journal, execution, Vec::new(), (&all, &only), false)
            .await
            .expect("it reads");
        commit(&journal, &clock, fewer).await;
        for (handle, is_there) in handles.iter().zip([true, false]) {
            let kept = open(&journal, execution, *handle).await.expect("it reads");
            assert_eq!(kept.is_some(), is_there, "what nobody names is forgotten");
        }

        let writes = writes(&journal, execution, Vec::new(), (&only, &none), true)
            .await
            .expect("it reads");
        commit(&journal, &clock, writes).await;
        for handle in handles {
            let kept = open(&journal, execution, handle).await.expect("it reads");
            assert!(kept.is_none());
        }
        let revisions = journal
            .read(stream(execution), Version::NONE)
            .await
            .expect("it reads");
        assert!(
            revisions.iter().all(|revision| revision.body.is_none()),
            "the key is alive"
        );
        assert!(!journal.keyring().contains(key(execution)));
    }

    #[actix::test]
    async fn an_execution_without_secrets_writes_no_vault() {
        let clock = Clock::system();
        let journal = MemoryJournal::new(clock.clone());
        for is_over in [false, true] {
            let none = BTreeSet::new();
            let writes = writes(
                &journal,
                clock.ordered_id(),
                Vec::new(),
                (&none, &none),
                is_over,
            );
            let writes = writes.await;
            assert!(writes.expect("it reads").is_empty());
        }
    }
}
