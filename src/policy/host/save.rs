//! What an expression may change of a user: `user.save()` and `user.groups`.

use std::str::FromStr as _;

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::Answers;
use super::{abort, absent};
use crate::directory::User;
use crate::directory::user::{UserType, user_by_username};
use crate::expression::{Call, Failure, Value};
use crate::flow::event::Event;
use crate::journal::object::Versioned;
use crate::policy::Effect;
use crate::policy::context;
use crate::world::Change;

/// What an expression may not change, and would rather know.
const FIXED: [&str; 9] = [
    "pk",
    "id",
    "uuid",
    "password",
    "is_superuser",
    "date_joined",
    "last_login",
    "last_updated",
    "password_change_date",
];

fn invalid(text: impl Into<String>) -> Failure {
    Failure::raise("ValueError", text)
}

impl Answers<'_> {
    /// `user.save()`, `user.save(update_fields=[...])`.
    pub(super) async fn save(
        &self,
        user: Option<&Versioned<User>>,
        call: &Call,
    ) -> Result<Value, Failure> {
        let user = user.ok_or_else(|| absent("save() of a user who is not in the directory"))?;
        let given = call.object.iter().flat_map(|object| &object.fields);
        let only = match call.argument(3, "update_fields") {
            Some(Value::List(names) | Value::Tuple(names) | Value::Set(names)) => Some(names),
            _ => None,
        };
        let mut changed = user.clone();
        let mut fields = Vec::new();
        for (name, value) in given {
            if only.is_some_and(|only| !only.contains(&Value::text(name))) {
                continue;
            }
            if set(&mut changed.value, name, value)? {
                fields.push(name.clone());
            }
        }
        if fields.is_empty() {
            return Ok(Value::None);
        }
        if let Some(problem) = changed.value.problems().first() {
            return Err(invalid(format!("{}: {}", problem.field, problem.problem)));
        }
        if fields.iter().any(|field| field == "username") {
            self.check_username(&changed.value).await?;
        }
        self.write(changed, fields);
        Ok(Value::None)
    }

    /// Nobody else may have the name; a commit would find that out, but nobody would catch it.
    async fn check_username(&self, user: &User) -> Result<(), Failure> {
        let objects = self.request.world.objects();
        let other = user_by_username(objects, &user.username).await;
        let other = other.map_err(abort)?;
        if other.is_some_and(|other| other.value.uuid != user.uuid) {
            return Err(invalid("username: This field must be unique."));
        }
        Ok(())
    }

    fn write(&self, mut user: Versioned<User>, fields: Vec<String>) {
        user.value.last_updated = self.request.world.now();
        let id = user.value.uuid;
        let scope = self.request.scope;
        scope.wish(Effect::Change(Change::WriteUser(Box::new(user))));
        self.learn(Event::UserChanged {
            user: id,
            fields,
            by: self.request.policy.to_owned(),
        });
    }

    /// `user.groups.add(group, ...)` and `remove`.
    pub(super) async fn change_groups(&self, user: Uuid, call: &Call) -> Result<Value, Failure> {
        let Some(row) = self.user(user).await? else {
            return Ok(Value::None);
        };
        let super::Row::User(user) = &*row else {
            return Ok(Value::None);
        };
        let mut changed = user.clone();
        for given in &call.args {
            let id = match given {
                Value::Object(group) if group.class == context::GROUP => group.id.parse().ok(),
                Value::Text(text) => text.parse().ok(),
                _ => None,
            };
            let id: Uuid = id.ok_or_else(|| invalid("a group is expected"))?;
            let groups = &mut changed.value.groups;
            let before = groups.len();
            groups.retain(|group| *group != id);
            if call.name == "add" {
                let group = crate::expression::Object::new(context::GROUP, id.to_string());
                if before == groups.len() && self.row(&group).await?.is_none() {
                    return Err(invalid("there is no such group"));
                }
                groups.push(id);
            }
        }
        if changed.value.groups != user.value.groups {
            self.write(changed, vec!["groups".to_owned()]);
        }
        Ok(Value::None)
    }
}

/// Sets a field; whether it is different now. What a user does not have stays with the expression,
/// as in Python.
fn set(user: &mut User, name: &str, value: &Value) -> Result<bool, Failure> {
    let text = || match value {
        Value::Text(text) => Ok(text.clone()),
        _ => Err(invalid(format!("{name}: a text is expected"))),
    };
    let replace = |field: &mut String, text: String| {
        let differs = *field != text;
        *field = text;
        differs
    };
    Ok(match name {
        "username" => replace(&mut user.username, text()?),
        "name" => replace(&mut user.name, text()?),
        "email" => replace(&mut user.email, text()?),
        "path" => replace(&mut user.path, text()?),
        "is_active" => {
            let Value::Bool(is_active) = value else {
                return Err(invalid("is_active: True or False is expected"));
            };
            std::mem::replace(&mut user.is_active, *is_active) != *is_active
        }
        "type" => {
            let new = UserType::from_str(&text()?);
            let new = new.map_err(|problem| invalid(format!("type: {problem}")))?;
            std::mem::replace(&mut user.user_type, new) != new
        }
        "attributes" => {
            let Json::Object(new) = json(value)? else {
                return Err(invalid("attributes: a dictionary is expected"));
            };
            let differs = !same(&user.attributes, &new);
            user.attributes = new;
            differs
        }
        name if FIXED.contains(&name) => {
            return Err(invalid(format!("{name}: an expression cannot change it")));
        }
        _ => false,
    })
}

fn same(one: &Map<String, Json>, other: &Map<String, Json>) -> bool {
    one == other
}

/// A value as it is kept among the attributes of a user. No secret may get there.
fn json(value: &Value) -> Result<Json, Failure> {
    let all = |items: &[Value]| items.iter().map(json).collect::<Result<Vec<_>, _>>();
    Ok(match value {
        Value::None => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) if value.is_finite() => (*value).into(),
        Value::Text(text) if text.contains(crate::expression::MASK) => {
            return Err(invalid("attributes: a secret cannot be kept there"));
        }
        Value::Text(text) => text.as_str().into(),
        Value::Moment(moment) => moment.to_string().into(),
        Value::List(items) | Value::Tuple(items) => all(items)?.into(),
        Value::Dict(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                map.insert(key.displayed(), json(value)?);
            }
            map.into()
        }
        Value::Secret(_) => return Err(invalid("attributes: a secret cannot be kept there")),
        other => {
            let text = format!("attributes: {} cannot be kept as JSON", other.shown());
            return Err(invalid(text));
        }
    })
}
