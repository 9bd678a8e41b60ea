//! Executions run again, many at once, for the operator.

use std::num::NonZeroUsize;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{Answer, Operator, Refusal};
use crate::expression::Workers;
use crate::flow::code;
use crate::journal::StreamId;
use crate::replay::{self, Error, Judged};
use crate::world::record::KIND;

/// How many executions are looked up at once.
const PAGE: usize = 500;

/// Which executions are run again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// Those that began before this one; all of them without it.
    before: Option<Uuid>,
    /// Those that began at this moment or later.
    since: Option<Timestamp>,
    /// No more than so many, the latest first.
    limit: Option<NonZeroUsize>,
    /// On so many threads; on one for each core without it.
    jobs: Option<NonZeroUsize>,
}

/// `POST /operator/replay/verify`: whether running executions again comes to the same events, and
/// whether the actor that is awake holds what the journal folds into. Answers with the one from
/// which on there are more, if there are.
pub(super) async fn verify(operator: Data<Operator>, asked: Json<Asked>) -> Answer {
    let (mut shown, mut unreadable) = (Vec::new(), Vec::new());
    let mut before = asked.before;
    let mut left = asked.limit.map_or(usize::MAX, NonZeroUsize::get);
    let mut next = None;
    let workers = operator.other_workers()?;
    while left > 0 {
        if !operator.goes_on() {
            return Err(Refusal::Busy);
        }
        let page = PAGE.min(left);
        let streams = operator.journal.streams(KIND, before, page).await?;
        let is_last = streams.len() < page;
        let ids: Vec<Uuid> = streams
            .iter()
            .map(|stream: &StreamId| stream.id)
            .take_while(|id| asked.since.is_none_or(|since| replay::began(*id) >= since))
            .collect();
        let is_last = is_last || ids.len() < streams.len();
        for (id, judged) in ids
            .iter()
            .zip(judge(&operator, &workers, &ids, asked.jobs).await?)
        {
            let code = code(*id).to_string();
            if let Judged::Unreadable { problem } = &judged {
                unreadable.push(json!({ "execution": id, "code": code, "problem": problem }));
                continue;
            }
            let live = match operator.executions.snapshot(*id).await? {
                Some(held) => Some(replay::compare(&*operator.journal, *id, held).await?),
                None => None,
            };
            shown.push(json!({ "execution": id, "code": code, "replay": judged, "live": live }));
        }
        left -= ids.len();
        before = ids.last().copied();
        next = before.filter(|_| !is_last);
        if is_last {
            break;
        }
    }
    Ok(HttpResponse::Ok().json(json!({
        "executions": shown,
        "unreadable": unreadable,
        "next": next,
    })))
}

async fn judge(
    operator: &Operator,
    workers: &Workers,
    ids: &[Uuid],
    jobs: Option<NonZeroUsize>,
) -> Result<Vec<Judged>, Error> {
    let jobs = replay::many::threads(jobs);
    replay::verify_all(&operator.journal, Some(workers), ids, jobs).await
}
