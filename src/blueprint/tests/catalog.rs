//! Flows, stages, bindings and brands in blueprints.

use serde_json::json;

use super::*;
use crate::catalog::{bindings_of, brand::default_brand, brands, flow_by_slug, stage_by_name};

#[tokio::test]
async fn the_defaults_are_applied_once_and_then_unchanged() {
    let bench = Bench::new();
    let first = apply_defaults(&bench.journal, &bench.clock, &bench.options()).await;
    let first = first.expect("the defaults fit");
    let flows = first.entries.iter();
    let flows = flows.filter(|it| it.model == "authentik_flows.flow");
    let made = flows.filter(|it| it.outcome == Outcome::Created).count();
    assert_eq!(made, 14, "{:#?}", first.lines());
    let records = bench.records();
    let second = apply_defaults(&bench.journal, &bench.clock, &bench.options()).await;
    let second = second.expect("the defaults fit again");
    assert_eq!(second.count(Outcome::Created), 0);
    assert_eq!(second.count(Outcome::Updated), 0);
    // There is a default brand now, which has flows, and so has the login's password stage.
    assert_eq!(second.count(Outcome::Skipped), 3);
    assert_eq!(bench.records(), records, "nothing is written again");
}

#[tokio::test]
async fn the_default_flows_log_in_and_out() {
    let bench = Bench::new();
    let applied = apply_defaults(&bench.journal, &bench.clock, &bench.options()).await;
    applied.expect("the defaults fit");
    let journal = &bench.journal;
    let flow = flow_by_slug(journal, "default-authentication-flow").await;
    let flow = flow.expect("readable").expect("there").value;
    let bindings = bindings_of(journal, flow.pk).await.expect("readable");
    let orders: Vec<i32> = bindings.iter().map(|it| it.value.order).collect();
    assert_eq!(orders, [10, 20, 30, 100]);
    let out = flow_by_slug(journal, "default-invalidation-flow").await;
    let out = out.expect("readable").expect("there").value;
    let brand = default_brand(journal)
        .await
        .expect("readable")
        .expect("there")
        .value;
    assert_eq!(brand.domain, "authentik-default");
    assert_eq!(brand.branding_title, "Gatelog");
    assert_eq!(brand.flow_authentication, Some(flow.pk));
    assert_eq!(brand.flow_invalidation, Some(out.pk));
    for shown in [
        flow.title,
        flow.name,
        out.title,
        out.name,
        brand.branding_title,
    ] {
        assert!(!shown.to_lowercase().contains("authentik"), "{shown:?}");
    }
    let stage = stage_by_name(journal, "default-authentication-identification").await;
    let stage = stage.expect("readable").expect("there").value;
    assert_eq!(stage.kind, "identification");
    assert_eq!(stage.settings["user_fields"], json!(["email", "username"]));
}

#[test]
fn a_default_is_known_by_the_name_in_its_metadata() {
    for (name, source) in defaults() {
        let document = check(source, name).expect("a default has no problems");
        assert_eq!(document.name.as_deref(), Some(*name));
        assert!(unsupported(&document).is_empty(), "{name}");
    }
}

const FLOW: &str = "
entries:
- model: authentik_flows.flow
  state: STATE
  identifiers: {slug: f}
  attrs: {name: N, title: NEW, designation: recovery}
";

#[tokio::test]
async fn states_decide_what_becomes_of_an_object() {
    let bench = Bench::new();
    let state = |state: &str, title: &str| FLOW.replace("STATE", state).replace("NEW", title);
    let title = async || {
        let flow = flow_by_slug(&bench.journal, "f").await.expect("readable");
        flow.map(|flow| flow.value.title)
    };
    for (wanted, text, outcome, after) in [
        ("absent", "a", Outcome::Absent, None),
        ("created", "b", Outcome::Created, Some("b")),
        ("created", "c", Outcome::Unchanged, Some("b")),
        ("present", "d", Outcome::Updated, Some("d")),
        ("present", "d", Outcome::Unchanged, Some("d")),
        ("absent", "e", Outcome::Deleted, None),
        ("must_created", "f", Outcome::Created, Some("f")),
    ] {
        let report = bench
            .apply(&state(wanted, text))
            .await
            .expect("it can be applied");
        assert_eq!(outcomes(&report), [outcome], "{wanted} {text}");
        assert_eq!(title().await.as_deref(), after, "{wanted} {text}");
    }
    let problems = bench.problems(&state("must_created", "g")).await;
    assert!(problems[0].contains("exists already"), "{problems:?}");
}

#[tokio::test]
async fn a_removed_flow_takes_its_bindings_along_and_is_forgotten_by_brands() {
    let bench = Bench::new();
    let applied = apply_defaults(&bench.journal, &bench.clock, &bench.options()).await;
    applied.expect("the defaults fit");
    let flow = flow_by_slug(&bench.journal, "default-authentication-flow").await;
    let flow = flow.expect("readable").expect("there").value.pk;
    let source = "
entries:
- model: authentik_flows.flow
  state: absent
  identifiers: {slug: default-authentication-flow}
";
    bench.apply(source).await.expect("it can be removed");
    let bindings = bindings_of(&bench.journal, flow).await.expect("readable");
    assert!(bindings.is_empty());
    let brand = default_brand(&bench.journal)
        .await
        .expect("readable")
        .expect("there");
    assert_eq!(brand.value.flow_authentication, None);
    assert!(brand.value.flow_invalidation.is_some());
}

#[tokio::test]
async fn keys_of_the_file_are_mapped_to_those_of_existing_objects() {
    let bench = Bench::new();
    let before = bench
        .apply(&FLOW.replace("STATE", "present"))
        .await
        .expect("applied");
    let existing = uuid(before.entries[0].pk.as_ref().expect("a key"));
    let source = r#"{"version": 1, "entries": [
        {"model": "authentik_flows.flow",
         "identifiers": {"pk": "11111111-1111-1111-1111-111111111111", "slug": "f"},
         "attrs": {"title": "Changed"}},
        {"model": "authentik_stages_password.PasswordStage",
         "identifiers": {"pk": "22222222-2222-2222-2222-222222222222", "name": "p"},
         "attrs": {"template": "old.html",
                   "backends": ["django.contrib.auth.backends.ModelBackend"]}},
        {"model": "authentik_flows.flowstagebinding",
         "identifiers": {"pk": "33333333-3333-3333-3333-333333333333", "order": 0,
                         "target": "11111111-1111-1111-1111-111111111111",
                         "stage": "22222222-2222-2222-2222-222222222222"},
         "attrs": {"re_evaluate_policies": false}}]}"#;
    let report = bench
        .apply(source)
        .await
        .expect("the old form is understood");
    assert_eq!(
        outcomes(&report),
        [Outcome::Updated, Outcome::Created, Outcome::Created]
    );
    assert!(
        report.notes[0].text.contains("template"),
        "{:?}",
        report.notes
    );
    let bindings = bindings_of(&bench.journal, existing)
        .await
        .expect("readable");
    assert_eq!(
        bindings[0].value.pk,
        uuid(&json!("33333333-3333-3333-3333-333333333333"))
    );
    let stage = stage_by_name(&bench.journal, "p")
        .await
        .expect("readable")
        .expect("there");
    assert_eq!(
        stage.value.settings["backends"],
        json!(["authentik.core.auth.InbuiltBackend"])
    );
    let again = bench.apply(source).await.expect("applied again");
    assert_eq!(again.count(Outcome::Unchanged), 3);
}

#[tokio::test]
async fn a_key_may_come_back_after_its_object_was_removed() {
    let bench = Bench::new();
    let source = |state: &str| {
        format!(
            "entries: [{{model: authentik_stages_deny.denystage, state: {state}, \
             identifiers: {{pk: 22222222-2222-2222-2222-222222222222, name: d}}}}]"
        )
    };
    for (state, outcome) in [
        ("present", Outcome::Created),
        ("absent", Outcome::Deleted),
        ("present", Outcome::Created),
    ] {
        let report = bench
            .apply(&source(state))
            .await
            .expect("it can be applied");
        assert_eq!(outcomes(&report), [outcome]);
    }
}

#[tokio::test]
async fn wrong_fields_are_named_with_their_places() {
    let bench = Bench::new();
    let source = "version: 1
entries:
- model: authentik_flows.flow
  id: bad
  identifiers:
    slug: not a slug
  attrs:
    name: yes
    designation: nonsense
    compatibility_mode: perhaps
";
    assert_eq!(
        bench.problems(source).await,
        [
            "test.yaml:8:11: entry 1 (bad, authentik_flows.flow): name: Not a valid string.",
            "test.yaml:6:11: entry 1 (bad, authentik_flows.flow): slug: Enter a valid \"slug\" \
             consisting of letters, numbers, underscores or hyphens.",
            "test.yaml:3:3: entry 1 (bad, authentik_flows.flow): title: This field is required.",
            "test.yaml:9:18: entry 1 (bad, authentik_flows.flow): designation: \"nonsense\" is \
             not a valid choice.",
            "test.yaml:10:25: entry 1 (bad, authentik_flows.flow): compatibility_mode: Must be a \
             valid boolean.",
        ]
    );
}

#[tokio::test]
async fn settings_and_references_of_stages_are_checked() {
    let bench = Bench::new();
    let stage = |attrs: &str| {
        format!(
            "entries: [{{model: authentik_stages_identification.identificationstage, \
             identifiers: {{name: i}}, attrs: {attrs}}}]"
        )
    };
    for (attrs, field) in [
        ("{user_fields: [shoe_size]}", "user_fields: "),
        (
            "{recovery_flow: 11111111-1111-1111-1111-111111111111}",
            "object does not exist",
        ),
        (
            "{recovery_flow: nonsense}",
            "“nonsense” is not a valid UUID.",
        ),
    ] {
        let problems = bench.problems(&stage(attrs)).await;
        assert!(problems[0].contains(field), "{problems:?}");
    }
}

#[tokio::test]
async fn what_has_to_be_unique_is() {
    let bench = Bench::new();
    let source = "
entries:
- model: authentik_stages_deny.denystage
  identifiers: {name: same}
- model: authentik_stages_dummy.dummystage
  identifiers: {name: same}
";
    let problems = bench.problems(source).await;
    assert!(
        problems[0].ends_with("name: This field must be unique."),
        "{problems:?}"
    );
    let source = "
entries:
- {model: authentik_brands.brand, identifiers: {domain: a}, attrs: {default: true}}
- {model: authentik_brands.brand, identifiers: {domain: b}, attrs: {default: true}}
";
    let problems = bench.problems(source).await;
    assert!(problems[0].contains("Only a single brand"), "{problems:?}");
    assert!(brands(&bench.journal).await.expect("readable").is_empty());
}

#[tokio::test]
async fn lookups_follow_references_and_ignore_case() {
    let bench = Bench::new();
    let applied = apply_defaults(&bench.journal, &bench.clock, &bench.options()).await;
    applied.expect("the defaults fit");
    let source = "
entries:
- model: authentik_flows.flow
  conditions:
  - !Find [authentik_flows.flow, [slug__iexact, DEFAULT-invalidation-flow]]
  - !Find [authentik_flows.flowstagebinding, [target__slug, default-invalidation-flow], [order, '0']]
  - !Condition [NOR, !Find [authentik_flows.flow, [slug__startswith, x]]]
  identifiers: {slug: found}
  attrs:
    name: !AtIndex [!FindObject [authentik_flows.flow, [slug__startswith, default-invalid]], slug]
    title: T
    designation: invalidation
";
    let report = bench.apply(source).await.expect("it can be applied");
    assert_eq!(outcomes(&report), [Outcome::Created]);
    let flow = flow_by_slug(&bench.journal, "found")
        .await
        .expect("readable")
        .expect("there");
    assert_eq!(flow.value.name, "default-invalidation-flow");
    let source = "entries: [{model: authentik_flows.flow, identifiers: {shoe_size: 1}}]";
    let problems = bench.problems(source).await;
    assert!(
        problems[0].contains("Invalid identifier field: shoe_size"),
        "{problems:?}"
    );
}
