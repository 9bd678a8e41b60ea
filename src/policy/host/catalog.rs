//! Groups, flows, stages, bindings and brands: attributes by the names of the API.

use serde_json::Value as Json;

use super::query::{Model, Query, Source};
use super::row::Row;
use super::{Answers, abort, names, plan};
use crate::catalog::{Brand, brand};
use crate::expression::{Failure, Object, Value};
use crate::policy::context;

/// Fields of a brand that name a flow.
const BRAND_FLOWS: [&str; 6] = [
    "flow_authentication",
    "flow_invalidation",
    "flow_recovery",
    "flow_unenrollment",
    "flow_user_settings",
    "flow_device_code",
];

impl Answers<'_> {
    pub(super) async fn object_attribute(
        &self,
        object: &Object,
        name: &str,
    ) -> Result<Option<Value>, Failure> {
        if let Some(made) = plan::made(object) {
            return self.of_made(&made, name).await;
        }
        match object.class.as_str() {
            "Tenant" => return Ok(of_tenant(name)),
            "PolicyBindingModel" => {
                let is_id = matches!(name, "pk" | "pbm_uuid");
                return Ok(is_id.then(|| Value::text(&object.id)));
            }
            "Brand" if object.id.is_empty() => {
                let brand = Row::Brand(Brand::fallback());
                return Ok(brand.field(name));
            }
            _ => {}
        }
        match self.row(object).await? {
            Some(row) => self.column(&row, name).await,
            None => Ok(None),
        }
    }

    /// A field of any row, with other objects as handles.
    pub(super) async fn column(&self, row: &Row, name: &str) -> Result<Option<Value>, Failure> {
        let other = |class: &str, id: Option<uuid::Uuid>| {
            Some(id.map(|id| Object::new(class, id.to_string())).into())
        };
        Ok(match (row, name) {
            (Row::User(user), name) => return self.of_user(user, name).await,
            (Row::Group(group), "parents") => Some(self.manager(Query::new(Source::These(
                Model::Group,
                group.parents.clone(),
            )))),
            (Row::Group(group), "children") => {
                Some(self.manager(Query::new(Source::Below(group.pk))))
            }
            (Row::Group(group), "users") => {
                Some(self.manager(Query::new(Source::UsersIn(group.pk))))
            }
            (Row::Flow(flow), "stages") => {
                Some(self.manager(Query::new(Source::StagesOf(flow.pk))))
            }
            (Row::Binding(binding), "target") => other("Flow", Some(binding.target)),
            (Row::Binding(binding), "stage") => Some(self.stage(binding.stage).await?),
            (Row::Condition(binding), "target") => {
                other("PolicyBindingModel", Some(binding.target))
            }
            (Row::Condition(binding), "group") => other(context::GROUP, binding.group),
            (Row::Condition(binding), "user") => match binding.user {
                Some(user) => {
                    let user = self.shown(context::user(user).into()).await?;
                    Some(user)
                }
                None => Some(Value::None),
            },
            (Row::Condition(binding), "policy") => match binding.policy {
                Some(policy) => {
                    // Its class is that of its kind, which only it knows.
                    let policy = Object::new("Policy", policy.to_string());
                    let row = self.row(&policy).await?;
                    Some(row.map(|row| row.object()).into())
                }
                None => Some(Value::None),
            },
            (Row::Device(device), "user") => {
                Some(self.shown(context::user(device.user).into()).await?)
            }
            (Row::Brand(_), name) if BRAND_FLOWS.contains(&name) => {
                let id = row.field(name).and_then(|id| id.as_text()?.parse().ok());
                other("Flow", id)
            }
            _ => row.field(name),
        })
    }

    /// The handle of a stage; its class is that of its kind, which only it knows.
    pub(super) async fn stage(&self, id: uuid::Uuid) -> Result<Value, Failure> {
        let row = self.row(&Object::new("Stage", id.to_string())).await?;
        Ok(row.map(|row| row.object()).into())
    }

    /// The brand of the host that was asked for; the one without a host where nobody asked.
    pub(super) async fn brand(&self) -> Result<Brand, Failure> {
        let Some(visit) = self.request.visit else {
            return Ok(Brand::fallback());
        };
        let brands = brand::brands(self.request.world.objects()).await;
        let brands = brands.map_err(abort)?;
        Ok(brand::select(&brands, &visit.client.host).value)
    }

    /// A class of the host's: its manager and its name.
    pub(super) fn class_attribute(&self, class: &str, name: &str) -> Option<Value> {
        match name {
            "objects" => Some(self.manager(Query::new(Source::All(Model::of(class))))),
            "__name__" | "__qualname__" => Some(Value::text(class)),
            "__module__" => Some(Value::text(names::model(class).0)),
            _ => None,
        }
    }
}

/// What the server's settings would be in authentik.
fn of_tenant(name: &str) -> Option<Value> {
    matches!(
        name,
        "default_user_change_name" | "default_user_change_email" | "default_user_change_username"
    )
    .then_some(Value::Bool(true))
}

/// A field of the settings of a made-up stage.
pub(super) fn setting(settings: &serde_json::Map<String, Json>, name: &str) -> Option<Value> {
    settings.get(name).map(Value::from)
}
