//! Erasing people, for the operator.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde_json::json;

use super::{Answer, Operator, Refusal};
use crate::directory::Author;
use crate::erasure::{self, Error, Tools};
use crate::http::erasing;

/// `GET /operator/users/{name}/erasure`: what would go.
pub(super) async fn preview(operator: Data<Operator>, name: Path<String>) -> Answer {
    let journal = &*operator.journal;
    let user = erasure::named(journal, &name).await?;
    Ok(HttpResponse::Ok().json(erasure::preview(journal, user).await?))
}

/// `POST /operator/users/{name}/erase`
pub(super) async fn erase(operator: Data<Operator>, name: Path<String>) -> Answer {
    let user = erasure::named(&*operator.journal, &name).await?;
    let tools = Tools {
        journal: Arc::clone(&operator.journal),
        clock: operator.clock.clone(),
        executions: operator.executions.clone(),
        author: Author::operator(),
        correlation: operator.clock.ordered_id(),
    };
    let store = Some(Arc::clone(&operator.store));
    let certificate = erasing::erase(tools, store, user).await?;
    let text = erasure::text(&certificate);
    Ok(HttpResponse::Ok().json(json!({ "certificate": certificate, "text": text })))
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Unknown(_) => Self::NotFound(error.to_string()),
            Error::LastSuperuser => Self::Invalid(error.to_string()),
            Error::Contended => Self::Busy,
            Error::Journal(error) => Self::Journal(error),
            Error::Execution(error) => error.into(),
        }
    }
}
