//! What one could do at most with the same rows: `pgbench` writes them, and checks, seals and chains nothing.
//!
//! The rows are those that the database counted while people logged in. Deletions are left out, which are
//! few, and so is all that the nodes read.

use std::fmt;
use std::time::Duration;

use super::database::Database;

/// The tables that a login writes to.
const TABLES: [&str; 6] = [
    "record",
    "object",
    "unique_key",
    "index_key",
    "counter",
    "data_key",
];

/// How many transactions a login is.
const TRANSACTIONS: u64 = 3;

/// New rows and changed ones in each of the tables, and the size of a record in bytes.
pub(super) struct Rows {
    tables: [(f64, f64); TABLES.len()],
    records: f64,
    bytes: f64,
}

impl Rows {
    /// What there is in all.
    pub(super) fn now(database: &Database) -> Self {
        // The database counts what a session did a second after it did it, and a node tells of logins then.
        std::thread::sleep(Duration::from_secs(3));
        let tables = TABLES.map(|table| {
            let counts = database.sql(&format!(
                "SELECT n_tup_ins, n_tup_upd FROM pg_stat_user_tables \
                 WHERE schemaname = 'gatelog' AND relname = '{table}'"
            ));
            let (new, changed) = counts.split_once('|').expect("two columns");
            (number(new), number(changed))
        });
        let sizes = database.sql("SELECT count(*), sum(length(record)) FROM gatelog.record");
        let (records, bytes) = sizes.split_once('|').expect("two columns");
        Self {
            tables,
            records: number(records),
            bytes: number(bytes),
        }
    }

    /// What came since then, for each of so many logins.
    pub(super) fn since(&self, before: &Self, logins: f64) -> Self {
        let mut tables = self.tables;
        for (now, then) in tables.iter_mut().zip(before.tables) {
            *now = ((now.0 - then.0) / logins, (now.1 - then.1) / logins);
        }
        let records = self.records - before.records;
        Self {
            tables,
            records: records / logins,
            bytes: (self.bytes - before.bytes) / records,
        }
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.1} records of {:.0} bytes; rows, new and changed:",
            self.records, self.bytes
        )?;
        for (table, (new, changed)) in TABLES.iter().zip(self.tables) {
            write!(f, " {table} {new:.1} + {changed:.1},")?;
        }
        write!(f, " in {TRANSACTIONS} commits")
    }
}

/// How many logins' rows `pgbench` writes each second; one transaction after the other where `in_turn`.
pub(super) fn pgbench(
    database: &Database,
    rows: &Rows,
    in_turn: bool,
    clients: usize,
    time: Duration,
) -> f64 {
    let tables: Vec<String> = TABLES
        .iter()
        .chain(&["journal"])
        .map(|it| format!("CREATE TABLE beside.{it} (LIKE gatelog.{it} INCLUDING ALL);"))
        .collect();
    let tables = tables.concat();
    database.sql(&format!(
        "DROP SCHEMA IF EXISTS beside CASCADE; CREATE SCHEMA beside; {tables} \
         INSERT INTO beside.journal SELECT * FROM gatelog.journal; \
         CREATE SEQUENCE beside.place"
    ));
    let file = tempfile::NamedTempFile::new().expect("a file");
    let script: String = (0..TRANSACTIONS)
        .map(|part| transaction(rows, part, in_turn))
        .collect();
    std::fs::write(file.path(), script).expect("it is written");
    let (path, clients) = (file.path().display().to_string(), clients.to_string());
    let seconds = time.as_secs().to_string();
    let said = database.runs(
        "pgbench",
        &[
            "-n", "-M", "prepared", "-j", "2", "-c", &clients, "-T", &seconds, "-f", &path,
        ],
    );
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate = rate.and_then(|it| it.split(' ').next());
    number(rate.unwrap_or_else(|| panic!("{said}")))
}

/// One of the transactions, with its part of the rows.
fn transaction(rows: &Rows, part: u64, in_turn: bool) -> String {
    let (lock, unlock) = if in_turn {
        (
            "SELECT position, edge FROM beside.journal FOR UPDATE;\n",
            "UPDATE beside.journal SET position = position + 1;\n",
        )
    } else {
        ("", "")
    };
    let statements: String = TABLES
        .iter()
        .zip(rows.tables)
        .filter_map(|(table, (new, changed))| {
            let (new, changed) = (share(new, part), share(changed, part));
            (new + changed > 0).then(|| statement(table, new, changed, rows.bytes))
        })
        .collect();
    format!("BEGIN;\n{lock}{statements}{unlock}COMMIT;\n")
}

/// How many of a login's rows are in this transaction of it.
fn share(rows: f64, part: u64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "they are few, and not less than none"
    )]
    let whole = rows.round() as u64;
    whole / TRANSACTIONS + u64::from(part < whole % TRANSACTIONS)
}

/// So many new rows of a table, and as many that this client has written before: nobody waits for another's.
fn statement(table: &str, new: u64, changed: u64, bytes: f64) -> String {
    let ids = format!(
        "(SELECT gen_random_uuid() AS id FROM generate_series(1, {new}) UNION ALL \
         SELECT CAST(md5(:client_id || '-' || i) AS uuid) FROM generate_series(1, {changed}) AS i) AS w"
    );
    let lookup = "sha256(CAST(CAST(id AS text) AS bytea))";
    match table {
        "record" => format!(
            "INSERT INTO beside.record (position, kind, id, version, key, hash, record) \
             SELECT nextval('beside.place'), 'execution', gen_random_uuid(), 1, gen_random_uuid(), {lookup}, \
             CAST(repeat('x', {bytes:.0}) AS bytea) FROM {ids};\n"
        ),
        "object" => format!(
            "INSERT INTO beside.object (kind, id, position, uniques, indexes) \
             SELECT 'session', id, 1, {lookup}, {lookup} FROM {ids} ON CONFLICT (kind, id) DO UPDATE \
             SET position = excluded.position, uniques = excluded.uniques, indexes = excluded.indexes;\n"
        ),
        "unique_key" => format!(
            "INSERT INTO beside.unique_key (kind, lookup, id) SELECT 'session', {lookup}, id FROM {ids} \
             ON CONFLICT (kind, lookup) DO UPDATE SET id = excluded.id;\n"
        ),
        "index_key" => format!(
            "INSERT INTO beside.index_key (kind, lookup, id) SELECT 'session', {lookup}, id FROM {ids} \
             ON CONFLICT DO NOTHING;\n"
        ),
        "counter" => format!(
            "INSERT INTO beside.counter (lookup, value) SELECT {lookup}, 1 FROM {ids} \
             ON CONFLICT (lookup) DO UPDATE SET value = excluded.value;\n"
        ),
        _ => format!(
            "INSERT INTO beside.data_key (id, wrapper, slot) SELECT id, gen_random_uuid(), \
             {lookup} || {lookup} FROM {ids} \
             ON CONFLICT (id) DO UPDATE SET wrapper = excluded.wrapper, slot = excluded.slot;\n"
        ),
    }
}

/// A figure that the database or `pgbench` printed.
fn number(text: &str) -> f64 {
    text.trim()
        .parse()
        .unwrap_or_else(|_| panic!("no number: {text}"))
}
