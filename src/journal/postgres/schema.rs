//! The tables: made by whichever node comes first, and brought up to date by the first newer one.
//!
//! All of it happens in one transaction under one lock, so a node that is started beside it waits
//! and then finds it done. What a table means is said here, beside it.

use tokio_postgres::{Client, Transaction};
use uuid::Uuid;

use super::super::keys::remote::Wrapped;
use super::super::keys::{Keyring, RootKey};
use super::super::{Error, Result};
use super::connect::Failure;
use crate::clock::Clock;

/// The number of the schema that this version reads and writes: how many steps there are.
pub(super) const SCHEMA: i32 = 2;

/// The column of `journal` that says which schema whoever writes has to know came with this one.
const NEEDS: i32 = 2;

/// How the tables came to be, one step after the other. A step that was released is never edited.
///
/// Nodes of the version before go on beside a step that only adds. One that they could not keep to, or
/// with which bodies or frames come that they could not read, also sets `needs` to its own number: from
/// then on they write nothing.
///
/// * `journal` has one row. Whoever writes holds its lock, so that everything is written in one
///   order. `edge` is the right edge of the tree over all records.
/// * `node` says what each process wrote last, for one that lost its connection while it committed.
/// * `record` is the log. `record` holds the bytes that the journal on disk would have in its log;
///   the other columns are what they are looked for by. A record of the system's key has no `key`.
/// * `object` says where the current revision of an object lies, and its lookups, 32 bytes each.
/// * `unique_key` and `index_key` are those lookups turned around.
/// * `data_key` has the wrapped keys. Rows are deleted when keys are destroyed, and what a deleted
///   row leaves behind is to go soon.
/// * `span` is no part of the history (see [`Spans`](super::super::Spans)): it is not in the write-ahead
///   log, so nobody waits for a disk or a standby, and begins anew when the server broke down or a standby
///   took over.
const STEPS: [&str; SCHEMA as usize] = [
    "
CREATE TABLE journal (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    id uuid NOT NULL,
    schema integer NOT NULL,
    position bigint NOT NULL,
    edge bytea NOT NULL
) WITH (fillfactor = 10);
CREATE TABLE node (
    id uuid PRIMARY KEY,
    batch uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
CREATE TABLE record (
    position bigint PRIMARY KEY,
    kind text COLLATE \"C\" NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    key uuid,
    hash bytea NOT NULL,
    record bytea NOT NULL
);
ALTER TABLE record ALTER COLUMN record SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX record_of_stream ON record (kind, id, version);
CREATE INDEX record_first ON record (kind, id) WHERE version = 1;
CREATE TABLE object (
    kind text COLLATE \"C\" NOT NULL,
    id uuid NOT NULL,
    position bigint NOT NULL,
    uniques bytea NOT NULL,
    indexes bytea NOT NULL,
    PRIMARY KEY (kind, id)
) WITH (fillfactor = 80);
CREATE TABLE unique_key (
    kind text COLLATE \"C\" NOT NULL,
    lookup bytea NOT NULL,
    id uuid NOT NULL,
    PRIMARY KEY (kind, lookup)
);
CREATE TABLE index_key (
    kind text COLLATE \"C\" NOT NULL,
    lookup bytea NOT NULL,
    id uuid NOT NULL,
    PRIMARY KEY (kind, lookup, id)
);
CREATE TABLE counter (
    lookup bytea PRIMARY KEY,
    value bigint NOT NULL,
    expires_second bigint,
    expires_nanosecond integer
) WITH (fillfactor = 50);
CREATE TABLE lease (
    name text COLLATE \"C\" PRIMARY KEY,
    epoch bigint NOT NULL,
    holder uuid NOT NULL,
    expires_second bigint NOT NULL,
    expires_nanosecond integer NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE data_key (
    id uuid PRIMARY KEY,
    wrapper uuid NOT NULL,
    slot bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
CREATE INDEX data_key_wrapped ON data_key (wrapper)
    WHERE wrapper <> '00000000-0000-0000-0000-000000000000';
",
    "
ALTER TABLE journal ADD COLUMN needs integer NOT NULL DEFAULT 1;
CREATE UNLOGGED TABLE span (
    lookup bytea PRIMARY KEY,
    ends timestamptz NOT NULL
) WITH (fillfactor = 50);
",
];

/// Any number will do, as long as all versions of this program take the same.
const LOCK: &str =
    "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(7307195849216372583)";

/// What a node knows of the journal once its tables are there.
pub(super) struct Opened {
    /// The journal's own id.
    pub(super) id: Uuid,
    /// The last position.
    pub(super) position: u64,
    /// The keys, of which the system's is the only one that is kept.
    pub(super) ring: Keyring,
}

/// Makes the tables and the first key, or brings them up to date.
///
/// # Errors
/// [`Error::Newer`] when the database was made by a newer version that this one cannot keep up with,
/// [`Error::Damaged`] when its keys were wrapped under another root key.
pub(super) async fn open(
    client: &mut Client,
    keys: Vec<Wrapped>,
    root: impl FnOnce(bool) -> Result<RootKey>,
    clock: &Clock,
) -> std::result::Result<Opened, Failure> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(LOCK).await?;
    let there = "SELECT to_regclass('journal') IS NOT NULL";
    let mut schema = 0;
    if transaction.query_one(there, &[]).await?.get(0) {
        let row = transaction.query_one("SELECT schema FROM journal", &[]);
        schema = row.await?.get(0);
    }
    if schema >= NEEDS {
        let row = transaction.query_one("SELECT needs FROM journal", &[]);
        is_readable(row.await?.get(0))?;
    }
    let done = usize::try_from(schema).unwrap_or(0);
    for step in STEPS.iter().skip(done) {
        transaction.batch_execute(step).await?;
    }
    if schema == 0 {
        let make = "INSERT INTO journal (id, schema, position, edge) VALUES ($1, $2, 0, $3)";
        let edge = super::super::evidence::tree::Edge::default().to_bytes();
        transaction
            .execute(make, &[&clock.opaque_id(), &SCHEMA, &edge])
            .await?;
    } else if schema < SCHEMA {
        let raise = "UPDATE journal SET schema = $1";
        transaction.execute(raise, &[&SCHEMA]).await?;
    }
    let system = "SELECT slot FROM data_key WHERE id = $1";
    let system = transaction.query_opt(system, &[&Uuid::nil()]).await?;
    let mut system: Option<Vec<u8>> = system.map(|row| row.get(0));
    let brought = keys.iter().find(|key| key.id.is_nil());
    if let Some(brought) = brought {
        if system
            .as_ref()
            .is_some_and(|system| *system != brought.slot)
        {
            return Err(another_journal().into());
        }
        if system.is_none() {
            put(&transaction, &keys).await?;
            system = Some(brought.slot.clone());
        }
    }
    let root = root(system.is_some())?;
    let ring = Keyring::remote(system.as_deref(), root, clock)?;
    put(&transaction, &ring.take_written()).await?;
    let row = transaction.query_one("SELECT id, position FROM journal", &[]);
    let row = row.await?;
    let position: i64 = row.get(1);
    let opened = Opened {
        id: row.get(0),
        position: position.unsigned_abs(),
        ring,
    };
    // A process that ended without a word has left its row.
    let old = "DELETE FROM node WHERE at < now() - interval '30 days'";
    transaction.execute(old, &[]).await?;
    transaction.commit().await?;
    Ok(opened)
}

/// Whether this version knows the schema that whoever writes has to know.
pub(super) fn is_readable(needs: i32) -> Result<()> {
    if needs <= SCHEMA {
        return Ok(());
    }
    Err(Error::Newer {
        what: "the database".to_owned(),
        sort: "schema",
        found: needs.unsigned_abs(),
        known: SCHEMA.unsigned_abs(),
    })
}

/// Adds wrapped keys, of which none is there yet.
///
/// # Errors
/// When they cannot be written.
pub(super) async fn put(
    transaction: &Transaction<'_>,
    keys: &[Wrapped],
) -> std::result::Result<(), Failure> {
    const PORTION: usize = 5_000;
    let made = "INSERT INTO data_key (id, wrapper, slot)
                SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[])";
    for portion in keys.chunks(PORTION) {
        let ids: Vec<Uuid> = portion.iter().map(|key| key.id).collect();
        let wrappers: Vec<Uuid> = portion.iter().map(|key| key.wrapper).collect();
        let slots: Vec<&[u8]> = portion.iter().map(|key| key.slot.as_slice()).collect();
        transaction
            .execute(made, &[&ids, &wrappers, &slots])
            .await?;
    }
    Ok(())
}

/// The error for a database that something else is to be copied into.
pub(super) fn another_journal() -> Error {
    Error::Damaged {
        path: "PostgreSQL".into(),
        problem: "the database has another journal in it: name an empty one".to_owned(),
    }
}
