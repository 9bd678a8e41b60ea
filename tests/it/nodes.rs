//! Servers whose journal is in PostgreSQL: one, and two that share it.

use std::time::Duration;

use gatelog::clock::Clock;
use serde_json::json;

use crate::support::{
    Flow, LOGIN, Options, TestServer, Visitor, block_on, database, with_server_of,
};

mod cluster;
mod copy;
mod duties;
mod encrypted;
mod evidence;
mod limits;
mod model;
mod upgrade;

const ME: &str = "/api/v3/core/users/me/";

/// How a server is started whose journal is in a database of its own; `None` where there is no
/// PostgreSQL.
fn on_postgres() -> Option<Options> {
    let address = database::server()?.address();
    Some(Options::default().with("GATELOG_JOURNAL__URL", &address))
}

#[test]
fn a_login_is_recorded_in_the_database_and_is_there_after_a_restart() {
    let Some(options) = on_postgres() else { return };
    with_server_of(options, async |server| {
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.logs_in(&alice).await;
        assert!(
            !server.data().join("log").exists(),
            "nothing is on the disk"
        );
        let before = server.histories();
        assert!(!before.is_empty());
        server.kill().await;
        assert_eq!(server.histories(), before);
        let me = visitor.gets(ME).await;
        me.has_status(200);
        assert_eq!(me.json()["user"]["username"], alice.username);
        // Who begins after it finds the flow, the person and the key as they were.
        server.visitor().logs_in(&alice).await;
        server.stop().await;
        assert_eq!(
            server.histories().len(),
            before.len() + 1,
            "a command is a node too"
        );
        server.begin().await;
    });
}

/// Two servers on one database, with one root key.
async fn two() -> Option<(TestServer, TestServer)> {
    started(Options::default()).await
}

/// The same, with these options.
async fn started(options: Options) -> Option<(TestServer, TestServer)> {
    let address = database::server()?.address();
    Some(started_at(&address, options.with_one_key()).await)
}

/// Two servers on this database; the options say which root key they have.
async fn started_at(address: &str, options: Options) -> (TestServer, TestServer) {
    let options = options.with("GATELOG_JOURNAL__URL", address);
    let one = TestServer::start(options.clone()).await;
    let options = Options {
        has_administrator: false,
        ..options
    };
    let other = TestServer::start(options).await;
    (one, other)
}

/// The administrator that a server was started with, logged in.
async fn administrator_of(server: &TestServer) -> Visitor {
    let mut visitor = server.visitor();
    visitor.logs_in(&server.administrator).await;
    visitor
}

/// How many logins of somebody the events of the API tell.
async fn logins_of(administrator: &Visitor, name: &str) -> usize {
    let query = format!("/api/v3/events/events/?action=login&username={name}");
    let events = administrator.gets(&query).await;
    events.has_status(200);
    events.json()["results"].as_array().map_or(0, Vec::len)
}

/// Looks until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let clock = Clock::system();
    let deadline = clock.monotonic() + Duration::from_mins(1);
    while !is_so().await {
        assert!(clock.monotonic() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[test]
fn two_servers_serve_one_login_by_turns() {
    block_on(async {
        let Some((one, other)) = two().await else {
            return;
        };
        let alice = one.person();
        let mut visitor = one.visitor();
        visitor.opens(LOGIN).await.sees("ak-stage-identification");
        visitor.turns_to(&other);
        visitor.looks().await.sees("ak-stage-identification");
        let who = json!({ "uid_field": alice.username });
        visitor.answers(who).await.sees("ak-stage-password");
        // The first one has the execution in memory as it was, and must not show that.
        visitor.turns_to(&one);
        visitor.looks().await.sees("ak-stage-password");
        let wrong = visitor.answers(json!({ "password": "wrong" })).await;
        wrong
            .sees("ak-stage-password")
            .with_error("password", "invalid");
        visitor.turns_to(&other);
        let right = visitor.answers(json!({ "password": alice.password })).await;
        right.is_redirected_to("/");
        for server in [&one, &other] {
            visitor.turns_to(server);
            let me = visitor.gets(ME).await;
            me.has_status(200);
            assert_eq!(me.json()["user"]["username"], alice.username);
        }
        assert_eq!(one.histories(), other.histories());
        // Both look at what is in the journal; neither may be stopped before the other is checked.
        for server in [&one, &other] {
            server.check_replay().await;
            server.check_journal("while both run");
        }
        one.finish().await;
        other.finish().await;
    });
}

#[test]
fn what_is_changed_on_one_server_counts_on_the_other_at_once() {
    block_on(async {
        let Some((one, other)) = two().await else {
            return;
        };
        one.has_flow(&Flow::new("steps").dummy("first").dummy("second"));
        let mut visitor = other.visitor();
        visitor.opens("steps").await.with("name", "first");
        visitor.turns_to(&one);
        visitor.answers(json!({})).await.with("name", "second");
        visitor.turns_to(&other);
        visitor.answers(json!({})).await.is_redirected_to("/");

        let bob = other.person();
        let mut visitor = one.visitor();
        visitor.logs_in(&bob).await;
        visitor.turns_to(&other);
        visitor.gets(ME).await.has_status(200);
        one.finish().await;
        other.finish().await;
    });
}

#[test]
fn a_server_without_the_root_key_of_the_others_says_so_and_makes_none() {
    block_on(async {
        let Some(options) = on_postgres() else { return };
        let one = TestServer::start(options.clone()).await;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let data = directory.path().join("data");
        let mut environment = options.environment;
        environment.push(("GATELOG_DATA".to_owned(), data.display().to_string()));
        let ran = crate::support::command::run(&["serve"], &environment, "");
        assert_ne!(ran.code, Some(0));
        ran.says("the root key is missing");
        assert!(!data.join("secret.key").exists());
        one.finish().await;
    });
}

#[test]
fn what_a_database_cannot_do_is_refused_with_the_reason() {
    let Some(options) = on_postgres() else { return };
    let (_, address) = options.environment[0].clone();
    with_server_of(options, async |server| {
        let ran = server.gatelog(&["secret", "rotate"]);
        assert_ne!(ran.code, Some(0));
        ran.says("while the journal is in PostgreSQL");
        let ran = server.gatelog(&["journal", "rebuild"]);
        assert_ne!(ran.code, Some(0));
        ran.says("a journal in PostgreSQL has no state beside its tables");
        let signed = server.gatelog(&["journal", "checkpoint"]);
        signed.succeeds();
        let shown = server.gatelog(&["config", "show"]);
        shown.succeeds();
        assert!(
            !format!("{shown:?}").contains(&address),
            "it may hold a password"
        );
    });
}
