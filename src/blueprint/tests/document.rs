//! Reading files: their forms, and where a problem is.

use proptest::prelude::*;

use super::*;

fn problems(source: &str) -> Vec<String> {
    let problems = check(source, "f.yaml").expect_err("it has problems");
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_no_blueprint_is_refused_with_its_place() {
    for (source, expected) in [
        ("", "f.yaml:1:1: the file is empty"),
        (
            "- a",
            "f.yaml:1:1: a blueprint has to be a mapping, not a list",
        ),
        (
            "version: 2\nentries: []",
            "f.yaml:1:10: Invalid blueprint version: only version 1 is known",
        ),
        (
            "version: 1\nmetadata: {labels: {}}",
            "f.yaml:2:11: metadata needs a name",
        ),
        (
            "metadata: {name: a}\nmetadata: {name: b}",
            "f.yaml:2:1: the key \"metadata\" is there twice",
        ),
        (
            "entries: none",
            "f.yaml:1:10: entries has to be a list, or a mapping of lists, not a single value",
        ),
        (
            "a: 1\n---\nb: 2",
            "f.yaml:3:1: a blueprint is one YAML document, not several",
        ),
        (
            "entries:\n- id: x",
            "f.yaml:2:3: entry 1 (x): an entry needs a model, such as authentik_flows.flow",
        ),
        (
            "entries:\n- {model: authentik_flows.flow, id: 5}",
            "f.yaml:2:37: entry 1 (authentik_flows.flow): the id of an entry has to be a text; \
             put it in quotes",
        ),
        (
            "entries:\n- {model: authentik_flows.flow, state: there}",
            "f.yaml:2:40: entry 1 (authentik_flows.flow): the state \"there\" is unknown; it is \
             one of present, created, must_created and absent",
        ),
        (
            "entries:\n- {model: a.b, attrs: {x: !Nope y}}",
            "f.yaml:2:27: entry 1 (a.b): the tag !Nope is unknown",
        ),
        (
            "entries:\n- {model: nonsense}",
            "f.yaml:2:11: entry 1 (nonsense): App or Model does not exist: \"nonsense\"; \
             expected is a name such as authentik_flows.flow",
        ),
        (
            "entries:\n- {model: authentik_flows.Stage}",
            "f.yaml:2:11: entry 1 (authentik_flows.Stage): Model authentik_flows.Stage not allowed",
        ),
        (
            "entries:\n- {model: authentik_flows.flow, attrs: {name: !KeyOf later}}\n\
             - {model: authentik_flows.flow, id: later}",
            "f.yaml:2:47: entry 1 (authentik_flows.flow): !KeyOf later: no entry before this one \
             has this id",
        ),
    ] {
        assert_eq!(problems(source), [expected], "{source}");
    }
}

#[test]
fn yaml_that_breaks_off_is_refused_with_its_place() {
    let found = problems("entries:\n- {model: a\n");
    assert_eq!(found, ["f.yaml:2:3: unclosed bracket '{'"]);
}

#[test]
fn every_entry_that_is_wrong_is_reported() {
    let found = problems("entries: {one: [{id: a}], two: [{model: []}, 5]}");
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[2].contains("entry 3"), "{found:?}");
}

#[test]
fn sections_are_flattened_and_unknown_keys_ignored() {
    let source = "
future: !Unheard of
entries:
  first:
  - {model: authentik_flows.flow, id: a, colour: red}
  empty:
  second:
  - {model: authentik_flows.flow, id: b, attrs: null}
";
    let document = check(source, "f.yaml").expect("no problems");
    let ids: Vec<_> = document
        .entries()
        .filter_map(|it| it.id.as_deref())
        .collect();
    assert_eq!(ids, ["a", "b"]);
}

#[test]
fn aliases_and_merge_keys_are_followed() {
    let source = "
context:
  base: &base {designation: recovery, title: T}
entries:
- model: authentik_flows.flow
  identifiers: {slug: s}
  attrs: &attrs {<<: *base, title: Other}
- {model: authentik_flows.flow, identifiers: {slug: t}, attrs: *attrs}
";
    let document = check(source, "f.yaml").expect("no problems");
    let attrs = format!("{:?}", document.entries[1].attrs);
    assert!(
        attrs.contains("recovery") && attrs.contains("Other"),
        "{attrs}"
    );
    assert!(!attrs.contains("\"T\""), "{attrs}");
}

#[test]
fn a_file_cannot_be_made_to_eat_all_memory() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        bomb = format!("{bomb}a{level}: &a{level} [{before}]\n");
    }
    assert!(problems(&bomb)[0].contains("values that a blueprint may have"));
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    assert_eq!(problems(&deep).len(), 1);
    let circle = problems("a: &a [*a]");
    assert!(circle[0].contains("alias"), "{circle:?}");
    let large = format!("# {}", "x".repeat(MAX_BYTES));
    assert!(problems(&large)[0].contains("larger than"));
}

#[test]
fn models_of_later_versions_are_told_apart_from_mistakes() {
    let source = "
entries:
- {model: authentik_outposts.outpost, identifiers: {name: p}}
- {model: authentik_flows.FLOW, identifiers: {slug: s}}
";
    let document = check(source, "f.yaml").expect("no problems");
    let found = unsupported(&document);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].model, "authentik_outposts.outpost");
    assert_eq!((found[0].entry.number, found[0].span.line), (1, 3));
}

proptest! {
    #[test]
    fn whatever_is_read_is_read_or_refused_with_a_place(
        text in "([-a&*!:,{}\\[\\]'\"|>?% \n0.<#]|entries|model|!KeyOf |!If |!Enumerate ){0,40}",
        whole in any::<bool>(),
    ) {
        let source = if whole {
            text
        } else {
            format!("entries:\n- model: authentik_flows.flow\n  attrs: {{a: {text}}}")
        };
        if let Err(problems) = check(&source, "f.yaml") {
            prop_assert!(!problems.is_empty());
            prop_assert!(problems.iter().all(|it| it.span.line > 0), "{:?}", problems);
        }
    }
}
