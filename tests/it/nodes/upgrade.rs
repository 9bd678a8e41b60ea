//! A newer version comes in while an older one serves: the older one says what it cannot read, and why.
//!
//! What a newer version would write is written by the test.

use std::path::Path;

use gatelog::clock::Clock;
use gatelog::journal::keys::RootKey;
use gatelog::journal::postgres::{self, PostgresJournal};
use gatelog::journal::{Commit, Durability, Journal, KeyId, Kind, Version, Write};
use serde_json::json;

use super::{ME, started_at};
use crate::support::command::run;
use crate::support::{LOGIN, Options, TestServer, block_on, database};

const READY: &str = "/-/health/ready/";

#[test]
fn a_node_that_is_too_old_to_write_says_so_and_shows_what_it_can_read() {
    block_on(async {
        let Some(database) = database::server() else {
            return;
        };
        let (address, options) = (database.address(), Options::default().with_one_key());
        let key = options.root_key();
        let (one, other) = started_at(&address, options).await;
        let alice = one.person();
        let mut visitor = one.visitor();
        visitor.logs_in(&alice).await;
        let mut waiting = other.visitor();
        waiting.opens(LOGIN).await.sees("ak-stage-identification");
        let before = one.histories();

        database.sql_at(&address, "UPDATE journal SET schema = 99, needs = 99");
        for server in [&one, &other] {
            visitor.turns_to(server);
            let me = visitor.gets(ME).await;
            me.has_status(200);
            assert_eq!(me.json()["user"]["username"], alice.username);
            let mut newcomer = server.visitor();
            newcomer.opens(LOGIN).await.has_status(503);
            // Whoever sends requests to nodes that are ready sends none here any more.
            is_not_ready(server).await;
            let said = server.output();
            for part in [
                "the database has schema 99, and this version of Gatelog knows schemas up to 2",
                "install the version that wrote it",
            ] {
                assert!(said.contains(part), "no {part:?} in {said}");
            }
        }
        assert_eq!(one.histories(), before, "it can be read");
        let name = json!({ "uid_field": alice.username });
        waiting.answers(name.clone()).await.has_status(503);
        refuses_to_start(&address, &key);

        // A newer node would go on with all of it. This one does, as soon as it may.
        database.sql_at(&address, "UPDATE journal SET schema = 2, needs = 1");
        waiting.answers(name).await.sees("ak-stage-password");
        visitor.turns_to(&one);
        visitor.gets(READY).await;
        one.visitor().logs_in(&alice).await;
        one.finish().await;
        other.finish().await;
    });
}

async fn is_not_ready(server: &TestServer) {
    // What it said a moment ago is good for a second.
    for _ in 0..100 {
        let ready = server.visitor().gets(READY).await;
        if ready.status == 503 {
            assert_eq!(ready.text, "the journal is of a newer version\n");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("it takes itself for ready");
}

/// One that is started says the same, and writes nothing.
fn refuses_to_start(address: &str, key: &Path) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let data = directory.path().join("data");
    let environment = [
        ("GATELOG_DATA".to_owned(), data.display().to_string()),
        ("GATELOG_JOURNAL__URL".to_owned(), address.to_owned()),
        (
            "GATELOG_SECRET_KEY_FILE".to_owned(),
            key.display().to_string(),
        ),
    ];
    let ran = run(&["serve"], &environment, "");
    ran.fails_with(69)
        .says("the database has schema 99")
        .says("knows schemas up to 2")
        .says("install the version that wrote it");
}

/// A node of a newer version, as far as the test needs one.
async fn newer_node(address: &str, key: &Path) -> PostgresJournal {
    let clock = Clock::system();
    let options = postgres::Options {
        connections: 2,
        ..postgres::Options::new(address.to_owned().into())
    };
    let (key, making) = (key.to_path_buf(), clock.clone());
    let root = move |_| RootKey::load_or_create(&key, &making);
    let opened = PostgresJournal::open(&options, root, clock).await;
    opened.expect("it opens")
}

#[test]
fn an_execution_that_a_newer_node_went_on_with_is_refused_by_its_number_and_no_other() {
    block_on(async {
        let Some(database) = database::server() else {
            return;
        };
        let (address, options) = (database.address(), Options::default().with_one_key());
        let key = options.root_key();
        let (mut one, mut other) = started_at(&address, options).await;
        let (alice, bob) = (one.person(), one.person());
        let mut visitor = one.visitor();
        visitor.opens(LOGIN).await.sees("ak-stage-identification");
        let name = json!({ "uid_field": alice.username });
        visitor.answers(name).await.sees("ak-stage-password");

        let newer = newer_node(&address, &key).await;
        let kind = Kind::new("execution");
        let latest = newer.streams(kind, None, 1).await.expect("it can be read")[0];
        let (Version(version), _) = newer.head(latest).await.expect("it can be read");
        let commit = Commit {
            writes: vec![Write::Append {
                stream: latest,
                expected: Version(version),
                key: KeyId::SYSTEM,
                schema: 2,
                body: br#"{"of":"the future"}"#.to_vec(),
            }],
            durability: Durability::Durable,
            fence: None,
            at: Clock::system().now(),
            correlation: uuid::Uuid::nil(),
        };
        newer.commit(commit).await.expect("it may");

        for server in [&one, &other] {
            visitor.turns_to(server);
            let refused = visitor.answers(json!({ "password": alice.password })).await;
            refused.has_status(503);
            let said = server.output();
            let expected = format!(
                "version {} of {latest} has schema 2, and this version of Gatelog knows schemas up \
                 to 1: install the version that wrote it",
                version + 1
            );
            assert!(said.contains(&expected), "no {expected:?} in {said}");
            server.visitor().logs_in(&bob).await;
        }
        let list = one.gatelog(&["execution", "list", "--json"]);
        let list = list.succeeds().values();
        let state = |it: &serde_json::Value| it["state"].as_str().map(str::to_owned);
        let states: Vec<_> = list.iter().filter_map(state).collect();
        assert_eq!(
            states.iter().filter(|it| *it == "unreadable").count(),
            1,
            "{list:?}"
        );
        assert_eq!(
            states.iter().filter(|it| *it == "completed").count(),
            2,
            "{list:?}"
        );
        one.check_journal("nothing is wrong with what is newer");
        newer.close().await;
        one.stop().await;
        other.stop().await;
    });
}
