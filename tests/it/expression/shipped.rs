//! The expressions of the flow files that authentik ships, which are not part of this project:
//! `GATELOG_FLOW_FILES` names the directory where they are.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use gatelog::expression::{Plan, Unfinished};

use super::*;

/// The texts under `expression: |`, with the indentation taken off.
fn expressions(file: &str) -> Vec<String> {
    let lines: Vec<_> = file.lines().collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| {
        let line = line.trim_start().trim_start_matches("- ");
        line.strip_prefix("expression:")
            .is_some_and(|rest| rest.trim_start().starts_with('|'))
    });
    let texts = starts.map(|(at, _)| {
        let first = lines[at + 1];
        let indent = first.len() - first.trim_start().len();
        let own = lines[at + 1..].iter().take_while(|line| {
            line.trim().is_empty() || line.len() - line.trim_start().len() >= indent
        });
        own.map(|line| line.get(indent..).unwrap_or(""))
            .collect::<Vec<_>>()
            .join("\n")
    });
    texts.collect()
}

/// Prompt fields whose initial value is computed.
fn initial_values(file: &str) -> Vec<String> {
    if !file.contains("initial_value_expression: true") {
        return Vec::new();
    }
    let file = file.replace("initial_value: |", "expression: |");
    expressions(&file)
        .into_iter()
        .filter(|text| text.contains("request.user."))
        .collect()
}

fn files(under: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(under).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[tokio::test]
async fn every_shipped_expression_runs() {
    let mut found = Vec::new();
    let Some(reference) = std::env::var_os("GATELOG_FLOW_FILES") else {
        let message = "skipped: GATELOG_FLOW_FILES names no directory of flow files";
        let _ = writeln!(std::io::stderr(), "{message}");
        return;
    };
    files(Path::new(&reference), &mut found);
    let workers = workers();
    let mut run = 0;
    for path in &found {
        let file = std::fs::read_to_string(path).expect("a text");
        for source in expressions(&file).into_iter().chain(initial_values(&file)) {
            for plan in [false, true] {
                let pending = ("pending_user".to_owned(), user());
                let prompted = (
                    "prompt_data".to_owned(),
                    Value::dict([("email", "a@b".into())]),
                );
                let known = vec![pending, prompted];
                let mut evaluation = evaluation(&source);
                if plan {
                    evaluation.context = Vec::new();
                    evaluation.plan = Some(Plan {
                        object: Object::new("FlowPlan", "1"),
                        context: known,
                    });
                } else {
                    evaluation.context = known;
                    if source.contains("context[\"flow_plan\"]") {
                        continue;
                    }
                }
                let outcome = workers.evaluate(evaluation, &FakeHost::default()).await;
                outcome.unwrap_or_else(|Unfinished { error, .. }| {
                    let trace = error.traceback("shipped").unwrap_or_default();
                    panic!("{}\n{source}\n{error}\n{trace}", path.display())
                });
                run += 1;
            }
        }
    }
    assert!(run > 20, "only {run} expressions found");
}
