//! What is counted is shown, once and under the names that are told of.

use std::time::Duration;

use super::*;

#[test]
fn what_was_counted_is_read_in_the_text() {
    let metrics = Metrics::default();
    metrics.executions().begun.inc();
    metrics.executions().ended(End::Completed);
    let part = Measured::Plan { flow: "login" };
    metrics.executions().took(part, Duration::from_millis(2));
    metrics.web().refused(Refused::Head);
    let text = metrics.text().expect("a text");
    for line in [
        "gatelog_executions_begun_total 1",
        "gatelog_executions_ended_total{outcome=\"completed\"} 1",
        "authentik_flows_plan_time_count{flow_slug=\"login\"} 1",
        "gatelog_refused_total{why=\"head\"} 1",
        "# EOF",
    ] {
        assert!(text.lines().any(|it| it == line), "no {line:?} in {text}");
    }
}

#[test]
fn every_name_is_there_once_and_says_what_it_counts() {
    let metrics = Metrics::default();
    let mut names: Vec<_> = metrics.described().iter().map(|it| it.name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all, "{names:?}");
    for it in metrics.described() {
        let counts = it.sort == Sort::Counter;
        assert_eq!(it.name.ends_with("_total"), counts, "{}", it.name);
        assert!(it.help.ends_with('.'), "{}: {}", it.name, it.help);
    }
}

#[test]
fn clones_count_together_and_so_does_the_journal() {
    let meter = Meter::default();
    let metrics = Metrics::new(&meter);
    let other = metrics.clone();
    other.web().connections.inc();
    meter.records.inc_by(3);
    let text = metrics.text().expect("a text");
    assert!(text.contains("gatelog_http_connections 1\n"), "{text}");
    assert!(text.contains("gatelog_journal_records_total 3\n"), "{text}");
}
