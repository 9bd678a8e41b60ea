//! Values as they are kept among the attributes of a user.

use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value, json};

use crate::directory::Group;
use crate::flow::context::Value as Known;
use crate::journal::object::{self, Versioned};
use crate::stage::{Error, Turn};

/// A value as JSON; objects become references to them. Unlike in authentik nothing is left out of
/// a list because it is empty or false.
pub(super) fn kept<'a>(
    value: &'a Known,
    turn: &'a Turn<'_>,
) -> LocalBoxFuture<'a, Result<Value, Error>> {
    Box::pin(async move {
        Ok(match value {
            Known::Json(json) => json.clone(),
            Known::User(id) => match turn.user(*id).await? {
                Some(user) => reference("user", &user.value.pk.into(), &user.value.username),
                None => Value::Null,
            },
            Known::Group(id) => {
                let group: Option<Versioned<Group>> =
                    object::get(turn.world.objects(), *id).await?;
                match group {
                    Some(group) => {
                        let pk = id.simple().to_string().into();
                        reference("group", &pk, &group.value.name)
                    }
                    None => Value::Null,
                }
            }
            Known::Stranger { identifier } => identifier.as_str().into(),
            Known::Object { class, id } => {
                json!({ "model_name": class.to_lowercase(), "pk": id })
            }
            // Attributes are shown to policies and in the API.
            Known::Secret(_) => {
                let problem = "a secret cannot be kept among the attributes of a user";
                return Err(Error::Failed(problem.to_owned()));
            }
            Known::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    list.push(kept(item, turn).await?);
                }
                list.into()
            }
            Known::Map(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    map.insert(key.clone(), kept(value, turn).await?);
                }
                map.into()
            }
        })
    })
}

fn reference(model: &str, pk: &Value, name: &str) -> Value {
    json!({ "app": "authentik_core", "model_name": model, "pk": pk, "name": name })
}

/// Puts a value where `path` leads, making the objects on the way.
///
/// # Errors
/// What lies in the way.
pub(super) fn put(
    attributes: &mut Map<String, Value>,
    path: &str,
    value: Value,
) -> Result<(), String> {
    let (way, last) = path.rsplit_once('.').map_or(("", path), |parts| parts);
    let mut at = attributes;
    for part in way.split('.').filter(|_| path.contains('.')) {
        let next = at.entry(part).or_insert_with(|| Map::new().into());
        at = match next {
            Value::Object(next) => next,
            _ => return Err(format!("attributes.{path}: there is no object at {part}")),
        };
    }
    at.insert(last.to_owned(), value);
    Ok(())
}

/// Whether NUL is anywhere in it, which other stores cannot hold.
pub(super) fn has_nul(key: &str, value: &Value) -> bool {
    key.contains('\0')
        || match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().any(|item| has_nul("", item)),
            Value::Object(entries) => entries.iter().any(|(key, value)| has_nul(key, value)),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put_into(before: &Value, path: &str) -> Result<Value, String> {
        let mut attributes = before.as_object().cloned().unwrap_or_default();
        put(&mut attributes, path, json!("baz"))?;
        Ok(attributes.into())
    }

    #[test]
    fn a_leaf_is_replaced_or_made_and_what_is_beside_it_stays() {
        let before = json!({"foo": "bar", "deep": {"a": 1}});
        for (path, after) in [
            ("foo", json!({"foo": "baz", "deep": {"a": 1}})),
            (
                "foob.bar",
                json!({"foo": "bar", "deep": {"a": 1}, "foob": {"bar": "baz"}}),
            ),
            (
                "deep.b",
                json!({"foo": "bar", "deep": {"a": 1, "b": "baz"}}),
            ),
            (
                "deep.c.d",
                json!({"foo": "bar", "deep": {"a": 1, "c": {"d": "baz"}}}),
            ),
            ("deep", json!({"foo": "bar", "deep": "baz"})),
        ] {
            assert_eq!(put_into(&before, path), Ok(after), "{path}");
        }
    }

    #[test]
    fn what_is_no_object_is_not_walked_through() {
        let problem = put_into(&json!({"foo": "bar"}), "foo.bar").expect_err("a text");
        assert!(problem.contains("attributes.foo.bar"), "{problem}");
    }

    #[test]
    fn nul_is_found_at_any_depth() {
        assert!(has_nul("", &json!({"a": [{"b": "x\0"}]})));
        assert!(has_nul("", &json!({"a\0": 1})));
        assert!(!has_nul("a", &json!({"a": ["line\nbreak"]})));
    }
}
