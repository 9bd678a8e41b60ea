//! Copies a journal from a data directory into a database, or back, while no server has it.
//!
//! That both are the same afterwards is seen from the roots of the trees over all their records.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use secrecy::SecretString;

use super::lock::{self, Role};
use super::store;
use crate::clock::Clock;
use crate::journal::keys::{Keyring, RootKey};
use crate::journal::postgres::{self, PostgresJournal};
use crate::journal::sled::{Options, SledJournal};
use crate::journal::{Hash, Position};
use crate::settings::Settings;

/// One end of a copy.
#[derive(Clone, Debug)]
pub enum End {
    /// A data directory.
    Directory(PathBuf),
    /// A database, by its address.
    Database(SecretString),
}

impl End {
    /// What somebody named: an address begins with `postgres://` or `postgresql://`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Self::Database(text.to_owned().into())
        } else {
            Self::Directory(text.into())
        }
    }
}

/// What a copy came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// How many records there are.
    pub records: u64,
    /// How many of them were there already, from a copy that broke off.
    pub before: u64,
    /// The root of the tree over all of them, which is the same on both sides.
    pub root: Hash,
}

/// Copies a journal; `told` is called now and then with how many records are there.
///
/// # Errors
/// When a server has one of the directories, one end cannot be read or written, or the other has another
/// journal.
pub async fn run(
    from: End,
    to: End,
    settings: &Settings,
    clock: &Clock,
    told: impl Fn(u64),
) -> anyhow::Result<Copied> {
    match (from, to) {
        (End::Directory(from), End::Database(to)) => {
            into_database(&from, to, settings, clock, told).await
        }
        (End::Database(from), End::Directory(to)) => {
            into_directory(from, &to, settings, clock).await
        }
        (End::Directory(_), End::Directory(_)) => {
            bail!("a data directory is copied as files are; see docs/journal.md")
        }
        (End::Database(_), End::Database(_)) => {
            bail!("a database is copied with PostgreSQL's own tools, such as pg_dump")
        }
    }
}

async fn into_database(
    from: &Path,
    to: SecretString,
    settings: &Settings,
    clock: &Clock,
    told: impl Fn(u64),
) -> anyhow::Result<Copied> {
    let lock = lock::take(from, Role::Command, clock)?;
    let keyring = keyring(from, settings, clock)?;
    let disk = SledJournal::open(&Options::new(from), Arc::clone(&keyring), clock.clone())?;
    let disk = Arc::new(disk);
    let root = RootKey::load_or_create(&root_file(from, settings), clock)?;
    let options = store::options_at(to, settings)?;
    let shared = PostgresJournal::open_for_copy(&options, &keyring, root, clock.clone());
    let shared = shared.await.context("the database")?;
    let before = shared.stand().await?;
    if disk.root_at(before.size)? != Some(before.root) {
        bail!(
            "the database has another journal in it, or one that went on by itself: name an empty one"
        );
    }
    let mut after = Position(before.size);
    loop {
        let reading = Arc::clone(&disk);
        let records = tokio::task::spawn_blocking(move || reading.raw(after)).await??;
        let Some((last, _)) = records.last() else {
            break;
        };
        after = *last;
        shared.bring(records).await?;
        told(after.0);
    }
    shared.bring_keys(&keyring).await?;
    let now = shared.stand().await?;
    if disk.root_at(now.size)? != Some(now.root) || now.size != disk.last().0 {
        bail!(
            "what is in the database is not what is in {}",
            from.display()
        );
    }
    let report = shared.verify(&[]).await?;
    if let Some(finding) = report.findings.first() {
        bail!("what is in the database is damaged: {finding}");
    }
    shared.close().await;
    tokio::task::spawn_blocking(move || disk.close()).await??;
    drop(lock);
    Ok(Copied {
        records: now.size,
        before: before.size,
        root: now.root,
    })
}

async fn into_directory(
    from: SecretString,
    to: &Path,
    settings: &Settings,
    clock: &Clock,
) -> anyhow::Result<Copied> {
    lock::prepare(to)?;
    let lock = lock::take(to, Role::Server, clock)?;
    let key = root_file(to, settings);
    if !key.exists() {
        bail!(
            "the root key is missing: copy it to {} first, or name it in GATELOG_SECRET_KEY_FILE",
            key.display()
        );
    }
    let options = store::options_at(from, settings)?;
    let shared = open(&options, &key, clock).await?;
    let directory = to.to_path_buf();
    let shared = tokio::task::spawn_blocking(move || {
        shared.into_directory(&directory)?;
        anyhow::Ok(shared)
    })
    .await??;
    let keyring = keyring(to, settings, clock)?;
    let (options, clock) = (Options::new(to), clock.clone());
    let opening = move || SledJournal::open(&options, keyring, clock);
    let disk = tokio::task::spawn_blocking(opening).await??;
    let records = disk.last().0;
    let root = disk.root_at(records)?;
    if root.is_none() || shared.root_at(records).await? != root {
        bail!("what is in {} is not what is in the database", to.display());
    }
    shared.close().await;
    tokio::task::spawn_blocking(move || disk.close()).await??;
    drop(lock);
    Ok(Copied {
        records,
        before: 0,
        root: root.unwrap_or_default(),
    })
}

async fn open(
    options: &postgres::Options,
    key: &Path,
    clock: &Clock,
) -> anyhow::Result<PostgresJournal> {
    let (key, making) = (key.to_path_buf(), clock.clone());
    let root = move |_| RootKey::load_or_create(&key, &making);
    let shared = PostgresJournal::open(options, root, clock.clone()).await;
    shared.context("the database")
}

/// The keys of a data directory, which are there.
fn keyring(directory: &Path, settings: &Settings, clock: &Clock) -> anyhow::Result<Arc<Keyring>> {
    let settings = Settings {
        data: directory.to_path_buf(),
        secret_key_file: root_file(directory, settings),
        ..settings.clone()
    };
    Ok(store::keyring(&settings, clock)?)
}

/// The root key: in the directory, unless it was named.
fn root_file(directory: &Path, settings: &Settings) -> PathBuf {
    let is_elsewhere = settings.secret_key_file != settings.data.join("secret.key");
    if is_elsewhere {
        settings.secret_key_file.clone()
    } else {
        directory.join("secret.key")
    }
}
