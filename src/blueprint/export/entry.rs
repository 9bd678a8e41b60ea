//! From an object to its entry. Decides which fields identify it, and how it names others.

use std::collections::HashSet;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::model::{Object, STAGE_LISTS, refers_to};
use super::gather::{Gathered, ids};
use super::yaml::{Mapping, Node};
use crate::catalog::Stage;
use crate::catalog::stage::SECRETS;
use crate::directory::Group;
use crate::journal::Kind;
use crate::journal::object::Stored;

/// Fields that the API shows and does not take.
const NOT_WRITTEN: &[&str] = &["policybindingmodel_ptr_id", "num_pk"];

/// What is known of all who are in a group, and what they may do: that is no configuration of a flow.
const OF_PEOPLE: &[&str] = &["attributes", "roles"];

/// The entry of an object. `before` are the keys of the objects that come before it in the file.
pub(super) fn entry(object: &Object, gathered: &Gathered, before: &HashSet<Uuid>) -> Mapping {
    let mut fields = row(object, gathered);
    let mut identifiers = Mapping::default();
    let mut attrs = Mapping {
        remarks: remarks(object),
        ..Mapping::default()
    };
    for name in identifying(object) {
        if let Some(value) = fields.remove(*name) {
            let value = node(object, name, value, gathered, before);
            identifiers.fields.insert((*name).to_owned(), value);
        }
    }
    for (name, value) in fields {
        let value = node(object, &name, value, gathered, before);
        attrs.fields.insert(name, value);
    }
    let state = match object {
        // Who is in a group, and what is known of them, is not for a flow to change.
        Object::Group(_) => "created",
        _ => "present",
    };
    Mapping::default()
        .with("attrs", attrs)
        .with("conditions", Node::List(Vec::new()))
        .with("identifiers", identifiers)
        .with("model", object.model_name())
        .with("permissions", Node::List(Vec::new()))
        .with("state", state)
}

/// The fields as the API takes them; what refers to others has their identifiers.
fn row(object: &Object, gathered: &Gathered) -> Map<String, Value> {
    let target = |pbm: Uuid| gathered.targets.get(&pbm).copied().unwrap_or(pbm);
    let mut row = object.row(
        |user| user.to_string().into(),
        |pbm| target(pbm).to_string().into(),
    );
    row.retain(|name, _| !NOT_WRITTEN.contains(&name.as_str()));
    if matches!(object, Object::Group(_)) {
        row.retain(|name, _| !OF_PEOPLE.contains(&name.as_str()));
    }
    row
}

/// The fields by which the object is found again where it has another key.
fn identifying(object: &Object) -> &'static [&'static str] {
    match object {
        Object::Flow(_) => &["pk", "slug"],
        Object::Binding(_) => &["order", "pk", "stage", "target"],
        Object::PolicyBinding(binding) if binding.group.is_some() => {
            &["group", "order", "pk", "target"]
        }
        Object::PolicyBinding(binding) if binding.user.is_some() => {
            &["order", "pk", "target", "user"]
        }
        Object::PolicyBinding(_) => &["order", "pk", "policy", "target"],
        _ => &["name", "pk"],
    }
}

/// The kind of objects that a field refers to.
fn kind_of(object: &Object, field: &str) -> Option<Kind> {
    match object {
        Object::Stage(_) => {
            let lists = STAGE_LISTS.iter().find(|(name, _)| *name == field);
            let listed = lists.map(|(_, kind)| *kind);
            listed.or_else(|| refers_to(Stage::KIND, field))
        }
        Object::Group(_) => (field == "parents").then_some(Group::KIND),
        Object::Policy(_) => None,
        other => refers_to(other.stream().kind, field),
    }
}

fn node(
    object: &Object,
    field: &str,
    value: Value,
    gathered: &Gathered,
    before: &HashSet<Uuid>,
) -> Node {
    if kind_of(object, field).is_none() {
        return value.into();
    }
    let named = ids(Some(&value)).into_iter();
    let mut named = named.filter_map(|id| reference(id, gathered, before));
    if value.is_array() {
        Node::List(named.collect())
    } else {
        named.next().unwrap_or(Node::One(Value::Null))
    }
}

/// An object that came before by its key, which stands for it in the rest of the file; any other by
/// what people know it; none at all where there is no such object any more.
fn reference(id: Uuid, gathered: &Gathered, before: &HashSet<Uuid>) -> Option<Node> {
    if before.contains(&id) {
        return Some(Node::One(id.to_string().into()));
    }
    gathered.outside.get(&id).map(|outside| Node::Find {
        model: outside.model,
        field: outside.field,
        wanted: outside.called.clone(),
    })
}

/// The secrets that an object has and an export does not.
pub(super) fn left_out(object: &Object) -> impl Iterator<Item = &'static str> {
    let settings = match object {
        Object::Stage(stage) => Some(&stage.settings),
        _ => None,
    };
    let has = move |name: &&'static str| {
        let value = settings.and_then(|settings| settings.get(*name));
        value
            .and_then(Value::as_str)
            .is_some_and(|it| !it.is_empty())
    };
    SECRETS.iter().copied().filter(has)
}

fn remarks(object: &Object) -> Vec<String> {
    let stage = object.name();
    let upper = |text: &str| -> String {
        let letters = text.chars().map(|it| it.to_ascii_uppercase());
        letters
            .map(|it| if it.is_ascii_alphanumeric() { it } else { '_' })
            .collect()
    };
    let lines = left_out(object).flat_map(|name| {
        [
            format!("{name} is secret and not exported; a stage that is there keeps its own:"),
            format!("{name}: !Env {}_{}", upper(&stage), upper(name)),
        ]
    });
    lines.collect()
}
