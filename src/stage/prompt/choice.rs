//! The choices of a prompt that has some.

use crate::expression::Value;

/// One choice.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    /// What it stands for, in its own type: this is what `prompt_data` gets.
    pub(super) value: Value,
    /// What is sent for it.
    pub(super) word: String,
    /// What the visitor reads.
    pub(super) label: String,
}

/// The choices that a value gives: those of a list, or itself.
///
/// Each is a value, or a mapping of `value` and `label`. One that says nothing cannot be chosen,
/// and authentik's own clients refuse a challenge with it, so it is none.
pub(super) fn choices(given: Value) -> Vec<Choice> {
    let all = match given {
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => items,
        one => vec![one],
    };
    let all = all.iter().map(choice);
    all.filter(|choice| !choice.word.trim().is_empty())
        .collect()
}

fn choice(given: &Value) -> Choice {
    let (value, label) = match given {
        Value::Dict(_) => {
            let part = |name| given.get(name).cloned().unwrap_or_else(|| Value::text(""));
            (part("value"), part("label").displayed())
        }
        _ => (given.clone(), given.displayed()),
    };
    let word = value.displayed();
    let label = if label.trim().is_empty() {
        word.clone()
    } else {
        label
    };
    Choice { value, word, label }
}

/// The choice that a value is or names.
pub(super) fn find<'c>(choices: &'c [Choice], value: &Value) -> Option<&'c Choice> {
    let word = choice(value).word;
    choices.iter().find(|choice| choice.word == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(given: Value) -> Vec<String> {
        choices(given).into_iter().map(|it| it.word).collect()
    }

    #[test]
    fn a_list_gives_its_items_and_anything_else_itself() {
        let list = Value::List(vec!["test".into(), true.into(), 42.into()]);
        assert_eq!(words(list), ["test", "True", "42"]);
        assert_eq!(words(Value::Tuple(vec!["a".into()])), ["a"]);
        assert_eq!(words("only".into()), ["only"]);
        assert_eq!(words(Value::List(Vec::new())), [""; 0]);
    }

    #[test]
    fn a_mapping_names_value_and_label_apart() {
        let item = Value::dict([("value", Value::Int(1)), ("label", "One".into())]);
        let found = choices(Value::List(vec![item]));
        assert_eq!(
            found,
            [Choice {
                value: 1.into(),
                word: "1".to_owned(),
                label: "One".to_owned(),
            }]
        );
        let bare = Value::dict([("value", Value::text("x"))]);
        assert_eq!(choices(bare)[0].label, "x");
    }

    #[test]
    fn a_choice_that_says_nothing_is_none() {
        assert_eq!(choices(Value::text("")), []);
        let bare = Value::dict([("label", Value::text("x"))]);
        assert_eq!(choices(bare), []);
    }

    #[test]
    fn a_choice_is_found_by_its_word_or_by_itself() {
        let item = Value::dict([("value", Value::text("value2")), ("label", "2".into())]);
        let all = choices(Value::List(vec![true.into(), item.clone()]));
        assert_eq!(find(&all, &"True".into()), Some(&all[0]));
        assert_eq!(find(&all, &item), Some(&all[1]));
        assert_eq!(find(&all, &"value2".into()), Some(&all[1]));
        assert_eq!(find(&all, &"value3".into()), None);
    }
}
