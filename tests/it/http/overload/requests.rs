//! One address asks too often.

use super::{is_refused_as_json, is_refused_as_page};
use crate::support::{LOGIN, Options, with_server_of};

#[test]
fn whoever_asks_too_often_is_told_when_to_come_again_and_others_are_served() {
    let options = Options::default()
        .with("GATELOG_WEB__REQUESTS_PER_SECOND", "1")
        .with("GATELOG_WEB__REQUESTS_AT_ONCE", "20");
    with_server_of(options, async |server| {
        let mut flood = server.visitor();
        let mut refused = None;
        for _ in 0..200 {
            let answer = flood.gets("/api/v3/root/config/").await;
            if answer.status == 429 {
                refused = Some(answer);
                break;
            }
        }
        is_refused_as_json(&refused.expect("nothing stopped it"), 429);
        // One more may have become free meanwhile.
        for _ in 0..3 {
            flood.gets("/api/v3/root/config/").await;
        }
        let page = flood.gets(&format!("/if/flow/{LOGIN}/")).await;
        is_refused_as_page(&page, 429, "Too many attempts");
        is_refused_as_json(&flood.looks().await, 429);
        flood.gets("/-/health/live/").await.has_status(200);
        let mut other = server.visitor();
        other.opens(LOGIN).await.sees("ak-stage-identification");
    });
}
