//! The store itself, for the operator.

use actix_web::web::{Bytes, Data, Json};
use actix_web::{HttpResponse, HttpResponseBuilder};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Operator, Refusal};
use crate::clock::Clock;
use crate::directory::departure::{What, leaves};
use crate::journal::evidence::Checkpoint;
use crate::journal::{self, Envelope, Journal, Position};

/// The kind of stream whose bodies hold no secret, by construction. Others may: a user's has
/// the hash of the password, a session's the value of the cookie.
const OPEN: &str = "execution";

/// Says of an export that the journal could not note it, and why.
pub const UNNOTED: &str = "x-gatelog-unnoted";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Signed checkpoints whose signatures the caller has looked at.
    #[serde(default)]
    held: Vec<Checkpoint>,
}

/// `POST /operator/journal/verify`
pub(super) async fn verify(operator: Data<Operator>, wanted: Json<Wanted>) -> Answer {
    let verified = operator.store.verify(wanted.into_inner().held).await?;
    Ok(HttpResponse::Ok().json(verified))
}

/// `POST /operator/secret/rotate`
pub(super) async fn rotate(operator: Data<Operator>) -> Result<Json<Value>, Refusal> {
    operator.store.rotate_root().await?;
    tracing::warn!("the operator replaced the root key");
    Ok(Json(json!({ "rotated": true })))
}

/// `POST /operator/journal/export`: the sealed journal as one file.
pub(super) async fn export(operator: Data<Operator>) -> Answer {
    let is_noted = noted(&*operator.journal, &operator.clock, What::SealedExport).await?;
    Ok(beginning(is_noted)
        .content_type("application/gzip")
        .streaming(operator.store.export()))
}

/// Notes that something is about to leave, and whether that is written: a full disk is no reason
/// to go without a backup.
async fn noted(journal: &dyn Journal, clock: &Clock, what: What) -> journal::Result<bool> {
    match leaves(journal, clock, what, None).await {
        Ok(()) => Ok(true),
        Err(error) if error.is_about_room() => {
            tracing::warn!(%error, "an export leaves, and there is no room for a note of it");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn beginning(is_noted: bool) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    if !is_noted {
        answer.insert_header((UNNOTED, "the disk is full"));
    }
    answer
}

/// `POST /operator/journal/records`: one record to a line. The stream breaks off on damage,
/// which the reader notices because the last chunk is missing.
pub(super) async fn records(operator: Data<Operator>) -> Answer {
    let is_noted = noted(&*operator.journal, &operator.clock, What::OpenExport).await?;
    let lines = operator.store.records().map(|record| {
        let (position, envelope) = record.inspect_err(|error| {
            tracing::error!(%error, "an export broke off");
        })?;
        let mut line = line(position, &envelope).to_string();
        line.push('\n');
        Ok::<_, journal::Error>(Bytes::from(line))
    });
    Ok(beginning(is_noted)
        .content_type("application/jsonl")
        .streaming(lines))
}

fn line(position: Position, envelope: &Envelope) -> Value {
    let open = envelope.stream.kind.as_str() == OPEN;
    let body = envelope.body.as_deref().filter(|_| open);
    let body: Option<Value> = body.and_then(|body| serde_json::from_slice(body).ok());
    let hash = base16ct::lower::encode_string(&envelope.hash.0);
    json!({
        "position": position,
        "kind": envelope.stream.kind,
        "id": envelope.stream.id,
        "version": envelope.version,
        "at": envelope.at,
        "schema": envelope.schema,
        "correlation": envelope.correlation,
        "hash": hash,
        "body": body,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::journal::faulty::{Fault, Faulty};
    use crate::journal::memory::MemoryJournal;

    #[tokio::test]
    async fn an_export_needs_no_room_and_nothing_else_goes_unnoted() {
        let clock = Clock::system();
        let journal = Faulty::over(Arc::new(MemoryJournal::new(clock.clone())), None);
        let noted = || noted(&*journal, &clock, What::SealedExport);
        assert!(noted().await.expect("it is noted"));
        journal.fail([Fault::Full]);
        assert!(!noted().await.expect("it leaves all the same"));
        journal.fail([Fault::Before]);
        noted().await.expect_err("it must not leave");
    }
}
