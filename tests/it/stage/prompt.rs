//! The prompt stage: what it shows, what it takes, and where what was typed goes.

use serde_json::{Value, json};

use crate::support::{Answer, TestServer, Visitor, forms, random, with_server};

mod ask;
mod expressions;
mod pages;

use ask::Ask;

const COMPONENT: &str = "ak-stage-prompt";

/// The field of a challenge with this key.
fn field(answer: &Answer, key: &str) -> Value {
    let fields = answer.json()["fields"].as_array().cloned();
    let mut fields = fields.into_iter().flatten();
    let found = fields.find(|field| field["field_key"] == key);
    found.unwrap_or_else(|| panic!("no field {key} in {answer:?}"))
}

/// What is in `prompt_data` in the latest execution, as the trail tells it.
fn prompted(server: &TestServer) -> Value {
    let events = &server.histories()[0];
    let changed = events
        .iter()
        .rev()
        .find(|event| event["event"] == "context_changed" && event["key"] == "prompt_data");
    changed.expect("something was typed")["value"].clone()
}

/// The same where all of it is plain data.
fn plainly_prompted(server: &TestServer) -> Value {
    let prompted = prompted(server);
    assert_eq!(prompted["is"], "json", "{prompted}");
    prompted["value"].clone()
}

fn messages(answer: &Answer) -> Vec<String> {
    let errors = answer.json()["response_errors"]["non_field_errors"].clone();
    let errors = errors.as_array().cloned().unwrap_or_default();
    let texts = errors.iter().filter_map(|error| error["string"].as_str());
    texts.map(str::to_owned).collect()
}

#[test]
fn a_challenge_shows_all_prompts_by_their_order() {
    with_server(async |server| {
        let ask = Ask::new("shown")
            .prompt(
                "username",
                "username",
                json!({"label": "Username", "placeholder": "Your name", "order": 5}),
            )
            .prompt(
                "note",
                "text_area",
                json!({"order": 1, "required": false, "sub_text": "<b>x</b>"}),
            )
            .prompt("secret", "password", json!({"order": 2}));
        let (_, answer) = ask.opened(server).await;
        assert_eq!(
            answer.json()["fields"],
            json!([
                {"field_key": "note", "label": "note", "type": "text_area", "required": false,
                 "placeholder": "", "initial_value": "", "order": 1, "sub_text": "<b>x</b>",
                 "choices": null},
                {"field_key": "secret", "label": "secret", "type": "password", "required": true,
                 "placeholder": "", "initial_value": "", "order": 2, "sub_text": "",
                 "choices": null},
                {"field_key": "username", "label": "Username", "type": "username",
                 "required": true, "placeholder": "Your name", "initial_value": "", "order": 5,
                 "sub_text": "", "choices": null},
            ])
        );
    });
}

#[test]
fn what_was_typed_lies_in_the_context_and_a_password_in_the_vault() {
    with_server(async |server| {
        let typed = random(20);
        let ask = Ask::new("full")
            .prompt("username", "username", json!({}))
            .prompt("age", "number", json!({}))
            .prompt("terms", "checkbox", json!({}))
            .prompt("news", "checkbox", json!({}))
            .prompt("born", "date", json!({}))
            .prompt("attributes.team", "dropdown", json!({"placeholder": "red"}))
            .prompt("line", "separator", json!({}))
            .prompt("password", "password", json!({}))
            .prompt("repeat", "password", json!({}));
        let (mut visitor, _) = ask.opened(server).await;
        let end = visitor
            .answers(json!({
                "username": " ann ", "age": "30.0", "terms": true, "born": "1994-1-5",
                "attributes.team": "red", "line": "dropped", "unknown": "dropped",
                "password": format!(" {typed} "), "repeat": typed,
            }))
            .await;
        end.sees("ak-stage-dummy");
        let mut kept = prompted(server);
        assert_eq!(kept["is"], "map");
        let values = kept["value"].as_object_mut().expect("a mapping");
        for key in ["password", "repeat"] {
            let value = values.remove(key).expect("it is there");
            assert_eq!(value["is"], "secret");
        }
        assert_eq!(
            kept["value"],
            json!({
                "component": {"is": "json", "value": COMPONENT},
                "username": {"is": "json", "value": "ann"},
                "age": {"is": "json", "value": 30},
                "terms": {"is": "json", "value": true},
                "born": {"is": "json", "value": "1994-01-05"},
                "attributes.team": {"is": "json", "value": "red"},
            })
        );
    });
}

#[test]
fn what_is_wrong_is_said_by_field_and_all_at_once() {
    with_server(async |server| {
        let ask = Ask::new("wrong")
            .prompt("name", "text", json!({}))
            .prompt("mail", "email", json!({}))
            .prompt("age", "number", json!({}))
            .prompt("pick", "radio-button-group", json!({"placeholder": "a"}))
            .prompt("drop", "dropdown", json!({"placeholder": "b"}))
            .prompt("cv", "file", json!({}))
            .prompt("password", "password", json!({}));
        let (mut visitor, _) = ask.opened(server).await;
        let refused = visitor
            .answers(json!({
                "name": "", "mail": "a@b", "age": "x", "pick": "z", "drop": 7, "cv": "foo",
                "password": "  ",
            }))
            .await;
        let errors = refused.sees(COMPONENT).json()["response_errors"].clone();
        assert_eq!(
            errors,
            json!({
                "name": [{"string": "This field may not be blank.", "code": "blank"}],
                "mail": [{"string": "Enter a valid email address.", "code": "invalid"}],
                "age": [{"string": "A valid integer is required.", "code": "invalid"}],
                "pick": [{"string": "\"z\" is not a valid choice.", "code": "invalid_choice"}],
                "drop": [{"string": "\"7\" is not a valid choice.", "code": "invalid_choice"}],
                "cv": [{"string": "Invalid scheme", "code": "invalid"}],
                "password": [{"string": "This field may not be blank.", "code": "blank"}],
            })
        );
        let refused = visitor.answers(json!({})).await;
        for key in ["name", "mail", "age", "cv", "password"] {
            refused.with_error(key, "required");
        }
        let refused = visitor.answers_exactly(&json!([]), &[]).await;
        refused.with_error("non_field_errors", "invalid");
    });
}

#[test]
fn all_passwords_of_a_stage_have_to_be_the_same() {
    with_server(async |server| {
        let ask = Ask::new("three")
            .prompt("password", "password", json!({}))
            .prompt("repeat", "password", json!({}))
            .prompt("third", "password", json!({"required": false}));
        let (mut visitor, _) = ask.opened(server).await;
        let (one, other) = (random(16), random(16));
        server.canaries().secret("a typed password", &one);
        server.canaries().secret("a typed password", &other);
        for body in [
            json!({"password": one, "repeat": other, "third": one}),
            json!({"password": one, "repeat": one, "third": other}),
            json!({"password": one, "repeat": one}),
        ] {
            let refused = visitor.answers(body).await;
            assert_eq!(
                messages(refused.sees(COMPONENT)),
                ["Passwords don't match."]
            );
        }
        let body = json!({"password": one, "repeat": one, "third": format!("{one} ")});
        visitor.answers(body).await.sees("ak-stage-dummy");
    });
}

#[test]
fn a_name_that_somebody_has_is_taken_but_not_by_themselves() {
    with_server(async |server| {
        let (alice, bob) = (server.person(), server.person());
        let ask = Ask::new("name").prompt("username", "username", json!({}));
        let (mut visitor, _) = ask.opened(server).await;
        let body = json!({ "username": alice.username });
        let refused = visitor.answers(body).await;
        assert_eq!(
            refused.json()["response_errors"]["username"],
            json!([{"string": "Username is already taken.", "code": "invalid"}])
        );
        let other_case = alice.username.to_uppercase();
        assert_ne!(other_case, alice.username);
        let mut other = server.visitor();
        other.opens("name").await;
        let body = json!({ "username": other_case });
        other.answers(body).await.sees("ak-stage-dummy");
        let mut own = server.visitor();
        own.logs_in(&alice).await;
        own.opens("name").await.sees(COMPONENT);
        let body = json!({ "username": bob.username });
        own.answers(body).await.with_error("username", "invalid");
        let body = json!({ "username": alice.username });
        own.answers(body).await.sees("ak-stage-dummy");
    });
}

#[test]
fn what_only_the_server_sets_cannot_be_tampered_with() {
    with_server(async |server| {
        let ask = Ask::new("fixed")
            .prompt("hidden_prompt", "hidden", json!({"placeholder": "held"}))
            .prompt("other", "hidden", json!({"placeholder": "held"}))
            .prompt(
                "static_prompt",
                "static",
                json!({"initial_value": "<p>read</p>"}),
            )
            .prompt("line", "text_read_only", json!({}))
            .prompt(
                "lines",
                "text_area_read_only",
                json!({"initial_value": "mine"}),
            )
            .knowing("{'hidden_prompt': 'hidden'}");
        let (mut visitor, _) = ask.opened(server).await;
        let tampered = json!({
            "hidden_prompt": "tampered", "static_prompt": ["tampered"], "line": "tampered",
            "lines": {"a": "tampered"},
        });
        visitor.answers(tampered).await.sees("ak-stage-dummy");
        assert_eq!(
            plainly_prompted(server),
            json!({
                "component": COMPONENT, "hidden_prompt": "hidden", "other": "held",
                "static_prompt": "<p>read</p>", "line": "", "lines": "mine",
            })
        );
    });
}

#[test]
fn files_are_taken_as_addresses_and_nothing_is_taken_that_is_too_long() {
    with_server(async |server| {
        let ask = Ask::new("long")
            .prompt("cv", "file", json!({}))
            .prompt("name", "text", json!({}))
            .prompt("note", "text_area", json!({}));
        let (mut visitor, _) = ask.opened(server).await;
        let long = |length| "x".repeat(length);
        let refused = visitor
            .answers(json!({
                "cv": format!("data:a/b;base64,{}", long(131_072)), "name": long(1_025),
                "note": long(16_385),
            }))
            .await;
        for key in ["cv", "name", "note"] {
            refused.with_error(key, "max_length");
        }
        let file = "data:mine/type;base64,Zm9v";
        let body = json!({"cv": "data:foo/bar;foo,qwer", "name": "a", "note": "b"});
        visitor.answers(body).await.with_error("cv", "invalid");
        let body = json!({"cv": file, "name": "a", "note": "b"});
        visitor.answers(body).await.sees("ak-stage-dummy");
        assert_eq!(plainly_prompted(server)["cv"], file);
    });
}

#[test]
fn policies_see_what_was_typed_into_this_stage_and_nothing_else() {
    with_server(async |server| {
        let typed = random(16);
        let ask = Ask::new("valid")
            .prompt("password", "password", json!({}))
            .prompt("repeat", "password", json!({}))
            .prompt("word", "text", json!({}))
            .knowing("{'earlier': 'x'}")
            .valid(
                "data = request.context['prompt_data']\n\
                 if data['password'] != data['repeat']:\n    return False\n\
                 print(sorted(data), 'flow_plan' in context, 'pending_user' in context)\n\
                 return True",
            )
            .valid(
                "data = context['prompt_data']\n\
                 if data['word'] == 'silent':\n    return False\n\
                 if data['word'] == 'long':\n    \
                     ak_message('Of ' + str(len(data['password'])))\n    return False\n\
                 data['word'] = data['word'].upper()\nreturn True",
            );
        let (mut visitor, _) = ask.opened(server).await;
        let body = |word: &str| json!({"password": typed, "repeat": typed, "word": word});
        let refused = visitor.answers(body("silent")).await;
        assert_eq!(refused.sees(COMPONENT).json()["response_errors"], json!({}));
        let refused = visitor.answers(body("long")).await;
        assert_eq!(messages(refused.sees(COMPONENT)), ["Of 16"]);
        visitor.answers(body("fine")).await.sees("ak-stage-dummy");
        let kept = prompted(server);
        assert_eq!(kept["value"]["word"]["value"], "FINE");
        assert_eq!(kept["value"]["earlier"]["value"], "x");
        assert_eq!(kept["value"]["password"]["is"], "secret");
        let events = server.histories().swap_remove(0);
        let logged: Vec<_> = events
            .iter()
            .filter(|event| event["name"] == "valid-valid-0")
            .map(|event| event["log"][0]["text"].clone())
            .collect();
        let seen = "['component', 'password', 'repeat', 'word'] False False";
        assert_eq!(logged, [seen; 3]);
        assert!(
            events
                .iter()
                .any(|event| event["event"] == "prompt_submitted")
        );
    });
}

#[test]
fn a_password_policy_judges_what_was_typed() {
    with_server(async |server| {
        let strong = json!({"length_min": 12, "error_message": "Longer, please."});
        server.has_policy("password", "strong", &strong);
        let yaml = Ask::new("strong")
            .prompt("password", "password", json!({}))
            .yaml();
        server.apply(&yaml.replace(
            "validation_policies: [",
            "validation_policies: [!Find [authentik_policies_password.passwordpolicy, [name, \
             strong]]",
        ));
        let mut visitor = server.visitor();
        visitor.opens("strong").await.sees(COMPONENT);
        let refused = visitor.answers(json!({"password": "shortshort"})).await;
        assert_eq!(messages(refused.sees(COMPONENT)), ["Longer, please."]);
        let body = json!({ "password": random(16) });
        visitor.answers(body).await.sees("ak-stage-dummy");
    });
}

#[test]
fn a_prompt_of_an_unknown_type_and_a_stage_without_prompts_are_refused() {
    with_server(async |server| {
        let refuses = |yaml: &str, text: &str| {
            let ran = server.gatelog_reading(&["blueprint", "apply", "-"], yaml);
            assert_ne!(ran.code, Some(0), "{ran:?}");
            assert!(ran.stderr.contains(text), "{ran:?}");
        };
        let foo = Ask::new("foo").prompt("a", "foo", json!({}));
        refuses(&foo.yaml(), "\"foo\" is not a valid choice.");
        let none = Ask::new("none");
        refuses(&none.yaml(), "This list may not be empty.");
        let taken = Ask::new("taken").prompt("component", "text", json!({}));
        refuses(&taken.yaml(), "field_key: ");
        let broken = Ask::new("broken").prompt(
            "a",
            "text",
            json!({"initial_value": "return [", "initial_value_expression": true}),
        );
        refuses(&broken.yaml(), "initial_value: Expression Syntax Error");
        let unknown = "version: 1\nentries:\n- model: authentik_stages_prompt.promptstage\n  \
             identifiers: {name: x}\n  attrs: {fields: \
             [00000000-0000-4000-8000-000000000000]}\n";
        refuses(unknown, "object does not exist");
    });
}

#[test]
fn a_prompt_that_is_gone_is_asked_for_no_more() {
    with_server(async |server| {
        let ask = Ask::new("gone")
            .prompt("a", "text", json!({}))
            .prompt("b", "text", json!({}));
        let (mut visitor, _) = ask.opened(server).await;
        server.apply(
            "version: 1\nentries:\n- model: authentik_stages_prompt.prompt\n  state: absent\n  \
             identifiers: {name: gone-0}\n",
        );
        visitor
            .answers(json!({"b": "x"}))
            .await
            .sees("ak-stage-dummy");
        let shown = server.visitor().opens("gone").await.json()["fields"].clone();
        assert_eq!(shown.as_array().expect("a list").len(), 1, "{shown}");
    });
}
