//! Where an execution stands, without a command to it: for interfaces that want to know when to look.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use lru::LruCache;
use serde::Serialize;
use tokio::sync::watch;
use uuid::Uuid;

use super::commit::stream;
use super::{Error, Executions, Request, unfinished, work};
use crate::directory::link;
use crate::directory::session::Session;
use crate::flow::timer::Deadline;
use crate::flow::{Entry, Execution};
use crate::journal::Version;
use crate::journal::object::{self, Versioned};

/// Of how many executions it is known where they stand, some hundred bytes each.
const STANDS: NonZeroUsize = NonZeroUsize::new(8_192).expect("it is not zero");

/// What an execution does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It asks the visitor.
    Asks,
    /// It waits for something else.
    Waits,
    /// It has ended.
    Over,
    /// This browser has none here.
    None,
}

/// Where an execution stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// What it does.
    pub state: State,
    /// The challenge that is open, by its id.
    pub challenge: Option<String>,
    /// Until when it waits.
    pub until: Option<Timestamp>,
    /// Whether it has what it waited for: whoever looks at the flow again goes on.
    pub fulfilled: bool,
}

impl Status {
    const NONE: Self = Self {
        state: State::None,
        challenge: None,
        until: None,
        fulfilled: false,
    };

    /// Whether there is nothing more to come.
    #[must_use]
    pub fn is_last(&self) -> bool {
        matches!(self.state, State::Over | State::None)
    }

    fn of(state: &Execution) -> Self {
        let Some(running) = state.running() else {
            return Self {
                state: State::Over,
                ..Self::NONE
            };
        };
        let challenge = running.challenge_id();
        let Some(wait) = &running.wait else {
            return Self {
                state: State::Asks,
                challenge,
                ..Self::NONE
            };
        };
        let of = Deadline::Effect {
            effect: wait.effect,
        };
        let mut timers = running.timers.values();
        let own = timers.find(|it| it.of == of);
        Self {
            state: State::Waits,
            challenge,
            until: own.map(|it| it.due),
            fulfilled: wait.outcome.is_some(),
        }
    }
}

/// Somebody's view of an execution, as long as they have a part in it.
pub struct Watching {
    executions: Executions,
    request: Request,
    /// The execution, where there was one, and the signs that something was committed there.
    watched: Option<(Uuid, watch::Receiver<()>)>,
}

impl Executions {
    /// Begins to watch the execution that a request is for.
    ///
    /// # Errors
    /// What the journal said.
    pub async fn watch(&self, mut request: Request) -> Result<Watching, Error> {
        (request.query, _) = link::known(&request.query);
        let id = self.own(&request).await?;
        let watched = id.map(|id| (id, self.shared.watched.watch(id)));
        Ok(Watching {
            executions: self.clone(),
            request,
            watched,
        })
    }

    /// The newest execution of a flow that is under way in this session, or the one that has just
    /// ended there.
    ///
    /// # Errors
    /// What the journal said.
    pub async fn latest_in(&self, session: Uuid, slug: &str) -> Result<Option<Uuid>, Error> {
        let shared = &self.shared;
        let mut found = unfinished::of_session(shared.journal.as_ref(), session).await?;
        // Their ids are in the order of time.
        found.sort_by_key(|it| std::cmp::Reverse(it.value.execution));
        for it in found {
            let id = it.value.execution;
            match work::load(shared, id).await {
                Ok(loaded) if loaded.state.latest().is_some_and(|it| it.slug == slug) => {
                    return Ok(Some(id));
                }
                Ok(_) | Err(work::Unreadable::Erased) => {}
                Err(work::Unreadable::Failed(error)) => return Err(error),
            }
        }
        let now = shared.clock.monotonic();
        Ok(shared.recent.last(session, slug, now))
    }

    /// The execution that the request is for, if the browser has one there; also one that has just
    /// ended.
    async fn own(&self, request: &Request) -> Result<Option<Uuid>, Error> {
        let Some(session) = request.session else {
            return Ok(None);
        };
        let way = Entry::new(session, &request.slug, &request.query);
        let found = unfinished::find(self.shared.journal.as_ref(), &way).await?;
        if let Some(found) = found {
            return Ok(Some(found.value.execution));
        }
        let now = self.shared.clock.monotonic();
        let recent = &self.shared.recent;
        Ok(recent.find(session, &request.slug, way.identity, now))
    }
}

/// Where an execution stands for its own session.
#[derive(Clone)]
struct Stand {
    session: Option<Uuid>,
    status: Status,
}

/// Where executions stood when somebody looked, with the version of the journal: many look, and often at
/// what has not moved. What has is read from its actor, and from the journal only where none is awake.
pub(super) struct Stands(Mutex<LruCache<Uuid, (Version, Stand)>>);

impl Default for Stands {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(STANDS)))
    }
}

impl Stands {
    fn known(&self) -> MutexGuard<'_, LruCache<Uuid, (Version, Stand)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Executions {
    async fn stand(&self, id: Uuid) -> Result<Stand, Error> {
        let shared = &self.shared;
        let (last, _) = shared.journal.head(stream(id)).await?;
        let known = shared.stands.known().get(&id).cloned();
        if let Some((_, stand)) = known.filter(|(version, _)| *version == last) {
            return Ok(stand);
        }
        let awake = self.snapshot(id).await?;
        let (version, state) = match awake.filter(|(version, _)| *version == last) {
            Some(awake) => awake,
            None => match work::load(shared, id).await {
                Ok(loaded) => (loaded.version, loaded.state),
                Err(work::Unreadable::Erased) => (last, Execution::Unstarted),
                Err(work::Unreadable::Failed(error)) => return Err(error),
            },
        };
        let stand = match state.latest() {
            Some(running) => Stand {
                session: Some(running.session),
                status: Status::of(&state),
            },
            None => Stand {
                session: None,
                status: Status::NONE,
            },
        };
        shared.stands.known().put(id, (version, stand.clone()));
        Ok(stand)
    }
}

impl Watching {
    /// Where the execution stands for whoever watches. Nobody learns anything of one that went on in
    /// another browser, or with a secret that has become another one.
    ///
    /// # Errors
    /// What the journal said.
    pub async fn look(&mut self) -> Result<Status, Error> {
        let Some((id, signs)) = &mut self.watched else {
            return Ok(Status::NONE);
        };
        // What is committed from here on is another sign.
        signs.mark_unchanged();
        let shared = &self.executions.shared;
        let stand = self.executions.stand(*id).await?;
        let session = self
            .request
            .session
            .filter(|own| stand.session == Some(*own));
        let (Some(session), Some(sid)) = (session, &self.request.sid) else {
            return Ok(Status::NONE);
        };
        let found: Option<Versioned<Session>> =
            object::get(shared.journal.as_ref(), session).await?;
        let now = shared.clock.now();
        let admits = |it: &Versioned<Session>| it.value.admits(sid, &self.request.client, now);
        Ok(match found {
            Some(found) if admits(&found) => stand.status,
            _ => Status::NONE,
        })
    }

    /// Waits for the next commit; forever where there is nothing to watch.
    pub async fn changed(&mut self) {
        let alive = match &mut self.watched {
            Some((_, signs)) => signs.changed().await.is_ok(),
            None => false,
        };
        if !alive {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::client::Client;
    use crate::flow::effect::Outcome;
    use crate::flow::event::Event;
    use crate::flow::evolve;
    use crate::flow::plan::Pinned;

    #[test]
    fn a_wait_has_its_deadline_until_it_is_fulfilled() {
        let effect = Uuid::from_u128(4);
        let due: Timestamp = "2026-01-01T00:01:00Z".parse().expect("a moment");
        let timer = |number, of| Event::TimerSet {
            timer: Uuid::from_u128(number),
            due,
            of,
        };
        let begun = Event::Started {
            execution: Uuid::from_u128(1),
            flow: Pinned {
                id: Uuid::from_u128(2),
                version: 1,
            },
            slug: "login".to_owned(),
            session: Uuid::from_u128(3),
            client: Client::nobody(),
            query: String::new(),
        };
        let device = Uuid::from_u128(6);
        let mut state = Execution::default();
        for (event, expected) in [
            (begun, (State::Asks, None, false)),
            (
                timer(7, Deadline::Code { device }),
                (State::Asks, None, false),
            ),
            (Event::Suspended { effect }, (State::Waits, None, false)),
            (
                timer(5, Deadline::Effect { effect }),
                (State::Waits, Some(due), false),
            ),
            (
                Event::EffectFinished {
                    effect,
                    outcome: Outcome::Done,
                },
                (State::Waits, None, true),
            ),
            (Event::Resumed { effect }, (State::Asks, None, false)),
            (Event::Expired, (State::Over, None, false)),
        ] {
            state = evolve(state, &event);
            let status = Status::of(&state);
            let found = (status.state, status.until, status.fulfilled);
            assert_eq!(found, expected, "{event:?}");
            assert_eq!(status.is_last(), expected.0 == State::Over);
        }
    }
}
