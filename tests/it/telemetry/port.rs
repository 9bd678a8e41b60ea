//! Metrics are on a port of their own, and nowhere else.

use std::net::TcpListener;

use super::scrape::with_metrics;
use crate::support::{Options, with_server_of};

#[test]
fn metrics_are_on_their_own_port_alone() {
    with_metrics(async |server, port| {
        server.visitor().gets("/metrics").await.has_status(404);
        server.visitor().gets("/-/metrics/").await.has_status(404);
        let at = |path: &str| format!("http://{}{path}", port.address());
        let http = server.line();
        let read = http.get(at("/metrics")).send().await.expect("an answer");
        assert_eq!(read.status(), 200);
        let kind = read.headers()["content-type"].to_str().expect("text");
        assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
        for path in ["/", "/api/v3/root/config/", "/-/health/live/", "/if/user/"] {
            let other = http.get(at(path)).send().await.expect("an answer");
            assert_eq!(other.status(), 404, "{path}");
        }
        let posted = http.post(at("/metrics")).send().await.expect("an answer");
        assert!(!posted.status().is_success(), "{posted:?}");
    });
}

#[test]
fn metrics_can_be_off() {
    with_server_of(Options::default(), async |server| {
        // The tests switch them off unless they say otherwise.
        let shown = server.gatelog(&["config", "show"]);
        let shown = shown.succeeds();
        let line = shown
            .stdout
            .lines()
            .find(|it| it.contains("metrics.listen"));
        assert!(line.is_some_and(|it| it.contains("off")), "{shown:?}");
    });
}

#[test]
fn a_port_that_was_asked_for_and_is_taken_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let data = tempfile::tempdir().expect("a directory");
    let environment = [
        (
            "GATELOG_DATA",
            data.path().join("data").display().to_string(),
        ),
        ("GATELOG_LISTEN", "127.0.0.1:0".to_owned()),
        ("GATELOG_METRICS__LISTEN", address),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value));
    let ran = crate::support::command::run(&["serve"], &environment, "");
    ran.fails_with(1).says("for metrics");
}
