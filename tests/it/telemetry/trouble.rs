//! What goes wrong shows: little room on the disk, and a follower that cannot go on.

use std::time::Duration;

use super::scrape::{Port, with_metrics, with_metrics_of};
use crate::support::{LOGIN, Options, Receiver, TestServer, free_port};

const SECRET: &str = "whsec_TWlnaHR5LXNlY3JldC1vZi10aGUtZmVlZA==";

#[test]
fn who_is_turned_away_for_want_of_room_is_counted_and_how_much_is_left_is_shown() {
    with_metrics(async |server, port| {
        let before = port.read(server).await;
        let free = before.of_name("gatelog_disk_free_bytes");
        let reserve = before.of_name("gatelog_disk_reserve_bytes");
        assert!(free > reserve && reserve > 0.0, "{}", before.text);
        assert!(!before.has("gatelog_refused_total{why=\"room\"}"));
        // More than any disk has: as if nearly all of it were full.
        server.sets("GATELOG_JOURNAL__RESERVE", "1000000000000000");
        server.restart().await;
        for _ in 0..2 {
            server.visitor().opens(LOGIN).await.has_status(503);
        }
        let after = port.read(server).await;
        let free = after.of_name("gatelog_disk_free_bytes");
        assert!(
            free < after.of_name("gatelog_disk_reserve_bytes"),
            "{}",
            after.text
        );
        let refused = after.of_name("gatelog_refused_total{why=\"room\"}");
        assert!(refused >= 2.0, "{}", after.text);
        // It has begun to follow, and has noted nothing.
        assert!(after.has("gatelog_projection_lag_records{reader=\"audit\"}"));
        assert!(after.has("gatelog_follower_failing{reader=\"audit\"}"));
        assert!(!after.has("gatelog_projection_lag_records{reader=\"feed.webhook\"}"));
    });
}

/// Waits until the webhook fails, or goes on again.
async fn fails(server: &TestServer, port: &Port, expected: f64) {
    let mut text = String::new();
    for _ in 0..1_000 {
        let scrape = port.read(server).await;
        let failing = scrape.of_name("gatelog_follower_failing{reader=\"feed.webhook\"}");
        if (failing - expected).abs() < 0.5 {
            return;
        }
        text = scrape.text;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never is {expected}: {text}");
}

#[test]
fn a_webhook_that_nobody_takes_fails_until_somebody_does() {
    let receiver = format!("127.0.0.1:{}", free_port());
    let options = Options::default()
        .with(
            "GATELOG_FEED__WEBHOOK__URL",
            &format!("http://{receiver}/in"),
        )
        .with("GATELOG_FEED__WEBHOOK__SECRET", SECRET);
    with_metrics_of(options, async |server, port| {
        server.visitor().opens(LOGIN).await;
        fails(server, port, 1.0).await;
        let before = port.read(server).await;
        assert!(before.has("gatelog_projection_lag_records{reader=\"feed.webhook\"}"));
        let listening = Receiver::start_at(&receiver, SECRET).await;
        fails(server, port, 0.0).await;
        drop(listening);
    });
}
