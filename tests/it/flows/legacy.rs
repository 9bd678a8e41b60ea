//! Flow files as authentik wrote them in 2021 and 2022: what they lack is filled in, what is gone is
//! dropped, and both are told.

use serde_json::{Value, json};

use super::{PROMPT, listed, me};
use crate::support::{Person, TestServer, with_server};

const SIGN_UP: &str = include_str!("files/sign-up-2021.json");
const GREETING: &str = include_str!("files/greeting-2022.yaml");

/// What the import says of each entry.
fn imported(server: &TestServer, file: &str) -> Vec<Value> {
    let ran = server.gatelog_reading(&["blueprint", "apply", "--json", "-"], file);
    let told = ran.succeeds().values().remove(0);
    told["result"]["entries"]
        .as_array()
        .cloned()
        .expect("entries")
}

/// What was filled in for the entries of this model.
fn filled(entries: &[Value], model: &str) -> Vec<Value> {
    let of = entries.iter().filter(|entry| entry["model"] == model);
    of.map(|entry| entry["filled"].clone()).collect()
}

#[test]
fn a_flow_of_2021_still_signs_people_up() {
    with_server(async |server| {
        let entries = imported(server, SIGN_UP);
        assert_eq!(
            filled(&entries, "authentik_stages_prompt.prompt"),
            [
                json!({ "name": "club-form-username" }),
                json!({ "name": "club-form-password" }),
                // No stage asks for this one, so it is called after the flow.
                json!({ "name": "club-sign-up-password" }),
                json!({
                    "name": "club-form-attributes.club",
                    "initial_value": "rowing",
                    "initial_value_expression": false,
                    "placeholder": "",
                    "placeholder_expression": false,
                }),
            ]
        );
        assert_eq!(
            filled(&entries, "authentik_stages_user_write.userwritestage"),
            [json!({ "user_creation_mode": "create_when_required" })]
        );
        let flow = &entries[0];
        assert_eq!(flow["ignored"][0], "cache_count", "{flow}");
        let bindings = filled(&entries, "authentik_flows.flowstagebinding");
        assert_eq!(bindings, vec![json!({ "evaluate_on_plan": true }); 3]);

        let person = Person::new(server.canaries());
        let mut visitor = server.visitor();
        visitor.opens("club-sign-up").await.sees(PROMPT);
        let typed = json!({ "username": person.username, "password": person.password });
        visitor.answers(typed).await.is_redirected_to("/");
        assert_eq!(me(&visitor).await["username"], person.username.as_str());
        assert!(listed(server, &person).is_some());
        server.visitor().logs_in(&person).await;

        let again = imported(server, SIGN_UP);
        assert!(
            again.iter().all(|entry| entry["outcome"] == "unchanged"),
            "{again:#?}"
        );
    });
}

#[test]
fn a_placeholder_that_was_an_expression_is_the_initial_value_now() {
    with_server(async |server| {
        let entries = imported(server, GREETING);
        let prompt = &entries[1]["filled"];
        assert_eq!(prompt["name"], "greeting-form-called");
        assert_eq!(prompt["initial_value_expression"], true);
        assert_eq!(entries[2]["ignored"], json!(["template"]));
        let shown = server.visitor().opens("greeting").await;
        shown.sees(PROMPT);
        let field = &shown.json()["fields"][0];
        assert_eq!(field["initial_value"], "somebody", "{field}");
        let people = server.gatelog_reading(&["blueprint", "apply", "-"], GREETING);
        people.succeeds().says("ignored: template");
    });
}

#[test]
fn a_name_that_another_prompt_has_gets_a_number() {
    with_server(async |server| {
        server.apply(
            "version: 1\nentries:\n- model: authentik_stages_prompt.prompt\n  identifiers: \
             {name: greeting-form-called}\n  attrs: {field_key: other, label: x, type: text}\n",
        );
        let entries = imported(server, GREETING);
        assert_eq!(entries[1]["filled"]["name"], "greeting-form-called-2");
        assert_eq!(entries[1]["outcome"], "created");
    });
}
