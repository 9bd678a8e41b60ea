//! What the expressions of prompts see, give and do not change.

use super::*;

/// A flow with one prompt; its field as it is shown.
async fn shown(server: &TestServer, slug: &str, kind: &str, attrs: Value, data: &str) -> Value {
    let ask = Ask::new(slug).prompt("key", kind, attrs).knowing(data);
    let (_, answer) = ask.opened(server).await;
    field(&answer, "key")
}

#[test]
fn placeholders_and_initial_values_are_worked_out() {
    with_server(async |server| {
        let of =
            |what: &str, source: &str| json!({ what: source, format!("{what}_expression"): true });
        let foo = "return prompt_context['foo']";
        let known = "{'foo': 'bar', 'key': 'typed'}";
        let field = shown(server, "a", "text", of("placeholder", foo), known).await;
        assert_eq!(
            field["placeholder"], "bar",
            "the context never overrides it"
        );
        let field = shown(
            server,
            "b",
            "text",
            of("initial_value", foo),
            "{'foo': 'bar'}",
        )
        .await;
        assert_eq!(field["initial_value"], "bar");
        let field = shown(server, "c", "text", of("initial_value", foo), known).await;
        assert_eq!(field["initial_value"], "typed", "the context wins");
        let code = "{'key': 'return 1'}";
        let field = shown(server, "d", "text", of("initial_value", foo), code).await;
        assert_eq!(field["initial_value"], "return 1", "and is never run");
        let off = json!({"placeholder": "return 1", "initial_value": "return 2"});
        let field = shown(server, "e", "text", off, "{}").await;
        assert_eq!(field["placeholder"], "return 1");
        assert_eq!(field["initial_value"], "return 2");
        let yes = of("initial_value", "return True");
        let field = shown(server, "f", "text", yes, "{}").await;
        assert_eq!(field["initial_value"], "True");
        let what = "return [user.is_authenticated, request.user == user, http_request.method, \
                    request.context['prompt_context'] == prompt_context, ak_client_ip.version]";
        let field = shown(server, "g", "text", of("initial_value", what), "{}").await;
        assert_eq!(field["initial_value"], "[False, True, \"GET\", True, 6]");
    });
}

#[test]
fn one_that_fails_gives_its_own_text_and_is_noted() {
    with_server(async |server| {
        let attrs = json!({
            "placeholder": "return prompt_context['nothing']", "placeholder_expression": true,
            "initial_value": "raise ValueError('broken')", "initial_value_expression": true,
        });
        let field = shown(server, "fails", "text", attrs, "{}").await;
        assert_eq!(field["placeholder"], "return prompt_context['nothing']");
        assert_eq!(field["initial_value"], "raise ValueError('broken')");
        let events = &server.histories()[0];
        let failed = events
            .iter()
            .filter(|it| it["event"] == "expression_failed");
        let failed: Vec<_> = failed.map(|it| it["error"].to_string()).collect();
        assert_eq!(failed.len(), 2, "{events:#?}");
        assert!(failed[0].contains("KeyError") && failed[1].contains("broken"));
    });
}

#[test]
fn choices_come_from_the_context_an_expression_or_the_placeholder() {
    with_server(async |server| {
        let of = |source: &str, initial: &str| {
            json!({
                "placeholder": source, "placeholder_expression": true,
                "initial_value": initial, "initial_value_expression": !initial.is_empty(),
            })
        };
        let words = |field: &Value| {
            let choices = field["choices"].as_array().cloned().unwrap_or_default();
            let words = choices.iter().map(|it| it["value"].clone());
            words.collect::<Vec<_>>()
        };
        let list = "return ['test', True, 42]";
        for (at, kind) in ["dropdown", "radio-button-group"].into_iter().enumerate() {
            let slug = |name: &str| format!("{name}-{at}");
            let none = shown(server, &slug("h"), kind, of("return []", ""), "{}").await;
            assert_eq!(none["choices"], Value::Null);
            assert_eq!(
                (&none["placeholder"], &none["initial_value"]),
                (&json!(""), &json!(""))
            );
            let first = shown(server, &slug("i"), kind, of(list, ""), "{}").await;
            assert_eq!(words(&first), ["test", "True", "42"]);
            assert_eq!(first["initial_value"], "test");
            let given = shown(server, &slug("j"), kind, of(list, "return True"), "{}").await;
            assert_eq!(given["initial_value"], "True");
            let other = shown(server, &slug("k"), kind, of(list, "return 'x'"), "{}").await;
            assert_eq!(other["initial_value"], "test");
            let dicts = "return [{'label': 'one', 'value': 'value1'}, \
                         {'label': 'two', 'value': 'value2'}]";
            let first = shown(server, &slug("l"), kind, of(dicts, ""), "{}").await;
            assert_eq!(first["initial_value"], "value1");
            assert_eq!(
                first["choices"][1],
                json!({"value": "value2", "label": "two"})
            );
            let second = of(dicts, "return 'value2'");
            let second = shown(server, &slug("m"), kind, second, "{}").await;
            assert_eq!(second["initial_value"], "value2");
            let known = "{'key': 'b', 'key__choices': ['a', 'b']}";
            let known = shown(server, &slug("n"), kind, of(list, ""), known).await;
            assert_eq!(words(&known), ["a", "b"]);
            assert_eq!(known["initial_value"], "b");
            let plain = json!({"placeholder": "only"});
            let plain = shown(server, &slug("o"), kind, plain, "{}").await;
            assert_eq!(words(&plain), ["only"]);
        }
    });
}

#[test]
fn the_value_of_a_choice_keeps_its_type() {
    with_server(async |server| {
        let attrs = json!({
            "placeholder": "return [True, 42]", "placeholder_expression": true,
        });
        let ask = Ask::new("typed")
            .prompt("flag", "dropdown", attrs.clone())
            .prompt("number", "radio-button-group", attrs);
        let (mut visitor, _) = ask.opened(server).await;
        let body = json!({"flag": "True", "number": "42"});
        visitor.answers(body).await.sees("ak-stage-dummy");
        let kept = plainly_prompted(server);
        assert_eq!((&kept["flag"], &kept["number"]), (&json!(true), &json!(42)));
    });
}

#[test]
fn nothing_that_they_want_changed_takes_effect() {
    with_server(async |server| {
        let source = "prompt_context['foo'] = 'changed'\nak_create_event('seen')\n\
                      user.name = 'changed'\nuser.save()\nreturn prompt_context['foo']";
        let alice = server.person();
        let attrs = json!({"initial_value": source, "initial_value_expression": true});
        server.apply(
            &Ask::new("quiet")
                .prompt("key", "text", attrs)
                .knowing("{'foo': 'bar'}")
                .yaml(),
        );
        let mut visitor = server.visitor();
        visitor.logs_in(&alice).await;
        let shown = visitor.opens("quiet").await;
        assert_eq!(field(&shown, "key")["initial_value"], "changed");
        visitor.answers(json!({})).await.sees("ak-stage-dummy");
        let kept = plainly_prompted(server);
        assert_eq!(
            (&kept["foo"], &kept["key"]),
            (&json!("bar"), &json!("changed"))
        );
        let events = &server.histories()[0];
        let effects = ["custom_event", "user_changed", "expression_failed"];
        let any = events
            .iter()
            .find(|it| effects.iter().any(|effect| it["event"] == *effect));
        assert_eq!(any, None);
    });
}

/// How many evaluations of the latest execution left behind how they went.
fn told(server: &TestServer) -> usize {
    let list = server.gatelog(&["execution", "list", "--json"]);
    let latest = list.succeeds().values()[0]["execution"].clone();
    let latest = latest.as_str().expect("an id");
    let shown = server.gatelog(&["execution", "show", latest, "--json"]);
    let records = shown.succeeds().values();
    let seen = records
        .iter()
        .filter_map(|it| it["record"]["observations"].as_array());
    let told = seen.flatten().filter(|it| it.get("told").is_some());
    told.count()
}

#[test]
fn an_expression_that_reads_a_password_is_retold_in_a_replay() {
    with_server(async |server| {
        let alice = server.person();
        // It branches on what only the live run knows, and what follows has to follow again.
        let ask = Ask::new("reads")
            .prompt("password", "password", json!({}))
            .valid(
                "typed = context['prompt_data']['password']\n\
                 ak_logger.info('length', length=len(typed), starts=typed.startswith('open'))\n\
                 if not typed.startswith('open'):\n    \
                     ak_message(f'{len(typed)} characters, and none of them opens')\n    \
                     return False\n\
                 if ak_user_by(username='nobody-has-this') is None:\n    \
                     ak_create_event('opened', length=len(typed))\n\
                 context['prompt_data']['copy'] = typed\n\
                 return len(typed)",
            )
            .valid(
                "return context['prompt_data'].get('copy') == context['prompt_data']['password']",
            )
            .valid(
                "if context['prompt_data']['password'].endswith('!'):\n    \
                     return context['prompt_data']['nothing']\nreturn True",
            );
        server.apply(&ask.yaml());
        let mut visitor = server.visitor();
        visitor.logs_in(&alice).await;
        visitor.opens("reads").await.sees(COMPONENT);
        let wrong = random(12);
        let refused = visitor
            .answers(json!({ "password": format!("x{wrong}") }))
            .await;
        let said = "13 characters, and none of them opens";
        assert_eq!(messages(refused.sees(COMPONENT)), [said]);
        let typed = random(12);
        let refused = visitor
            .answers(json!({"password": format!("open{typed}!")}))
            .await;
        assert_eq!(messages(refused.sees(COMPONENT)), ["nothing"]);
        let end = visitor
            .answers(json!({ "password": format!("open{typed}") }))
            .await;
        end.sees("ak-stage-dummy");
        let events = server.histories().swap_remove(0);
        let opened = events.iter().filter(|it| it["event"] == "custom_event");
        let lengths: Vec<_> = opened.map(|it| it["details"]["length"].clone()).collect();
        assert_eq!(lengths, [json!(17), json!(16)]);
        let kept = prompted(server);
        assert_eq!(kept["value"]["copy"], kept["value"]["password"]);
        // That it comes to the same in a replay is checked when the server ends, as always. There
        // is no password then, and a mask opens nothing.
        assert_eq!(told(server), 9, "three policies, three times");
    });
}
