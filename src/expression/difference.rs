//! What an expression changed in a context.

use super::evaluation::{Change, Root};
use super::value::Value;

/// The changes that lead from `before` to `after`, both contexts.
///
/// Goes down wherever both sides are `dict`s with texts as keys, so that a change names the
/// smallest part. A `dict` that has other keys changes as a whole. A key at the top that is no
/// text is left out: a context has none.
pub(super) fn difference(
    root: Root,
    before: &[(Value, Value)],
    after: &[(Value, Value)],
) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut path = Vec::new();
    descend(root, before, after, &mut path, &mut changes);
    changes
}

fn descend(
    root: Root,
    before: &[(Value, Value)],
    after: &[(Value, Value)],
    path: &mut Vec<String>,
    changes: &mut Vec<Change>,
) {
    let mut note = |path: &[String], value: Option<Value>| {
        let path = path.to_vec();
        changes.push(Change { root, path, value });
    };
    for (key, value) in after {
        let Some(name) = key.as_text() else { continue };
        path.push(name.to_owned());
        match (find(before, name), value) {
            (Some(earlier), _) if earlier == value => {}
            (Some(Value::Dict(earlier)), Value::Dict(later)) if named(earlier) && named(later) => {
                let mut inner = Vec::new();
                descend(root, earlier, later, path, &mut inner);
                for change in inner {
                    note(&change.path, change.value);
                }
            }
            _ => note(path, Some(value.clone())),
        }
        path.pop();
    }
    for (key, _) in before {
        let Some(name) = key.as_text() else { continue };
        if find(after, name).is_none() {
            path.push(name.to_owned());
            note(path, None);
            path.pop();
        }
    }
}

fn find<'a>(entries: &'a [(Value, Value)], name: &str) -> Option<&'a Value> {
    let mut entries = entries.iter();
    entries.find_map(|(key, value)| (key.as_text() == Some(name)).then_some(value))
}

fn named(entries: &[(Value, Value)]) -> bool {
    entries.iter().all(|(key, _)| key.as_text().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(before: &Value, after: &Value) -> Vec<(String, Option<Value>)> {
        let (Value::Dict(before), Value::Dict(after)) = (before, after) else {
            panic!("contexts are dicts");
        };
        let changes = difference(Root::Context, before, after).into_iter();
        changes.map(|c| (c.path.join("."), c.value)).collect()
    }

    #[test]
    fn a_change_names_the_smallest_part() {
        let before = Value::dict([
            (
                "prompt_data",
                Value::dict([("a", 1.into()), ("b", 2.into())]),
            ),
            ("gone", Value::None),
            ("same", Value::List(vec![1.into()])),
        ]);
        let after = Value::dict([
            (
                "prompt_data",
                Value::dict([("a", 1.into()), ("b", 3.into()), ("c", 4.into())]),
            ),
            ("same", Value::List(vec![1.into()])),
            ("new", Value::dict([("x", 1.into())])),
        ]);
        assert_eq!(
            changes(&before, &after),
            [
                ("prompt_data.b".to_owned(), Some(3.into())),
                ("prompt_data.c".to_owned(), Some(4.into())),
                ("new".to_owned(), Some(Value::dict([("x", 1.into())]))),
                ("gone".to_owned(), None),
            ]
        );
    }

    #[test]
    fn a_dict_with_other_keys_changes_as_a_whole() {
        let before = Value::dict([("a", Value::Dict(vec![(Value::Int(1), Value::None)]))]);
        let later = Value::Dict(vec![(Value::Int(1), Value::Bool(true))]);
        let after = Value::dict([("a", later.clone())]);
        assert_eq!(changes(&before, &after), [("a".to_owned(), Some(later))]);
    }

    #[test]
    fn nothing_changed_is_nothing_noted() {
        let value = Value::dict([("a", Value::dict([("b", Value::None)]))]);
        assert_eq!(changes(&value, &value), []);
    }
}
