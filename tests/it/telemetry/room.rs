//! Little room on the disk shows before and when somebody is turned away.

use super::scrape::with_metrics;
use crate::support::LOGIN;

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
