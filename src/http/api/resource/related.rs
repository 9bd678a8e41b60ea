//! What a list can be filtered by that is no field of its objects: what refers to them, and the
//! identifier that only policies use.

use serde_json::Value;

use crate::blueprint::edit::{Miss, Object, Staged};
use crate::catalog::{FlowStageBinding, PolicyBinding, Stage};
use crate::directory::User;
use crate::journal::object::Stored as _;

/// The value at the end of such a path; `None` of a path that begins with a field of the object.
/// Of several objects that refer to one, any will do.
///
/// # Errors
/// What has to be read first.
pub(super) fn related(
    object: &Object,
    path: &[&str],
    staged: &Staged,
) -> Result<Option<Value>, Miss> {
    Ok(Some(match (object, path) {
        (Object::PolicyBinding(binding), ["target_pbm"]) => binding.target.to_string().into(),
        (Object::Policy(policy), ["bindings"]) => {
            let asks = |it: &Object| match it {
                Object::PolicyBinding(it) => it.policy == Some(policy.pk),
                _ => false,
            };
            any(staged.all(PolicyBinding::KIND)?, asks)
        }
        (Object::Policy(policy), ["promptstage"]) => {
            let id = policy.pk.to_string();
            let asks = |it: &Object| match it {
                Object::Stage(it) => lists(&it.settings, "validation_policies", &id),
                _ => false,
            };
            any(staged.all(Stage::KIND)?, asks)
        }
        (Object::Stage(stage), ["flow"]) => {
            let has = |it: &Object| match it {
                Object::Binding(it) => it.stage == stage.pk,
                _ => false,
            };
            any(staged.all(FlowStageBinding::KIND)?, has)
        }
        (Object::Invitation(invitation), ["created_by", "username"]) => {
            let creator = match invitation.created_by {
                Some(id) => staged.get(User::KIND, id)?,
                None => None,
            };
            match creator {
                Some(Object::User(user)) => user.username.clone().into(),
                _ => Value::Null,
            }
        }
        _ => return Ok(None),
    }))
}

/// The key of the first that fits; null if none does.
fn any(all: Vec<&Object>, fits: impl Fn(&Object) -> bool) -> Value {
    let found = all.into_iter().find(|it| fits(it));
    found.map_or(Value::Null, Object::pk)
}

/// Whether a list among these settings names an object.
fn lists(settings: &serde_json::Map<String, Value>, name: &str, id: &str) -> bool {
    let listed = settings.get(name).and_then(Value::as_array);
    listed.is_some_and(|all| all.iter().any(|it| it.as_str() == Some(id)))
}
