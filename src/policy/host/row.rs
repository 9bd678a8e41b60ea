//! The objects of catalog and directory, read once per evaluation.
//!
//! What an evaluation changed, and what the command changed before it, lies over what the journal
//! holds. Stages and their places are those that the plan is pinned to, where it has them.

use std::rc::Rc;

use serde::Serialize;
use uuid::Uuid;

use super::{Answers, abort, device, names};
use crate::catalog::stage::SECRETS;
use crate::catalog::{self, Application, Brand, Flow, FlowStageBinding, PolicyBinding, Stage};
use crate::directory::{Device, Group, User};
use crate::expression::{Failure, Object, Value};
use crate::flow::plan::Pinned;
use crate::journal::Version;
use crate::journal::object::{self, Stored, Versioned};
use crate::policy::{Effect, context};
use crate::world::Change;

/// One object.
#[derive(Clone, Debug)]
pub(super) enum Row {
    User(Versioned<User>),
    Group(Group),
    Flow(Flow),
    Stage(Versioned<Stage>),
    Binding(FlowStageBinding),
    Condition(PolicyBinding),
    Policy(catalog::Policy),
    Brand(Brand),
    Application(Box<Application>),
    Device(Device),
}

impl Row {
    /// What the expression knows it by.
    pub(super) fn object(&self) -> Object {
        let (class, id) = match self {
            Self::User(user) => return context::user(user.value.uuid),
            Self::Group(group) => (context::GROUP.to_owned(), group.pk),
            Self::Flow(flow) => ("Flow".to_owned(), flow.pk),
            Self::Stage(stage) => (names::stage(&stage.value.kind), stage.value.pk),
            Self::Binding(binding) => ("FlowStageBinding".to_owned(), binding.pk),
            Self::Condition(binding) => ("PolicyBinding".to_owned(), binding.pk),
            Self::Policy(policy) => (names::policy(&policy.kind), policy.pk),
            Self::Brand(brand) => ("Brand".to_owned(), brand.brand_uuid),
            Self::Application(it) => ("Application".to_owned(), it.pk),
            Self::Device(it) => (device::name(it.class()).to_owned(), it.uuid),
        };
        Object::new(class, id.to_string())
    }

    /// Its identifier.
    pub(super) fn id(&self) -> Uuid {
        match self {
            Self::User(user) => user.value.uuid,
            Self::Group(group) => group.pk,
            Self::Flow(flow) => flow.pk,
            Self::Stage(stage) => stage.value.pk,
            Self::Binding(binding) => binding.pk,
            Self::Condition(binding) => binding.pk,
            Self::Policy(policy) => policy.pk,
            Self::Brand(brand) => brand.brand_uuid,
            Self::Application(it) => it.pk,
            Self::Device(device) => device.uuid,
        }
    }

    /// A field by its name in the API; of a user, [`super::user`] knows them.
    pub(super) fn field(&self, name: &str) -> Option<Value> {
        let uuid = |id: Uuid| Some(Value::text(id.to_string()));
        let (id, pbm) = match self {
            Self::User(_) => return None,
            Self::Device(it) => return device::field(it, name),
            Self::Flow(flow) => ("flow_uuid", Some(flow.pbm)),
            Self::Binding(binding) => ("fsb_uuid", Some(binding.pbm)),
            Self::Group(_) => ("group_uuid", None),
            Self::Stage(_) => ("stage_uuid", None),
            Self::Condition(_) => ("policy_binding_uuid", None),
            Self::Policy(_) => ("policy_uuid", None),
            Self::Brand(_) => ("brand_uuid", None),
            Self::Application(it) => ("application_uuid", Some(it.pk)),
        };
        match name {
            "pk" | "uuid" => return uuid(self.id()),
            "pbm_uuid" | "policybindingmodel_ptr_id" => return pbm.and_then(uuid),
            "pbm" | "kind" | "settings" => return None,
            name if name == id => return uuid(self.id()),
            _ => {}
        }
        match self {
            Self::User(_) | Self::Device(_) => None,
            Self::Group(group) if name == "num_pk" => Some(i64::from(group.num_pk()).into()),
            Self::Group(group) => member(group, name),
            Self::Flow(flow) => member(flow, name),
            Self::Binding(binding) => member(binding, name),
            Self::Condition(binding) => member(binding, name),
            Self::Brand(brand) => member(brand, name),
            Self::Application(it) => member(it, name),
            Self::Stage(_) if SECRETS.contains(&name) => None,
            Self::Stage(stage) => setting(&stage.value.settings, name)
                .or_else(|| (name == "name").then(|| Value::text(&stage.value.name))),
            Self::Policy(policy) => {
                setting(&policy.settings, name).or_else(|| member(policy, name))
            }
        }
    }
}

fn member(of: &impl Serialize, name: &str) -> Option<Value> {
    // Stored types have only string keys, so it is never an error.
    let json = serde_json::to_value(of).ok()?;
    json.get(name).map(Value::from)
}

fn setting(settings: &serde_json::Map<String, serde_json::Value>, name: &str) -> Option<Value> {
    settings.get(name).map(Value::from)
}

impl Answers<'_> {
    /// The object behind a handle; `None` when there is no such object.
    pub(super) async fn row(&self, object: &Object) -> Result<Option<Rc<Row>>, Failure> {
        let Ok(id) = object.id.parse::<Uuid>() else {
            return Ok(None);
        };
        let objects = self.request.world.objects();
        let class = object.class.as_str();
        if class == context::USER {
            return self.user(id).await;
        }
        if let Some(row) = self.rows.borrow().get(&id) {
            return Ok(row.clone());
        }
        let row = match class {
            context::GROUP => self.read(id).await?.map(Row::Group),
            "Flow" => self.read(id).await?.map(Row::Flow),
            "PolicyBinding" => self.read(id).await?.map(Row::Condition),
            "Brand" => self.read(id).await?.map(Row::Brand),
            "Application" => self
                .read(id)
                .await?
                .map(|it| Row::Application(Box::new(it))),
            class if device::class(class).is_some() => self.read(id).await?.map(Row::Device),
            "FlowStageBinding" => match self.pinned(id) {
                Some(version) => {
                    let found = object::get_at(objects, id, version).await.map_err(abort)?;
                    found.map(|it: Versioned<FlowStageBinding>| Row::Binding(it.value))
                }
                None => self.read(id).await?.map(Row::Binding),
            },
            class if names::is_stage(class) => {
                let found = match self.pinned(id) {
                    Some(version) => object::get_at(objects, id, version).await,
                    None => object::get(objects, id).await,
                };
                found.map_err(abort)?.map(Row::Stage)
            }
            class if names::is_policy(class) => self.read(id).await?.map(Row::Policy),
            _ => return Ok(None),
        };
        let row = row.map(Rc::new);
        self.rows.borrow_mut().insert(id, row.clone());
        Ok(row)
    }

    async fn read<T: Stored>(&self, id: Uuid) -> Result<Option<T>, Failure> {
        let found: Option<Versioned<T>> = object::get(self.request.world.objects(), id)
            .await
            .map_err(abort)?;
        Ok(found.map(|found| found.value))
    }

    /// The user, as they will be once what is wanted so far has taken effect.
    pub(super) async fn user(&self, id: Uuid) -> Result<Option<Rc<Row>>, Failure> {
        if let Some(written) = self.written(id) {
            return Ok(Some(Rc::new(Row::User(written))));
        }
        if let Some(row) = self.rows.borrow().get(&id) {
            return Ok(row.clone());
        }
        let found = object::get(self.request.world.objects(), id).await;
        let row = found.map_err(abort)?.map(|user| Rc::new(Row::User(user)));
        self.rows.borrow_mut().insert(id, row.clone());
        Ok(row)
    }

    /// The user as this command leaves them so far, if it changes them.
    pub(super) fn written(&self, id: Uuid) -> Option<Versioned<User>> {
        let wishes = self.request.scope.wishes();
        let wanted = wishes.iter().rev().find_map(|wish| match wish {
            Effect::Change(Change::WriteUser(user)) if user.value.uuid == id => {
                Some((**user).clone())
            }
            _ => None,
        });
        wanted.or_else(|| self.request.world.written(id))
    }

    /// The revision of a stage, or of its place, that the plan is pinned to.
    fn pinned(&self, id: Uuid) -> Option<Version> {
        let plan = self.plan()?;
        let mut pins = plan.0.iter().flat_map(|stage| [stage.binding, stage.stage]);
        let is_it = |pin: &Pinned| pin.id == id && pin.version > 0;
        pins.find(is_it).map(|pin| Version(pin.version))
    }

    /// Keeps a row that was read on the way; a user is given back as the command leaves them.
    pub(super) fn seen(&self, row: Row) -> Rc<Row> {
        if let Row::User(user) = &row
            && let Some(written) = self.written(user.value.uuid)
        {
            return Rc::new(Row::User(written));
        }
        let row = Rc::new(row);
        self.rows
            .borrow_mut()
            .insert(row.id(), Some(Rc::clone(&row)));
        row
    }

    /// The handle of a row, with what an expression may change in its copy.
    pub(super) fn handle(&self, row: &Row) -> Object {
        let object = row.object();
        match row {
            Row::User(user) if self.detailed => {
                let attributes = serde_json::Value::Object(user.value.attributes.clone());
                object.with("attributes", Value::from(&attributes))
            }
            _ => object,
        }
    }
}
