//! Making, changing and removing objects.

use actix_web::HttpResponse;

use super::super::call::Call;
use super::super::operation::{Answered, Method};
use super::find::{found, may, shown};
use super::{Resource, Scope, pointed};
use crate::blueprint::edit::{Extent, Staged};
use crate::http::Error;

/// `POST /<path>/`
pub(super) async fn create(resource: &Resource, mut call: Call) -> Answered {
    let Scope::Of(model) = resource.scope else {
        return Err(Error::NOT_FOUND);
    };
    let allowed = call.caller()?.granted.may(&resource.permission("add"));
    // Whoever may have their own may make their own; the guard sees to it that it becomes theirs.
    if !allowed && resource.is_own.is_none() {
        return Err(Error::NotPermitted);
    }
    let mut fields = call.fields().await?;
    fields.retain(|name, _| !resource.closed.contains(&name.as_str()));
    fields.remove("pk");
    if let Some(guard) = resource.guard {
        guard(&call, None, &mut fields).await?;
    }
    let author = call.author()?;
    let made = call
        .edit(&author, call.arrival.id)
        .create(model, &fields)
        .await?;
    shown(resource, &call, &mut Staged::default(), &made, 201).await
}

/// `PUT` and `PATCH /<path>/<key>/`
pub(super) async fn update(resource: &Resource, method: Method, mut call: Call) -> Answered {
    let Scope::Of(model) = resource.scope else {
        return Err(Error::NOT_FOUND);
    };
    let mut staged = Staged::default();
    let object = found(resource, &call, &mut staged).await?;
    if !may(resource, &call, "change", &object)? {
        return Err(Error::NotPermitted);
    }
    let mut fields = call.fields().await?;
    fields.retain(|name, _| !resource.closed.contains(&name.as_str()));
    fields.remove("pk");
    if let Some(guard) = resource.guard {
        guard(&call, Some(&object), &mut fields).await?;
    }
    if !call.caller()?.granted.is_superuser() {
        pointed::check(&object, &fields)?;
    }
    let extent = match method {
        Method::Put => Extent::Whole,
        _ => Extent::Part,
    };
    let author = call.author()?;
    let edit = call.edit(&author, call.arrival.id);
    let changed = edit
        .update(model, object.stream(), &fields, extent)
        .await?
        .ok_or(Error::Missing(resource.name))?;
    shown(resource, &call, &mut Staged::default(), &changed, 200).await
}

/// `DELETE /<path>/<key>/`
pub(super) async fn destroy(resource: &Resource, call: Call) -> Answered {
    let mut staged = Staged::default();
    let object = found(resource, &call, &mut staged).await?;
    if !may(resource, &call, "delete", &object)? {
        return Err(Error::NotPermitted);
    }
    let author = call.author()?;
    let edit = call.edit(&author, call.arrival.id);
    if edit.delete(object.stream()).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(Error::Missing(resource.name))
    }
}
