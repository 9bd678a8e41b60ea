//! The page about metrics has every metric, and no other.

use std::collections::BTreeSet;
use std::path::Path;

use gatelog::telemetry::Metrics;

#[test]
fn every_metric_has_its_row_and_nothing_else_has() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let listed: BTreeSet<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    let metrics = Metrics::default();
    let there: BTreeSet<&str> = metrics.described().iter().map(|it| it.name).collect();
    assert_eq!(listed, there);
}

#[test]
fn alerts_ask_for_what_there_is() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let metrics = Metrics::default();
    let names: Vec<&str> = metrics.described().iter().map(|it| it.name).collect();
    let asked = page
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr:"));
    let mut count = 0;
    for expression in asked {
        for word in expression.split(|it: char| !it.is_ascii_alphanumeric() && it != '_') {
            if word.starts_with("gatelog_") || word.starts_with("authentik_") {
                let name = word.strip_suffix("_bucket").unwrap_or(word);
                assert!(names.contains(&name), "there is no {name}");
                count += 1;
            }
        }
    }
    assert!(count > 5, "no alert asks for anything");
}
