//! Tags are resolved as authentik resolves them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::node;
use super::super::tag::{Expr, Form};
use super::*;

/// One flow, which the entry `flow` made, and nothing else.
struct OneFlow;

impl Objects for OneFlow {
    fn key_of(&self, id: &str) -> Result<Value, Miss> {
        match id {
            "flow" => Ok("f-1".into()),
            "gone" => Err(Miss::LeftOut(id.to_owned())),
            _ => Err(Miss::Wrong(format!("!KeyOf {id}: unknown"))),
        }
    }

    fn find(&self, model: &str, pairs: &[(String, Value)]) -> Result<Option<Found>, Miss> {
        if model != "authentik_flows.flow" {
            return Err(Miss::Wrong(format!("no model {model}")));
        }
        let fits = pairs.iter().all(|(k, v)| k == "slug" && v == "one");
        Ok(fits.then(|| Found {
            pk: "f-1".into(),
            fields: [("slug".to_owned(), json!("one"))].into_iter().collect(),
        }))
    }
}

const CONTEXT: &str = "
text: hello
number: 3
list: [a, b]
map: {z: 1, a: 2}
tagged: !Format ['%s-%s', !Context text, !Context number]
loop: !Context loop
nested: {inner: !Context text}
";

fn expr(source: &str) -> Expr {
    let node = node::read(source).expect("YAML");
    Expr::read(&node).expect("known tags of the right shape")
}

fn resolve(source: &str) -> Result<Value, String> {
    let Form::Mapping(context) = expr(CONTEXT).form else {
        return Err("the context is a mapping".to_owned());
    };
    let host = Host::Given {
        variables: BTreeMap::from([
            ("SET".to_owned(), "value".to_owned()),
            ("EMPTY".to_owned(), String::new()),
        ]),
        files: BTreeMap::from([("/a".to_owned(), "  text\n".to_owned())]),
    };
    match Resolver::new(&OneFlow, &context, &host).resolve(&expr(source)) {
        Ok(value) => Ok(value),
        Err(Stop::Wrong(problems)) => Err(problems[0].message.clone()),
        Err(other) => Err(format!("{other:?}")),
    }
}

fn shape_problem(source: &str) -> String {
    let node = node::read(source).expect("YAML");
    let problem = Expr::read(&node).expect_err("the wrong shape");
    assert_eq!(problem.span.line, 1, "{problem}");
    problem.message
}

#[test]
fn every_tag_yields_what_the_format_says() {
    for (source, expected) in [
        ("!KeyOf flow", json!("f-1")),
        ("!Find [authentik_flows.flow, [slug, one]]", json!("f-1")),
        ("!Find [authentik_flows.flow, [slug, two]]", json!(null)),
        (
            "!Find [!Format ['authentik_%s.flow', flows], [slug, !If [1, one, two]]]",
            json!("f-1"),
        ),
        (
            "!FindObject [authentik_flows.flow, [slug, one]]",
            json!({"slug": "one"}),
        ),
        ("!Context text", json!("hello")),
        ("!Context [missing, 5]", json!(5)),
        ("!Context [missing, !Context number]", json!(3)),
        ("!Context missing", json!(null)),
        ("!Context tagged", json!("hello-3")),
        ("!Context nested", json!({"inner": "hello"})),
        ("!Env SET", json!("value")),
        ("!Env [EMPTY, fallback]", json!("fallback")),
        ("!Env UNSET", json!(null)),
        ("!File /a", json!("text")),
        ("!File [/b, none]", json!("none")),
        ("!Format ['%s and %d', a, 2]", json!("a and 2")),
        ("!Format ['%s', !Context text]", json!("hello")),
        ("!ParseJSON '{\"a\": [1, null]}'", json!({"a": [1, null]})),
        ("!If [!Context text]", json!(true)),
        ("!If ['']", json!(false)),
        ("!If [no, a, {b: !Context number}]", json!({"b": 3})),
        ("!AtIndex [!Context list, 1]", json!("b")),
        ("!AtIndex [!Context list, -1]", json!("b")),
        ("!AtIndex [!Context list, 2, none]", json!("none")),
        ("!AtIndex [!Context map, a]", json!(2)),
        ("!AtIndex [{1: x}, 1]", json!("x")),
        ("[plain, {a: !Context number}]", json!(["plain", {"a": 3}])),
        ("!!str 12", json!("12")),
        ("! 12", json!("12")),
    ] {
        assert_eq!(resolve(source), Ok(expected), "{source}");
    }
}

#[test]
fn conditions_combine_like_gates() {
    for (mode, of_none, of_one, of_all) in [
        ("AND", false, false, true),
        ("nand", true, true, false),
        ("OR", false, true, true),
        ("NOR", true, false, false),
        ("XOR", false, true, true),
        ("XNOR", true, false, false),
    ] {
        for (arguments, expected) in [
            ("0, '', []", of_none),
            ("0, 1, {}", of_one),
            ("yes, 1, [0]", of_all),
        ] {
            let source = format!("!Condition [{mode}, {arguments}]");
            assert_eq!(resolve(&source), Ok(json!(expected)), "{source}");
        }
    }
    assert_eq!(resolve("!Condition [XOR, 1]"), Ok(json!(true)));
    assert_eq!(resolve("!Condition [XNOR, 1]"), Ok(json!(false)));
}

#[test]
fn enumerations_go_through_lists_mappings_and_texts() {
    for (source, expected) in [
        (
            "!Enumerate [!Context list, SEQ, !Format ['%s%s', !Index 0, !Value 0]]",
            json!(["0a", "1b"]),
        ),
        (
            // In the order of the file, not of the letters.
            "!Enumerate [!Context map, SEQ, !Index 0]",
            json!(["z", "a"]),
        ),
        (
            "!Enumerate [{b: 1, a: !Context number}, SEQ, !Value 0]",
            json!([1, 3]),
        ),
        ("!Enumerate [äb, SEQ, !Value 0]", json!(["ä", "b"])),
        ("!Enumerate [[], SEQ, !Value 0]", json!([])),
        (
            "!Enumerate [!Context list, MAP, [!Value 0, !Index 0]]",
            json!({"a": 0, "b": 1}),
        ),
        (
            "!Enumerate [[1, 2], MAP, {all: [!Value 0]}]",
            json!({"all": [1, 2]}),
        ),
    ] {
        assert_eq!(resolve(source), Ok(expected), "{source}");
    }
}

#[test]
fn nested_enumerations_count_outwards() {
    let source = "
!Enumerate
- {g1: [u1, u2], g2: [u3]}
- SEQ
- !Enumerate
  - !Value 1
  - SEQ
  - !Format ['%s/%s/%d', !Index 1, !Value 0, !Index 0]
";
    assert_eq!(
        resolve(source),
        Ok(json!([["g1/u1/0", "g1/u2/1"], ["g2/u3/0"]]))
    );
}

#[test]
fn what_cannot_be_resolved_says_why() {
    for (source, part) in [
        ("!KeyOf nobody", "unknown"),
        ("!KeyOf gone", "LeftOut"),
        ("!Find [no.such, [a, b]]", "no model"),
        ("!Context loop", "in a circle"),
        ("!Format ['%s %s', 1]", "more % places"),
        ("!ParseJSON '{'", "!ParseJSON"),
        ("!Index 0", "does not stand within"),
        (
            "!Enumerate [!Context list, SEQ, !Value 1]",
            "does not stand within 2",
        ),
        ("!Enumerate [!AtIndex [!Value 0, 0], SEQ, 1]", "no item yet"),
        ("!Enumerate [5, SEQ, 1]", "no list, mapping or text"),
        ("!Enumerate [[1], MAP, 1]", "needs a pair"),
        ("!AtIndex [!Context list, 9]", "no item 9"),
        ("!AtIndex [!Context list, x]", "no index"),
        ("!AtIndex [text, 0]", "a list or a mapping"),
    ] {
        let error = resolve(source).expect_err(source);
        assert!(error.contains(part), "{source}: {error}");
    }
}

#[test]
fn tags_of_the_wrong_shape_are_refused_when_read() {
    for (source, part) in [
        ("!Nonsense x", "the tag !Nonsense is unknown"),
        ("!KeyOf [a]", "a single value"),
        ("!Find authentik_flows.flow", "not a single value"),
        ("!Find [m, [a]]", "pairs"),
        ("!If [1, 2]", "not a list of 2"),
        ("!Condition [AND]", "not a list of 1"),
        ("!Condition [MAYBE, 1]", "AND, NAND"),
        ("!Enumerate [a, LIST, b]", "SEQ or MAP"),
        ("!Enumerate [!Value 0, SEQ, b]", "its own"),
        ("!Index x", "takes a number"),
        ("!Context [a, b, c]", "not a list of 3"),
        ("!Format []", "not a list of 0"),
        ("!!binary aGk=", "not supported"),
        ("!!int x", "does not fit"),
    ] {
        let problem = shape_problem(source);
        assert!(problem.contains(part), "{source}: {problem}");
    }
}

#[test]
fn a_closed_host_refuses_to_be_read() {
    for source in ["!Env PATH", "!File /etc/passwd"] {
        let host = Host::Closed;
        let result = Resolver::new(&OneFlow, &[], &host).resolve(&expr(source));
        assert!(matches!(result, Err(Stop::Wrong(_))), "{source}");
    }
}

#[test]
fn an_enumeration_of_enumerations_cannot_eat_all_memory() {
    let mut source = "x".to_owned();
    for _ in 0..6 {
        source = format!("!Enumerate [aaaaaaaaaaaaaaaaaaaa, SEQ, {source}]");
    }
    let error = resolve(&source).expect_err("twenty to the sixth values");
    assert!(error.contains("more than"), "{error}");
}
