//! The language, and where an error is said to be.

use super::*;

fn syntax(source: &str) -> (u32, u32) {
    match Given::default().run(source) {
        Err(Failed::Syntax(error)) => (error.line, error.column),
        other => panic!("{source}\n{other:?}"),
    }
}

#[test]
fn an_expression_returns_what_it_returns() {
    assert_eq!(value("return 'test'"), Value::text("test"));
    assert_eq!(value("True"), Value::None);
    assert_eq!(
        value("  if 1 < 2 < 3:\n    return [x * 2 for x in (1, 2)]"),
        Value::List(vec![2.into(), 4.into()])
    );
    assert_eq!(
        value("context = {'a': 1}\nreturn context['a']"),
        Value::Int(1)
    );
    assert_eq!(
        value("def twice(x):\n    return 2 * x\nreturn twice(4)"),
        Value::Int(8)
    );
}

#[test]
fn a_syntax_error_is_at_the_authors_line_and_column() {
    assert_eq!(syntax(";"), (1, 1));
    assert_eq!(syntax("/"), (1, 1));
    assert_eq!(syntax("a = 1\nreturn a +"), (2, 11));
    assert_eq!(syntax("a = 1\nif a\n    return 1"), (2, 5));
    assert_eq!(syntax(""), (1, 1));
    assert_eq!(syntax("# nothing but a comment").0, 1);
    assert_eq!(syntax("return \"\"\"open").0, 1);
    assert_eq!(syntax("return (1, (2").0, 1);
    assert_eq!(syntax("x = 1\nyield x").0, 2);
}

#[test]
fn an_exception_has_a_traceback_in_the_authors_lines() {
    let source = "def fails(x):\n    return 1 / x\n\nreturn fails(0)";
    let (kind, message, lines) = runtime(source);
    assert_eq!(
        (kind.as_str(), message.as_str()),
        ("ZeroDivisionError", "division by zero")
    );
    assert_eq!(lines, [4, 2]);
    assert_eq!(runtime("x = 1\nreturn nobody_knows_me").0, "NameError");
    assert_eq!(runtime("return ak_fails()").1, "so it is");
    assert_eq!(
        value("try:\n    ak_fails()\nexcept ValueError as e:\n    return str(e)"),
        Value::text("so it is")
    );
}

#[test]
fn skipping_is_no_error() {
    let skipped = Given::default().run("raise SkipObject('not me')");
    assert_eq!(skipped, Err(Failed::Skipped("not me".to_owned())));
    let skipped =
        Given::default().run("try:\n    raise SkipObject\nexcept Exception:\n    return 1");
    assert!(matches!(skipped, Err(Failed::Skipped(_))), "{skipped:?}");
}

#[test]
fn the_helpers_are_there() {
    assert_eq!(
        value("return regex_match('a@b.c', r'@b')"),
        Value::Bool(true)
    );
    assert_eq!(
        value("return regex_replace('aXb', 'X', '-')"),
        Value::text("a-b")
    );
    assert_eq!(
        value("return regex_replace(value='aXb', regex='(X)', repl=r'<\\1>')"),
        Value::text("a<X>b")
    );
    assert_eq!(
        value("return list_flatten(['x', 'y']), list_flatten([]), list_flatten('z')").shown(),
        r#"("x", None, "z")"#
    );
    assert_eq!(value("return slugify('Ä b')"), Value::text("a-b"));
    assert_eq!(
        value("import json\nreturn json.loads('{\"a\": [1]}')['a'][0]"),
        Value::Int(1)
    );
    assert_eq!(
        value("import base64\nreturn base64.b64encode(b'ab').decode()"),
        Value::text("YWI=")
    );
    assert_eq!(value("return pow(2, 10)"), Value::Int(1024));
    assert_eq!(value("import json, ipaddress as ip, math\nreturn math.floor(1.5), str(ip.ip_address('::1')), json.dumps([])").shown(), r#"(1, "::1", "[]")"#);
    assert_eq!(value("return limit"), Value::Int(7));
}

#[test]
fn the_clock_is_the_hosts() {
    assert_eq!(
        value("from datetime import datetime\nreturn datetime.now().isoformat()"),
        Value::text("2026-11-21T04:05:06")
    );
    let aware = "from datetime import datetime, timezone, timedelta\nreturn datetime.now(timezone.utc) - timedelta(days=1)";
    assert_eq!(
        value(aware),
        Value::Moment("2026-11-20T04:05:06Z".parse().expect("a moment"))
    );
    assert_eq!(
        value("from datetime import date\nreturn date.today()"),
        Value::text("2026-11-21")
    );
}

#[test]
fn addresses_compare_and_lie_in_networks() {
    let given = |ip: &str| Given {
        client_ip: Some(ip.parse().expect("an address")),
        ..Given::default()
    };
    for (ip, source, expected) in [
        (
            "10.1.2.3",
            "return ak_client_ip in ip_network('10.0.0.0/8')",
            Value::Bool(true),
        ),
        (
            "11.1.2.3",
            "return ak_client_ip in ip_network('10.0.0.0/8')",
            Value::Bool(false),
        ),
        (
            "10.1.2.3",
            "return ak_client_ip.is_private and not ak_client_ip.is_global",
            Value::Bool(true),
        ),
        (
            "10.1.2.3",
            "return str(ak_client_ip) + f' {ak_client_ip}'",
            Value::text("10.1.2.3 10.1.2.3"),
        ),
        (
            "::1",
            "return ak_client_ip.version, ak_client_ip in ip_network('10.0.0.0/8')",
            Value::Tuple(vec![6.into(), false.into()]),
        ),
        (
            "fd00::1",
            "return ak_client_ip in ip_network('fd00::/8')",
            Value::Bool(true),
        ),
        (
            "10.0.0.1",
            "from ipaddress import ip_address\nreturn ak_client_ip == ip_address('10.0.0.1') and ak_client_ip != ip_address('10.0.0.2')",
            Value::Bool(true),
        ),
        (
            "10.0.0.1",
            "import ipaddress\nreturn ak_client_ip in ipaddress.ip_network('10.0.0.0/24', strict=False)",
            Value::Bool(true),
        ),
        (
            "10.0.0.1",
            "from ipaddress import (\n    ip_network as n,\n    ip_address,\n)\nreturn [ak_client_ip in n(x) for x in ('10.0.0.0/8',)][0]",
            Value::Bool(true),
        ),
        ("10.0.0.1", "return ak_client_ip", Value::text("10.0.0.1")),
    ] {
        let done = given(ip).run(source);
        assert_eq!(
            done.unwrap_or_else(|e| panic!("{source}\n{e:?}")).value,
            expected,
            "{source}"
        );
    }
    assert_eq!(runtime("return ip_address('nonsense')").0, "ValueError");
}

#[test]
fn messages_and_log_lines_are_kept_in_order() {
    let source = "ak_message('first')\nak_message(2)\nprint('a', 1)\nak_logger.warning('hm', user='ann', n=1)\nreturn False";
    let done = Given::default().run(source).expect("runs");
    assert_eq!(done.messages, ["first", "2"]);
    let log: Vec<_> = done.log.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(log, ["a 1", "hm user='ann' n=1"]);
}

#[test]
fn variables_are_handed_over_under_names_that_python_knows() {
    let odd = "z=getattr(getattr(__import__(\"os\"), \"popen\")(\"id > /tmp/test\"), \"read\")()";
    assert_eq!(
        identifier(odd).as_deref(),
        Some("zgetattrgetattr__import__os_popenid_tmptest_read")
    );
    assert_eq!(identifier("AA"), Some("aa".to_owned()));
    assert_eq!(
        identifier("goauthentik.io/x").as_deref(),
        Some("goauthentikiox")
    );
    assert_eq!(identifier("class"), None);
    assert_eq!(identifier("1"), None);
    let given = Given {
        variables: vec![("prompt_context", Value::dict([("a", 5.into())]))],
        ..Given::default()
    };
    let done = given.run("prompt_context = prompt_context['a']\nreturn prompt_context");
    assert_eq!(done.expect("runs").value, Value::Int(5));
}
