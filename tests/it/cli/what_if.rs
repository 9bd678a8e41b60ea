//! What recorded logins would come to under a blueprint, on the command line and in the API.

use serde_json::{Value, json};

use crate::support::{LOGIN, with_server};

/// A stage before the end of the login that refuses everybody with this name.
fn refuses(name: &str) -> String {
    format!(
        "version: 1
metadata: {{name: what-if}}
entries:
- model: authentik_stages_deny.denystage
  id: denies
  identifiers: {{name: what-if-denies}}
- model: authentik_flows.flowstagebinding
  id: place
  identifiers:
    target: !Find [authentik_flows.flow, [slug, {LOGIN}]]
    stage: !KeyOf denies
    order: 25
  attrs: {{evaluate_on_plan: false, re_evaluate_policies: true}}
- model: authentik_policies_expression.expressionpolicy
  id: policy
  identifiers: {{name: what-if-policy}}
  attrs: {{expression: 'return request.user.username == \"{name}\"'}}
- model: authentik_policies.policybinding
  identifiers: {{target: !KeyOf place, policy: !KeyOf policy, order: 0}}
"
    )
}

fn row(table: &Value, now: &str) -> Value {
    let rows = table["rows"].as_array().expect("rows");
    let found = rows.iter().find(|row| row["now"] == now);
    found
        .unwrap_or_else(|| panic!("none is {now}: {table}"))
        .clone()
}

#[test]
fn what_a_blueprint_would_do_to_recorded_logins_is_what_it_does() {
    with_server(async |server| {
        let (alice, bob) = (server.person(), server.person());
        for person in [&alice, &bob] {
            let mut visitor = server.visitor();
            visitor.opens(LOGIN).await;
            visitor
                .answers(json!({ "uid_field": person.username }))
                .await;
            let told = visitor
                .answers(json!({ "password": person.password }))
                .await;
            told.sees("xak-flow-redirect");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("what-if.yaml");
        std::fs::write(&file, refuses(&alice.username)).expect("a file");
        let file = file.display().to_string();
        let asked = ["replay", "what-if", &file, "--since", "1d", "--json"];
        let told = server.gatelog(&asked).succeeds().values();
        let table = &told[0]["table"];
        assert_eq!(table["executions"], 2, "{table}");
        assert_eq!(
            (&table["changed"], &table["unknown"]),
            (&json!(1), &json!(0))
        );
        let denied = row(table, "denied");
        assert_eq!(
            (&denied["was"], &denied["count"]),
            (&json!("let in"), &json!(1))
        );
        assert_eq!(denied["why"], "by the stage \"what-if-denies\"");
        assert_eq!(row(table, "let in")["count"], 1);
        let code = denied["examples"][0]["code"].as_str().expect("a code");
        let one = ["replay", "what-if", &file, "--execution", code, "--json"];
        let one = server.gatelog(&one).succeeds().values();
        assert_eq!(one[0]["table"]["executions"], 1, "{one:?}");
        for (which, of) in [
            ("--execution", "019abcde-f012-7345-89ab-cdef01234567"),
            ("--execution", "D7K2M-9QX4T"),
            ("--execution", "nobody"),
            ("--flow", "no-such-flow"),
        ] {
            let unknown = server.gatelog(&["replay", "what-if", &file, which, of]);
            unknown.fails_with(1).says(of);
        }
        let in_words = server.gatelog(&["replay", "what-if", &file]);
        in_words
            .succeeds()
            .prints("by the stage \"what-if-denies\"");
        // Nothing of it is there before it is applied, and then it does what was said.
        let policies = server.gatelog(&["policy", "list"]);
        assert!(!policies.succeeds().stdout.contains("what-if-policy"));
        server.gatelog(&["blueprint", "apply", &file]).succeeds();
        let mut visitor = server.visitor();
        visitor.opens(LOGIN).await;
        visitor
            .answers(json!({ "uid_field": alice.username }))
            .await;
        let told = visitor.answers(json!({ "password": alice.password })).await;
        told.sees("ak-stage-access-denied");
        server.stop().await;
        let told = server.gatelog(&asked).succeeds().values();
        let table = &told[0]["table"];
        assert_eq!(table["executions"], 3, "{table}");
        assert_eq!(table["changed"], 0, "it is applied already: {table}");
        let broken = server.gatelog(&["replay", "what-if", "/nowhere.yaml"]);
        broken.fails_with(1).says("/nowhere.yaml");
    });
}
