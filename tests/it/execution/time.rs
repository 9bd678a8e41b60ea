//! What runs out runs out while the server is down, too; and a clock that is set back revives
//! nothing.

use serde_json::json;

use crate::support::{Flow, LOGIN, TestServer, with_server};

/// A variable of test binaries only: how many seconds the server's clock is ahead.
const SHIFT: &str = "GATELOG_CLOCK_SHIFT";

const DAY: u32 = 86_400;

/// Kills the server and starts it some time later.
async fn later(server: &mut TestServer, seconds: u32) {
    server.sets(SHIFT, &seconds.to_string());
    server.kill().await;
}

/// How many events of this name there are.
fn count(server: &TestServer, name: &str) -> usize {
    let histories = server.histories();
    let events = histories.iter().flatten();
    events.filter(|event| event["event"] == name).count()
}

#[test]
fn an_execution_that_nobody_comes_back_to_expires_once() {
    with_server(async |server| {
        server.has_flow(&Flow::new("two").dummy("first").dummy("second"));
        let mut visitor = server.visitor();
        visitor.opens("two").await;
        visitor.answers(json!({})).await.with("name", "second");
        later(server, DAY - 60).await;
        visitor.looks().await.with("name", "second");
        later(server, DAY + 60).await;
        for _ in 0..100 {
            if count(server, "expired") > 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert_eq!(count(server, "expired"), 1);
        later(server, 0).await;
        visitor.looks().await.with("name", "first");
        assert_eq!(count(server, "expired"), 1);
    });
}

#[test]
fn a_login_that_is_not_used_for_a_day_ends() {
    with_server(async |server| {
        let mut visitor = server.visitor();
        visitor.logs_in(&server.person()).await;
        let me = "/api/v3/core/users/me/";
        later(server, DAY / 2).await;
        visitor.gets(me).await.has_status(200);
        // It was used meanwhile, so the day begins anew.
        later(server, DAY + DAY / 4).await;
        visitor.gets(me).await.has_status(200);
        later(server, 3 * DAY).await;
        visitor.gets(me).await.has_status(403);
    });
}

#[test]
fn the_cookie_from_before_a_login_is_honoured_for_ten_seconds() {
    with_server(async |server| {
        let alice = server.person();
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        let old = visitor.cookies().get("authentik_session").expect("it");
        visitor
            .answers(json!({ "uid_field": alice.username }))
            .await;
        visitor.answers(json!({ "password": alice.password })).await;
        let new = visitor.cookies().get("authentik_session").expect("it");
        later(server, 20).await;
        visitor.cookies().put("authentik_session", &old);
        visitor.gets("/api/v3/core/users/me/").await.has_status(403);
        visitor.cookies().put("authentik_session", &new);
        visitor.gets("/api/v3/core/users/me/").await.has_status(200);
    });
}
