//! Whether the server lives, and whether it can serve.

use std::time::{Duration, Instant};

use actix_web::{HttpResponse, web};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::State;
use crate::journal::{Commit, Durability, Error};

/// Where it is asked whether the server lives.
pub(super) const LIVE: &str = "/-/health/live/";

/// Where it is asked whether it can serve.
pub(super) const READY: &str = "/-/health/ready/";

/// How long the journal may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// For how long its answer is good. Nobody is kept from asking as often as they like.
const FRESH: Duration = Duration::from_secs(1);

/// What the journal answered last, and when.
#[derive(Debug, Default)]
pub struct Probed(Mutex<Option<(Instant, Option<&'static str>)>>);

/// Whether this is the path of a probe, which is always answered.
pub(super) fn is_probe(path: &str) -> bool {
    path == LIVE || path == READY
}

/// `/-/health/live/`: answers as long as the process does.
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// `/-/health/ready/`: 503 and the reason when the server is about to end or the journal takes no writes.
pub(super) async fn ready(state: web::Data<State>) -> HttpResponse {
    match hindrance(&state).await {
        Some(reason) => HttpResponse::ServiceUnavailable()
            .content_type("text/plain; charset=utf-8")
            .body(format!("{reason}\n")),
        None => HttpResponse::Ok().finish(),
    }
}

/// Why the server cannot serve, if it cannot.
pub(super) async fn hindrance(state: &State) -> Option<&'static str> {
    if state.is_stopping() {
        Some("the server is about to end")
    } else {
        unwritable(state).await
    }
}

/// Whether the journal takes writes.
pub(super) async fn is_writable(state: &State) -> bool {
    unwritable(state).await.is_none()
}

/// Why the journal takes no writes, as of a moment ago: many who ask at once wait for one answer.
async fn unwritable(state: &State) -> Option<&'static str> {
    let mut last = state.probed.0.lock().await;
    if let Some((at, reason)) = *last
        && state.clock.monotonic().saturating_duration_since(at) < FRESH
    {
        return reason;
    }
    let reason = refused(state).await;
    *last = Some((state.clock.monotonic(), reason));
    reason
}

/// Why the journal takes no writes. The log says more: whoever asks here may be anybody.
async fn refused(state: &State) -> Option<&'static str> {
    // A commit without writes goes all the way to the writer and back.
    let nothing = Commit {
        writes: Vec::new(),
        durability: Durability::Relaxed,
        fence: None,
        at: state.clock.now(),
        correlation: Uuid::nil(),
    };
    match tokio::time::timeout(PATIENCE, state.journal.commit(nothing)).await {
        Ok(Ok(_)) => None,
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready: the journal refuses");
            Some(if error.is_about_room() {
                "the disk is full"
            } else if matches!(error, Error::Newer { .. }) {
                "the journal is of a newer version"
            } else {
                "the disk failed; the log says more"
            })
        }
        Err(_) => {
            tracing::warn!("not ready: the journal does not answer");
            Some("the disk does not answer in time")
        }
    }
}
