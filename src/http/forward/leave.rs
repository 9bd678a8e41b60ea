//! What of an application leads into a flow: the one that logs in and the one that logs out.

use actix_web::HttpRequest;
use uuid::Uuid;

use crate::catalog::Flow;
use crate::flow::model::Designation;
use crate::flow::query::Query;
use crate::http::flows::of_host;
use crate::http::session::Visitor;
use crate::http::{Error, State};
use crate::journal::object::{self, Versioned};

/// The flow that an application names, where it is still there, else the host's own for this purpose.
///
/// # Errors
/// 404 when there is no such flow at all.
pub(super) async fn flow(
    state: &State,
    request: &HttpRequest,
    visitor: &Visitor,
    own: Option<Uuid>,
    designation: Designation,
) -> Result<Flow, Error> {
    if let Some(own) = own {
        let found: Option<Versioned<Flow>> = object::get(&*state.journal, own).await?;
        if let Some(found) = found {
            return Ok(found.value);
        }
    }
    let query = Query::parse(request.query_string());
    of_host(state, request, designation, visitor, &query).await
}
