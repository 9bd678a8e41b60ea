//! The journal as it grows, for the operator: lines, up to what there is now or without an end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data, Query};
use futures_util::stream::{self, StreamExt};
use serde::Deserialize;

use super::{Operator, Refusal};
use crate::directory::departure::{What, leaves};
use crate::feed::{format, item};
use crate::journal::{self, Position};
use crate::settings::FeedFormat;

/// How often it looks whether the server is about to stop.
const STOPPING: Duration = Duration::from_secs(1);

/// What is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    /// The position after which it begins.
    after: Position,
    /// The form of the lines.
    format: String,
    /// Whether it goes on with what is still to come.
    follow: bool,
}

/// `GET /operator/feed?after=&format=&follow=`
pub(super) async fn lines(
    operator: Data<Operator>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Refusal> {
    let format = FeedFormat::from_name(&asked.format)
        .ok_or_else(|| Refusal::Malformed(format!("{:?} is no form of lines", asked.format)))?;
    leaves(&*operator.journal, &operator.clock, What::FeedRead, None).await?;
    let (after, follow) = (asked.after, asked.follow);
    let last = operator.journal.last();
    let records = (follow || after < last).then(|| operator.journal.follow(after));
    let stopping = Arc::clone(&operator.stopping);
    let lines = stream::unfold((records, stopping), move |(records, stopping)| async move {
        let mut records = records?;
        let next = loop {
            if stopping.load(Ordering::Relaxed) {
                return None;
            }
            if let Ok(next) = tokio::time::timeout(STOPPING, records.next()).await {
                break next?;
            }
        };
        let read = next.and_then(|(position, envelope)| {
            let item = item::read(position, &envelope)?;
            let lines = item.map(|item| format::lines(format, &item));
            let text: String = lines
                .into_iter()
                .flatten()
                .flat_map(|line| [line, "\n".to_owned()])
                .collect();
            Ok((position, text))
        });
        let goes_on = read
            .as_ref()
            .is_ok_and(|(position, _)| follow || *position < last);
        let said: journal::Result<Bytes> = read.map(|(_, text)| Bytes::from(text));
        if let Err(error) = &said {
            tracing::error!(%error, "a feed breaks off");
        }
        Some((said, (goes_on.then_some(records), stopping)))
    });
    // Most records are told of nowhere; nobody has to be sent nothing.
    let lines = lines.filter(|said| {
        let is_there = said.as_ref().map_or(true, |bytes| !bytes.is_empty());
        std::future::ready(is_there)
    });
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .streaming(lines))
}
