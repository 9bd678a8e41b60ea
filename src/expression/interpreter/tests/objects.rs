//! Handles, contexts, changes and secrets.

use super::*;

fn changes(given: Given, source: &str) -> Vec<(Root, String, Option<String>)> {
    let done = given
        .run(source)
        .unwrap_or_else(|e| panic!("{source}\n{e:?}"));
    let changes = done.changes.into_iter();
    let mut changes: Vec<_> = changes
        .map(|Change { root, path, value }| (root, path.join("."), value.map(|v| v.shown())))
        .collect();
    changes.sort_by_key(|(root, path, _)| (*root == Root::Context, path.clone()));
    changes
}

#[test]
fn attributes_are_asked_for_when_they_are_read() {
    let mut asked = Vec::new();
    let done = Given::default().ask(
        "return request.user.email, hasattr(request.user, 'backend'), getattr(request.user, 'x', 3), request.user.username",
        &mut |question| {
            asked.push(question.clone());
            answer(&question)
        },
    );
    let done = done.expect("runs");
    assert_eq!(done.value.shown(), r#"("1@example.com", False, 3, "ann")"#);
    assert_eq!(asked.len(), 3);
    assert_eq!(
        asked[0],
        Question::Attribute(Object::new("User", "1"), "email".into())
    );
}

#[test]
fn two_users_are_equal_only_if_they_are_the_same() {
    let given = Given::context([("other", user("2", "ann")), ("same", user("1", "ann"))]);
    let source = "return request.user == context['other'], request.user == context['same']";
    assert_eq!(
        given.run(source).expect("runs").value.shown(),
        "(False, True)"
    );
}

#[test]
fn a_query_can_be_iterated_counted_and_tested() {
    let list = "from authentik.core.models import User\nreturn [u.username for u in User.objects.filter(name__startswith='x').all()]";
    assert_eq!(value(list).shown(), r#"["ann", "bob"]"#);
    let empty = "from authentik.core.models import User\nusers = User.objects.filter(name='nobody')\nif users:\n    return 'some'\nreturn len(users)";
    assert_eq!(value(empty), Value::Int(0));
    assert_eq!(
        value("return request.user.groups.filter(a=1).exists()"),
        Value::Bool(true)
    );
    let kept = "from authentik.core.models import User\nusers = User.objects.all()\nreturn users.first().username, users.exists(), users.all().count(), 'aa'.count('a')";
    assert_eq!(value(kept).shown(), r#"("ann", True, 2, 2)"#);
    assert_eq!(
        value("return (request.user or None).groups.all().exists()"),
        Value::Bool(true)
    );
    assert_eq!(
        value("return (([1] or []))  .first(), ([\n 3]).count()").shown(),
        "(1, 1)"
    );
    assert_eq!(
        value("return request.user in request.user.groups.all()"),
        Value::Bool(true)
    );
    let is = "from authentik.core.models import User, Group\nreturn isinstance(request.user, User), isinstance(request.user, Group)";
    assert_eq!(value(is).shown(), "(True, False)");
}

#[test]
fn what_nobody_has_cannot_be_imported() {
    assert_eq!(
        runtime("from django.db import connection"),
        (
            "ImportError".into(),
            "cannot import name 'connection' from 'django.db'".into(),
            vec![1]
        )
    );
    assert_eq!(runtime("x = 1\nimport socket").0, "ModuleNotFoundError");
    for module in ["asyncio", "os", "os.path", "sys"] {
        let text = format!("No module named '{module}'");
        for import in [
            format!("import {module}"),
            format!("import json, {module}"),
            format!("import {module} as it\nreturn it"),
            format!("try:\n    import {module}\nexcept ValueError:\n    return True"),
        ] {
            let (kind, message, _) = runtime(&import);
            assert_eq!(kind, "ModuleNotFoundError", "{import}");
            assert_eq!(message, text, "{import}");
        }
    }
    for import in ["from os import environ", "from sys import platform as p"] {
        assert_eq!(runtime(import).0, "ImportError", "{import}");
    }
    let caught = "try:\n    import os\nexcept ImportError:\n    return 'none'\nreturn os.environ";
    assert_eq!(value(caught), Value::text("none"));
    assert_eq!(
        runtime("return open('/etc/passwd').read()").0,
        "PermissionError"
    );
    assert_eq!(runtime("return __import__('os')").0, "NameError");
}

#[test]
fn saving_shows_the_host_the_changed_fields() {
    let mut saved = None;
    let source = "user = ak_user_by(username='ann')\nuser.attributes['b'] = 2\nuser.name = 'Ann'\nuser.save()\nreturn True";
    let done = Given::default().ask(source, &mut |question| match question {
        Question::Call(call) if call.name == "save" => {
            saved = call.object;
            Answer::Value(Value::None)
        }
        other => answer(&other),
    });
    done.expect("runs");
    let saved = saved.expect("was saved");
    assert_eq!(saved.id, "1");
    let fields = Value::dict(saved.fields);
    assert_eq!(fields.get("name"), Some(&Value::text("Ann")));
    assert_eq!(
        fields.get("attributes").map(Value::shown).as_deref(),
        Some(r#"{"a": 1, "b": 2}"#)
    );
}

#[test]
fn without_a_plan_changes_are_the_contexts() {
    let given = || {
        Given::context([
            ("prompt_data", Value::dict([("email", "a@b".into())])),
            ("x", 1.into()),
        ])
    };
    let source = "request.context['prompt_data']['username'] = context['prompt_data']['email']\ncontext['y'] = 2\ncontext.pop('x')\nreturn request.context is context";
    assert_eq!(
        changes(given(), source),
        [
            (
                Root::Context,
                "prompt_data.username".into(),
                Some("\"a@b\"".into())
            ),
            (Root::Context, "x".into(), None),
            (Root::Context, "y".into(), Some("2".into())),
        ]
    );
    assert_eq!(changes(given(), "return context.get('x')"), []);
}

#[test]
fn the_context_is_a_shallow_copy_of_the_plans() {
    let given = || {
        Given::context([("geoip", Value::None)]).plan([
            ("prompt_data", Value::dict([("a", 1.into())])),
            ("pending_user", user("1", "ann")),
        ])
    };
    let shared = "context['prompt_data']['a'] = 2\nreturn True";
    assert_eq!(
        changes(given(), shared),
        [
            (Root::Plan, "prompt_data.a".into(), Some("2".into())),
            (Root::Context, "prompt_data.a".into(), Some("2".into())),
        ]
    );
    assert_eq!(
        changes(given(), "context['own'] = 1"),
        [(Root::Context, "own".into(), Some("1".into()))]
    );
    let through =
        "context['flow_plan'].context['pending_user'] = ak_user_by(username='ann')\nreturn True";
    assert_eq!(changes(given(), through), []);
    let through = "plan = request.context.get('flow_plan')\nplan.context['redirect'] = '/x'\nreturn 'redirect' in context";
    assert_eq!(
        changes(given(), through),
        [(Root::Plan, "redirect".into(), Some("\"/x\"".into()))]
    );
    assert_eq!(
        given()
            .run("return context['geoip'], 'flow_plan' in context")
            .expect("runs")
            .value
            .shown(),
        "(None, True)"
    );
}

#[test]
fn a_called_policy_changes_its_callers_context() {
    let given = Given::context([]).plan([("prompt_data", Value::dict([("a", 1.into())]))]);
    let mut handed = None;
    let done = given.ask(
        "result = ak_call_policy('inner', extra=1)\nreturn result.passing, context['extra'], context['prompt_data'], sorted(context)",
        &mut |question| match question {
            Question::Call(call) if call.name == "_ak_call_policy" => {
                handed = call.args.get(1).cloned();
                let path = vec!["prompt_data".to_owned(), "a".to_owned()];
                let change = Change { root: Root::Plan, path, value: Some(Value::Int(9)) };
                let result = Object::new("PolicyResult", "1").with("passing", true);
                Answer::Value(Value::dict([
                    ("result", Value::Object(result)),
                    ("changes", Value::List(vec![change.to_value()])),
                ]))
            }
            other => answer(&other),
        },
    );
    let done = done.unwrap_or_else(|e| panic!("{e:?}"));
    assert_eq!(
        done.value.shown(),
        r#"(True, 1, {"a": 9}, ["extra", "flow_plan", "prompt_data"])"#
    );
    assert_eq!(
        handed.map(|v| v.shown()).as_deref(),
        Some(r#"{"prompt_data": {"a": 1}, "extra": 1}"#)
    );
}

#[test]
fn a_secret_leaves_an_evaluation_as_its_handle_or_masked() {
    let given = || Given {
        secrets: vec![("vault:pw", "hunter2")],
        ..Given::context([(
            "prompt_data",
            Value::dict([("password", Value::Secret("vault:pw".into()))]),
        )])
    };
    let source = "pw = context['prompt_data']['password']\nak_message('It is ' + pw)\nak_logger.info('x', pw=pw)\nprint(pw)\ncontext['copy'] = pw\ncontext['part'] = 'pw=' + pw\nreturn len(pw), pw";
    let done = given().run(source).expect("runs");
    assert_eq!(
        done.value,
        Value::Tuple(vec![7.into(), Value::Secret("vault:pw".into())])
    );
    let all = format!("{done:?}");
    assert!(!all.contains("hunter2"), "{all}");
    assert_eq!(done.messages, ["It is ‹secret›"]);
    assert_eq!(done.changes.len(), 2);

    let failed = given().run("raise ValueError(context['prompt_data']['password'] + '!')");
    let Err(Failed::Runtime { message, .. }) = failed else {
        panic!("{failed:?}")
    };
    assert_eq!(message, "‹secret›!");

    let mut args = None;
    let called = given().ask(
        "return ak_check(context['prompt_data']['password'])",
        &mut |question| {
            if let Question::Call(call) = question {
                args = Some(call.args);
            }
            Answer::Value(Value::None)
        },
    );
    called.expect("runs");
    assert_eq!(args, Some(vec![Value::Secret("vault:pw".into())]));
}

#[test]
fn what_a_run_logged_before_it_failed_is_told_without_secrets() {
    for (source, wanted) in [
        ("{}raise ValueError(pw)", "Runtime"),
        ("{}raise SkipObject('no')", "Skipped"),
        ("{}while True: pass", "Time"),
        ("{}return 'a' * 10**10", "Memory"),
        (
            "{}while True:\n    try:\n        request.user.email\n    except BaseException:\n        pass",
            "Refused",
        ),
    ] {
        let given = Given {
            secrets: vec![("vault:pw", "hunter2")],
            limits: Limits {
                time: std::time::Duration::from_millis(300),
                questions: 20,
                ..Limits::default()
            },
            ..Given::context([("pw", Value::Secret("vault:pw".into()))])
        };
        let said = "pw = context['pw']\nak_message('It is ' + pw)\nak_logger.warning('x', pw=pw)\nprint('half', end=' a line')\n";
        let source = source.replace("{}", said);
        let ended = given.tell(&source, &mut |question| answer(&question));
        let (failed, log) = ended.expect_err(&source);
        let shown = format!("{failed:?}");
        assert!(shown.starts_with(wanted), "{source}\n{shown}");
        let lines: Vec<_> = log.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(
            lines,
            [
                "x pw='‹secret›'",
                "half a line",
                "ak_message: It is ‹secret›"
            ],
            "{shown}"
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
