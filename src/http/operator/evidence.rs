//! Signed checkpoints and proofs, for the operator to pass on.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::executions::named;
use super::{Answer, Operator, Refusal};
use crate::journal::evidence::{Signed, read_all};
use crate::journal::{self, Position, StreamId};
use crate::world::record::KIND;

/// `POST /operator/journal/checkpoint`
pub(super) async fn checkpoint(operator: Data<Operator>) -> Answer {
    let signed = operator.store.checkpoint().await?;
    Ok(HttpResponse::Ok().json(json!({
        "checkpoint": signed.note,
        "key": operator.store.verifier().to_string(),
        "size": signed.checkpoint.size,
    })))
}

/// What is to be proven.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Wanted {
    /// That the record at this position is there.
    Position(u64),
    /// That all records of an execution are there.
    Execution(String),
    /// That a checkpoint follows from an earlier one; the newest if none is named.
    Consistency {
        /// A file of checkpoints, of which the last one counts.
        from: String,
        /// The same.
        #[serde(default)]
        to: Option<String>,
    },
}

/// `POST /operator/journal/prove`
pub(super) async fn prove(operator: Data<Operator>, wanted: Json<Wanted>) -> Answer {
    let proofs = match wanted.into_inner() {
        Wanted::Position(position) => records(&operator, vec![Position(position)]).await?,
        Wanted::Execution(name) => {
            let id = named(&operator, &name).await?;
            let positions = operator.store.positions(StreamId::new(KIND, id)).await?;
            if positions.is_empty() {
                return Err(Refusal::NotFound(format!("there is no execution {name}")));
            }
            records(&operator, positions).await?
        }
        Wanted::Consistency { from, to } => {
            let from = last_of(&operator, "from", &from)?;
            let to = match to {
                Some(to) => last_of(&operator, "to", &to)?,
                None => operator.store.checkpoint().await?,
            };
            vec![consistency(&operator, from, to).await?]
        }
    };
    Ok(HttpResponse::Ok().json(json!({ "proofs": proofs })))
}

async fn records(operator: &Operator, positions: Vec<Position>) -> Result<Vec<Value>, Refusal> {
    let checkpoint = operator.store.checkpoint().await?;
    let mut proofs = Vec::new();
    for position in positions {
        let proof = operator.store.inclusion(position, &checkpoint).await?;
        let proof = proof.ok_or_else(|| {
            let size = checkpoint.checkpoint.size;
            let position = position.0;
            Refusal::NotFound(format!(
                "there is no position {position}; the last one is {size}"
            ))
        })?;
        proofs.push(json!({
            "position": position,
            "kind": proof.frame.stream.kind,
            "id": proof.frame.stream.id,
            "version": proof.frame.version,
            "at": proof.frame.at,
            "size": checkpoint.checkpoint.size,
            "proof": proof.to_text(),
        }));
    }
    Ok(proofs)
}

/// The last checkpoint of a file that somebody kept.
fn last_of(operator: &Operator, name: &str, text: &str) -> Result<Signed, Refusal> {
    let read = read_all(text, Some(operator.store.verifier()));
    let last = read.map_err(|error| Refusal::Invalid(format!("{name}: {error}")))?;
    let last = last.into_iter().last();
    last.ok_or_else(|| Refusal::Invalid(format!("{name}: there is no checkpoint in it")))
}

async fn consistency(operator: &Operator, from: Signed, to: Signed) -> Result<Value, Refusal> {
    let (earlier, later) = (from.checkpoint.size, to.checkpoint.size);
    if earlier > later {
        return Err(Refusal::Invalid(format!(
            "the checkpoint of {later} records is the earlier one, not that of {earlier}"
        )));
    }
    let proof = operator.store.consistency(from, to).await?;
    let proof = proof.ok_or_else(|| journal::Error::Damaged {
        path: "log".into(),
        problem: format!(
            "it is not the journal that these checkpoints, of {earlier} and {later} records, were \
             signed for: it was altered, or its end is missing"
        ),
    })?;
    Ok(json!({ "from": earlier, "to": later, "proof": proof.to_text() }))
}
