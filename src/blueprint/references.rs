//! What refers to an object, and what becomes of that when the object goes.

use serde_json::Value;

use super::model::{Object, STAGE_LISTS, STAGE_REFERENCES};
use super::resolve::Miss;
use super::staged::Staged;
use crate::catalog::{
    Application, Brand, Flow, FlowStageBinding, Policy, PolicyBinding, Prompt, Source, Stage,
    WebhookMapping,
};
use crate::directory::{Group, Invitation, Role, Token, User};
use crate::journal::object::Stored;
use crate::journal::{Kind, StreamId};

/// What becomes of an object when another one goes that it refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// It goes as well.
    Cascade,
    /// It loses one of several references.
    CascadeMany,
    /// Its only reference becomes null.
    SetNull,
}

impl Use {
    /// The word on the wire.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Cascade => "cascade",
            Self::CascadeMany => "cascade_many",
            Self::SetNull => "set_null",
        }
    }
}

/// The kinds of which some may refer to an object of this kind.
pub(super) fn touched(kind: Kind) -> &'static [Kind] {
    match kind {
        Flow::KIND => &[
            FlowStageBinding::KIND,
            PolicyBinding::KIND,
            Brand::KIND,
            Application::KIND,
            Stage::KIND,
            Invitation::KIND,
        ],
        Stage::KIND => &[FlowStageBinding::KIND, PolicyBinding::KIND, Stage::KIND],
        FlowStageBinding::KIND | Application::KIND => &[PolicyBinding::KIND],
        Policy::KIND | Source::KIND => &[PolicyBinding::KIND, Stage::KIND],
        Prompt::KIND | WebhookMapping::KIND => &[Stage::KIND],
        User::KIND => &[Token::KIND, PolicyBinding::KIND],
        Group::KIND => &[User::KIND, Group::KIND, PolicyBinding::KIND],
        Role::KIND => &[User::KIND, Group::KIND],
        _ => &[],
    }
}

/// Whether `object` cannot be without the one of this stream, which policies are bound to under
/// `pbm`.
pub(super) fn falls_with(object: &Object, gone: StreamId, pbm: Option<uuid::Uuid>) -> bool {
    let id = gone.id;
    match object {
        Object::Binding(it) => it.target == id || it.stage == id,
        Object::PolicyBinding(it) => {
            Some(it.target) == pbm || [it.policy, it.group, it.user].contains(&Some(id))
        }
        Object::Token(it) => it.user == id,
        _ => false,
    }
}

/// The objects that refer to `object`, and what would become of each.
///
/// # Errors
/// What has to be read first.
pub(crate) fn uses<'s>(
    object: &Object,
    staged: &'s Staged,
) -> Result<Vec<(&'s Object, Use)>, Miss> {
    let gone = object.stream();
    let mut found = Vec::new();
    for kind in touched(gone.kind) {
        for other in staged.all(*kind)? {
            if falls_with(other, gone, object.pbm()) {
                found.push((other, Use::Cascade));
            } else if without(other, gone).is_some() {
                let several = match other {
                    Object::Stage(stage) => is_listed(&stage.settings, gone),
                    Object::User(_) | Object::Group(_) => true,
                    _ => false,
                };
                found.push((
                    other,
                    if several {
                        Use::CascadeMany
                    } else {
                        Use::SetNull
                    },
                ));
            }
        }
    }
    Ok(found)
}

/// Whether one of the lists among these settings names the object.
fn is_listed(settings: &serde_json::Map<String, Value>, gone: StreamId) -> bool {
    let id = gone.id.to_string();
    let mut fields = STAGE_REFERENCES.iter().chain(STAGE_LISTS);
    fields.any(|(name, kind)| {
        let listed = settings.get(*name).and_then(Value::as_array);
        *kind == gone.kind
            && listed.is_some_and(|ids| ids.iter().any(|it| it.as_str() == Some(&id)))
    })
}

/// `object` without its references to `gone`, if it has any.
pub(super) fn without(object: &Object, gone: StreamId) -> Option<Object> {
    let id = gone.id.to_string();
    match object {
        Object::Invitation(it) if it.flow == Some(gone.id) => {
            let mut it = it.clone();
            it.flow = None;
            Some(Object::Invitation(it))
        }
        Object::Brand(brand) if gone.kind == Flow::KIND => {
            let mut brand = brand.clone();
            let mut cleared = false;
            for flow in [
                &mut brand.flow_authentication,
                &mut brand.flow_invalidation,
                &mut brand.flow_recovery,
                &mut brand.flow_unenrollment,
                &mut brand.flow_user_settings,
                &mut brand.flow_device_code,
            ] {
                cleared |= flow.take_if(|flow| *flow == gone.id).is_some();
            }
            cleared.then_some(Object::Brand(brand))
        }
        Object::Application(it) if gone.kind == Flow::KIND => {
            let mut it = it.clone();
            let forward = it.forward_auth.as_mut()?;
            let mut cleared = false;
            for flow in [
                &mut forward.authentication_flow,
                &mut forward.invalidation_flow,
            ] {
                cleared |= flow.take_if(|flow| *flow == gone.id).is_some();
            }
            cleared.then_some(Object::Application(it))
        }
        Object::Stage(stage) => {
            let mut stage = stage.clone();
            let mut cleared = false;
            for (name, kind) in STAGE_REFERENCES {
                let value = stage.settings.get_mut(*name);
                match value.filter(|_| *kind == gone.kind) {
                    Some(Value::Array(items)) => {
                        let before = items.len();
                        items.retain(|item| item.as_str() != Some(&id));
                        cleared |= items.len() != before;
                    }
                    Some(value) if value.as_str() == Some(&id) => {
                        *value = Value::Null;
                        cleared = true;
                    }
                    _ => {}
                }
            }
            for (name, kind) in STAGE_LISTS {
                if let Some(serde_json::Value::Array(ids)) = stage.settings.get_mut(*name)
                    && *kind == gone.kind
                {
                    let before = ids.len();
                    ids.retain(|it| it.as_str() != Some(&id));
                    cleared |= ids.len() < before;
                }
            }
            cleared.then_some(Object::Stage(stage))
        }
        Object::User(user) if user.groups.contains(&gone.id) || user.roles.contains(&gone.id) => {
            let mut user = user.clone();
            user.groups.retain(|group| *group != gone.id);
            user.roles.retain(|role| *role != gone.id);
            Some(Object::User(user))
        }
        Object::Group(group)
            if group.parents.contains(&gone.id) || group.roles.contains(&gone.id) =>
        {
            let mut group = group.clone();
            group.parents.retain(|parent| *parent != gone.id);
            group.roles.retain(|role| *role != gone.id);
            Some(Object::Group(group))
        }
        _ => None,
    }
}
