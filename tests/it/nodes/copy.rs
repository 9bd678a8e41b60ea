//! A journal goes from a data directory into PostgreSQL and back, and nothing of it is another one.

use std::path::Path;

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
