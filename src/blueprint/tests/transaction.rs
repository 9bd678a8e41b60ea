//! A blueprint is applied whole or not at all.

use serde_json::json;

use super::*;
use crate::catalog::{flow_by_slug, stage_by_name};

const GOOD: &str = "
- {model: authentik_stages_deny.denystage, id: first, identifiers: {name: first}}
";

#[tokio::test]
async fn one_bad_entry_keeps_everything_from_being_written() {
    let bench = Bench::new();
    let source =
        format!("entries:{GOOD}- {{model: authentik_flows.flow, identifiers: {{slug: f}}}}");
    let problems = bench.problems(&source).await;
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert_eq!(bench.records(), 0);
}

#[tokio::test]
async fn a_dry_run_tells_everything_and_writes_nothing() {
    let bench = Bench::new();
    let options = Options {
        dry_run: true,
        ..bench.options()
    };
    let report = bench.apply_with(&format!("entries:{GOOD}"), &options).await;
    assert_eq!(
        outcomes(&report.expect("it can be applied")),
        [Outcome::Created]
    );
    assert_eq!(bench.records(), 0);
}

#[tokio::test]
async fn an_entry_whose_condition_fails_is_as_if_it_were_not_there() {
    let bench = Bench::new();
    let source = "
context: {wanted: false}
entries:
- model: authentik_stages_deny.denystage
  id: maybe
  conditions: [yes, !Context wanted]
  identifiers: {name: maybe}
";
    let report = bench.apply(source).await.expect("it can be applied");
    assert_eq!(outcomes(&report), [Outcome::Skipped]);
    let binding = format!(
        "{source}- model: authentik_flows.flowstagebinding\n  identifiers: {{stage: !KeyOf maybe}}\n"
    );
    let problems = bench.problems(&binding).await;
    assert!(problems[0].contains("!KeyOf maybe"), "{problems:?}");
    let options = Options {
        context: [("wanted".to_owned(), json!(true))].into_iter().collect(),
        ..bench.options()
    };
    let report = bench
        .apply_with(source, &options)
        .await
        .expect("it can be applied");
    assert_eq!(outcomes(&report), [Outcome::Created]);
}

#[tokio::test]
async fn what_builds_on_an_unsupported_entry_is_left_out_with_it() {
    let bench = Bench::new();
    let source = "
entries:
- {model: authentik_flows.flow, id: f, identifiers: {slug: f}, attrs: {name: n, title: t, designation: recovery}}
- {model: authentik_stages_mtls.mutualtlsstage, id: mail, identifiers: {name: mail, pk: 44444444-4444-4444-4444-444444444444}}
- {model: authentik_stages_deny.denystage, id: deny, identifiers: {name: deny}}
- {model: authentik_flows.flowstagebinding, id: b, identifiers: {target: !KeyOf f, stage: !KeyOf mail, order: 0}}
- {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf f, stage: 44444444-4444-4444-4444-444444444444, order: 1}}
- {model: authentik_policies.policybinding, identifiers: {target: !KeyOf b, order: 0}}
- {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf f, stage: !KeyOf deny, order: 2}}
";
    let problems = bench.problems(source).await;
    assert_eq!(
        problems,
        [
            "test.yaml:4:11: entry 2 (mail, authentik_stages_mtls.mutualtlsstage): Model \
          authentik_stages_mtls.mutualtlsstage is not supported by this version"
        ]
    );
    let options = Options {
        skip_unsupported: true,
        ..bench.options()
    };
    let report = bench
        .apply_with(source, &options)
        .await
        .expect("the rest can be applied");
    let (made, left_out) = (Outcome::Created, Outcome::Unsupported);
    assert_eq!(
        outcomes(&report),
        [
            made, left_out, made, left_out, left_out, left_out, made, made, made
        ],
        "with the two that keep the flow closed"
    );
    let left_out = report.entries.iter().filter(|it| it.outcome == left_out);
    let told: Vec<_> = left_out
        .map(|it| (it.name.as_deref(), it.why.as_deref()))
        .collect();
    let model = "Model authentik_stages_mtls.mutualtlsstage is not supported by this version";
    let pk = "44444444-4444-4444-4444-444444444444";
    assert_eq!(
        told,
        [
            (Some("mail"), Some(model)),
            (
                Some("target f, stage mail, order 0"),
                Some("it builds on mail, which is left out")
            ),
            (
                Some(format!("target f, stage {pk}, order 1").as_str()),
                Some(format!("it builds on {pk}, which is left out").as_str())
            ),
            (
                Some("target b, order 0"),
                Some("it builds on b, which is left out")
            ),
        ]
    );
    assert!(report.notes.is_empty(), "{:?}", report.notes);
}

#[tokio::test]
async fn another_blueprint_is_applied_first_and_once() {
    let bench = Bench::new();
    let known = [
        (
            "A",
            "metadata: {name: A}\nentries:\n- {model: authentik_blueprints.metaapplyblueprint, attrs: {identifiers: {name: B}}}\n- {model: authentik_stages_deny.denystage, identifiers: {name: of-a}}",
        ),
        (
            "B",
            "metadata: {name: B}\nentries:\n- {model: authentik_blueprints.metaapplyblueprint, attrs: {identifiers: {name: A}}}\n- {model: authentik_stages_deny.denystage, identifiers: {name: of-b}}",
        ),
    ];
    let options = Options {
        known: &known,
        ..bench.options()
    };
    let ask = |name: &str, required: bool| {
        format!(
            "entries:\n- {{model: authentik_blueprints.metaapplyblueprint, \
             attrs: {{identifiers: {{name: {name}}}, required: {required}}}}}{GOOD}"
        )
    };
    let report = bench
        .apply_with(&ask("A", true), &options)
        .await
        .expect("A is known");
    let names: Vec<_> = report
        .entries
        .iter()
        .filter_map(|it| it.name.as_deref())
        .collect();
    assert_eq!(names, ["of-b", "of-a", "first"]);
    let stage = stage_by_name(&bench.journal, "of-b")
        .await
        .expect("readable");
    assert!(stage.is_some());
    let report = bench
        .apply_with(&ask("C", false), &options)
        .await
        .expect("C may be missing");
    assert_eq!(outcomes(&report), [Outcome::Missing, Outcome::Unchanged]);
    let problems = bench.problems(&ask("C", true)).await;
    assert!(
        problems[0].contains("Required blueprint does not exist"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn several_files_are_one_transaction_and_may_ask_for_each_other() {
    let bench = Bench::new();
    let read = |source: &str, file: &str| Document::read(source, file).expect("a blueprint");
    let first = read(
        "entries:\n- {model: authentik_blueprints.metaapplyblueprint, attrs: {identifiers: {name: Second}}}\n\
         - model: authentik_flows.flow\n  identifiers: {slug: x}\n  attrs: {name: !If [!Find [authentik_flows.flow, [slug, second]], after, before], title: t, designation: recovery}",
        "first.yaml",
    );
    let second = read(
        "metadata: {name: Second}\nentries: [{model: authentik_flows.flow, identifiers: {slug: second}, attrs: {name: n, title: t, designation: recovery}}]",
        "second.yaml",
    );
    let both = [first, second];
    let report = apply(&bench.journal, &bench.clock, &both, &bench.options()).await;
    assert_eq!(report.expect("applied").count(Outcome::Created), 2);
    let flow = flow_by_slug(&bench.journal, "x")
        .await
        .expect("readable")
        .expect("there");
    assert_eq!(flow.value.name, "after");
}

#[test]
fn an_import_can_be_awaited_from_any_thread() {
    fn is_send<T: Send>(_: T) {}
    let bench = Bench::new();
    let options = bench.options();
    is_send(apply(&bench.journal, &bench.clock, &[], &options));
}
