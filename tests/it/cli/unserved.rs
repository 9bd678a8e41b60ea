//! What a command leaves alone where no server runs.

use std::time::Duration;

use serde_json::Value;

use crate::support::{LOGIN, TestServer, with_server};

/// How many records there are.
fn records(server: &TestServer) -> Value {
    let ran = server.gatelog(&["journal", "verify", "--json"]);
    ran.succeeds().values()[0]["records"].clone()
}

#[test]
fn who_only_reads_ends_and_removes_nothing() {
    with_server(async |server| {
        let alice = server.person();
        server.visitor().logs_in(&alice).await;
        server.visitor().opens(LOGIN).await;
        server.stop().await;
        // A server would end the one and remove the other.
        server.sets("GATELOG_EXECUTION__LIFETIME", "1s");
        server.sets("GATELOG_JOURNAL__RETENTION__EXECUTION", "1s");
        server.sets("GATELOG_JOURNAL__RETENTION__SESSION", "1s");
        tokio::time::sleep(Duration::from_secs(2)).await;
        let before = records(server);
        for _ in 0..3 {
            let list = server.gatelog(&["execution", "list", "--json"]);
            let list = list.succeeds().values();
            assert_eq!(list[0]["state"], "running", "{list:?}");
            assert_eq!(list[1]["state"], "completed", "{list:?}");
            let code = list[0]["code"].as_str().expect("a code");
            server.gatelog(&["execution", "why", code]).succeeds();
            let all = server.gatelog(&["replay", "verify", "--all", "--json"]);
            let count = all.succeeds().values().remove(0);
            assert_eq!(
                (&count["same"], &count["unreadable"]),
                (&2.into(), &0.into())
            );
        }
        assert_eq!(records(server), before);
        for name in [
            "EXECUTION__LIFETIME",
            "JOURNAL__RETENTION__EXECUTION",
            "JOURNAL__RETENTION__SESSION",
        ] {
            server.unsets(&format!("GATELOG_{name}"));
        }
    });
}
