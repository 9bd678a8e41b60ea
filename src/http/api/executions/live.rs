//! A word whenever something happened in an execution, for lists that are to be up to date. It says
//! nothing of which one: whoever hears it asks again, and sees what they may.

use std::time::{Duration, Instant};

use actix_web::web::{Bytes, Data};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use uuid::Uuid;

use crate::directory::permission::Granted;
use crate::http::State;
use crate::http::api::call::Call;
use crate::http::api::caller::Standing;
use crate::http::api::feed::LONGEST;
use crate::http::api::inspector::PERMISSION;
use crate::http::api::operation::Answered;
use crate::http::streams::{self, KEEP_ALIVE, Place, STOPPING};
use crate::journal::{self, Envelope, Position};
use crate::world::record::KIND;

/// How long it is silent after a word, whatever happens meanwhile.
const PAUSE: Duration = Duration::from_secs(1);

/// What listens.
struct Listening {
    state: Data<State>,
    records: BoxStream<'static, journal::Result<(Position, Envelope)>>,
    silent_since: Instant,
    until: Instant,
    standing: Standing,
    /// Whether it has said that it is there.
    greeted: bool,
    _place: Place<Uuid>,
}

/// The stream.
///
/// # Errors
/// When there are too many.
pub(super) fn stream(call: &Call) -> Answered {
    let state = call.state.clone();
    let now = state.clock.monotonic();
    let standing = call.caller()?.standing(now);
    let place = state.feeds.open(standing.user())?;
    let listening = Listening {
        records: state.journal.follow(state.journal.last()),
        silent_since: now,
        until: now + LONGEST,
        standing,
        greeted: false,
        state,
        _place: place,
    };
    Ok(streams::answer(stream::unfold(
        listening,
        async |mut listening| Some((listening.next().await?, listening)),
    )))
}

impl Listening {
    /// What it says next; `None` at its end.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.greeted {
            self.greeted = true;
            return Some(Bytes::from_static(b":\n\n"));
        }
        let mut heard = false;
        loop {
            let now = self.state.clock.monotonic();
            if self.state.is_stopping() || now >= self.until {
                return None;
            }
            let may = |granted: &Granted| granted.may_any(PERMISSION);
            if !self.standing.still(&self.state, now, may).await {
                return None;
            }
            let silent = now.duration_since(self.silent_since);
            if heard && silent >= PAUSE {
                self.silent_since = now;
                return Some(Bytes::from_static(b"data: {}\n\n"));
            }
            if silent >= KEEP_ALIVE {
                self.silent_since = now;
                return Some(Bytes::from_static(b":\n\n"));
            }
            let patience = if heard {
                PAUSE.saturating_sub(silent)
            } else {
                STOPPING
            };
            match tokio::time::timeout(patience, self.records.next()).await {
                Err(_) => {}
                Ok(Some(Ok((_, envelope)))) => heard |= envelope.stream.kind == KIND,
                Ok(Some(Err(error))) => {
                    // Something happened, whatever it was.
                    tracing::warn!(%error, "a record could not be read for those who listen");
                    heard = true;
                }
                Ok(None) => return None,
            }
        }
    }
}
