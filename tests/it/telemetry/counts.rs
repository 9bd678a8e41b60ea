//! Counters rise by what was done, and by nothing else.

use serde_json::json;

use super::scrape::{Scrape, with_metrics};
use crate::support::{Flow, LOGIN, TestServer};

/// By how much each of these rose.
#[track_caller]
fn rose(before: &Scrape, after: &Scrape, expected: &[(&str, f64)]) {
    for (name, by) in expected {
        let rise = after.of_name(name) - before.of_name(name);
        assert!(
            (rise - by).abs() < 0.5,
            "{name} rose by {rise}, not {by}: {}",
            after.text
        );
    }
}

/// One login, and one wrong password in another browser.
async fn one_good_and_one_bad(server: &TestServer) {
    let ann = server.person();
    server.visitor().logs_in(&ann).await;
    let mut other = server.visitor();
    other.opens(LOGIN).await;
    other.answers(json!({ "uid_field": ann.username })).await;
    let wrong = other
        .answers(json!({ "password": "not-the-password" }))
        .await;
    wrong.with_error("password", "invalid");
}

#[test]
fn counters_rise_by_what_was_done() {
    with_metrics(async |server, port| {
        let before = port.read(server).await;
        one_good_and_one_bad(server).await;
        let after = port.read(server).await;
        let flow = format!("authentik_flows_plan_time_count{{flow_slug=\"{LOGIN}\"}}");
        rose(
            &before,
            &after,
            &[
                ("gatelog_executions_begun_total", 2.0),
                ("gatelog_executions_ended_total{outcome=\"completed\"}", 1.0),
                ("gatelog_executions_ended_total{outcome=\"denied\"}", 0.0),
                ("gatelog_answers_total{outcome=\"taken\"}", 3.0),
                ("gatelog_answers_total{outcome=\"rejected\"}", 1.0),
                ("gatelog_passwords_total{outcome=\"right\"}", 1.0),
                ("gatelog_passwords_total{outcome=\"wrong\"}", 1.0),
                (&flow, 2.0),
                (
                    "authentik_flows_execution_stage_time_count\
                     {stage_type=\"password\",method=\"POST\"}",
                    2.0,
                ),
                (
                    "gatelog_http_requests_total{area=\"executor\",method=\"GET\",status=\"200\"}",
                    2.0,
                ),
                (
                    "gatelog_http_requests_total{area=\"executor\",method=\"POST\",status=\"200\"}",
                    4.0,
                ),
                ("gatelog_http_request_seconds_count{area=\"executor\"}", 6.0),
                ("gatelog_admission_refused_total", 0.0),
                ("gatelog_conflicts_total{what=\"execution\"}", 0.0),
            ],
        );
        let grew = |name: &str| after.of_name(name) > before.of_name(name);
        for name in [
            "gatelog_journal_records_total",
            "gatelog_journal_commits_total",
            "gatelog_journal_commit_seconds_count",
            "gatelog_journal_batch_commits_count",
            "gatelog_journal_sync_seconds_count",
            "gatelog_journal_position",
            "gatelog_executions_awake",
        ] {
            assert!(grew(name), "{name} did not grow: {}", after.text);
        }
        for (name, value) in [
            ("gatelog_ready", 1.0),
            ("gatelog_journal_failed", 0.0),
            ("gatelog_mailbox_waiting", 0.0),
            ("gatelog_admission_running", 0.0),
            ("gatelog_admission_waiting", 0.0),
            ("gatelog_http_in_flight", 0.0),
        ] {
            assert!(after.has(name), "no {name} in {}", after.text);
            assert!((after.of_name(name) - value).abs() < 0.5, "{name}");
        }
    });
}

#[test]
fn an_execution_that_comes_back_from_the_journal_is_counted_as_one() {
    with_metrics(async |server, port| {
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        server.restart().await;
        let before = port.read(server).await;
        assert!(before.of_name("gatelog_executions_awake") < 0.5);
        assert!(before.of_name("gatelog_start_milliseconds") >= 0.0);
        visitor.looks().await.sees("ak-stage-identification");
        visitor.looks().await.sees("ak-stage-identification");
        let after = port.read(server).await;
        rose(
            &before,
            &after,
            &[
                ("gatelog_recovery_seconds_count", 1.0),
                ("gatelog_executions_awake", 1.0),
                ("gatelog_executions_begun_total", 0.0),
            ],
        );
    });
}

#[test]
fn policies_are_measured_and_those_that_fail_are_counted() {
    with_metrics(async |server, port| {
        let flow = Flow::new("asked").expression("asked-raises", "raise ValueError('no')");
        let flow = flow.dummy("asked-dummy");
        server.has_flow(&flow.asks("asked-dummy", "asked-raises", json!({})));
        let before = port.read(server).await;
        server.visitor().opens("asked").await;
        let after = port.read(server).await;
        rose(
            &before,
            &after,
            &[(
                "gatelog_policies_failed_total{policy_type=\"expression\"}",
                1.0,
            )],
        );
        for name in [
            "authentik_policies_execution_time_count{policy_type=\"expression\"}",
            "authentik_policies_engine_time_total_seconds_count",
        ] {
            assert!(after.of_name(name) > before.of_name(name), "{}", after.text);
        }
    });
}

#[test]
fn metrics_tell_of_nobody() {
    with_metrics(async |server, port| {
        one_good_and_one_bad(server).await;
        let mut visitor = server.visitor();
        visitor.opens("there-is-no-such-flow").await.has_status(404);
        visitor.gets("/made/up/by/somebody").await.has_status(404);
        let read = port.read(server).await;
        server.canaries().search_output(read.text.as_bytes());
        for made_up in ["no-such-flow", "made"] {
            assert!(!read.text.contains(made_up), "{}", read.text);
        }
    });
}
