//! Answers that do not end: how many of them there may be, and how they are asked for and begin.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::{Stream, StreamExt};

use super::{Error, request};

/// How often a stream says that it is still there. What no commit tells is noticed then as well,
/// such as a session that has ended.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How often a stream looks whether the server is about to stop.
pub(super) const STOPPING: Duration = Duration::from_secs(1);

/// How long whoever has too many streams is asked to wait.
pub(super) const LATER: Duration = Duration::from_secs(10);

/// The streams that are open, by whose they are.
#[derive(Debug)]
pub struct Streams<K: Eq + Hash> {
    open: Mutex<HashMap<K, usize>>,
    each: usize,
    altogether: usize,
}

impl<K: Copy + Eq + Hash> Streams<K> {
    /// So many for each, and so many for all of them.
    pub(super) fn limited(each: usize, altogether: usize) -> Self {
        Self {
            open: Mutex::default(),
            each,
            altogether,
        }
    }

    pub(super) fn all(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more, as long as the place is kept.
    ///
    /// # Errors
    /// When there are too many.
    pub(super) fn open(self: &Arc<Self>, whose: K) -> Result<Place<K>, Error> {
        let mut all = self.all();
        let own = all.get(&whose).copied().unwrap_or(0);
        if own >= self.each || all.values().sum::<usize>() >= self.altogether {
            return Err(Error::Throttled(LATER));
        }
        all.insert(whose, own + 1);
        drop(all);
        Ok(Place {
            streams: Arc::clone(self),
            whose,
        })
    }
}

/// The place of one stream, given back when it ends.
#[derive(Debug)]
pub(super) struct Place<K: Copy + Eq + Hash> {
    streams: Arc<Streams<K>>,
    whose: K,
}

impl<K: Copy + Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut all = self.streams.all();
        if let Some(own) = all.get_mut(&self.whose) {
            *own -= 1;
            if *own == 0 {
                all.remove(&self.whose);
            }
        }
    }
}

/// Whether a request is for server-sent events.
pub(super) fn are_wanted(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(header::ACCEPT);
    accepted
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .filter_map(|it| it.split(';').next())
        .any(|it| it.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// An answer of server-sent events.
pub(super) fn answer(said: impl Stream<Item = Bytes> + 'static) -> HttpResponse {
    let answer = HttpResponse::Ok()
        .content_type("text/event-stream")
        // Proxies that collect answers would keep what is to be heard at once.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(said.map(Ok::<_, Error>));
    request::goes_on(answer)
}
