//! What an auditor gets of a journal in PostgreSQL, and what is removed from it when its time is over.

use std::path::Path;
use std::time::Duration;

use gatelog::clock::Clock;

use super::{on_postgres, started};
use crate::support::command::{Ran, run};
use crate::support::{Options, TestServer, block_on, with_server_of};

/// What an auditor says of a file, who has the public key and nothing else.
fn verifies(key: &str, arguments: &[&str]) -> Ran {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let nowhere = directory.path().join("nowhere").display().to_string();
    let verify = ["journal", "verify", "--key", key];
    run(
        &[&verify[..], arguments].concat(),
        &[("GATELOG_DATA".to_owned(), nowhere)],
        "",
    )
}

fn latest(server: &TestServer) -> String {
    let list = server.gatelog(&["execution", "list", "--json", "--limit", "1"]);
    let list = list.succeeds().values();
    list[0]["execution"].as_str().expect("an id").to_owned()
}

fn name(directory: &Path, file: &str) -> String {
    directory.join(file).display().to_string()
}

#[test]
fn what_one_node_signed_another_one_proves_and_an_auditor_believes() {
    block_on(async {
        let Some((one, other)) = started(Options::default()).await else {
            return;
        };
        let directory = tempfile::tempdir().expect("a temporary directory");
        let key = one.gatelog(&["journal", "checkpoint", "--key"]);
        let key = key.succeeds().stdout.trim().to_owned();
        let same = other.gatelog(&["journal", "checkpoint", "--key"]);
        assert_eq!(same.succeeds().stdout.trim(), key, "they sign alike");

        let (early, late) = (
            name(directory.path(), "early"),
            name(directory.path(), "late"),
        );
        let (alice, bob) = (one.person(), one.person());
        one.visitor().logs_in(&alice).await;
        let signed = one.gatelog(&["journal", "checkpoint", "--out", &early]);
        signed.succeeds();
        other.visitor().logs_in(&bob).await;
        let signed = other.gatelog(&["journal", "checkpoint", "--out", &late]);
        signed.succeeds();

        let execution = latest(&one);
        let proof = name(directory.path(), "login");
        let prove = [
            "journal",
            "prove",
            "--execution",
            &execution,
            "--out",
            &proof,
        ];
        one.gatelog(&prove).succeeds();
        let holds = verifies(&key, &["--proof", &proof]);
        holds.succeeds().prints(&execution).prints("recorded at");
        let whole = name(directory.path(), "whole");
        let prove = [
            "journal", "prove", "--from", &early, "--to", &late, "--out", &whole,
        ];
        one.gatelog(&prove).succeeds();
        let holds = verifies(&key, &["--proof", &whole, "--checkpoint", &early]);
        holds.succeeds().prints("nothing of these was altered");
        let beyond = other.gatelog(&["journal", "prove", "--position", "1000000"]);
        beyond.fails_with(1).says("there is no position 1000000");

        let export = name(directory.path(), "export");
        let exported = other.gatelog(&["journal", "export", "--output", &export]);
        exported.succeeds();
        let kept = [
            "--export",
            &export,
            "--checkpoint",
            &early,
            "--checkpoint",
            &late,
        ];
        verifies(&key, &kept).succeeds();
        // Both are compared with the database as well.
        let verify = [
            "journal",
            "verify",
            "--json",
            "--key",
            &key,
            "--checkpoint",
            &early,
            "--checkpoint",
            &late,
        ];
        let report = other.gatelog(&verify).succeeds().values().remove(0);
        assert_eq!(report["findings"], serde_json::json!([]));
        assert!(report["signed"].as_u64() >= Some(2), "{report}");
        one.finish().await;
        other.finish().await;
    });
}

/// How many logins of somebody the events of the API tell.
async fn logins_of(server: &TestServer, name: &str) -> usize {
    let query = format!("/api/v3/events/events/?action=login&username={name}");
    let mut administrator = server.visitor();
    administrator.logs_in(&server.administrator).await;
    let events = administrator.gets(&query).await;
    events.has_status(200);
    events.json()["results"].as_array().map_or(0, Vec::len)
}

/// Looks until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let clock = Clock::system();
    let deadline = clock.monotonic() + Duration::from_mins(1);
    while !is_so().await {
        assert!(clock.monotonic() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[test]
fn what_was_kept_long_enough_goes_from_a_database_and_what_was_signed_stays_so() {
    let Some(options) = on_postgres() else { return };
    let options = options
        .with("GATELOG_JOURNAL__RETENTION__EXECUTION", "30 days")
        .with("GATELOG_JOURNAL__RETENTION__SESSION", "30 days")
        .with("GATELOG_EVENTS__RETENTION", "30 days")
        .with("GATELOG_LOG__LEVEL", "info");
    with_server_of(options, async |server| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let alice = server.person();
        server.visitor().logs_in(&alice).await;
        let execution = latest(server);
        let key = server.gatelog(&["journal", "checkpoint", "--key"]);
        let key = key.succeeds().stdout.trim().to_owned();
        let proof = name(directory.path(), "login");
        let prove = [
            "journal",
            "prove",
            "--execution",
            &execution,
            "--out",
            &proof,
        ];
        server.gatelog(&prove).succeeds();
        let told = async || logins_of(server, &alice.username).await == 1;
        until("the login is told", told).await;

        server.stop().await;
        let days = 40 * 24 * 60 * 60;
        server.sets("GATELOG_CLOCK_SHIFT", &days.to_string());
        server.begin().await;
        let removed = async || {
            server
                .output()
                .contains("removed what was kept long enough")
        };
        until("it is removed", removed).await;
        let shown = server.gatelog(&["execution", "show", &execution]);
        assert_ne!(shown.code, Some(0), "{shown:?}");
        let told = async || logins_of(server, &alice.username).await == 0;
        until("the event has run out", told).await;

        // The frames are there, and what was signed of them holds.
        verifies(&key, &["--proof", &proof]).succeeds();
        let report = server.gatelog(&["journal", "verify", "--json"]);
        let report = report.succeeds().values().remove(0);
        assert_eq!(report["findings"], serde_json::json!([]));
        assert!(report["bodies_gone"].as_u64() > Some(0), "{report}");
        assert!(report["signed"].as_u64() > Some(0), "{report}");
        server.visitor().logs_in(&alice).await;
    });
}
