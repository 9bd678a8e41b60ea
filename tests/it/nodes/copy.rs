//! A journal goes from a data directory into PostgreSQL and back, and nothing of it is another one.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use gatelog::clock::Clock;
use gatelog::journal::keys::{Keyring, RootKey};
use gatelog::journal::sled::{self, SledJournal};
use gatelog::journal::{Commit, Durability, Journal, KeyId, Kind, StreamId, Version, Write};
use serde_json::{Value, json};

use crate::support::command::{self, Ran};
use crate::support::{Options, TestServer, block_on, database};

fn copy(from: &str, to: &str) -> Ran {
    command::run(
        &["journal", "copy", "--json", "--from", from, "--to", to],
        &[],
        "",
    )
}

/// What is told of a copy that succeeded.
fn copied(from: &str, to: &str) -> Value {
    copy(from, to).succeeds().values()[0].clone()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_journal_goes_into_the_database_and_back_and_is_served_from_each() {
    block_on(async {
        let Some(database) = database::server() else {
            return;
        };
        let address = database.address();
        let mut server = TestServer::start(Options::default()).await;
        let alice = server.person();
        server.visitor().logs_in(&alice).await;
        let before = server.histories();
        let data = shown(&server.data());
        let refused = copy(&data, &address);
        assert_ne!(refused.code, Some(0), "a server has it");
        server.stop().await;
        let there = copied(&data, &address);
        assert_eq!(there["before"], 0);
        assert!(
            there["records"].as_u64().is_some_and(|it| it > 50),
            "{there}"
        );

        // It may be repeated, and goes on where it was.
        let again = copied(&data, &address);
        assert_eq!(
            (&again["before"], &again["root"]),
            (&there["records"], &there["root"])
        );

        // The same server, on the database.
        let key = shown(&server.data().join("secret.key"));
        server.sets("GATELOG_JOURNAL__URL", &address);
        server.begin().await;
        assert_eq!(server.histories(), before);
        server.visitor().logs_in(&alice).await;
        let after = server.histories();
        assert_eq!(after.len(), before.len() + 1);
        server.check_replay().await;
        server.stop().await;

        // What went on by itself is not taken for the same journal.
        let refused = copy(&data, &address);
        assert_ne!(refused.code, Some(0));
        refused.says("the database has another journal in it");

        // And back, into another directory.
        let directory = tempfile::tempdir().expect("a temporary directory");
        let back = directory.path().join("data");
        let refused = copy(&address, &shown(&back));
        refused.says("the root key is missing");
        std::fs::copy(&key, back.join("secret.key")).expect("it can be copied");
        let there = copied(&address, &shown(&back));
        assert!(there["records"].as_u64() > again["records"].as_u64());
        server.unsets("GATELOG_JOURNAL__URL");
        server.moves_to(&back);
        server.begin().await;
        assert_eq!(server.histories(), after);
        server.visitor().logs_in(&alice).await;
        server.finish().await;
    });
}

/// A data directory with so many records, of a few streams, as no server leaves it but a journal may be.
struct Filled {
    _directory: tempfile::TempDir,
    data: PathBuf,
}

impl Filled {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let data = directory.path().join("data");
        let mut making = std::fs::DirBuilder::new();
        making.mode(0o700).create(&data).expect("it can be made");
        Self {
            _directory: directory,
            data,
        }
    }

    /// Adds records, and returns the root of the tree over all of them.
    async fn grows_by(&self, records: u64) -> String {
        let clock = Clock::system();
        let root = RootKey::load_or_create(&self.data.join("secret.key"), &clock);
        let ring = Keyring::open(&self.data.join("keys"), root.expect("a key"), &clock);
        let ring = Arc::new(ring.expect("keys"));
        let journal = SledJournal::open(&sled::Options::new(&self.data), ring, clock.clone());
        let journal = journal.expect("it opens");
        let stream = StreamId::new(Kind::new("run"), clock.opaque_id());
        for first in (0..records).step_by(500) {
            let append = |version| Write::Append {
                stream,
                expected: Version(version),
                key: KeyId::SYSTEM,
                schema: 1,
                body: format!("step {version}").into(),
            };
            let commit = Commit {
                writes: (first..records.min(first + 500)).map(append).collect(),
                durability: Durability::Relaxed,
                fence: None,
                at: clock.now(),
                correlation: clock.opaque_id(),
            };
            journal.commit(commit).await.expect("it is allowed");
        }
        let stand = journal.stand().await.expect("there is a tree");
        journal.close().expect("it closes");
        base16ct::lower::encode_string(&stand.root.0)
    }

    /// Begins a copy that gets stuck in its second portion, ends it with SIGKILL there, and says how many
    /// records are in the database then.
    async fn copy_is_killed(&self, database: &database::Server, address: &str) -> u64 {
        database.sql_at(
            address,
            "CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF NEW.position > 1500 THEN PERFORM pg_sleep(50); END IF;
                RETURN NEW;
             END $$;
             CREATE TRIGGER stall BEFORE INSERT ON record FOR EACH ROW EXECUTE FUNCTION stall()",
        );
        let data = shown(&self.data);
        let mut copying = command::command(&[])
            .args(["journal", "copy", "--from", &data, "--to", address])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary can be started");
        let (_, schema) = address.rsplit_once("%3D").expect("it has a schema");
        let stuck = format!(
            "SELECT count(*) FROM pg_stat_activity \
             WHERE application_name = 'gatelog-{schema}' AND wait_event = 'PgSleep'"
        );
        while database.sql(&stuck) == "0" {
            assert!(copying.try_wait().expect("it is our child").is_none());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        copying.kill().expect("it is our child");
        copying.wait().expect("it is our child");
        database.cut(address);
        database.sql_at(address, "DROP TRIGGER stall ON record; DROP FUNCTION stall");
        let there = database.sql_at(address, "SELECT position FROM journal");
        there.parse().expect("a number")
    }
}

#[test]
fn a_copy_that_was_killed_half_way_goes_on_and_comes_to_the_same() {
    block_on(async {
        let Some(database) = database::server() else {
            return;
        };
        let address = database.address();
        let filled = Filled::new();
        filled.grows_by(200).await;
        // The tables are there then, and something is in them.
        copied(&shown(&filled.data), &address);
        let root = filled.grows_by(3_000).await;
        let there = filled.copy_is_killed(database, &address).await;
        assert_eq!(
            there, 1_200,
            "one portion went through, and nothing of the next"
        );

        let copied = copied(&shown(&filled.data), &address);
        assert_eq!(copied["before"], there);
        assert_eq!(copied["records"], 3_200);
        assert_eq!(copied["root"], root);
        let records = "SELECT count(*), max(position) FROM record";
        assert_eq!(database.sql_at(&address, records), "3200|3200");
        assert_eq!(
            self::copied(&shown(&filled.data), &address)["before"],
            3_200
        );
    });
}

#[test]
fn what_was_altered_before_a_copy_went_on_is_found() {
    block_on(async {
        let Some(database) = database::server() else {
            return;
        };
        let address = database.address();
        let filled = Filled::new();
        filled.grows_by(200).await;
        copied(&shown(&filled.data), &address);
        filled.grows_by(3_000).await;
        filled.copy_is_killed(database, &address).await;
        database.sql_at(
            &address,
            "UPDATE record SET record = set_byte(record, length(record) - 1, 255 - \
             get_byte(record, length(record) - 1)) WHERE position = 700",
        );
        let refused = copy(&shown(&filled.data), &address);
        assert_ne!(refused.code, Some(0));
        refused.says("what is in the database is damaged: position 700");
    });
}

#[test]
fn a_copy_that_names_two_of_a_kind_is_refused() {
    for (from, to, why) in [
        ("a", "b", "a data directory is copied as files are"),
        ("postgres://a/a", "postgres://b/b", "PostgreSQL's own tools"),
    ] {
        let refused = copy(from, to);
        assert_ne!(refused.code, Some(0));
        refused.says(why);
        assert_eq!(json!(refused.stdout), json!(""));
    }
}
