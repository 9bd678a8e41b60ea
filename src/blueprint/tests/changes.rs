//! What an import changes, as it is told before it does.

use serde_json::json;

use super::*;

const FLOW: &str = "
entries:
- {model: authentik_flows.flow, id: f, identifiers: {slug: f}, attrs: {name: n, title: t, designation: recovery}}
- {model: authentik_stages_deny.denystage, id: s, identifiers: {name: s}}
- {model: authentik_policies_dummy.dummypolicy, id: p, identifiers: {name: p}}
- {model: authentik_flows.flowstagebinding, id: b, identifiers: {target: !KeyOf f, stage: !KeyOf s, order: 5}}
- {model: authentik_policies.policybinding, identifiers: {target: !KeyOf b, policy: !KeyOf p, order: 0}}
";

async fn changes(bench: &Bench, source: &str) -> Vec<Changed> {
    let options = Options {
        dry_run: true,
        ..bench.options()
    };
    let report = bench.apply_with(source, &options).await;
    report.expect("it can be applied").changes
}

fn told(changes: &[Changed]) -> Vec<(Outcome, &str)> {
    changes
        .iter()
        .map(|it| (it.outcome, it.name.as_str()))
        .collect()
}

#[tokio::test]
async fn a_new_object_is_told_with_its_fields_and_an_old_one_with_what_is_different() {
    let bench = Bench::new();
    let new = changes(&bench, FLOW).await;
    assert_eq!(
        told(&new),
        [
            (Outcome::Created, "f"),
            (Outcome::Created, "s"),
            (Outcome::Created, "p"),
            (Outcome::Created, "s at 5 in f"),
            (Outcome::Created, "p at 0 on s at 5 in f"),
        ]
    );
    let title = new[0].fields.iter().find(|it| it.field == "title");
    let title = title.expect("a field of the flow");
    assert_eq!((&title.from, &title.to), (&json!(null), &json!("t")));
    bench.apply(FLOW).await.expect("it can be applied");
    assert_eq!(changes(&bench, FLOW).await, []);
    let other = FLOW.replace("title: t,", "title: u,");
    let changed = changes(&bench, &other).await;
    assert_eq!(told(&changed), [(Outcome::Updated, "f")]);
    let expected = FieldChange {
        field: "title".to_owned(),
        from: json!("t"),
        to: json!("u"),
        secret: false,
    };
    assert_eq!(changed[0].fields, [expected]);
}

#[tokio::test]
async fn what_goes_with_another_object_is_told_as_well() {
    let bench = Bench::new();
    bench.apply(FLOW).await.expect("it can be applied");
    let source = "entries:\n- {model: authentik_flows.flow, state: absent, identifiers: {slug: f}}";
    let gone = changes(&bench, source).await;
    assert_eq!(
        told(&gone),
        [
            (Outcome::Deleted, "f"),
            (Outcome::Deleted, "s at 5 in f"),
            (Outcome::Deleted, "p at 0 on s at 5 in f"),
        ]
    );
}

#[tokio::test]
async fn a_password_that_changes_is_told_without_being_told() {
    let bench = Bench::installed().await;
    let user = |password: &str| {
        format!(
            "entries:\n- {{model: authentik_core.user, identifiers: {{username: ann}}, attrs: {{password: {password}}}}}"
        )
    };
    bench
        .apply(&user("CANARY-1"))
        .await
        .expect("it can be applied");
    assert_eq!(changes(&bench, &user("CANARY-1")).await, []);
    let changed = changes(&bench, &user("CANARY-2")).await;
    let fields: Vec<_> = changed[0]
        .fields
        .iter()
        .map(|it| (it.field.as_str(), it.secret))
        .collect();
    assert_eq!(fields, [("password", true)]);
    assert!(!format!("{changed:?}").contains("CANARY"), "{changed:?}");
}
