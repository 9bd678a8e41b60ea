//! Metrics are on a port of their own, and nowhere else.

use std::net::TcpListener;
use std::time::Duration;

use gatelog::settings::MetricsListen;

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
fn the_usual_port_that_is_taken_keeps_nobody_from_logging_in() {
    let usual = MetricsListen::Usual.address().expect("an address");
    // A server of another test may be about to let go of it. Whoever keeps it, such as a server that somebody
    // runs here, has it taken as well.
    let _taken = (0..500).find_map(|_| {
        std::thread::sleep(Duration::from_millis(20));
        TcpListener::bind(usual).ok()
    });
    let options = Options::default().with("GATELOG_METRICS__LISTEN", "");
    with_server_of(options, async |server| {
        server.visitor().logs_in(&server.person()).await;
        let output = server.output();
        assert!(output.contains("nobody can read metrics here"), "{output}");
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
