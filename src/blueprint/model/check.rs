//! Whether a value fits in a field, and what is stored for it.
//!
//! The messages are those of Django REST framework, which whoever writes blueprints knows.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::resolve::Miss;
use super::super::staged::Staged;
use super::Object;
use super::field::Shape;
use crate::catalog::Stage;
use crate::flow::field::{self, Problem};
use crate::flow::model::Slug;
use crate::journal::Kind;
use crate::journal::object::Stored;

const NOT_A_TEXT: &str = "Not a valid string.";
const NOT_A_LIST: &str = "Expected a list of items.";

/// What is stored in a field of this shape for `value`.
pub(super) fn check(shape: Shape, value: &Value, staged: &Staged) -> Result<Value, Miss> {
    if value.is_null() {
        return match shape {
            Shape::Moment
            | Shape::Maybe(_)
            | Shape::MaybeUser
            | Shape::ForwardAuth
            | Shape::Nothing { .. } => Ok(Value::Null),
            _ => Err(wrong(&Problem::Null)),
        };
    }
    match shape {
        Shape::Text { blank, most } => {
            let text = text(value)?;
            if !(blank && text.is_empty()) {
                field::text(&text, most).map_err(|it| wrong(&it))?;
            }
            Ok(text.into())
        }
        Shape::Prose => {
            let text = text(value)?;
            if text.chars().count() > super::field::ANY_LENGTH {
                return Err(wrong(&Problem::TooLong(super::field::ANY_LENGTH)));
            }
            Ok(text.into())
        }
        Shape::Slug => {
            let slug = Slug::try_from(text(value)?).map_err(|it| wrong(&it))?;
            Ok(slug.as_str().into())
        }
        Shape::Word(words) => {
            let word = match value {
                Value::String(word) => word.clone(),
                other => other.to_string(),
            };
            (words.check)(&word).map_err(|it| wrong(&it))?;
            Ok(word.into())
        }
        Shape::Flag => flag(value),
        Shape::Integer => integer(value, i32::MIN),
        Shape::Count => integer(value, 0),
        Shape::Object if value.is_object() => Ok(value.clone()),
        Shape::Object => Err(Miss::Wrong(
            "Value must be a dictionary, and not have any duplicate keys.".to_owned(),
        )),
        Shape::Moment => moment(value).map(|at| Value::String(at.to_string())),
        Shape::One(kind) | Shape::Maybe(kind) => reference(kind, value, staged),
        Shape::Many(kind) => {
            let Value::Array(items) = value else {
                return Err(Miss::Wrong(NOT_A_LIST.to_owned()));
            };
            references(kind, items, staged)
        }
        Shape::Users => {
            let Value::Array(items) = value else {
                return Err(Miss::Wrong(NOT_A_LIST.to_owned()));
            };
            for item in items {
                user(item, staged)?;
            }
            Ok(value.clone())
        }
        Shape::User | Shape::MaybeUser => {
            let user = user(value, staged)?;
            Ok(user.to_string().into())
        }
        Shape::Permissions => {
            let names = super::permission::list(value)?;
            Ok(names.into_iter().collect())
        }
        Shape::Target => target(value, staged),
        Shape::ForwardAuth => super::forward::check(value, staged),
        Shape::Nothing { .. } => match value {
            Value::Array(items) if items.is_empty() => Ok(value.clone()),
            other => Err(no_such(other)),
        },
    }
}

fn wrong(problem: &Problem) -> Miss {
    Miss::Wrong(problem.to_string())
}

fn no_such(value: &Value) -> Miss {
    let shown = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    wrong(&Problem::NoSuchObject(shown))
}

fn text(value: &Value) -> Result<String, Miss> {
    match value {
        Value::String(text) if text.contains('\0') => {
            Err(Miss::Wrong("Null characters are not allowed.".to_owned()))
        }
        Value::String(text) => Ok(text.trim().to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Miss::Wrong(NOT_A_TEXT.to_owned())),
    }
}

fn flag(value: &Value) -> Result<Value, Miss> {
    let word = match value {
        Value::Bool(_) => return Ok(value.clone()),
        Value::String(word) => word.to_ascii_lowercase(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    match word.as_str() {
        "t" | "y" | "yes" | "true" | "on" | "1" => Ok(true.into()),
        "f" | "n" | "no" | "false" | "off" | "0" => Ok(false.into()),
        _ => Err(Miss::Wrong("Must be a valid boolean.".to_owned())),
    }
}

fn integer(value: &Value, least: i32) -> Result<Value, Miss> {
    let number = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.ok_or_else(|| Miss::Wrong("A valid integer is required.".to_owned()))?;
    let bound = if number > i64::from(i32::MAX) {
        format!("less than or equal to {}", i32::MAX)
    } else if number < i64::from(least) {
        format!("greater than or equal to {least}")
    } else {
        return Ok(number.into());
    };
    Err(Miss::Wrong(format!("Ensure this value is {bound}.")))
}

/// A moment with or without an offset, or a day; without an offset it is UTC.
fn moment(value: &Value) -> Result<Timestamp, Miss> {
    let read = value.as_str().and_then(|text| {
        let civil = || text.parse::<DateTime>().ok();
        text.parse::<Timestamp>().ok().or_else(|| {
            let zoned = civil()?.to_zoned(TimeZone::UTC).ok()?;
            Some(zoned.timestamp())
        })
    });
    read.ok_or_else(|| {
        Miss::Wrong(
            "Datetime has wrong format. Use one of these formats instead: \
             YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
                .to_owned(),
        )
    })
}

/// The identifier of an existing object.
pub(super) fn reference(kind: Kind, value: &Value, staged: &Staged) -> Result<Value, Miss> {
    let id = identifier(value)?;
    if staged.exists(kind, id)? {
        Ok(id.to_string().into())
    } else {
        Err(no_such(value))
    }
}

/// The identifiers of existing objects, each once.
fn references(kind: Kind, items: &[Value], staged: &Staged) -> Result<Value, Miss> {
    let mut checked: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        let item = reference(kind, item, staged)?;
        if !checked.contains(&item) {
            checked.push(item);
        }
    }
    Ok(checked.into())
}

/// What policies are bound to an existing object under, given that or the object's own key.
fn target(value: &Value, staged: &Staged) -> Result<Value, Miss> {
    let id = identifier(value)?;
    if let Some(pbm) = staged.target(id)?.and_then(Object::pbm) {
        return Ok(pbm.to_string().into());
    }
    match staged.get(Stage::KIND, id)? {
        Some(stage) => Err(Miss::Wrong(format!(
            "Invalid pk \"{id}\" - this is the stage {}; policies are bound to its \
             authentik_flows.flowstagebinding.",
            stage.name()
        ))),
        None => Err(no_such(value)),
    }
}

fn identifier(value: &Value) -> Result<Uuid, Miss> {
    match value {
        Value::String(text) => text
            .parse()
            .map_err(|_| Miss::Wrong(format!("“{text}” is not a valid UUID."))),
        Value::Null => Err(wrong(&Problem::Null)),
        other => Err(no_such(other)),
    }
}

/// The identifier of the user with this number.
pub(super) fn user(value: &Value, staged: &Staged) -> Result<Uuid, Miss> {
    let number = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.ok_or_else(|| {
        Miss::Wrong("Incorrect type. Expected pk value, received another.".to_owned())
    })?;
    let found = staged.user_by_pk(number)?;
    found.map(|user| user.uuid).ok_or_else(|| no_such(value))
}

/// Checks the settings of a stage that name other objects.
pub(super) fn settings(
    given: &Map<String, Value>,
    staged: &Staged,
) -> Result<Map<String, Value>, Vec<(String, Miss)>> {
    let mut checked = given.clone();
    let mut misses = Vec::new();
    for (name, kind) in super::field::STAGE_REFERENCES {
        let Some(value) = checked.get_mut(*name).filter(|value| !value.is_null()) else {
            continue;
        };
        let found = match &*value {
            Value::Array(items) => references(*kind, items, staged),
            single => reference(*kind, single, staged),
        };
        match found {
            Ok(id) => *value = id,
            Err(miss) => misses.push(((*name).to_owned(), miss)),
        }
    }
    for (name, kind) in super::field::STAGE_LISTS {
        if let Some(value) = checked.get_mut(*name) {
            match check(Shape::Many(*kind), value, staged) {
                Ok(ids) => *value = ids,
                Err(miss) => misses.push(((*name).to_owned(), miss)),
            }
        }
    }
    if misses.is_empty() {
        Ok(checked)
    } else {
        Err(misses)
    }
}
