//! What queries mean, what is wrong with them, and that none breaks the parser.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn event() -> Value {
    json!({
        "action": "login",
        "app": "authentik.core",
        "client_ip": "192.0.2.1",
        "created": "2026-01-31T18:30:00.5Z",
        "user": {"pk": 7, "username": "Ann \"the\" Tab\t", "is_superuser": true},
        "context": {
            "model": {"app": "authentik_core", "model_name": "user"},
            "attempts": 2.5,
            "nothing": null,
            "groups": ["Admins", "users"],
        },
    })
}

#[track_caller]
fn matches(query: &str) -> bool {
    let query: Query = query.parse().unwrap_or_else(|it| panic!("{query}: {it}"));
    query.matches(&event())
}

#[track_caller]
fn wrong(query: &str) -> String {
    query
        .parse::<Query>()
        .expect_err("the query is wrong")
        .to_string()
}

#[test]
fn every_comparison_holds_and_fails() {
    for (holds, fails) in [
        (r#"action = "login""#, r#"action = "Login""#),
        (r#"action != "logout""#, r#"action != "login""#),
        (
            r#"action in ("logout", "login")"#,
            r#"action in ("logout")"#,
        ),
        (
            r#"action not in ("logout")"#,
            r#"action not in ("x", "login")"#,
        ),
        (r#"user.username ~ "aNN""#, r#"user.username ~ "bob""#),
        (r#"user.username !~ "bob""#, r#"user.username !~ "ann""#),
        (
            r#"client_ip startswith "192.0.""#,
            r#"client_ip startswith "0.2""#,
        ),
        (r#"client_ip endswith ".1""#, r#"client_ip endswith "192""#),
        (
            r#"client_ip not startswith "10.""#,
            r#"client_ip not startswith "192""#,
        ),
        (
            r#"client_ip not endswith ".2""#,
            r#"client_ip not endswith ".1""#,
        ),
        ("user.pk = 7", "user.pk = 8"),
        ("user.pk > 6", "user.pk > 7"),
        ("user.pk >= 7", "user.pk >= 7.5"),
        ("user.pk < 7.5e0", "user.pk < -7"),
        ("context.attempts <= 2.5", "context.attempts <= 2"),
        ("user.is_superuser = True", "user.is_superuser = False"),
        ("user.is_superuser != False", "user.is_superuser != True"),
        ("context.nothing = None", "context.nothing != None"),
        ("context.absent.deeper = None", "user.pk = None"),
        (
            r#"context.groups ~ "admins""#,
            r#"context.groups = "Admins""#,
        ),
        (r#"app > "authentik.a""#, r#"app < "authentik.a""#),
    ] {
        assert!(matches(holds), "{holds}");
        assert!(!matches(fails), "{fails}");
    }
}

#[test]
fn values_of_different_kinds_are_never_equal() {
    for query in [
        r#"user.pk = "7""#,
        "action = 7",
        r#"context.absent = """#,
        r#"context.absent > """#,
        r#"context.absent ~ """#,
        "context.absent < 1",
    ] {
        assert!(!matches(query), "{query}");
    }
    assert!(matches(r#"context.absent != "x" and user.pk not in ("7")"#));
}

#[test]
fn moments_are_compared_as_moments() {
    for query in [
        r#"created = "2026-01-31T19:30:00.5+01:00""#,
        r#"created > "2026-01-31""#,
        r#"created >= "2026-01-31 18:30""#,
        r#"created < "2026-01-31 18:30:01""#,
        r#"created ~ "2026-01""#,
    ] {
        assert!(matches(query), "{query}");
    }
    assert!(wrong(r#"created > "yesterday""#).starts_with("Line 1, col 11: this is no date"));
}

#[test]
fn and_and_or_bind_equally_and_to_the_right() {
    let (yes, no) = ("user.pk = 7", "user.pk = 8");
    assert!(matches(&format!("{yes} or {yes} and {no}")));
    assert!(!matches(&format!("({yes} or {yes}) and {no}")));
    assert!(!matches(&format!("{no} and {no} or {yes}")));
    assert!(matches(&format!("({no} and {no}) or {yes}")));
    assert!(matches(&format!("{yes} and {no} or {yes} and {yes}")));
}

#[test]
fn a_query_may_be_long() {
    let long = "user.pk = 7 and user.pk = 8 or ".repeat(10_000);
    assert!(matches(&format!("user.pk = 7 or {long} user.pk = 7")));
}

#[test]
fn a_text_may_have_escapes() {
    assert!(matches(r#"user.username = "Ann \"the\" Tab\t""#));
    assert!(matches(r#"user.username = "\u0041nn \u0022the\" Tab\t""#));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (query, problem) in [
        (
            "",
            "Line 1, col 1: expected the name of a field, but the query ends",
        ),
        (
            "action",
            "Line 1, col 7: expected a comparison, but the query ends",
        ),
        (
            "action = login",
            "Line 1, col 10: expected a text in double quotes, a number, True, False or None, \
             but login was found",
        ),
        (
            "action = \"login\"\n  or",
            "Line 2, col 5: expected the name of a field, but the query ends",
        ),
        ("action = \"login", "Line 1, col 10: this text has no end"),
        (
            r#"action = "\q""#,
            "Line 1, col 10: this text has an escape or a character that it may not",
        ),
        ("user.pk = 1.2.3", "Line 1, col 11: this is no number"),
        ("user.pk = 01", "Line 1, col 11: this is no number"),
        ("user..pk = 1", "Line 1, col 1: this is no name"),
        ("äction = 1", "Line 1, col 1: 'ä' has no meaning here"),
        (
            "in = 1",
            "Line 1, col 1: expected the name of a field, but in was found",
        ),
        (
            "action not = 1",
            "Line 1, col 12: expected in, startswith or endswith, but = was found",
        ),
        (
            "(user.pk = 1",
            "Line 1, col 13: expected and, or, or a closing parenthesis, but the query ends",
        ),
        (
            "user.pk = 1 user.pk = 2",
            "Line 1, col 13: expected and, or, or the end, but user.pk was found",
        ),
        (
            "user.pk in ()",
            "Line 1, col 13: expected a text in double quotes, a number, True, False or None, \
             but ) was found",
        ),
        (
            "user.pk ~ 1",
            "Line 1, col 11: only a text can be looked for in a text",
        ),
        (
            "user.pk > None",
            "Line 1, col 11: True, False and None are neither more nor less than anything",
        ),
        (
            r#"acton = "login""#,
            "Line 1, col 1: Unknown field: acton. Possible choices are: action, app, brand, \
             client_ip, context, created, event_uuid, expires, user",
        ),
    ] {
        assert_eq!(wrong(query), problem, "{query}");
    }
}

#[test]
fn parentheses_have_a_bottom() {
    let nested = |depth: usize| format!("{}user.pk = 7{}", "(".repeat(depth), ")".repeat(depth));
    assert!(matches(&nested(32)));
    assert!(wrong(&nested(33)).contains("too many parentheses"));
    assert!(wrong(&"(".repeat(1_000_000)).contains("too many parentheses"));
}

/// Writes a query, with chains within chains in parentheses.
fn written(query: &Query) -> String {
    match query {
        Query::Chain { parts, joins } => {
            let words = joins.iter().map(|join| match join {
                Join::And => " and ",
                Join::Or => " or ",
            });
            let parts = parts.iter().map(|part| match part {
                Query::Chain { .. } => format!("({})", written(part)),
                Query::Compare(_) => written(part),
            });
            let pairs = parts.zip(words.chain([""]));
            pairs.map(|(part, word)| part + word).collect()
        }
        Query::Compare(it) => {
            let constants: Vec<String> = it.with.iter().map(constant).collect();
            let (path, constants) = (it.path.join("."), constants.join(", "));
            match (it.operator, it.negated) {
                (Operator::In, false) => format!("{path} in ({constants})"),
                (Operator::In, true) => format!("{path} not in ({constants})"),
                (Operator::StartsWith, false) => format!("{path} startswith {constants}"),
                (Operator::StartsWith, true) => format!("{path} not startswith {constants}"),
                (Operator::EndsWith, false) => format!("{path} endswith {constants}"),
                (Operator::EndsWith, true) => format!("{path} not endswith {constants}"),
                (Operator::Equal, false) => format!("{path} = {constants}"),
                (Operator::Equal, true) => format!("{path} != {constants}"),
                (Operator::Contains, false) => format!("{path} ~ {constants}"),
                (Operator::Contains, true) => format!("{path} !~ {constants}"),
                (Operator::Greater, _) => format!("{path} > {constants}"),
                (Operator::GreaterOrEqual, _) => format!("{path}>={constants}"),
                (Operator::Less, _) => format!("{path} < {constants}"),
                (Operator::LessOrEqual, _) => format!("{path}<={constants}"),
            }
        }
    }
}

fn constant(constant: &Constant) -> String {
    match constant {
        Constant::None => "None".to_owned(),
        Constant::Bool(true) => "True".to_owned(),
        Constant::Bool(false) => "False".to_owned(),
        Constant::Number(number) => number.to_string(),
        Constant::Text(text) => Value::from(text.as_str()).to_string(),
    }
}

fn constants() -> impl Strategy<Value = Constant> {
    prop_oneof![
        Just(Constant::None),
        any::<bool>().prop_map(Constant::Bool),
        any::<i32>().prop_map(|it| Constant::Number(f64::from(it) / 8.0)),
        any::<String>().prop_map(Constant::Text),
    ]
}

fn comparisons() -> impl Strategy<Value = Query> {
    let path = "(context|user|action)(\\.[a-z_][a-z0-9_]{0,5}){0,3}";
    let text = any::<String>().prop_map(|it| vec![Constant::Text(it)]);
    let number = any::<i32>().prop_map(|it| vec![Constant::Number(it.into())]);
    let with = prop_oneof![
        (
            Just(Operator::In),
            any::<bool>(),
            prop::collection::vec(constants(), 1..4)
        ),
        (
            Just(Operator::Equal),
            any::<bool>(),
            constants().prop_map(|it| vec![it])
        ),
        (
            prop_oneof![
                Just(Operator::Contains),
                Just(Operator::StartsWith),
                Just(Operator::EndsWith)
            ],
            any::<bool>(),
            text
        ),
        (
            prop_oneof![
                Just(Operator::Greater),
                Just(Operator::GreaterOrEqual),
                Just(Operator::Less),
                Just(Operator::LessOrEqual)
            ],
            Just(false),
            number
        ),
    ];
    (path, with).prop_map(|(path, (operator, negated, with))| {
        Query::Compare(Comparison {
            path: path.split('.').map(str::to_owned).collect(),
            operator,
            negated,
            with,
        })
    })
}

fn queries() -> impl Strategy<Value = Query> {
    comparisons().prop_recursive(4, 24, 4, |inner| {
        let joins = prop_oneof![Just(Join::And), Just(Join::Or)];
        let rest = prop::collection::vec((inner.clone(), joins), 1..4);
        (inner, rest).prop_map(|(first, rest)| {
            let (mut parts, joins): (Vec<_>, Vec<_>) = rest.into_iter().unzip();
            parts.insert(0, first);
            Query::Chain { parts, joins }
        })
    })
}

proptest! {
    #[test]
    fn no_text_breaks_the_parser(text in any::<String>()) {
        let _ = text.parse::<Query>();
    }

    #[test]
    fn no_arrangement_of_its_own_pieces_breaks_the_parser(
        text in r#"((user|and|or|not|in|None|startswith|\(|\)|,|=|!~|>=|"|\\|-1|0|é| |\n){0,3} ?){0,8}"#
    ) {
        if let Ok(query) = text.parse::<Query>() {
            query.matches(&event());
        }
    }

    #[test]
    fn a_query_that_is_written_is_read_as_it_was(query in queries()) {
        let text = written(&query);
        prop_assert_eq!(text.parse::<Query>(), Ok(query), "{}", text);
    }
}
