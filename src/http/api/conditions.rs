//! `/policies/bindings/`: which policies, groups and users something depends on.
//!
//! What a binding is bound to goes by two identifiers. Whoever writes may give either; it is shown
//! by its own, and a list is filtered by the one that only policies use.
//!
//! Source: authentik `policies/api/bindings.py`.

use serde_json::{Value, json};

use super::operation::Operation;
use super::partial;
use super::policy_kinds;
use super::resource::{Filter, Fits, KeyField, Resource, Scope, Shown, flag, id, number};
use super::schema::{Components, reference, request, uuid};
use crate::blueprint::edit::{Miss, Model, Object, Staged, fields, show};
use crate::catalog::Policy;
use crate::directory::{Group, User};
use crate::journal::object::Stored;

static BINDINGS: Resource = Resource {
    path: "/policies/bindings/",
    prefix: "policies_bindings",
    key: "policy_binding_uuid",
    key_field: KeyField::Pk,
    scope: Scope::Of(Model::PolicyBinding),
    name: "PolicyBinding",
    noun: "authentik_policies.policybinding",
    search: &["policy__name"],
    filters: &[
        flag("enabled"),
        number("order"),
        id("policy"),
        Filter {
            name: "policy__isnull",
            field: "policy__isnull",
            fits: Fits::Flag,
        },
        Filter {
            name: "target",
            field: "target_pbm",
            fits: Fits::Uuid,
        },
        Filter {
            name: "target_in",
            field: "target_pbm",
            fits: Fits::Uuids,
        },
        number("timeout"),
    ],
    order: &["order", "pk"],
    closed: &[],
    is_own: None,
    guard: None,
    show: show_binding,
};

/// The operations on them.
pub(super) fn operations() -> Vec<Operation> {
    BINDINGS.operations()
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    let own = fields(Model::PolicyBinding).iter();
    request(components, "PolicyBinding", own, None);
    let body = components.get("PolicyBindingRequest").cloned();
    let mut shown = body.unwrap_or_default();
    let objects = [
        ("policy_obj", "Policy"),
        ("group_obj", "PartialGroup"),
        ("user_obj", "PartialUser"),
    ];
    for (name, schema) in objects {
        let shape = json!({ "oneOf": [{ "type": "null" }, reference(schema)], "readOnly": true });
        shown["properties"][name] = shape;
    }
    let mut key = uuid();
    key["readOnly"] = true.into();
    shown["properties"]["pk"] = key;
    let moment = json!({ "type": ["string", "null"], "format": "date-time", "readOnly": true });
    shown["properties"]["expires"] = moment;
    shown["properties"]["expiring"] = json!({ "type": "boolean", "readOnly": true });
    shown["required"] = json!([
        "expires",
        "expiring",
        "group_obj",
        "order",
        "pk",
        "policy_obj",
        "target",
        "user_obj"
    ]);
    components.put("PolicyBinding", shown);
}

fn show_binding(object: &Object, staged: &Staged, about: &Shown<'_>) -> Result<Value, Miss> {
    let Object::PolicyBinding(binding) = object else {
        return Err(Miss::Wrong("this is no binding of a policy".to_owned()));
    };
    let mut shown = show(object, staged)?.fields;
    let policy = match binding.policy {
        Some(id) => staged.get(Policy::KIND, id)?,
        None => None,
    };
    let policy = match policy {
        Some(policy) => policy_kinds::whole(policy, staged)?,
        None => Value::Null,
    };
    let group = match binding.group {
        Some(id) => staged.get(Group::KIND, id)?,
        None => None,
    };
    let user = match binding.user {
        Some(id) => staged.get(User::KIND, id)?,
        None => None,
    };
    let group = match group {
        Some(Object::Group(group)) => json!(partial::group(group)),
        _ => Value::Null,
    };
    let user = match user {
        Some(Object::User(user)) => json!(partial::user(user, about.state.install_id)),
        _ => Value::Null,
    };
    shown.insert("policy_obj".to_owned(), policy);
    shown.insert("group_obj".to_owned(), group);
    shown.insert("user_obj".to_owned(), user);
    // Clients since 2026.8 require both; no binding ends by itself here.
    shown.insert("expires".to_owned(), Value::Null);
    shown.insert("expiring".to_owned(), false.into());
    Ok(shown.into())
}
