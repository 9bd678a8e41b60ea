//! Finding objects by their fields, with Django's spelling of lookups (`name__iexact`,
//! `target__slug`).

use serde_json::Value;
use uuid::Uuid;

use super::format::text;
use super::model::{self, Model, Object};
use super::resolve::{Found, Miss};
use super::staged::Staged;
use crate::catalog::{
    Application, BlueprintInstance, Flow, FlowStageBinding, Policy, PolicyBinding, Prompt, Source,
    Stage, WebhookMapping,
};
use crate::directory::{Group, Role, Token, User};
use crate::journal::Kind;
use crate::journal::object::Stored;

/// Names by which a field `pk` goes as well.
const PK: &[&str] = &[
    "pk",
    "id",
    "flow_uuid",
    "fsb_uuid",
    "stage_uuid",
    "brand_uuid",
    "group_uuid",
    "token_uuid",
    "policy_uuid",
    "policy_binding_uuid",
    "prompt_uuid",
    "source_uuid",
];

/// The first object of the model that fits all pairs; without pairs, the first of all.
pub(crate) fn find<'s>(
    model: Model,
    pairs: &[(String, Value)],
    staged: &'s Staged,
) -> Result<Option<&'s Object>, Miss> {
    let Some(kind) = model.kind() else {
        return Ok(None);
    };
    for (name, _) in pairs {
        let field = name.split("__").next().unwrap_or(name);
        if !PK.contains(&field) && !model::known(model, field) {
            return Err(Miss::Wrong(format!("Invalid identifier field: {name}")));
        }
    }
    let pairs = &own_keys(model, pairs, staged)?;
    let by_pk = pairs.iter().find(|(name, _)| PK.contains(&name.as_str()));
    if let Some((_, pk)) = by_pk {
        let found = with_pk(kind, pk, staged)?.filter(|object| object.is_a(model));
        return Ok(match found {
            Some(object) if fits(object, pairs, staged)? => Some(object),
            _ => None,
        });
    }
    let candidates = match unique(kind, pairs, staged)? {
        Some((key, value)) => staged.holder(kind, key, value)?.into_iter().collect(),
        None => staged.all(kind)?,
    };
    for object in candidates {
        if object.is_a(model) && fits(object, pairs, staged)? {
            return Ok(Some(object));
        }
    }
    Ok(None)
}

/// The pairs with the target of a policy binding by its own key, as the API shows it.
fn own_keys(
    model: Model,
    pairs: &[(String, Value)],
    staged: &Staged,
) -> Result<Vec<(String, Value)>, Miss> {
    let mut pairs = pairs.to_vec();
    let targets = pairs
        .iter_mut()
        .filter(|(name, _)| model == Model::PolicyBinding && name == "target");
    for (_, value) in targets {
        let id = value.as_str().and_then(|id| id.parse().ok());
        if let Some(id) = id
            && let Some(target) = staged.target(id)?
        {
            *value = target.pk();
        }
    }
    Ok(pairs)
}

/// The object with this key: a number for a user, else an identifier.
fn with_pk<'s>(kind: Kind, pk: &Value, staged: &'s Staged) -> Result<Option<&'s Object>, Miss> {
    let pk = text(pk);
    if kind == User::KIND {
        let user = match pk.trim().parse() {
            Ok(number) => staged.user_by_pk(number)?,
            Err(_) => None,
        };
        return match user {
            Some(user) => staged.get(kind, user.uuid),
            None => Ok(None),
        };
    }
    match pk.trim().parse() {
        Ok(id) => staged.get(kind, id),
        Err(_) => Ok(None),
    }
}

/// A unique key that whatever fits the pairs must have, so that not every object is looked at.
fn unique(
    kind: Kind,
    pairs: &[(String, Value)],
    staged: &Staged,
) -> Result<Option<(&'static str, Vec<u8>)>, Miss> {
    if kind == PolicyBinding::KIND {
        return condition(pairs, staged);
    }
    Ok(column(kind, pairs))
}

/// The unique key of a policy's place at a target.
fn condition(
    pairs: &[(String, Value)],
    staged: &Staged,
) -> Result<Option<(&'static str, Vec<u8>)>, Miss> {
    let given = |name: &str| pairs.iter().find(|(field, _)| field == name);
    let id = |name: &str| given(name).and_then(|(_, id)| id.as_str()?.parse::<Uuid>().ok());
    let order = given("order").and_then(|(_, order)| i32::try_from(order.as_i64()?).ok());
    let (Some(policy), Some(target), Some(order)) = (id("policy"), id("target"), order) else {
        return Ok(None);
    };
    let pbm = staged.target(target)?.and_then(Object::pbm);
    Ok(pbm.map(|pbm| ("condition", PolicyBinding::place(policy, pbm, order))))
}

/// The unique key that is a single field, or the place of a stage in a flow.
fn column(kind: Kind, pairs: &[(String, Value)]) -> Option<(&'static str, Vec<u8>)> {
    let text = |name: &str| {
        let found = pairs.iter().find(|(field, _)| field == name);
        found.and_then(|(_, value)| value.as_str())
    };
    let (field, key) = match kind {
        Flow::KIND | Source::KIND | Application::KIND => ("slug", "slug"),
        Stage::KIND
        | Policy::KIND
        | Group::KIND
        | Role::KIND
        | Prompt::KIND
        | WebhookMapping::KIND
        | BlueprintInstance::KIND => ("name", "name"),
        User::KIND => ("username", "username"),
        Token::KIND => ("identifier", "identifier"),
        FlowStageBinding::KIND => {
            let order = pairs.iter().find(|(field, _)| field == "order");
            let order = i32::try_from(order?.1.as_i64()?).ok()?;
            let [target, stage] =
                ["target", "stage"].map(|name| text(name).and_then(|id| id.parse::<Uuid>().ok()));
            return Some(("place", FlowStageBinding::place(target?, stage?, order)));
        }
        _ => return None,
    };
    text(field).map(|value| (key, value.as_bytes().to_vec()))
}

/// The object as the API shows it.
pub(crate) fn show(object: &Object, staged: &Staged) -> Result<Found, Miss> {
    if let Object::PolicyBinding(binding) = object {
        staged.target(binding.target)?;
    }
    let by_number = match object {
        Object::Token(_) => true,
        Object::PolicyBinding(binding) => binding.user.is_some(),
        _ => false,
    };
    if by_number {
        staged.all(User::KIND)?;
    }
    let key = |found: Result<Option<&Object>, Miss>| match found {
        Ok(Some(object)) => object.pk(),
        _ => Value::Null,
    };
    let fields = object.row(
        |user| key(staged.get(User::KIND, user)),
        |target| key(staged.target(target)),
    );
    Ok(Found {
        pk: object.pk(),
        fields,
    })
}

fn fits(object: &Object, pairs: &[(String, Value)], staged: &Staged) -> Result<bool, Miss> {
    let found = show(object, staged)?;
    for (name, wanted) in pairs {
        let mut path: Vec<&str> = name.split("__").collect();
        let lookup = match path.last() {
            Some(last) if path.len() > 1 && LOOKUPS.contains(last) => path.pop().unwrap_or("exact"),
            _ => "exact",
        };
        let value = follow(object.stream().kind, &found, &path, staged)?;
        if !compare(lookup, &value, wanted) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The value at the end of a path that may lead through references and into mappings.
pub(crate) fn follow(
    kind: Kind,
    found: &Found,
    path: &[&str],
    staged: &Staged,
) -> Result<Value, Miss> {
    let [field, rest @ ..] = path else {
        return Ok(found.pk.clone());
    };
    if PK.contains(field) {
        return Ok(found.pk.clone());
    }
    let field = if model::PBM.contains(field) {
        &model::PBM[0]
    } else {
        field
    };
    let value = found.fields.get(*field).cloned().unwrap_or_default();
    if rest.is_empty() {
        return Ok(value);
    }
    if let Some(kind) = model::refers_to(kind, field) {
        return match with_pk(kind, &value, staged)? {
            Some(object) => follow(kind, &show(object, staged)?, rest, staged),
            None => Ok(Value::Null),
        };
    }
    let inner = rest.iter().try_fold(&value, |value, key| value.get(*key));
    Ok(inner.cloned().unwrap_or_default())
}

const LOOKUPS: &[&str] = &[
    "exact",
    "iexact",
    "contains",
    "icontains",
    "startswith",
    "istartswith",
    "endswith",
    "iendswith",
    "in",
    "isnull",
    "gt",
    "gte",
    "lt",
    "lte",
];

pub(crate) fn compare(lookup: &str, value: &Value, wanted: &Value) -> bool {
    let number = |value: &Value| value.as_f64();
    match lookup {
        "isnull" => value.is_null() == super::value::is_true(wanted),
        "in" => matches!(wanted, Value::Array(any) if any.iter().any(|one| same(value, one))),
        "gt" | "gte" | "lt" | "lte" => match (number(value), number(wanted)) {
            (Some(a), Some(b)) => match lookup {
                "gt" => a > b,
                "gte" => a >= b,
                "lt" => a < b,
                _ => a <= b,
            },
            _ => match (moment(value), moment(wanted)) {
                (Some(a), Some(b)) => match lookup {
                    "gt" => a > b,
                    "gte" => a >= b,
                    "lt" => a < b,
                    _ => a <= b,
                },
                _ => false,
            },
        },
        "exact" => same(value, wanted),
        "contains" if !value.is_string() => contains(value, wanted),
        // What is null has no text, and nothing is found in it.
        _ if value.is_null() || wanted.is_null() => value == wanted,
        _ => {
            let (mut value, mut wanted) = (text(value), text(wanted));
            let plain = match lookup.strip_prefix('i') {
                Some(plain) => {
                    value = value.to_lowercase();
                    wanted = wanted.to_lowercase();
                    plain
                }
                None => lookup,
            };
            match plain {
                "contains" => value.contains(&wanted),
                "startswith" => value.starts_with(&wanted),
                "endswith" => value.ends_with(&wanted),
                _ => value == wanted,
            }
        }
    }
}

fn moment(value: &Value) -> Option<jiff::Timestamp> {
    value.as_str()?.parse().ok()
}

/// Equality as a database column has it: a number may be given as a text, an identifier in
/// another spelling, and a mapping fits when it is contained.
fn same(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(_), Value::Object(_)) => contains(value, wanted),
        (Value::String(a), Value::String(b)) => {
            a == b
                || match (a.parse::<Uuid>(), b.parse::<Uuid>()) {
                    (Ok(a), Ok(b)) => a == b,
                    _ => false,
                }
        }
        (Value::Number(number), Value::String(text))
        | (Value::String(text), Value::Number(number)) => {
            let read: Option<serde_json::Number> = text.trim().parse().ok();
            read.as_ref() == Some(number)
        }
        // A list of references is asked for one of them.
        (Value::Array(items), one) if !one.is_array() => items.iter().any(|item| same(item, one)),
        _ => value == wanted,
    }
}

/// JSON containment: every key of `part` is there with a value that contains its own.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(key, value)| whole.get(key).is_some_and(|it| contains(it, value))),
        (Value::Array(whole), Value::Array(part)) => part
            .iter()
            .all(|value| whole.iter().any(|it| contains(it, value))),
        _ => whole == part,
    }
}
