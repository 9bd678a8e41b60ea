//! A flow of which something is left out lets nobody in.

use super::*;
use crate::catalog::{FlowStageBinding, Stage, bindings_of, flow_by_slug, stage_by_name};
use crate::journal::object::Versioned;

/// A flow with a stage that is there and one that is not.
const FLOW: &str = "
entries:
- {model: authentik_flows.flow, id: f, identifiers: {slug: f}, attrs: {name: n, title: t, designation: recovery}}
- {model: authentik_stages_user_login.userloginstage, id: login, identifiers: {name: login}}
- {model: authentik_flows.flowstagebinding, id: place, identifiers: {target: !KeyOf f, stage: !KeyOf login, order: -5}}
- {model: authentik_stages_mtls.mutualtlsstage, id: mail, identifiers: {name: mail}}
";

fn with(entries: &str) -> String {
    format!("{FLOW}{entries}")
}

/// The stage that is not there, in its place.
const LEFT_OUT: &str = "- {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf f, stage: !KeyOf mail, order: 0}}\n";

impl Bench {
    async fn apply_what_is_supported(&self, source: &str) -> Result<Report, Error> {
        let options = Options {
            skip_unsupported: true,
            ..self.options()
        };
        self.apply_with(source, &options).await
    }

    async fn bindings(&self, slug: &str) -> Vec<FlowStageBinding> {
        let flow = flow_by_slug(&self.journal, slug).await.expect("readable");
        let flow = flow.expect("there").value;
        let bindings = bindings_of(&self.journal, flow.pk).await;
        let bindings = bindings.expect("readable").into_iter();
        bindings.map(|it| it.value).collect()
    }

    async fn stage(&self, name: &str) -> Option<Stage> {
        let stage = stage_by_name(&self.journal, name).await.expect("readable");
        stage.map(|Versioned { value, .. }| value)
    }

    /// Whether the flow lets nobody past its first stage.
    async fn is_closed(&self, slug: &str) -> bool {
        let Some(stage) = self.stage(&format!("{slug}-incomplete")).await else {
            return false;
        };
        assert_eq!(stage.kind, "deny");
        let bindings = self.bindings(slug).await;
        bindings.first().is_some_and(|it| it.stage == stage.pk)
    }
}

#[tokio::test]
async fn a_flow_that_misses_a_stage_is_closed_and_that_is_reported() {
    let bench = Bench::new();
    let report = bench.apply_what_is_supported(&with(LEFT_OUT)).await;
    let report = report.expect("the rest can be applied");
    assert!(bench.is_closed("f").await);
    let [.., stage, binding] = report.entries.as_slice() else {
        panic!("{report:#?}");
    };
    assert_eq!(stage.name.as_deref(), Some("f-incomplete"));
    assert_eq!(stage.model, "authentik_stages_deny.denystage");
    assert_eq!(binding.model, "authentik_flows.flowstagebinding");
    for entry in [stage, binding] {
        assert_eq!(entry.outcome, Outcome::Created);
        let why = entry.why.as_deref().expect("it says why");
        assert!(why.contains("kept closed"), "{why}");
        assert_eq!(entry.span.line, 7, "the place of what is left out");
    }
    let stage = bench.stage("f-incomplete").await.expect("there");
    let message = stage.settings["deny_message"].as_str().expect("a text");
    assert!(message.contains("misses stages"), "{message}");
}

#[tokio::test]
async fn applying_it_again_changes_nothing() {
    let bench = Bench::new();
    for outcome in [Outcome::Created, Outcome::Unchanged] {
        let records = bench.records();
        let report = bench.apply_what_is_supported(&with(LEFT_OUT)).await;
        let report = report.expect("the rest can be applied");
        assert_eq!(outcomes(&report)[5..], [outcome, outcome]);
        assert_eq!(bench.records() > records, outcome == Outcome::Created);
    }
}

#[tokio::test]
async fn a_flow_stays_closed_until_its_stage_is_removed() {
    let bench = Bench::new();
    let report = bench.apply_what_is_supported(&with(LEFT_OUT)).await;
    report.expect("the rest can be applied");
    let complete = FLOW.lines().take(5).collect::<Vec<_>>().join("\n");
    let report = bench.apply(&complete).await.expect("it can be applied");
    let [note] = report.notes.as_slice() else {
        panic!("one note is wanted: {report:#?}");
    };
    assert!(
        note.text.contains("still closed by the stage f-incomplete"),
        "{note:?}"
    );
    assert!(bench.is_closed("f").await);
    let gone = "entries:\n- {model: authentik_stages_deny.denystage, state: absent, identifiers: {name: f-incomplete}}";
    bench.apply(gone).await.expect("it can be removed");
    assert_eq!(bench.bindings("f").await.len(), 1, "the login is left");
    let report = bench.apply(&complete).await.expect("it can be applied");
    assert!(report.notes.is_empty(), "{:?}", report.notes);
}

#[tokio::test]
async fn what_is_left_out_of_a_policy_closes_the_flow_of_its_target() {
    for target in [
        "!KeyOf f",
        "!KeyOf place",
        "!Find [authentik_flows.flow, [slug, f]]",
    ] {
        let bench = Bench::new();
        let policy = format!(
            "- {{model: authentik_core.applicationentitlement, id: role, identifiers: {{slug: r}}}}\n\
             - model: authentik_policies.policybinding\n  \
               identifiers: {{target: {target}, policy: !KeyOf role, order: 0}}\n"
        );
        let report = bench.apply_what_is_supported(&with(&policy)).await;
        report.unwrap_or_else(|error| panic!("{target}: {error}"));
        assert!(bench.is_closed("f").await, "{target}");
    }
}

#[tokio::test]
async fn a_flow_of_which_nothing_is_left_out_stays_open() {
    let bench = Bench::new();
    let absent = LEFT_OUT.replace("{model", "{state: absent, model");
    for source in [FLOW, &with(&absent)] {
        let report = bench.apply_what_is_supported(source).await;
        report.expect("the rest can be applied");
        assert_eq!(bench.bindings("f").await.len(), 1);
        assert!(bench.stage("f-incomplete").await.is_none());
    }
}

#[tokio::test]
async fn what_cannot_be_closed_is_not_applied() {
    let taken = "- {model: authentik_stages_dummy.dummystage, identifiers: {name: f-incomplete}}\n";
    let first = "- {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf f, stage: !KeyOf login, order: -2147483648}}\n";
    let unknown = LEFT_OUT.replace("target: !KeyOf f, ", "");
    let cases = [
        (
            format!("{taken}{LEFT_OUT}"),
            "f-incomplete is no deny stage",
        ),
        (format!("{first}{LEFT_OUT}"), "no stage can come before"),
        (unknown, "the flow cannot be kept closed"),
    ];
    for (entries, message) in cases {
        let bench = Bench::new();
        match bench.apply_what_is_supported(&with(&entries)).await {
            Err(Error::Invalid(problems)) => {
                let text = problems[0].to_string();
                assert!(text.contains(message), "{text}");
                assert!(text.starts_with("test.yaml:"), "{text}");
            }
            other => panic!("{message}: {other:?}"),
        }
        assert_eq!(bench.records(), 0, "{message}");
    }
}

#[tokio::test]
async fn a_misspelt_model_is_refused_even_so() {
    let bench = Bench::new();
    let policy = "
entries:
- {model: authentik_policies_expression.expresionpolicy, identifiers: {name: p}, attrs: {expression: return False}}
";
    match bench.apply_what_is_supported(policy).await {
        Err(Error::Invalid(problems)) => {
            let text = problems[0].to_string();
            let hint = "did you mean authentik_policies_expression.expressionpolicy?";
            assert!(text.ends_with(hint), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_policy_bound_to_a_stage_is_told_what_to_be_bound_to() {
    let bench = Bench::installed().await;
    let source = "
entries:
- {model: authentik_stages_dummy.dummystage, id: s, identifiers: {name: the-stage}}
- {model: authentik_core.group, id: g, identifiers: {name: g}}
- {model: authentik_policies.policybinding, identifiers: {target: !KeyOf s, group: !KeyOf g, order: 0}}
";
    let problems = bench.problems(source).await;
    assert!(
        problems[0].contains("this is the stage the-stage; policies are bound to its authentik_flows.flowstagebinding"),
        "{problems:?}"
    );
}
