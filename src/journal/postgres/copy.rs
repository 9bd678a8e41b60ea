//! Bringing a journal from elsewhere into a database: its records as they are, one portion after the
//! other, and its keys.
//!
//! It may break off after any portion and be taken up again. Nothing is judged, since all of it was
//! once; that both are the same is seen from the roots of their trees.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::frame::Record;
use super::super::keys::remote::Wrapped;
use super::super::keys::{Keyring, RootKey};
use super::super::{Error, Position, Result};
use super::connect::{Failure, Spent};
use super::patience::patiently;
use super::save::Save;
use super::schema::{another_journal, put};
use super::wanted::{Wanted, unreadable};
use super::{Options, PostgresJournal, Shared, closed};
use crate::clock::Clock;

impl PostgresJournal {
    /// Opens a database to bring another journal into it: an empty one, or one in which a part of that
    /// journal is already.
    ///
    /// # Errors
    /// As [`PostgresJournal::open`], and when there is another journal in it.
    pub async fn open_for_copy(
        options: &Options,
        keys: &Keyring,
        root: RootKey,
        clock: Clock,
    ) -> Result<Self> {
        Self::open_with(options, keys.wrapped()?, move |_| Ok(root), clock).await
    }

    /// Adds records at the end. Those that are there already are passed over.
    ///
    /// # Errors
    /// When they do not follow what is there, are damaged, or cannot be written.
    pub async fn bring(&self, records: Vec<(Position, Vec<u8>)>) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let brought = self
            .shared
            .handle
            .spawn(async move { patiently(&shared.clock, || bring(&shared, &records)).await });
        brought.await.map_err(|_| closed())?
    }

    /// From here on there are these keys and no others.
    ///
    /// # Errors
    /// When they cannot be written, or are those of another journal.
    pub async fn bring_keys(&self, keys: &Keyring) -> Result<()> {
        let keys = keys.wrapped()?;
        let shared = Arc::clone(&self.shared);
        let brought = self
            .shared
            .handle
            .spawn(async move { patiently(&shared.clock, || bring_keys(&shared, &keys)).await });
        brought.await.map_err(|_| closed())?
    }
}

async fn bring(
    shared: &Shared,
    records: &[(Position, Vec<u8>)],
) -> std::result::Result<(), Failure> {
    let mut decoded = Vec::with_capacity(records.len());
    let mut wanted = Wanted::default();
    for (position, bytes) in records {
        let record = Record::decode(bytes)
            .map_err(|problem| unreadable(&format!("position {}: {problem}", position.0)))?;
        wanted.record(&record);
        decoded.push((*position, record));
    }
    let client = Spent::of(&shared.pool).await?;
    let read = wanted.read(client.get()?, &shared.ring, shared.node);
    let mut read = read.await?;
    let fold = &mut read.fold;
    for (position, record) in decoded {
        if position.0 <= fold.position {
            continue;
        }
        if position.0 != fold.position + 1 {
            return Err(another_journal().into());
        }
        let (_, previous) = super::super::prepare::View::head(fold, record.frame.stream)?;
        record
            .check(previous)
            .map_err(|problem| unreadable(&format!("position {}: {problem}", position.0)))?;
        fold.record(record);
    }
    let last = Position(read.fold.position);
    if !read.fold.changes.records.is_empty() {
        let save = Save {
            journal: shared.journal,
            node: shared.node,
            batch: shared.clock.opaque_id(),
            keys: &[],
        };
        save.write(client.get()?, &read.fold).await?;
        client.get()?.batch_execute("COMMIT").await?;
        client.keep();
    }
    shared.saw(last);
    Ok(())
}

async fn bring_keys(shared: &Shared, keys: &[Wrapped]) -> std::result::Result<(), Failure> {
    let mut seen = HashSet::new();
    if !keys.iter().all(|key| seen.insert(key.id)) {
        return Err(Error::Damaged {
            path: "keys".into(),
            problem: "a key lies in them twice".to_owned(),
        }
        .into());
    }
    let mut client = shared.pool.get().await?;
    let transaction = client.transaction().await?;
    transaction
        .batch_execute("SELECT FROM journal FOR UPDATE; DELETE FROM data_key")
        .await?;
    put(&transaction, keys).await?;
    transaction.commit().await?;
    Ok(())
}
