//! The store itself, for the operator.

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data, Json};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Operator, Refusal};
use crate::journal::evidence::Checkpoint;
use crate::journal::{Envelope, Position};

/// The kind of stream whose bodies hold no secret, by construction. Others may: a user's has
/// the hash of the password, a session's the value of the cookie.
const OPEN: &str = "execution";

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
pub(super) async fn export(operator: Data<Operator>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/gzip")
        .streaming(operator.store.export())
}

/// `POST /operator/journal/records`: one record to a line. The stream breaks off on damage,
/// which the reader notices because the last chunk is missing.
pub(super) async fn records(operator: Data<Operator>) -> HttpResponse {
    let lines = operator.store.records().map(|record| {
        let (position, envelope) = record.inspect_err(|error| {
            tracing::error!(%error, "an export broke off");
        })?;
        let mut line = line(position, &envelope).to_string();
        line.push('\n');
        Ok::<_, crate::journal::Error>(Bytes::from(line))
    });
    HttpResponse::Ok()
        .content_type("application/jsonl")
        .streaming(lines)
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
