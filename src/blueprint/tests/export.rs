//! Exports: what is in them, and that nothing is lost on the way out and in.

use std::collections::BTreeMap;

use super::*;
use crate::catalog::{Flow, flow_by_slug, stage_by_name};
use crate::journal::object::{self, Versioned};

/// A flow that needs something of every kind.
const EVERYTHING: &str = "
entries:
- {model: authentik_core.group, id: above, identifiers: {name: above}, attrs: {is_superuser: true}}
- {model: authentik_core.group, id: group, identifiers: {name: staff}, attrs: {parents: [!KeyOf above], attributes: {phone: 555-0100}}}
- {model: authentik_core.user, id: user, identifiers: {username: ann}, attrs: {name: Ann}}
- {model: authentik_sources_oauth.oauthsource, id: source, identifiers: {slug: octo}, attrs: {name: Octo}}
- {model: authentik_flows.flow, id: other, identifiers: {slug: other}, attrs: {name: o, title: o, designation: recovery}}
- {model: authentik_flows.flow, id: flow, identifiers: {slug: all}, attrs: {name: All, title: 'All: of it', designation: authentication}}
- {model: authentik_policies_expression.expressionpolicy, id: open, identifiers: {name: open}, attrs: {expression: \"if request.user:\\n  return True\\n\\nreturn False\\n\"}}
- {model: authentik_policies_dummy.dummypolicy, id: check, identifiers: {name: check}, attrs: {result: true}}
- {model: authentik_stages_prompt.prompt, id: prompt, identifiers: {name: prompt}, attrs: {field_key: k, label: 'yes', type: text, order: 3}}
- {model: authentik_stages_prompt.promptstage, id: ask, identifiers: {name: ask}, attrs: {fields: [!KeyOf prompt], validation_policies: [!KeyOf check]}}
- {model: authentik_stages_captcha.captchastage, id: captcha, identifiers: {name: robots}, attrs: {public_key: p, private_key: CANARY-PRIVATE}}
- {model: authentik_stages_password.passwordstage, id: password, identifiers: {name: secret}, attrs: {backends: [authentik.core.auth.InbuiltBackend], configure_flow: !KeyOf other}}
- {model: authentik_stages_identification.identificationstage, id: who, identifiers: {name: who}, attrs: {user_fields: [email], captcha_stage: !KeyOf captcha, password_stage: !KeyOf password, sources: [!KeyOf source], recovery_flow: !KeyOf other, enrollment_flow: !KeyOf flow}}
- {model: authentik_events.notificationwebhookmapping, id: mapping, identifiers: {name: mapping}, attrs: {expression: 'return {}'}}
- {model: authentik_stages_authenticator_sms.authenticatorsmsstage, id: sms, identifiers: {name: texts}, attrs: {provider: twilio, from_number: '1', account_sid: a, auth: CANARY-AUTH, mapping: !KeyOf mapping, configure_flow: !KeyOf flow}}
- {model: authentik_stages_authenticator_validate.authenticatorvalidatestage, id: second, identifiers: {name: second}, attrs: {device_classes: [sms], not_configured_action: configure, configuration_stages: [!KeyOf sms]}}
- {model: authentik_stages_user_write.userwritestage, id: write, identifiers: {name: write}, attrs: {create_users_group: !KeyOf group}}
- {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: !KeyOf who, order: 0}}
- {model: authentik_flows.flowstagebinding, id: place, identifiers: {target: !KeyOf flow, stage: !KeyOf second, order: 10}}
- {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: !KeyOf ask, order: 20}}
- {model: authentik_flows.flowstagebinding, identifiers: {target: !KeyOf flow, stage: !KeyOf write, order: 30}}
- {model: authentik_policies.policybinding, identifiers: {target: !KeyOf flow, policy: !KeyOf open, order: 0}}
- {model: authentik_policies.policybinding, identifiers: {target: !KeyOf place, group: !KeyOf group, order: 0}, attrs: {negate: true}}
- {model: authentik_policies.policybinding, identifiers: {target: !KeyOf place, user: !KeyOf user, order: 0}}
";

impl Bench {
    async fn with(source: &str) -> Self {
        let bench = Self::installed().await;
        bench.apply(source).await.expect("it can be applied");
        bench
    }

    pub(super) async fn exported(&self, slugs: &[&str]) -> Exported {
        let mut flows = Vec::new();
        for slug in slugs {
            let flow = flow_by_slug(&self.journal, slug).await.expect("readable");
            flows.push(flow.expect("the flow is there").value);
        }
        if slugs.is_empty() {
            let all: Vec<Versioned<Flow>> = object::all(&self.journal).await.expect("readable");
            flows.extend(all.into_iter().map(|it| it.value));
        }
        let exported = export(&self.journal, flows, "Export").await;
        exported.expect("it can be exported")
    }
}

/// The lines of an export that begin so, without what stands before them.
fn lines<'a>(yaml: &'a str, start: &str) -> Vec<&'a str> {
    let lines = yaml.lines().map(|line| line.trim_start_matches([' ', '-']));
    lines.filter(|line| line.starts_with(start)).collect()
}

#[tokio::test]
async fn all_that_a_flow_needs_comes_along_in_an_order_in_which_it_can_be_made() {
    let bench = Bench::with(EVERYTHING).await;
    let exported = bench.exported(&["all"]).await;
    let models: Vec<&str> = lines(&exported.yaml, "model: ")
        .into_iter()
        .filter_map(|line| line.rsplit('.').next())
        .collect();
    let expected = [
        "flow",
        "prompt",
        "dummypolicy",
        "expressionpolicy",
        "notificationwebhookmapping",
        "group",
        "group",
        "captchastage",
        "passwordstage",
        "identificationstage",
        "authenticatorsmsstage",
        "authenticatorvalidatestage",
        "promptstage",
        "userwritestage",
        "flowstagebinding",
        "flowstagebinding",
        "flowstagebinding",
        "flowstagebinding",
        "policybinding",
        "policybinding",
        "policybinding",
    ];
    let (mut found, mut wanted) = (models.clone(), expected.to_vec());
    found[1..5].sort_unstable();
    wanted[1..5].sort_unstable();
    assert_eq!(found, wanted, "{}", exported.yaml);
    assert_eq!(
        bench.exported(&["all"]).await,
        exported,
        "it is the same every time"
    );
}

#[tokio::test]
async fn what_does_not_come_along_is_looked_up_by_what_people_call_it() {
    let bench = Bench::with(EVERYTHING).await;
    let exported = bench.exported(&["all"]).await;
    let yaml = &exported.yaml;
    let other = "!Find [authentik_flows.flow, [slug, other]]";
    assert_eq!(
        lines(yaml, "configure_flow: !"),
        [format!("configure_flow: {other}")]
    );
    assert_eq!(
        lines(yaml, "recovery_flow"),
        [format!("recovery_flow: {other}")]
    );
    assert!(
        yaml.contains("- !Find [authentik_sources_oauth.oauthsource, [slug, octo]]"),
        "{yaml}"
    );
    assert_eq!(
        lines(yaml, "user: !"),
        ["user: !Find [authentik_core.user, [username, ann]]"]
    );
    assert!(
        !yaml.contains("555-0100"),
        "what is known of a group's members is no configuration"
    );
    assert!(!yaml.contains('&') && !yaml.contains('*'), "{yaml}");
    let notes = exported.notes.join("\n");
    assert!(
        notes.contains("authentik_core.user ann is looked up by its username"),
        "{notes}"
    );
}

#[tokio::test]
async fn an_export_that_is_imported_where_it_came_from_changes_nothing() {
    let bench = Bench::with(EVERYTHING).await;
    let exported = bench.exported(&["all"]).await;
    let records = bench.records();
    let report = bench
        .apply(&exported.yaml)
        .await
        .expect("it can be applied");
    assert_eq!(
        report.count(Outcome::Unchanged),
        report.entries.len(),
        "{:#?}",
        report.changes
    );
    assert!(
        report.changes.is_empty() && report.notes.is_empty(),
        "{:?}",
        report.notes
    );
    assert_eq!(bench.records(), records);
}

#[tokio::test]
async fn a_flow_that_was_deleted_comes_back_as_it_was() {
    let bench = Bench::with(EVERYTHING).await;
    let exported = bench.exported(&["all"]).await;
    let gone = "entries:\n- {model: authentik_flows.flow, state: absent, identifiers: {slug: all}}\n\
                - {model: authentik_stages_prompt.promptstage, state: absent, identifiers: {name: ask}}\n\
                - {model: authentik_stages_prompt.prompt, state: absent, identifiers: {name: prompt}}\n\
                - {model: authentik_policies_dummy.dummypolicy, state: absent, identifiers: {name: check}}";
    bench.apply(gone).await.expect("it can be deleted");
    bench
        .apply(&exported.yaml)
        .await
        .expect("it can be applied");
    assert_eq!(bench.exported(&["all"]).await, exported);
    bench
        .apply(&exported.yaml)
        .await
        .expect("it can be applied twice");
    assert_eq!(
        bench.exported(&["all"]).await,
        exported,
        "and nothing is there twice"
    );
}

#[tokio::test]
async fn where_something_is_missing_it_is_null_or_an_error_and_never_another_object() {
    let bench = Bench::with(EVERYTHING).await;
    let exported = bench.exported(&["all"]).await;
    let (fresh, options) = (Bench::installed().await, fresh_options());
    let options = Options {
        host: options,
        ..fresh.options()
    };
    let yaml = with_secrets(&exported.yaml);
    let Err(Error::Invalid(problems)) = fresh.apply_with(&yaml, &options).await else {
        panic!("it needs a source");
    };
    assert_eq!(
        problems[0].field.as_deref(),
        Some("sources"),
        "{problems:?}"
    );
    let source = "entries: [{model: authentik_sources_oauth.oauthsource, identifiers: {slug: octo}, attrs: {name: Octo}}]";
    fresh.apply(source).await.expect("a source can be made");
    let Err(Error::Invalid(problems)) = fresh.apply_with(&yaml, &options).await else {
        panic!("it needs a user");
    };
    assert!(
        problems[0].message.contains("'user' must be set"),
        "{problems:?}"
    );
    let user =
        "entries: [{model: authentik_core.user, identifiers: {username: ann}, attrs: {name: Ann}}]";
    fresh.apply(user).await.expect("a user can be made");
    fresh
        .apply_with(&yaml, &options)
        .await
        .expect("nothing is missing that it cannot be without");
    let who = stage_by_name(&fresh.journal, "who")
        .await
        .expect("readable")
        .expect("there");
    assert!(who.value.settings["recovery_flow"].is_null());
    assert_eq!(
        lines(&fresh.exported(&["all"]).await.yaml, "name: who"),
        ["name: who"]
    );
}

/// The export with the lines of its secrets made part of it.
fn with_secrets(yaml: &str) -> String {
    yaml.replace("# auth: ", "auth: ")
        .replace("# private_key: ", "private_key: ")
}

fn fresh_options() -> Host {
    let variables = [
        ("ROBOTS_PRIVATE_KEY", "CANARY-1"),
        ("TEXTS_AUTH", "CANARY-2"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Host::Given {
        variables: BTreeMap::from(variables),
        files: BTreeMap::new(),
    }
}

#[tokio::test]
async fn secrets_stay_behind_and_those_that_are_there_stay_as_they_are() {
    let bench = Bench::with(EVERYTHING).await;
    let exported = bench.exported(&["all"]).await;
    assert!(!exported.yaml.contains("CANARY"), "{}", exported.yaml);
    assert_eq!(
        lines(&exported.yaml, "# private_key: "),
        ["# private_key: !Env ROBOTS_PRIVATE_KEY"]
    );
    let note = "private_key of the stage robots is secret and not exported";
    assert!(
        exported.notes.iter().any(|it| it == note),
        "{:?}",
        exported.notes
    );
    bench
        .apply(&exported.yaml)
        .await
        .expect("it can be applied");
    let stage = stage_by_name(&bench.journal, "robots").await;
    let stage = stage.expect("readable").expect("there").value;
    assert_eq!(stage.settings["private_key"], "CANARY-PRIVATE");
    let options = Options {
        host: fresh_options(),
        ..bench.options()
    };
    let report = bench
        .apply_with(&with_secrets(&exported.yaml), &options)
        .await;
    let report = report.expect("it can be applied");
    let secrets = report.changes.iter().flat_map(|it| &it.fields);
    let secrets: Vec<_> = secrets.map(|it| (it.field.as_str(), it.secret)).collect();
    assert_eq!(secrets, [("private_key", true), ("auth", true)]);
    assert!(!format!("{report:?}").contains("CANARY"), "{report:?}");
}

#[tokio::test]
async fn all_flows_that_come_with_the_server_come_out_and_in_again() {
    let bench = Bench::installed().await;
    let applied = apply_defaults(&bench.journal, &bench.clock, &bench.options()).await;
    applied.expect("the defaults fit");
    for ready in Ready::ALL {
        let enabled = enable(&bench.journal, &bench.clock, *ready, &bench.options()).await;
        enabled.expect("it fits");
    }
    let exported = bench.exported(&[]).await;
    assert_eq!(exported.notes, Vec::<String>::new());
    let fresh = Bench::with(&exported.yaml).await;
    assert_eq!(fresh.exported(&[]).await, exported);
}

/// Configurations at random: flows, each with stages and conditions of its own choice.
mod at_random {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z]{1,6}",
            "[ -~]{0,12}[a-z!:#'\"]",
            "\\PC{0,6}x",
            "[a-z]{1,4}(\n {0,2}[a-z:#]{1,5}){1,3}"
        ]
    }

    /// A text on one line, as names are.
    fn line() -> impl Strategy<Value = String> {
        prop_oneof!["[a-z]{1,6}", "[ -~]{0,12}[a-z!:#'\"]", "[äß€😀 ]{0,5}x"]
    }

    /// A stage: kind and settings, with numbers for what it may refer to.
    fn stage(number: usize) -> impl Strategy<Value = Value> {
        let name = format!("stage-{number}");
        (0..5_u8, text(), any::<bool>(), 0..3_usize).prop_map(move |(kind, text, flag, other)| {
            let id = format!("s{number}");
            let (model, attrs) = match kind {
                0 => ("authentik_stages_deny.denystage", json!({ "deny_message": text })),
                1 => ("authentik_stages_dummy.dummystage", json!({ "throw_error": flag })),
                2 => (
                    "authentik_stages_identification.identificationstage",
                    json!({ "user_fields": ["email"], "case_insensitive_matching": flag, "enrollment_flow": format!("F{other}") }),
                ),
                3 => (
                    "authentik_stages_prompt.promptstage",
                    json!({ "fields": ["P0", format!("P{other}")], "validation_policies": if flag { vec!["C0"] } else { vec![] } }),
                ),
                _ => (
                    "authentik_stages_user_write.userwritestage",
                    json!({ "create_users_group": if flag { json!("G1") } else { Value::Null }, "user_path_template": "users" }),
                ),
            };
            json!({ "model": model, "id": id, "identifiers": { "name": name }, "attrs": attrs })
        })
    }

    fn configurations() -> impl Strategy<Value = Vec<Value>> {
        let flows = proptest::collection::vec((line(), any::<bool>(), line()), 3);
        let prompts = proptest::collection::vec((line(), text(), any::<i16>()), 3);
        let stages = (stage(0), stage(1), stage(2), stage(3));
        let places = proptest::collection::btree_set((0..3_usize, 0..4_usize, -9..9_i32), 0..7);
        let conditions = proptest::collection::btree_set((0..7_usize, 0..3_u8, 0..4_i32), 0..5);
        (flows, prompts, stages, places, conditions).prop_map(
            |(flows, prompts, stages, places, conditions)| {
                let mut entries = vec![
                    json!({ "model": "authentik_core.group", "id": "G0", "identifiers": { "name": "above" } }),
                    json!({ "model": "authentik_core.group", "id": "G1", "identifiers": { "name": "below" }, "attrs": { "parents": ["G0"] } }),
                    json!({ "model": "authentik_policies_dummy.dummypolicy", "id": "C0", "identifiers": { "name": "check" }, "attrs": { "wait_min": 7 } }),
                ];
                for (at, (name, flag, title)) in flows.iter().enumerate() {
                    entries.push(json!({
                        "model": "authentik_flows.flow", "id": format!("F{at}"), "identifiers": { "slug": format!("flow-{at}") },
                        "attrs": { "name": name, "title": title, "designation": "authentication", "compatibility_mode": flag },
                    }));
                }
                for (at, (label, placeholder, order)) in prompts.iter().enumerate() {
                    entries.push(json!({
                        "model": "authentik_stages_prompt.prompt", "id": format!("P{at}"), "identifiers": { "name": format!("prompt-{at}") },
                        "attrs": { "field_key": "k", "label": label, "placeholder": placeholder, "type": "text", "order": order },
                    }));
                }
                entries.extend([stages.0, stages.1, stages.2, stages.3]);
                let places: Vec<_> = places.into_iter().enumerate().collect();
                for (at, (flow, stage, order)) in &places {
                    entries.push(json!({
                        "model": "authentik_flows.flowstagebinding", "id": format!("B{at}"),
                        "identifiers": { "target": format!("F{flow}"), "stage": format!("s{stage}"), "order": order },
                    }));
                }
                for (target, kind, order) in conditions {
                    let bound = if kind == 0 { ("policy", "C0") } else { ("group", ["G0", "G1"][usize::from(kind - 1)]) };
                    let target = if target < places.len() { format!("B{target}") } else { "F0".to_owned() };
                    entries.push(json!({
                        "model": "authentik_policies.policybinding",
                        "identifiers": { "target": target, bound.0: bound.1, "order": order },
                    }));
                }
                entries
            },
        )
    }

    /// The entries as a file. Each reference, which is the id of an entry, becomes a tag.
    fn file(entries: &[Value]) -> String {
        let mut text = json!({ "entries": entries }).to_string();
        for entry in entries {
            if let Some(id) = entry["id"].as_str() {
                let (written, tag) = (format!("\"{id}\""), format!("!KeyOf {id}"));
                text = text.replace(&written, &tag);
                text = text.replace(&format!("\"id\":{tag}"), &format!("\"id\":{written}"));
            }
        }
        text
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn an_export_that_is_imported_is_what_was_exported(entries in configurations()) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async {
                let bench = Bench::with(&file(&entries)).await;
                let exported = bench.exported(&[]).await;
                let again = bench.apply(&exported.yaml).await.expect("it can be applied");
                assert!(again.changes.is_empty(), "{:?}\n{}", again.changes, exported.yaml);
                let fresh = Bench::with(&exported.yaml).await;
                assert_eq!(fresh.exported(&[]).await, exported);
            });
        }
    }
}
