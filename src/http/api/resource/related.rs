//! What a list can be filtered by that is no field of its objects: what refers to them, and the
//! identifier that only policies use.

use serde_json::{Map, Value, json};

use crate::blueprint::edit::{Miss, Object, Staged};
use crate::catalog::{FlowStageBinding, PolicyBinding, Stage};
use crate::directory::User;
use crate::journal::object::Stored as _;

/// What that is of an object, under the names that filters have for it. Of several objects that
/// refer to one, any will do.
///
/// # Errors
/// What has to be read first.
pub(super) fn related(object: &Object, staged: &Staged) -> Result<Map<String, Value>, Miss> {
    let mut found = Map::new();
    match object {
        Object::PolicyBinding(binding) => {
            found.insert("target_pbm".to_owned(), binding.target.to_string().into());
        }
        Object::Policy(policy) => {
            let binds = |it: &Object| match it {
                Object::PolicyBinding(it) => it.policy == Some(policy.pk),
                _ => false,
            };
            let id = policy.pk.to_string();
            let asks = |it: &Object| match it {
                Object::Stage(it) => lists(&it.settings, "validation_policies", &id),
                _ => false,
            };
            let bindings = any(staged.all(PolicyBinding::KIND)?, binds);
            found.insert("bindings".to_owned(), bindings);
            let asking = any(staged.all(Stage::KIND)?, asks);
            found.insert("promptstage".to_owned(), asking);
        }
        Object::Stage(stage) => {
            let has = |it: &Object| match it {
                Object::Binding(it) => it.stage == stage.pk,
                _ => false,
            };
            let place = any(staged.all(FlowStageBinding::KIND)?, has);
            found.insert("flow".to_owned(), place);
        }
        Object::Invitation(invitation) => {
            let creator = match invitation.created_by {
                Some(id) => staged.get(User::KIND, id)?,
                None => None,
            };
            if let Some(Object::User(user)) = creator {
                let creator = json!({ "username": user.username });
                found.insert("created_by".to_owned(), creator);
            }
        }
        _ => {}
    }
    Ok(found)
}

/// The key of the first that fits; null if none does.
fn any(all: Vec<&Object>, fits: impl Fn(&Object) -> bool) -> Value {
    let found = all.into_iter().find(|it| fits(it));
    found.map_or(Value::Null, Object::pk)
}

/// Whether a list among these settings names an object.
fn lists(settings: &Map<String, Value>, name: &str, id: &str) -> bool {
    let listed = settings.get(name).and_then(Value::as_array);
    listed.is_some_and(|all| all.iter().any(|it| it.as_str() == Some(id)))
}
