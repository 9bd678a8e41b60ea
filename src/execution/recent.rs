//! Remembers for a moment which execution has ended where.
//!
//! A doubled last answer arrives when its execution is no longer found: it must lead to where
//! the first one led, and not begin the flow anew.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

/// How long an end is remembered. A doubled answer comes within seconds.
const KEPT: Duration = Duration::from_secs(10);

/// The executions that ended a moment ago, by session, flow and identity.
#[derive(Default)]
pub(super) struct Recent(Mutex<Ended>);

#[derive(Default)]
struct Ended {
    by_place: HashMap<Place, Uuid>,
    by_age: VecDeque<(Instant, Place, Uuid)>,
}

type Place = (Uuid, String, String);

impl Recent {
    /// Remembers that the execution of this place is ending.
    pub(super) fn add(&self, session: Uuid, slug: &str, identity: String, id: Uuid, now: Instant) {
        let place = (session, slug.to_owned(), identity);
        let mut ended = self.ended();
        ended.by_place.insert(place.clone(), id);
        ended.by_age.push_back((now, place, id));
        ended.forget(now);
    }

    /// The execution that ended in this place.
    pub(super) fn find(
        &self,
        session: Uuid,
        slug: &str,
        identity: String,
        now: Instant,
    ) -> Option<Uuid> {
        let mut ended = self.ended();
        ended.forget(now);
        let place = (session, slug.to_owned(), identity);
        ended.by_place.get(&place).copied()
    }

    /// The last one of this flow that ended in this session.
    pub(super) fn last(&self, session: Uuid, slug: &str, now: Instant) -> Option<Uuid> {
        let mut ended = self.ended();
        ended.forget(now);
        let mut ends = ended.by_age.iter().rev();
        let last = ends.find(|(_, place, _)| (place.0, place.1.as_str()) == (session, slug));
        last.map(|(_, _, id)| *id)
    }

    fn ended(&self) -> MutexGuard<'_, Ended> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ended {
    fn forget(&mut self, now: Instant) {
        let old = |(at, ..): &mut (Instant, Place, Uuid)| now.duration_since(*at) > KEPT;
        while let Some((_, place, id)) = self.by_age.pop_front_if(old) {
            // Another execution may have ended in the same place since.
            if self.by_place.get(&place) == Some(&id) {
                self.by_place.remove(&place);
            }
        }
    }
}
