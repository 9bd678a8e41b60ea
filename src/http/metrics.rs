//! `/metrics`, on a port of its own: what the server counts, as `OpenMetrics` text.
//!
//! The port is for whoever looks after the server. Nothing on it tells of a person.

use std::fs;

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use super::State;
use super::health::hindrance;
use crate::journal::{self, cursor};
use crate::telemetry::{Machine, Reader, level};
use crate::{audit, feed, process};

/// What the text is.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The route, and what it needs.
pub fn configure(app: &mut web::ServiceConfig, state: web::Data<State>) {
    app.app_data(state)
        .route("/metrics", web::get().to(show))
        .default_service(web::route().to(HttpResponse::NotFound));
}

async fn show(state: web::Data<State>) -> HttpResponse {
    let machine = state.metrics.machine();
    look(&state, machine).await;
    match state.metrics.text() {
        Ok(text) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, OPEN_METRICS))
            .body(text),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// Looks up what is not counted as it happens.
async fn look(state: &State, machine: &Machine) {
    machine.ready.set(hindrance(state).await.is_none().into());
    let position = state.journal.last().0;
    machine
        .position
        .set(i64::try_from(position).unwrap_or(i64::MAX));
    machine.hashes.set(level(state.hashes.waiting()));
    let room = state.journal.room();
    let bytes = |count: Option<u64>| count.and_then(|it| i64::try_from(it).ok()).unwrap_or(0);
    machine.free.set(bytes(room.map(|it| it.free)));
    machine.reserve.set(bytes(room.map(|it| it.reserve)));
    let effects = &state.metrics.executions().effects;
    effects.set(level(state.executions.in_flight()));
    if let Some(workers) = &state.workers {
        let vitals = workers.vitals();
        machine.idle_workers.set(level(vitals.idle));
        machine.waiting_expressions.set(level(vitals.waiting));
    }
    if let Err(error) = readers(state, machine).await {
        tracing::warn!(%error, "nobody knows how far those have come who follow the journal");
    }
    let looked = tokio::task::spawn_blocking(|| (process::memory(), descriptors())).await;
    if let Ok((memory, descriptors)) = looked {
        machine.resident.set(bytes(memory));
        machine.descriptors.set(level(descriptors));
    }
}

async fn readers(state: &State, machine: &Machine) -> journal::Result<()> {
    let journal = &*state.journal;
    let last = journal.last();
    for name in [audit::READER].into_iter().chain(feed::READERS) {
        let cursor = cursor::load(journal, name).await?;
        // Whoever has noted nothing yet has everything before them.
        let after = match cursor {
            Some(cursor) => cursor.value.after.0,
            None if machine.is_followed_by(name) => 0,
            None => continue,
        };
        let behind = last.0.saturating_sub(after);
        machine.reads(Reader { name, behind });
    }
    Ok(())
}

/// How many descriptors it has open.
fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
