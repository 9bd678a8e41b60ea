//! Erasing people, for the operator.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{Answer, Operator, Refusal};
use crate::directory::Author;
use crate::directory::erasure::Certificate;
use crate::erasure::{self, Error, Freely, Tools};
use crate::http::erasing;

/// What goes.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    /// Also executions of others that name the user.
    #[serde(default)]
    others: bool,
}

/// `GET /operator/users/{name}/erasure`: what would go.
pub(super) async fn preview(operator: Data<Operator>, name: Path<String>) -> Answer {
    let journal = &*operator.journal;
    let user = erasure::named(journal, &name).await?;
    let letters = Some(operator.courier.written());
    let preview = erasure::preview(journal, letters, user, &mut Freely::default()).await?;
    Ok(HttpResponse::Ok().json(preview))
}

/// Goes on with every erasure that was interrupted. One that fails again is left for the next time.
pub async fn finish_erasures(operator: &Operator) {
    let open = match erasure::interrupted(&*operator.journal).await {
        Ok(open) => open,
        Err(error) => {
            tracing::warn!(%error, "whether an erasure was interrupted is not known");
            return;
        }
    };
    for user in open {
        match finish(operator, user, false).await {
            Ok(_) => tracing::info!(%user, "an erasure that was interrupted is finished"),
            Err(error) => tracing::error!(%user, %error, "an erasure is not finished"),
        }
    }
}

/// `POST /operator/users/{name}/erase`
pub(super) async fn erase(
    operator: Data<Operator>,
    name: Path<String>,
    asked: Json<Asked>,
) -> Answer {
    let user = erasure::named(&*operator.journal, &name).await?;
    let certificate = finish(&operator, user, asked.others).await?;
    let text = erasure::text(&certificate);
    Ok(HttpResponse::Ok().json(json!({ "certificate": certificate, "text": text })))
}

async fn finish(operator: &Operator, user: Uuid, others: bool) -> Result<Certificate, Error> {
    let tools = Tools {
        journal: Arc::clone(&operator.journal),
        clock: operator.clock.clone(),
        executions: operator.executions.clone(),
        author: Author::operator(),
        correlation: operator.clock.ordered_id(),
        letters: Some(operator.courier.written().to_owned()),
    };
    let store = Some(Arc::clone(&operator.store));
    erasing::erase(tools, store, user, others).await
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Unknown(_) => Self::NotFound(error.to_string()),
            Error::LastSuperuser => Self::Invalid(error.to_string()),
            Error::Contended | Error::Abandoned => Self::Busy,
            Error::Journal(error) => Self::Journal(error),
            Error::Execution(error) => error.into(),
        }
    }
}
