//! Flow files as others published them, where somebody has them: `GATELOG_REFERENCE` names the
//! folder. They are not part of this project.
//!
//! Every file is applied to one server, every flow of them is begun, and every expression is
//! asked in a flow of its own.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::support::{MailSink, Options, TestServer, files, with_server_of};

/// What the expressions of the files find as if a page had asked for it, put there by a policy
/// that comes before them.
const KNOWN: &str = r#"plan = context["flow_plan"].context
plan["prompt_data"] = {"username": "ann", "name": "Ann", "email": "ann@example.com"}
return True"#;

/// The files, by path.
fn published() -> Option<Vec<PathBuf>> {
    let Some(folder) = std::env::var_os("GATELOG_REFERENCE") else {
        // Data of another project, and no tool that could be installed: nobody has to have it.
        let message = "skipped: GATELOG_REFERENCE names no folder with blueprints";
        let _ = writeln!(std::io::stderr(), "{message}");
        return None;
    };
    let mut found = files(Path::new(&folder));
    found.retain(|path| {
        let extension = path.extension().and_then(|it| it.to_str());
        matches!(extension, Some("yaml" | "akflow"))
    });
    found.sort();
    assert!(!found.is_empty(), "no blueprints are there");
    Some(found)
}

/// The flows and the expressions that the files make on a server, by name.
#[derive(Default)]
struct Made {
    flows: BTreeSet<String>,
    expressions: BTreeSet<String>,
}

impl Made {
    fn apply(&mut self, server: &TestServer, path: &Path) {
        let path = path.to_str().expect("a path of letters");
        let apply = ["blueprint", "apply", "--skip-unsupported", "--json", path];
        for value in server.gatelog(&apply).succeeds().values() {
            let entries = value["result"]["entries"].as_array().cloned();
            for entry in entries.unwrap_or_default() {
                let Some(name) = entry["name"].as_str().map(str::to_owned) else {
                    continue;
                };
                if entry["outcome"] == "deleted" {
                    continue;
                }
                match entry["model"].as_str() {
                    Some("authentik_flows.flow") => self.flows.insert(name),
                    Some("authentik_policies_expression.expressionpolicy") => {
                        self.expressions.insert(name)
                    }
                    _ => false,
                };
            }
        }
    }
}

/// A flow whose only stage is bound to a policy of this name, and to one that puts into the
/// context what pages would have asked for.
fn probe(slug: &str, policy: &str) -> String {
    let known = KNOWN.replace('\n', "\n        ");
    format!(
        "version: 1
entries:
  - model: authentik_flows.flow
    id: flow
    identifiers: {{slug: {slug}}}
    attrs: {{name: {slug}, title: {slug}, designation: stage_configuration}}
  - model: authentik_stages_dummy.dummystage
    id: stage
    identifiers: {{name: {slug}}}
  - model: authentik_flows.flowstagebinding
    id: place
    identifiers: {{target: !KeyOf flow, stage: !KeyOf stage, order: 0}}
    attrs: {{evaluate_on_plan: true}}
  - model: authentik_policies_expression.expressionpolicy
    id: known
    identifiers: {{name: {slug}-known}}
    attrs:
      expression: |
        {known}
  - model: authentik_policies.policybinding
    identifiers: {{target: !KeyOf place, policy: !KeyOf known, order: 0}}
  - model: authentik_policies.policybinding
    identifiers:
      target: !KeyOf place
      policy: !Find [authentik_policies_expression.expressionpolicy, [name, {policy}]]
      order: 1
"
    )
}

/// What went wrong in any execution: policies and stages that failed.
fn failures(server: &TestServer) -> Vec<String> {
    let events = server.histories().concat();
    let failed =
        events
            .iter()
            .filter_map(|event| match event["event"].as_str().unwrap_or_default() {
                "policy_failed" => Some(format!(
                    "policy {}: {}\n{}",
                    event["name"],
                    event["error"],
                    event["traceback"].as_str().unwrap_or_default()
                )),
                "stage_failed" => Some(event.to_string()),
                _ => None,
            });
    failed.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Denials that are neither the requirement's of a flow nor its policies', nor due to what this
/// version does not have, nor to an invitation that nobody has here.
fn surprises(server: &TestServer) -> Vec<String> {
    let events = server.histories().concat();
    let denied = events.iter().filter(|event| event["event"] == "denied");
    denied
        .filter(|event| event["check"]["check"] != "requirement")
        .filter(|event| event["check"]["check"] != "policies")
        .filter(|event| {
            let stage = event["check"]["stage"].as_str().unwrap_or_default();
            let is_uninvited = event["message"] == "Invalid invite/invite not found";
            !stage.ends_with("-incomplete") && !is_uninvited
        })
        .map(ToString::to_string)
        .collect()
}

/// The policies that gave an answer.
fn evaluated(server: &TestServer) -> BTreeSet<String> {
    let events = server.histories().concat();
    events
        .iter()
        .filter(|event| event["event"] == "policy_evaluated")
        .filter_map(|event| event["name"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn published_flows_begin_and_their_expressions_run() {
    let Some(published) = published() else {
        return;
    };
    // In a folder, mails would stand in clear.
    let sink = MailSink::start();
    with_server_of(sink.serves(Options::default()), async |server| {
        let alice = server.person();
        let mut inside = server.visitor();
        inside.logs_in(&alice).await;
        // One of the flows logs out.
        let mut asked = server.visitor();
        asked.logs_in(&alice).await;
        let mut made = Made::default();
        for path in &published {
            made.apply(server, path);
        }
        assert!(made.flows.len() > 10, "only {:?}", made.flows);
        assert!(made.expressions.len() > 5, "only {:?}", made.expressions);
        for slug in &made.flows {
            for visitor in [&mut inside.in_another_tab(), &mut server.visitor()] {
                let answer = visitor.opens(slug).await;
                answer.has_status(200);
                let component = answer.component();
                assert_ne!(component, "ak-stage-flow-error", "{slug}: {answer:?}");
            }
        }
        for (number, policy) in made.expressions.iter().enumerate() {
            let slug = format!("probe-{number}");
            server.apply(&probe(&slug, policy));
            let answer = asked.in_another_tab().opens(&slug).await;
            answer.has_status(200);
        }
        let failures = failures(server);
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        assert_eq!(surprises(server), [""; 0]);
        let evaluated = evaluated(server);
        let silent: Vec<_> = made.expressions.difference(&evaluated).collect();
        assert!(silent.is_empty(), "nobody asked {silent:?}");
    });
}
