//! The context of an execution as expressions see it, and back.
//!
//! A user is an object whose id is their identifier; a stranger one whose id is what was typed,
//! after a question mark, which no identifier begins with.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use uuid::Uuid;

use super::request::Request;
use crate::expression::{Change, Object, Root, Value};
use crate::flow::Context;
use crate::flow::context::{Value as Known, key};
use crate::flow::event::Event;
use crate::world;

/// The class of users, in the directory or not.
pub const USER: &str = "User";
/// The class of groups.
pub const GROUP: &str = "Group";
/// The class of somebody of whom nothing is known.
pub const ANONYMOUS: &str = "AnonymousUser";

/// A user, as expressions see them.
#[must_use]
pub fn user(id: Uuid) -> Object {
    Object::new(USER, id.to_string())
}

/// Somebody who typed what nobody has as an identifier.
#[must_use]
pub fn stranger(identifier: &str) -> Object {
    Object::new(USER, format!("?{identifier}"))
}

/// All entries of a context.
#[must_use]
pub fn entries(context: &Context) -> Vec<(String, Value)> {
    let entries = context.iter();
    entries
        .map(|(key, value)| (key.to_owned(), seen(value)))
        .collect()
}

/// An entry, as expressions see it.
#[must_use]
pub fn seen(value: &Known) -> Value {
    match value {
        Known::Json(json) => Value::from(json),
        Known::User(id) => user(*id).into(),
        Known::Stranger { identifier } => stranger(identifier).into(),
        Known::Group(id) => Object::new(GROUP, id.to_string()).into(),
        Known::Object { class, id } => Object::new(class, id).into(),
        Known::Secret(handle) => Value::Secret(handle.to_string()),
        Known::List(items) => Value::List(items.iter().map(seen).collect()),
        Known::Map(entries) => Value::dict(entries.iter().map(|(k, v)| (k, seen(v)))),
    }
}

/// An entry that policies see, as JSON: what lies over the context, else the context's own.
#[must_use]
pub fn entry(request: &Request<'_>, name: &str) -> Option<Json> {
    let mut over = request.scope.extras().iter();
    match over.find(|(key, _)| key == name) {
        Some((_, value)) => Some(value.to_json()),
        None => Some(seen(request.scope.context().get(name)?).to_json()),
    }
}

/// What an expression left in a context, as it is kept.
#[must_use]
pub fn kept(value: &Value) -> Known {
    let identifier = |object: &Object| object.id.parse::<Uuid>().ok();
    match value {
        Value::None => Known::Json(Json::Null),
        Value::Bool(value) => Known::Json((*value).into()),
        Value::Int(value) => Known::Json((*value).into()),
        // JSON has neither infinities nor NaN.
        Value::Float(value) => Known::Json(Json::from(*value)),
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
            Known::list(items.iter().map(kept).collect())
        }
        Value::Dict(entries) => {
            let entries = entries.iter();
            Known::map(entries.map(|(k, v)| (k.displayed(), kept(v))).collect())
        }
        Value::Object(object) => match (object.class.as_str(), identifier(object)) {
            (USER, Some(id)) => Known::User(id),
            (GROUP, Some(id)) => Known::Group(id),
            (USER, None) => Known::Stranger {
                identifier: object.id.trim_start_matches('?').to_owned(),
            },
            (class, _) => Known::Object {
                class: class.to_owned(),
                id: object.id.clone(),
            },
        },
        Value::Secret(handle) => match handle.parse() {
            Ok(handle) => Known::Secret(handle),
            Err(_) => Known::text(crate::expression::MASK),
        },
        // As whoever reads JSON expects it, and as it is kept among a user's attributes.
        Value::Moment(moment) => Known::text(moment.to_string()),
        other => Known::text(other.displayed()),
    }
}

/// Makes the changes of an expression that concern the execution: those of the plan's context
/// and, where policies see no plan, those below the first level, which is shared.
pub(super) async fn apply(request: &Request<'_>, changes: &[Change]) -> Result<(), world::Error> {
    let has_plan = request.scope.plan().is_some();
    for change in changes {
        let counts = match change.root {
            Root::Plan => has_plan,
            Root::Context => !has_plan && change.path.len() > 1,
        };
        let Some((first, rest)) = change.path.split_first().filter(|_| counts) else {
            continue;
        };
        let context = request.scope.context();
        let before = context.get(first);
        if change.root == Root::Context && before.is_none() {
            // It lies over the context for this policy only.
            continue;
        }
        let value = change.value.as_ref().map(kept);
        let value = replaced(before, rest, value);
        if before == value.as_ref() {
            continue;
        }
        if first == key::PENDING_USER
            && let Some(Known::User(id)) = &value
        {
            identify(request, *id).await?;
        }
        request.scope.learn(Event::ContextChanged {
            key: first.clone(),
            value,
            by: request.policy.to_owned(),
        });
    }
    Ok(())
}

/// Whoever a policy says is going through the flow has been identified by it.
async fn identify(request: &Request<'_>, id: Uuid) -> Result<(), world::Error> {
    if let Some(user) = world::user(request.world, id).await? {
        request.scope.learn(Event::UserIdentified {
            user: Some(id),
            active: user.value.is_active,
        });
    }
    Ok(())
}

/// `before` with the part under `path` replaced; `None` when nothing is left.
fn replaced(before: Option<&Known>, path: &[String], value: Option<Known>) -> Option<Known> {
    let Some((first, rest)) = path.split_first() else {
        return value;
    };
    let mut entries: BTreeMap<String, Known> = before.and_then(Known::entries).unwrap_or_default();
    match replaced(entries.get(first), rest, value) {
        Some(value) => entries.insert(first.clone(), value),
        None => entries.remove(first),
    };
    Some(Known::map(entries))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_part_of_an_entry_is_replaced_and_the_rest_stays() {
        let secret = Known::Secret(Uuid::nil());
        let before = Known::map(BTreeMap::from([
            ("username".to_owned(), Known::text("ann")),
            ("password".to_owned(), secret.clone()),
        ]));
        let path = ["username".to_owned()];
        let after = replaced(Some(&before), &path, Some(Known::text("bob")));
        let entries = after.and_then(|it| it.entries()).expect("a mapping");
        assert_eq!(entries["username"], Known::text("bob"));
        assert_eq!(entries["password"], secret);
    }

    #[test]
    fn what_an_expression_sees_is_kept_as_it_was() {
        for value in [
            Known::Json(json!({"a": [1, 2.5, null, true, "x"]})),
            Known::User(Uuid::from_u128(7)),
            Known::Group(Uuid::from_u128(8)),
            Known::Stranger {
                identifier: "nobody@example.com".to_owned(),
            },
            Known::Secret(Uuid::from_u128(9)),
            Known::List(vec![Known::User(Uuid::from_u128(7))]),
        ] {
            assert_eq!(kept(&seen(&value)), value);
        }
    }
}
