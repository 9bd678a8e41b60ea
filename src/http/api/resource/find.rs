//! Finding the object that a path names, provided that the caller may see it.

use actix_web::HttpResponse;

use super::super::call::Call;
use super::super::operation::Answered;
use super::beside::{beside, is_over};
use super::{KeyField, Resource, Scope, Shown};
use crate::blueprint::edit::{Miss, Object, Staged, ask, find};
use crate::flow::query::Query;
use crate::http::Error;
use crate::journal::object::Stored;

/// Whether the caller may do this with an object.
pub(crate) fn may(
    resource: &Resource,
    call: &Call,
    verb: &str,
    object: &Object,
) -> Result<bool, Error> {
    let caller = call.caller()?;
    let is_own = resource.is_own;
    if is_own.is_some_and(|is_own| is_own(object, &caller.user.value)) {
        return Ok(true);
    }
    let pk = super::super::text(&object.pk());
    Ok(caller.granted.may_of(&resource.permission(verb), &pk))
}

/// Whether the caller may see an object.
pub(crate) fn visible(resource: &Resource, call: &Call, object: &Object) -> Result<bool, Error> {
    may(resource, call, "view", object)
}

/// The object that the path names.
///
/// # Errors
/// 404 when there is none or the caller may not see it: nobody learns which.
pub(crate) async fn found(
    resource: &Resource,
    call: &Call,
    staged: &mut Staged,
) -> Result<Object, Error> {
    let key = call.path(resource.key);
    let look = |staged: &Staged| look(resource, key, staged);
    let object = ask(staged, &*call.state.journal, look).await?;
    match object {
        Some(object) if is_over(&object, call.state.clock.now()) => {
            Err(Error::Missing(resource.name))
        }
        Some(object) if visible(resource, call, &object)? => Ok(object),
        _ => Err(Error::Missing(resource.name)),
    }
}

fn look(resource: &Resource, key: &str, staged: &Staged) -> Result<Option<Object>, Miss> {
    let object = match (resource.scope, resource.key_field) {
        (Scope::All(kind), KeyField::Field(field)) => {
            let mut all = staged.all(kind)?.into_iter();
            all.find(|it| crate::blueprint::edit::field(it, field) == Some(key.into()))
        }
        (Scope::All(kind), KeyField::Pk) => match key.parse() {
            Ok(id) => staged.get(kind, id)?,
            Err(_) => None,
        },
        (Scope::Of(model), KeyField::Pk) => {
            let is_number = model.kind() == Some(crate::directory::User::KIND);
            let well_formed = is_number || key.parse::<uuid::Uuid>().is_ok();
            if well_formed {
                find(model, &[("pk".to_owned(), key.into())], staged)?
            } else {
                None
            }
        }
        (Scope::Of(model), KeyField::Field(field)) => {
            find(model, &[(field.to_owned(), key.into())], staged)?
        }
    };
    Ok(object.filter(|it| resource.scope.has(it)).cloned())
}

/// `GET /<path>/<key>/`
pub(super) async fn retrieve(resource: &Resource, call: Call) -> Answered {
    let mut staged = Staged::default();
    let object = found(resource, &call, &mut staged).await?;
    shown(resource, &call, &mut staged, &object, 200).await
}

/// The answer that shows an object.
pub(super) async fn shown(
    resource: &Resource,
    call: &Call,
    staged: &mut Staged,
    object: &Object,
    status: u16,
) -> Answered {
    let query = Query::parse(call.request.query_string());
    let besides = beside(&call.state, std::slice::from_ref(object)).await?;
    let about = Shown {
        state: &call.state,
        query: &query,
        beside: besides.get(&object.stream().id),
    };
    let show = |staged: &Staged| (resource.show)(object, staged, &about);
    let shown = ask(staged, &*call.state.journal, show).await?;
    let mut answer = match status {
        201 => HttpResponse::Created(),
        _ => HttpResponse::Ok(),
    };
    Ok(answer.json(shown))
}
