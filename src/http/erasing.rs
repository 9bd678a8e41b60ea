//! Erasing a person, for the operator's command and for the API alike. Who may do it is known before.

use std::sync::Arc;

use uuid::Uuid;

use super::operator::Store;
use crate::directory::erasure::{Certificate, Chain};
use crate::erasure::{self, Error, Tools};

/// Erases a user to the end, also when nobody waits for the answer any more. `others` is as in
/// [`erasure::erase`].
///
/// # Errors
/// Those of [`erasure::erase`].
pub(super) async fn erase(
    tools: Tools,
    store: Option<Arc<dyn Store>>,
    user: Uuid,
    others: bool,
) -> Result<Certificate, Error> {
    let work = async move {
        if let Some(certificate) = erasure::erase(&tools, user, others).await? {
            return Ok(certificate);
        }
        let chain = chain(&tools, store.clone()).await?;
        let sign = |sort: &str, document: &[u8]| {
            let store = store.as_ref();
            store.map(|store| store.attest(sort, document))
        };
        erasure::certify(&tools, user, chain, &sign).await
    };
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(error) => Err(crate::journal::Error::Unavailable(error.to_string().into()).into()),
    }
}

/// Whether the journal is whole.
async fn chain(tools: &Tools, store: Option<Arc<dyn Store>>) -> Result<Chain, Error> {
    let position = tools.journal.last().0;
    let Some(store) = store else {
        return Ok(Chain {
            position,
            ..Chain::default()
        });
    };
    // By it, whoever has the public key can prove later that nothing was altered since.
    let signed = match store.checkpoint().await {
        Ok(signed) => Some(signed),
        Err(error) => {
            tracing::warn!(%error, "an erasure is certified without a checkpoint");
            None
        }
    };
    let verified = store.verify(Vec::new()).await?;
    Ok(Chain {
        is_whole: Some(verified.findings.is_empty()),
        records: verified.records,
        position: signed.as_ref().map_or(position, |it| it.checkpoint.size),
        checkpoint: signed.map(|it| it.note),
        findings: verified.findings,
    })
}
