//! The journal as it is told to others: nothing left out, in order.

use std::time::Duration;

use serde_json::Value;

use crate::support::{
    Options, Person, Receiver, TestServer, Visitor, with_receiver, with_server, with_server_of,
};

const FEED: &str = "/api/v3/gatelog/feed/";

const SECRET: &str = "whsec_TWlnaHR5LXNlY3JldC1vZi10aGUtZmVlZA==";

async fn administrator(server: &TestServer) -> Visitor {
    let mut visitor = server.visitor();
    visitor.logs_in(&server.administrator.clone()).await;
    visitor
}

/// All items after a position, and where to go on.
async fn portion(visitor: &Visitor, after: u64, limit: usize) -> (Vec<Value>, u64) {
    let answer = visitor
        .gets(&format!("{FEED}?after={after}&limit={limit}"))
        .await;
    let next = answer.has_status(200).header("x-gatelog-after");
    let next = next.parse().expect("a position");
    let lines = answer.text.lines();
    let items = lines.map(|line| serde_json::from_str(line).expect("JSON"));
    (items.collect(), next)
}

fn positions(items: &[Value]) -> Vec<u64> {
    items
        .iter()
        .filter_map(|it| it["position"].as_u64())
        .collect()
}

/// Whether it is the item of somebody's login.
fn is_login(item: &Value) -> bool {
    let mut events = item["events"].as_array().into_iter().flatten();
    events.any(|event| event["event"] == "session_started")
}

fn webhook(receiver: &Receiver) -> Options {
    Options::default()
        .with("GATELOG_FEED__FROM", "beginning")
        .with("GATELOG_FEED__WEBHOOK__URL", receiver.url())
        .with("GATELOG_FEED__WEBHOOK__SECRET", SECRET)
        .with("GATELOG_FEED__WEBHOOK__HEADERS", "X-Extra: yes")
}

#[test]
fn the_feed_is_read_in_portions_that_fit_together() {
    with_server(async |server| {
        for _ in 0..3 {
            server.visitor().logs_in(&server.person()).await;
        }
        let mut nobody = server.visitor();
        nobody.gets(FEED).await.has_status(403);
        nobody.logs_in(&server.person()).await;
        nobody.gets(FEED).await.has_status(403);
        let visitor = administrator(server).await;
        let (whole, end) = portion(&visitor, 0, 1000).await;
        let (mut together, mut after) = (Vec::new(), 0);
        while after < end {
            let (items, next) = portion(&visitor, after, 3).await;
            assert!(items.len() <= 3 && next > after);
            together.extend(items);
            after = next;
        }
        assert!(together.len() >= whole.len());
        assert_eq!(together[..whole.len()], whole[..]);
        let all = positions(&whole);
        assert!(all.is_sorted_by(|one, other| one < other), "{all:?}");
        assert_eq!(whole.iter().filter(|it| is_login(it)).count(), 5);
        assert!(whole.iter().any(|it| it["kind"] == "change"));
        let printed = server.gatelog(&["events"]).succeeds().values();
        assert_eq!(printed[..whole.len()], whole[..]);
        let (after, count) = (all[2].to_string(), whole.len() - 3);
        let printed = server.gatelog(&["events", "--after", &after, "--format", "json"]);
        assert!(printed.succeeds().values().len() >= count);
        visitor
            .gets(&format!("{FEED}?format=xml"))
            .await
            .has_status(400);
        let ocsf = visitor
            .gets(&format!("{FEED}?format=ocsf&limit=1000"))
            .await;
        let lines = ocsf.has_status(200).text.lines();
        let classes: Vec<Value> = lines
            .map(|it| serde_json::from_str(it).expect("JSON"))
            .collect();
        let logons = classes.iter().filter(|it| it["type_uid"] == 300_201);
        assert_eq!(logons.count(), 5);
    });
}

#[test]
fn a_stream_goes_on_where_it_broke_off() {
    with_server(async |server| {
        let visitor = administrator(server).await;
        let mut stream = visitor.listens(FEED).await;
        let mut seen = Vec::new();
        let last = loop {
            let (id, item) = stream.next_with_id().await.expect("an item");
            seen.push(id.clone());
            if is_login(&item) {
                break id;
            }
        };
        drop(stream);
        server.visitor().logs_in(&server.person()).await;
        let mut stream = visitor.listens_after(FEED, &last).await;
        let mut again = Vec::new();
        loop {
            let (id, item) = stream.next_with_id().await.expect("an item");
            again.push(id);
            if is_login(&item) {
                break;
            }
        }
        let number = |id: &String| id.parse::<u64>().expect("a position");
        let all: Vec<u64> = seen.iter().chain(&again).map(number).collect();
        assert!(all.is_sorted_by(|one, other| one < other), "{all:?}");
        let (whole, _) = portion(&visitor, 0, 1000).await;
        assert_eq!(
            positions(&whole)[..all.len()],
            all[..],
            "nothing is missing"
        );
        drop(stream);
    });
}

#[test]
fn a_webhook_gets_everything_in_order_whatever_is_killed_or_fails() {
    with_receiver(SECRET, webhook, async |server, receiver| {
        let people: Vec<Person> = (0..3).map(|_| server.person()).collect();
        server.visitor().logs_in(&people[0]).await;
        receiver.wait_for("a login", is_login).await;
        receiver.answers_with(503);
        server.visitor().logs_in(&people[1]).await;
        while receiver.refused() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server.kill().await;
        server.visitor().logs_in(&people[2]).await;
        server.kill().await;
        receiver.answers_with(200);
        let visitor = administrator(server).await;
        let (whole, _) = portion(&visitor, 0, 1000).await;
        let expected = positions(&whole);
        let end = *expected.last().expect("an item");
        receiver
            .wait_for("the last one", |it| it["position"].as_u64() >= Some(end))
            .await;
        let taken = receiver.taken();
        let mut first_seen: Vec<u64> = Vec::new();
        for message in &taken {
            let position = message.body["position"].as_u64().expect("a position");
            assert_eq!(message.id, position.to_string());
            if !first_seen.contains(&position) {
                first_seen.push(position);
            }
        }
        let told = first_seen.iter().filter(|it| **it <= end).copied();
        assert_eq!(told.collect::<Vec<_>>(), expected);
    });
}

#[test]
fn lines_on_standard_output_are_whole_and_the_log_is_elsewhere() {
    let options = Options::default()
        .with("GATELOG_FEED__STDOUT", "syslog")
        .with("GATELOG_LOG__FORMAT", "json");
    with_server_of(options, async |server| {
        let person = server.person();
        server.visitor().logs_in(&person).await;
        for _ in 0..500 {
            if server
                .output()
                .contains("- session_started [gatelog@32473 ")
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let output = server.output();
        let lines: Vec<&str> = output.lines().filter(|it| it.starts_with("<8")).collect();
        let login = lines.iter().find(|it| it.contains(" session_started "));
        let login = login.unwrap_or_else(|| panic!("{output}"));
        assert!(login.starts_with("<85>1 2"), "{login}");
        server.restart().await;
        server.visitor().logs_in(&person).await;
    });
}
