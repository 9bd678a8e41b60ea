//! Whether the server lives, and whether it can serve.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use uuid::Uuid;

use super::State;
use crate::journal::{Commit, Durability};

/// How long the journal may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// `/-/health/live/`: answers as long as the process does.
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// `/-/health/ready/`: 503 when the server is about to end or the journal takes no writes.
pub(super) async fn ready(state: web::Data<State>) -> HttpResponse {
    if is_ready(&state).await {
        HttpResponse::Ok().finish()
    } else {
        HttpResponse::ServiceUnavailable().finish()
    }
}

/// Whether the server can serve.
pub(super) async fn is_ready(state: &State) -> bool {
    !state.is_stopping() && is_writable(state).await
}

/// Whether the journal takes writes.
pub(super) async fn is_writable(state: &State) -> bool {
    // A commit without writes goes all the way to the writer and back.
    let nothing = Commit {
        writes: Vec::new(),
        durability: Durability::Relaxed,
        fence: None,
        at: state.clock.now(),
        correlation: Uuid::nil(),
    };
    match tokio::time::timeout(PATIENCE, state.journal.commit(nothing)).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready: the journal refuses");
            false
        }
        Err(_) => {
            tracing::warn!("not ready: the journal does not answer");
            false
        }
    }
}
