//! What an auditor gets of a journal in PostgreSQL, and what is removed from it when its time is over.

use super::{administrator_of, logins_of, on_postgres, started, until};
use crate::support::{Auditor, Options, block_on, with_server_of};

#[test]
fn what_one_node_signed_another_one_proves_and_an_auditor_believes() {
    block_on(async {
        let Some((one, other)) = started(Options::default()).await else {
            return;
        };
        let auditor = Auditor::meets(&one);
        let same = Auditor::meets(&other);
        assert_eq!(same.key, auditor.key, "they sign alike");

        let (early, late) = (auditor.name("early"), auditor.name("late"));
        let (alice, bob) = (one.person(), one.person());
        one.visitor().logs_in(&alice).await;
        let signed = one.gatelog(&["journal", "checkpoint", "--out", &early]);
        signed.succeeds();
        other.visitor().logs_in(&bob).await;
        let signed = other.gatelog(&["journal", "checkpoint", "--out", &late]);
        signed.succeeds();

        let execution = one.latest();
        let proof = auditor.name("login");
        let prove = [
            "journal",
            "prove",
            "--execution",
            &execution,
            "--out",
            &proof,
        ];
        one.gatelog(&prove).succeeds();
        let holds = auditor.verifies(&["--proof", &proof]);
        holds.succeeds().prints(&execution).prints("recorded at");
        let whole = auditor.name("whole");
        let prove = [
            "journal", "prove", "--from", &early, "--to", &late, "--out", &whole,
        ];
        one.gatelog(&prove).succeeds();
        let holds = auditor.verifies(&["--proof", &whole, "--checkpoint", &early]);
        holds.succeeds().prints("nothing of these was altered");
        let beyond = other.gatelog(&["journal", "prove", "--position", "1000000"]);
        beyond.fails_with(1).says("there is no position 1000000");

        let export = auditor.name("export");
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
        auditor.verifies(&kept).succeeds();
        // Both are compared with the database as well.
        let verify = [
            "journal",
            "verify",
            "--json",
            "--key",
            &auditor.key,
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

#[test]
fn what_was_kept_long_enough_goes_from_a_database_and_what_was_signed_stays_so() {
    let Some(options) = on_postgres() else { return };
    let options = options
        .with("GATELOG_JOURNAL__RETENTION__EXECUTION", "30 days")
        .with("GATELOG_JOURNAL__RETENTION__SESSION", "30 days")
        .with("GATELOG_EVENTS__RETENTION", "30 days")
        .with("GATELOG_LOG__LEVEL", "info");
    with_server_of(options, async |server| {
        let auditor = Auditor::meets(server);
        let alice = server.person();
        server.visitor().logs_in(&alice).await;
        let execution = server.latest();
        let proof = auditor.name("login");
        let prove = [
            "journal",
            "prove",
            "--execution",
            &execution,
            "--out",
            &proof,
        ];
        server.gatelog(&prove).succeeds();
        let administrator = administrator_of(server).await;
        let told = async || logins_of(&administrator, &alice.username).await == 1;
        until("the login is told", told).await;

        server.stop().await;
        let days = 40 * 24 * 60 * 60;
        server.sets("GATELOG_CLOCK_SHIFT", &days.to_string());
        server.begin().await;
        server.says("removed what was kept long enough").await;
        let shown = server.gatelog(&["execution", "show", &execution]);
        assert_ne!(shown.code, Some(0), "{shown:?}");
        let administrator = administrator_of(server).await;
        let told = async || logins_of(&administrator, &alice.username).await == 0;
        until("the event has run out", told).await;

        // The frames are there, and what was signed of them holds.
        auditor.verifies(&["--proof", &proof]).succeeds();
        let report = server.gatelog(&["journal", "verify", "--json"]);
        let report = report.succeeds().values().remove(0);
        assert_eq!(report["findings"], serde_json::json!([]));
        assert!(report["bodies_gone"].as_u64() > Some(0), "{report}");
        assert!(report["signed"].as_u64() > Some(0), "{report}");
        server.visitor().logs_in(&alice).await;
    });
}
