//! What an import makes different, object by object and field by field, for whoever looks at it
//! before it is done. Secrets are named, and never told.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::model::{Object, STAGE_LISTS, refers_to};
use super::report::{Changed, FieldChange, Outcome};
use super::staged::Staged;
use crate::catalog::{
    Application, Flow, FlowStageBinding, Policy, Prompt, Source, Stage, WebhookMapping,
};
use crate::directory::{Group, Role, User};
use crate::journal::object::Stored;
use crate::journal::{self, Journal, Kind};

/// Fields that say nothing, or that follow from others.
const UNSAID: &[&str] = &[
    "pk",
    "policybindingmodel_ptr_id",
    "num_pk",
    "uuid",
    "last_updated",
    "password_change_date",
    "date_joined",
];

/// What has a name that fields of others refer to.
const NAMED: [Kind; 9] = [
    Flow::KIND,
    FlowStageBinding::KIND,
    Stage::KIND,
    Policy::KIND,
    Prompt::KIND,
    Source::KIND,
    Application::KIND,
    WebhookMapping::KIND,
    Group::KIND,
];

impl Staged {
    /// Reads what objects are called, but for users, of whom there may be very many.
    pub(super) async fn read_names(&mut self, journal: &dyn Journal) -> journal::Result<()> {
        for kind in NAMED {
            self.read(journal, kind).await?;
        }
        Ok(())
    }

    /// Every object that will not be as it was.
    pub(super) fn changes(&self) -> Vec<Changed> {
        let changed = self.differences().filter_map(|(before, now)| {
            let (outcome, object) = match (before, now) {
                (None, Some(now)) => (Outcome::Created, now),
                (Some(_), Some(now)) => (Outcome::Updated, now),
                (Some(before), None) => (Outcome::Deleted, before),
                (None, None) => return None,
            };
            Some(Changed {
                model: object.model_name(),
                name: self.label(object),
                pk: object.pk(),
                outcome,
                fields: now.map(|now| self.fields(before, now)).unwrap_or_default(),
            })
        });
        changed.collect()
    }

    fn fields(&self, before: Option<&Object>, now: &Object) -> Vec<FieldChange> {
        let old = before.map(|it| self.shown(it)).unwrap_or_default();
        let new = self.shown(now);
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let null = Value::Null;
        let mut changes = Vec::new();
        for name in names {
            let (from, to) = (
                old.get(name).unwrap_or(&null),
                new.get(name).unwrap_or(&null),
            );
            if from != to {
                changes.push(FieldChange {
                    field: name.clone(),
                    from: from.clone(),
                    to: to.clone(),
                    secret: false,
                });
            }
        }
        for name in now.other_secrets(before) {
            changes.push(FieldChange {
                field: name.to_owned(),
                from: Value::Null,
                to: Value::Null,
                secret: true,
            });
        }
        changes
    }

    /// The fields as people read them.
    fn shown(&self, object: &Object) -> Map<String, Value> {
        let mut row = object.row(
            |user| self.called(User::KIND, user).into(),
            |target| self.target_label(target).into(),
        );
        row.retain(|name, _| !UNSAID.contains(&name.as_str()));
        for (name, value) in &mut row {
            if let Some(kind) = kind_of(object, name) {
                self.name(kind, value);
            }
        }
        row
    }

    /// Replaces identifiers by what people call the objects.
    fn name(&self, kind: Kind, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.name(kind, item)),
            Value::String(id) => {
                if let Ok(id) = id.parse() {
                    *value = self.called(kind, id).into();
                }
            }
            _ => {}
        }
    }

    fn called(&self, kind: Kind, id: Uuid) -> String {
        let known = self.known(kind, id);
        known.map_or_else(|| id.to_string(), Object::name)
    }

    /// What people call an object; a binding has no name but what it binds.
    fn label(&self, object: &Object) -> String {
        match object {
            Object::Binding(it) => format!(
                "{} at {} in {}",
                self.called(Stage::KIND, it.stage),
                it.order,
                self.called(Flow::KIND, it.target)
            ),
            Object::PolicyBinding(it) => {
                let bound = [
                    (Policy::KIND, it.policy),
                    (Group::KIND, it.group),
                    (User::KIND, it.user),
                ];
                let mut bound = bound.into_iter().filter_map(|(kind, id)| Some((kind, id?)));
                let bound = bound.next().map(|(kind, id)| self.called(kind, id));
                let (bound, target) = (bound.unwrap_or_default(), self.target_label(it.target));
                format!("{bound} at {} on {target}", it.order)
            }
            other => other.name(),
        }
    }

    /// What people call that which policies are bound to under this identifier.
    fn target_label(&self, pbm: Uuid) -> String {
        let kinds = [
            Flow::KIND,
            FlowStageBinding::KIND,
            Source::KIND,
            Application::KIND,
        ];
        let mut all = kinds.into_iter().flat_map(|kind| self.known_of(kind));
        let found = all.find(|object| object.pbm() == Some(pbm));
        found.map_or_else(|| pbm.to_string(), |object| self.label(object))
    }
}

fn kind_of(object: &Object, field: &str) -> Option<Kind> {
    if let Object::Stage(_) = object
        && let Some((_, kind)) = STAGE_LISTS.iter().find(|(name, _)| *name == field)
    {
        return Some(*kind);
    }
    match object {
        Object::User(_) if field == "groups" => Some(Group::KIND),
        Object::Group(_) if field == "parents" => Some(Group::KIND),
        Object::User(_) | Object::Group(_) if field == "roles" => Some(Role::KIND),
        // Named already.
        Object::PolicyBinding(_) | Object::Token(_) if field == "user" => None,
        other => refers_to(other.stream().kind, field),
    }
}
