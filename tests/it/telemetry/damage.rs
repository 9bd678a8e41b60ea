//! Damage in a part of the log that is closed: whoever meets it is told where to look, and it is
//! counted.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::scrape::with_metrics_of;
use crate::support::{Options, TestServer};

/// The first part of the log, once nothing is left of it but its export.
async fn exported(server: &TestServer) -> PathBuf {
    let log = server.data().join("log");
    let export = log.join("000000000001.export.gz");
    for _ in 0..1_000 {
        if export.exists() && !log.join("000000000001").exists() {
            return export;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nothing is exported");
}

#[test]
fn whoever_meets_damage_is_told_where_to_look_and_it_is_counted() {
    const COUNT: &str = "gatelog_journal_damaged_total";
    let options = Options::default()
        .with("GATELOG_JOURNAL__SEGMENT_RECORDS", "50")
        .with("GATELOG_JOURNAL__REMOVE_EXPORTED", "true");
    with_metrics_of(options, async |server, port| {
        let export = exported(server).await;
        let before = port.read(server).await;
        assert!(before.of_name(COUNT) < 0.5, "{}", before.text);
        let mut bytes = fs::read(&export).expect("reads");
        let good = bytes.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x20;
        fs::write(&export, bytes).expect("writes");
        for command in [&["events"][..], &["journal", "export", "--json"]] {
            let ran = server.gatelog(command);
            ran.fails_with(1)
                .says("broke off")
                .says("gatelog journal verify");
        }
        server.gatelog(&["journal", "verify"]).fails_with(74);
        let after = port.read(server).await;
        assert!(after.of_name(COUNT) > 2.5, "{}", after.text);
        fs::write(&export, good).expect("writes");
    });
}
