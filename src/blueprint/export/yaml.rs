//! Writes YAML that this server and authentik's reader, which has the rules of YAML 1.1, read
//! alike: keys in alphabetical order, no anchors, and a text in quotes wherever it could be taken
//! for something else.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Number, Value};
use uuid::Uuid;

use super::super::scalar;

/// A value of the file.
pub(super) enum Node {
    /// Null, a boolean, a number or a text.
    One(Value),
    /// Values in order.
    List(Vec<Node>),
    /// Values by key.
    Map(Mapping),
    /// `!Find`: the object that has this in this field.
    Find {
        model: &'static str,
        field: &'static str,
        wanted: String,
    },
}

/// Values by key, and what people should know about them.
#[derive(Default)]
pub(super) struct Mapping {
    /// Lines in front of the fields that no reader takes for data.
    pub(super) remarks: Vec<String>,
    /// The fields.
    pub(super) fields: BTreeMap<String, Node>,
}

impl Mapping {
    /// The same with one more field.
    pub(super) fn with(mut self, name: &str, value: impl Into<Node>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        match value {
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(map) => Self::Map(Mapping {
                remarks: Vec::new(),
                fields: map
                    .into_iter()
                    .map(|(key, value)| (key, Self::from(value)))
                    .collect(),
            }),
            single => Self::One(single),
        }
    }
}

impl From<Mapping> for Node {
    fn from(map: Mapping) -> Self {
        Self::Map(map)
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::One(text.into())
    }
}

/// The document.
pub(super) fn write(root: &Mapping) -> String {
    let mut out = String::new();
    mapping(&mut out, root, 0);
    out
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn mapping(out: &mut String, map: &Mapping, depth: usize) {
    for remark in &map.remarks {
        indent(out, depth);
        out.push_str("# ");
        // A remark stays a remark whatever somebody called their stage.
        out.extend(
            remark
                .chars()
                .map(|it| if is_breaking(it) { ' ' } else { it }),
        );
        out.push('\n');
    }
    for (key, node) in &map.fields {
        indent(out, depth);
        out.push_str(&inline(key));
        out.push(':');
        value(out, node, depth);
    }
}

/// What follows a key at this depth.
fn value(out: &mut String, node: &Node, depth: usize) {
    match node {
        Node::One(Value::String(text)) if is_block(text) => block(out, text, depth + 1),
        Node::List(items) if !items.is_empty() => {
            out.push('\n');
            sequence(out, items, depth);
        }
        Node::Map(map) if !map.fields.is_empty() => {
            out.push('\n');
            mapping(out, map, depth + 1);
        }
        other => {
            out.push(' ');
            out.push_str(&short(other));
            out.push('\n');
        }
    }
}

fn sequence(out: &mut String, items: &[Node], depth: usize) {
    for item in items {
        indent(out, depth);
        out.push('-');
        match item {
            Node::One(Value::String(text)) if is_block(text) => block(out, text, depth + 1),
            Node::List(inner) if !inner.is_empty() => {
                beside(out, |out| sequence(out, inner, depth + 1), depth + 1);
            }
            Node::Map(map) if !map.fields.is_empty() => {
                beside(out, |out| mapping(out, map, depth + 1), depth + 1);
            }
            other => {
                out.push(' ');
                out.push_str(&short(other));
                out.push('\n');
            }
        }
    }
}

/// Writes a collection so that it begins on the line of its hyphen.
fn beside(out: &mut String, write: impl Fn(&mut String), depth: usize) {
    let mut inner = String::new();
    write(&mut inner);
    out.push(' ');
    out.push_str(inner.get(2 * depth..).unwrap_or_default());
}

/// A value that has no lines of its own.
fn short(node: &Node) -> String {
    match node {
        Node::One(Value::String(text)) => inline(text),
        Node::One(Value::Number(number)) => numeral(number),
        Node::One(Value::Bool(flag)) => flag.to_string(),
        Node::One(_) => "null".to_owned(),
        Node::List(_) => "[]".to_owned(),
        Node::Map(_) => "{}".to_owned(),
        Node::Find {
            model,
            field,
            wanted,
        } => format!("!Find [{model}, [{field}, {}]]", inline(wanted)),
    }
}

/// A number; one with an exponent needs a point and a sign, or it would be read as a text.
fn numeral(number: &Number) -> String {
    let text = number.to_string();
    let Some((mantissa, exponent)) = text.split_once('e') else {
        return text;
    };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) {
        ""
    } else {
        "+"
    };
    format!("{mantissa}{point}e{sign}{exponent}")
}

/// A text on one line.
fn inline(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Whether a text without quotes is that text to every reader, also within brackets.
fn is_plain(text: &str) -> bool {
    if text.parse::<Uuid>().is_ok() {
        return text.len() == 36;
    }
    let begins = text.starts_with(|it: char| it.is_ascii_alphabetic() || matches!(it, '_' | '/'));
    let harmless = |it: char| it.is_ascii_alphanumeric() || "_-./()+@%".contains(it);
    begins
        && text.split(' ').all(|word| !word.is_empty() && word.chars().all(harmless))
        && scalar::is_text(text)
        // Some readers take these for yes and no.
        && !matches!(text, "y" | "Y" | "n" | "N")
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            it if is_shown(it) => out.push(it),
            it if u32::from(it) <= 0xffff => {
                let _ = write!(out, "\\u{:04X}", u32::from(it));
            }
            it => {
                let _ = write!(out, "\\U{:08X}", u32::from(it));
            }
        }
    }
    out.push('"');
    out
}

/// Whether a letter may stand in a file as it is. What breaks a line to some readers may not.
fn is_shown(letter: char) -> bool {
    !is_breaking(letter) && !matches!(letter, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn is_breaking(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}')
}

/// Whether a text of several lines can stand as it is, line by line, so that a change of one line
/// is a change of one line.
fn is_block(text: &str) -> bool {
    let lines = text.strip_suffix('\n').unwrap_or(text);
    lines.contains('\n')
        && !lines.starts_with([' ', '\t', '\n'])
        && !lines.ends_with('\n')
        && lines.split('\n').all(|line| {
            (line.is_empty() || !line.trim().is_empty())
                && line.chars().all(|it| it == '\t' || is_shown(it))
        })
}

fn block(out: &mut String, text: &str, depth: usize) {
    let lines = text.strip_suffix('\n');
    out.push_str(if lines.is_some() { " |\n" } else { " |-\n" });
    for line in lines.unwrap_or(text).split('\n') {
        if !line.is_empty() {
            indent(out, depth);
            out.push_str(line);
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::super::node;
    use super::super::super::tag::{Expr, Form};
    use super::*;

    fn plain(expr: &Expr) -> Value {
        match &expr.form {
            Form::Literal(value) => value.clone(),
            Form::Sequence(items) => items.iter().map(plain).collect(),
            Form::Mapping(pairs) => Value::Object(
                pairs
                    .iter()
                    .map(|(key, value)| (key.clone(), plain(value)))
                    .collect(),
            ),
            Form::Tag(tag) => panic!("a tag came of nothing: {tag:?}"),
        }
    }

    fn read(text: &str) -> Value {
        let root = node::read(text).unwrap_or_else(|problem| panic!("{problem}\n{text}"));
        plain(&Expr::read(&root).unwrap_or_else(|problem| panic!("{problem}\n{text}")))
    }

    fn written(value: &Value) -> String {
        write(&Mapping::default().with("it", value.clone()))
    }

    #[test]
    fn a_file_looks_as_a_person_would_write_it() {
        let value = json!({
            "z": {"entries": [{"b": 1, "a": [true, null]}, []], "none": {}},
            "code": "if x:\n  return 1\n\nreturn 2\n",
            "name": "Default - Password (second)",
        });
        let expected = "\
it:
  code: |
    if x:
      return 1

    return 2
  name: Default - Password (second)
  z:
    entries:
    - a:
      - true
      - null
      b: 1
    - []
    none: {}
";
        assert_eq!(written(&value), expected);
    }

    #[test]
    fn a_text_that_looks_like_something_else_stands_in_quotes() {
        for text in [
            "",
            "yes",
            "No",
            "on",
            "null",
            "~",
            "12",
            "0755",
            "1e5",
            "1.5",
            "2026-11-26",
            "12:30",
            "a: b",
            "a #b",
            "- a",
            "&a",
            "*a",
            "!a",
            "%a",
            "@a",
            "`a",
            "'a",
            "[a",
            "a,b",
            " a",
            "a ",
            "y",
            "=",
            "<<",
            "a\tb",
            "\u{85}",
            "\u{feff}a",
            "a\n",
            "\na\nb",
            "a\n\nb\n\n",
        ] {
            let out = written(&text.into());
            assert!(out.starts_with("it: \""), "{text:?} is written {out}");
            assert_eq!(read(&out)["it"], text);
        }
    }

    #[test]
    fn numbers_stay_numbers() {
        for number in [
            json!(0),
            json!(-5),
            json!(1.5),
            json!(1e-7),
            json!(1e21),
            json!(-2.5e-9),
        ] {
            assert_eq!(read(&written(&number))["it"], number);
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "[ -~\n\t]{0,40}",
            any::<String>(),
            "[a-z]{1,5}(\n[ a-z]{0,6}){1,4}"
        ];
        let leaf = prop_oneof![
            text.prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map("\\PC{1,8}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_again(value in values()) {
            let out = written(&value);
            prop_assert_eq!(&read(&out)["it"], &value, "{}", out);
        }
    }
}
