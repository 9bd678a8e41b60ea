//! Expressions in blueprints, and those of the default flows.

use std::fmt::Write as _;

use super::*;
use crate::catalog::{bindings_of, conditions_with, flow_by_slug};

fn expression(source: &str) -> String {
    let mut entry = "- model: authentik_policies_expression.expressionpolicy
  identifiers: {name: e}
  attrs:
    expression: |
"
    .to_owned();
    for line in source.lines() {
        writeln!(entry, "      {line}").expect("a string takes any text");
    }
    entry
}

#[tokio::test]
async fn the_expressions_of_what_comes_with_the_server_are_understood() {
    let bench = Bench::new();
    let documents = defaults()
        .iter()
        .map(|(name, source)| Document::read(source, name).expect("a default has no problems"));
    let mut documents: Vec<Document> = documents.collect();
    let ready = Ready::ALL.iter();
    let ready = ready.map(|it| Document::read(it.source(), it.as_str()).expect("no problems"));
    documents.extend(ready);
    let options = bench.options();
    assert!(matches!(options.syntax, Syntax::Here), "they are checked");
    let applied = apply(&bench.journal, &bench.clock, &documents, &options).await;
    applied.expect("the defaults fit");
}

#[tokio::test]
async fn the_default_flow_asks_whether_a_password_is_needed_still() {
    let bench = Bench::new();
    let applied = apply_defaults(&bench.journal, &bench.clock, &bench.options()).await;
    applied.expect("the defaults fit");
    let policy = bench.policy("default-authentication-flow-password-stage");
    let policy = policy.await.expect("there");
    let bound = conditions_with(&bench.journal, policy.pk).await;
    let bound = bound.expect("readable");
    let flow = flow_by_slug(&bench.journal, "default-authentication-flow").await;
    let flow = flow.expect("readable").expect("there").value;
    let places = bindings_of(&bench.journal, flow.pk).await;
    let places = places.expect("readable");
    let password = places.iter().find(|it| it.value.order == 20);
    let password = &password.expect("there").value;
    assert_eq!(bound.len(), 1);
    assert_eq!(bound[0].value.target, password.pbm);
    assert!(bound[0].value.failure_result, "in doubt it is asked for");
    assert!(password.re_evaluate_policies);
}

#[tokio::test]
async fn an_expression_that_is_not_understood_is_refused_with_its_place() {
    let bench = Bench::new();
    let source = format!("entries:\n{}", expression("if True\n    return 1"));
    let problems = bench.problems(&source).await;
    assert_eq!(problems.len(), 1, "{problems:?}");
    let (place, text) = problems[0]
        .split_once(": expression: Expression Syntax Error: ")
        .unwrap_or_else(|| panic!("{problems:?}"));
    assert_eq!(
        place,
        "test.yaml:6:7: entry 1 (authentik_policies_expression.expressionpolicy)"
    );
    assert!(text.ends_with("(line 1, column 8)"), "{text}");
    assert_eq!(bench.policy("e").await, None, "nothing is written");
    let blank = "entries: [{model: authentik_policies_expression.expressionpolicy, \
                 identifiers: {name: e}, attrs: {expression: ' '}}]";
    let problems = bench.problems(blank).await;
    assert!(
        problems[0].ends_with("expression: This field may not be blank."),
        "{problems:?}"
    );
}

#[tokio::test]
async fn an_expression_is_checked_when_it_changes() {
    let bench = Bench::new();
    let good = format!("entries:\n{}", expression("return True"));
    let unchecked = Options {
        syntax: Syntax::Unknown,
        ..bench.options()
    };
    let refused = bench.apply_with(&good, &unchecked).await;
    let refused = refused.expect_err("nobody can say").to_string();
    assert!(
        refused.ends_with("an expression cannot be checked here"),
        "{refused}"
    );
    bench.apply(&good).await.expect("it can be applied");
    // What is there already was checked when it came.
    let again = bench.apply_with(&good, &unchecked).await;
    assert_eq!(outcomes(&again.expect("applied")), [Outcome::Unchanged]);
    let other = format!("entries:\n{}", expression("return ("));
    bench.problems(&other).await;
    let kept = bench.policy("e").await.expect("there").settings;
    assert_eq!(kept["expression"], "return True\n");
}
