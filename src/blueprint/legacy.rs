//! What flow files of former years say otherwise: the JSON exports, and YAML as old as these.
//!
//! Fields that are gone need nothing here, since unknown fields are ignored.

use serde_json::{Map, Value};

use super::model::Model;
use crate::stage::Kind;

/// Names of password backends as they were, and as they are.
const BACKENDS: &[(&str, &str)] = &[
    (
        "django.contrib.auth.backends.ModelBackend",
        "authentik.core.auth.InbuiltBackend",
    ),
    (
        "passbook.core.token_auth.TokenBackend",
        "authentik.core.auth.TokenBackend",
    ),
    (
        "authentik.core.token_auth.TokenBackend",
        "authentik.core.auth.TokenBackend",
    ),
    (
        "passbook.sources.ldap.auth.LDAPBackend",
        "authentik.sources.ldap.auth.LDAPBackend",
    ),
];

/// Rewrites the fields of an entry into today's.
pub(super) fn modernise(model: Model, data: &mut Map<String, Value>) {
    match model {
        Model::Stage(Kind::Password) => {
            if let Some(Value::Array(backends)) = data.get_mut("backends") {
                backends.iter_mut().for_each(modern_backend);
            }
        }
        // Policies were asked on planning unless that was switched off, so this meant just that;
        // by today's defaults they would never be asked, which is refused.
        Model::Binding
            if data.get("re_evaluate_policies") == Some(&Value::Bool(false))
                && !data.contains_key("evaluate_on_plan") =>
        {
            data.insert("evaluate_on_plan".to_owned(), Value::Bool(true));
        }
        // A group had one parent before it could have several.
        Model::Group if !data.contains_key("parents") => match data.remove("parent") {
            Some(parent @ Value::String(_)) => {
                data.insert("parents".to_owned(), Value::Array(vec![parent]));
            }
            Some(Value::Null) => {
                data.insert("parents".to_owned(), Value::Array(Vec::new()));
            }
            Some(other) => {
                data.insert("parents".to_owned(), other);
            }
            None => {}
        },
        _ => {}
    }
}

fn modern_backend(backend: &mut Value) {
    let found = BACKENDS.iter().find(|(old, _)| backend == *old);
    if let Some((_, new)) = found {
        *backend = Value::String((*new).to_owned());
    }
}
