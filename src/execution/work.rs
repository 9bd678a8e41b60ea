//! Carries one command through: judged, written, answered.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::actor::{Answered, Handle, Loaded};
use super::commit::{self, stream};
use super::live::{Carried, Live};
use super::reply::Secret;
use super::twin::{Answers, Digest, Twin, digest};
use super::unfinished::{self, Unfinished};
use super::{Error, Shared, counted, timers, traced, vault};
use crate::courier::outbox::Posted;
use crate::directory::Install;
use crate::directory::session::Session;
use crate::flow::event::Event;
use crate::flow::execution::Wait;
use crate::flow::input::Request;
use crate::flow::query::Query;
use crate::flow::{Execution, evolve};
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{self, Commit, Durability, Version};
use crate::stage::{self, Reply};
use crate::telemetry::Moved;
use crate::traces::Span;
use crate::world::Record;

mod noted;

/// How often a command is run again because another object moved. Of several that meet at one object
/// each time one gets on, so this is how many may meet without anybody being sent away.
const RERUNS: usize = 12;

/// How often it is run again because others made users.
const NUMBERS: usize = 16;

/// How long whoever lost the number of a new user waits for others who did, to be the next.
const QUEUE: Duration = Duration::from_secs(10);

/// How long a commit may take before the command is given up as undecided.
const COMMIT_DEADLINE: Duration = Duration::from_secs(30);

/// The actor's state while a command is under way. Whatever fails leaves nothing loaded, so
/// that the next command starts from what the journal says.
pub(super) struct Work {
    pub(super) id: Uuid,
    pub(super) shared: Arc<Shared>,
    pub(super) loaded: Option<Loaded>,
    pub(super) answers: Answers,
    /// Ends with the command.
    pub(super) span: Span,
}

impl Work {
    pub(super) async fn run(mut self, message: Handle) -> (Self, Result<Answered, Error>) {
        let mut result = self.handle(message).await;
        if let Err(error) = &result {
            traced::failed(&mut self.span, error);
        }
        if let Ok(answered) = &mut result {
            self.answers.settle();
            let rotated = self.loaded.as_ref().and_then(|it| it.rotated);
            if answered.secret == Secret::New {
                self.answers.tell(rotated);
            } else if self.answers.is_untold(rotated) {
                answered.secret = Secret::Untold;
            }
        }
        (self, result)
    }

    async fn handle(&mut self, mut message: Handle) -> Result<Answered, Error> {
        self.may_guess(&message).await?;
        let mut before = match self.loaded.take() {
            Some(loaded) if !self.is_behind(&loaded).await? => loaded,
            _ => self.load(&message).await?,
        };
        traced::found(&mut self.span, &before.state);
        if let Some(answered) = self.elsewhere(&mut message, &before.state).await? {
            self.loaded = Some(before);
            return Ok(answered);
        }
        let typed = message.typed.as_ref();
        let digest = typed.map(|body| digest(&self.shared.digest_key, body));
        let twin = digest.map_or(Twin::None, |digest| {
            self.answers.twin(digest, message.received, before.version)
        });
        match twin {
            Twin::Same(reply, secret) => {
                let mut answered = Answered::new(reply, &[], &before.state);
                answered.secret = secret;
                self.span.set("gatelog.outcome", "repeated");
                self.loaded = Some(before);
                return Ok(answered);
            }
            Twin::Earlier => look_only(&mut message),
            Twin::None if before.state.is_over() && !message.is_heard_afterwards() => {
                self.loaded = Some(before);
                return Err(Error::Over);
            }
            Twin::None => {}
        }
        if message.unless_answered && before.state.latest().is_some_and(|it| it.answers > 0) {
            let answered = Answered::new(Reply::Over, &[], &before.state);
            self.loaded = Some(before);
            return Ok(answered);
        }
        let carried = Arc::default();
        let shared = Arc::clone(&self.shared);
        let mut next_in_line = None;
        let (mut moved, mut numbers) = (0, 0);
        while moved <= RERUNS && numbers <= NUMBERS {
            match self.attempt(&before, &message, &carried, digest).await? {
                Attempt::Erased => return Err(self.give_up(&message).await),
                Attempt::Done(after, answered, took) => {
                    if let Some(digest) = digest.filter(|_| took) {
                        let now = self.shared.clock.monotonic();
                        let led_to = (answered.reply.clone(), answered.secret);
                        self.answers.take(digest, now, after.version, led_to);
                    }
                    self.loaded = Some(after);
                    return Ok(*answered);
                }
                Attempt::OthersMoved => {
                    self.conflict(Moved::Object);
                    moved += 1;
                }
                Attempt::NumberTaken => {
                    self.conflict(Moved::Number);
                    numbers += 1;
                    if next_in_line.is_none() {
                        let queue = actix::clock::timeout(QUEUE, shared.creating.lock());
                        next_in_line = queue.await.ok();
                    }
                }
                Attempt::Moved => {
                    self.conflict(Moved::Execution);
                    moved += 1;
                    // Somebody else answered first, so this answer is a stale tab's.
                    before = self.load(&message).await?;
                    look_only(&mut message);
                    if let Some(answered) = self.elsewhere(&mut message, &before.state).await? {
                        self.loaded = Some(before);
                        return Ok(answered);
                    }
                    if before.state.is_over() && !message.is_heard_afterwards() {
                        self.loaded = Some(before);
                        return Err(Error::Over);
                    }
                }
            }
        }
        self.loaded = Some(before);
        Err(Error::Busy)
    }

    async fn attempt(
        &mut self,
        before: &Loaded,
        message: &Handle,
        carried: &Arc<Carried>,
        digest: Option<Digest>,
    ) -> Result<Attempt, Error> {
        let world = Live::new(&self.shared, self.id, message.input.at, carried);
        let world = world.below(self.span.parent());
        let state = before.state.clone();
        let handled = stage::handle(state, &message.input, message.typed.as_ref(), &world)
            .await
            .map_err(failed)?;
        let mut answered = Answered::new(handled.reply.clone(), &handled.events, &handled.state);
        if handled.events.is_empty() {
            traced::went(&mut self.span, &before.state, &handled);
            return Ok(Attempt::Done(before.clone(), answered.into(), false));
        }
        self.count_guesses(message, &handled, carried).await?;
        let mut left = world.leave();
        answered.calls = std::mem::take(&mut left.calls);
        answered.links.clone_from(&left.links);
        let posted: Vec<Posted> = left.mails.iter().map(Posted::from).collect();
        let commit = commit::build(&self.shared, self.id, before, message, &handled, left).await;
        let commit = match commit {
            Ok((commit, rotated)) => {
                if rotated {
                    answered.secret = Secret::New;
                }
                commit
            }
            Err(error) => return self.refused(error, &handled.state).await,
        };
        if let (true, Some(last)) = (handled.state.is_over(), handled.state.latest()) {
            let identity = Query::parse(&message.input.query).identity();
            let now = self.shared.clock.monotonic();
            let recent = &self.shared.recent;
            recent.add(last.session, &last.slug, identity, self.id, now);
        }
        let mut span = self.span.below("commit");
        span.set("gatelog.durable", commit.durability == Durability::Durable);
        let committed = self.shared.journal.commit(commit);
        let committed = actix::clock::timeout(COMMIT_DEADLINE, committed).await;
        drop(span);
        let refusal = match committed {
            Ok(Ok(_)) => {
                let version = before.version.next();
                let after = Loaded {
                    state: handled.state.clone(),
                    version,
                    rotated: match answered.secret {
                        Secret::New => Some(version),
                        _ => before.rotated,
                    },
                };
                self.shared.earliest.note_set(&before.state, &after.state);
                self.shared.watched.tell(self.id);
                traced::went(&mut self.span, &before.state, &handled);
                self.leave(&before.state, &after.state);
                counted::events(self.shared.metrics(), &handled.events);
                for event in &handled.events {
                    self.report(event);
                }
                let courier = self.shared.outside.courier.as_ref();
                if let Some(courier) = courier.filter(|_| !posted.is_empty()) {
                    courier.wake(posted);
                }
                let took = |event: &Event| matches!(event, Event::ResponseReceived { .. });
                let took = handled.events.iter().any(took);
                return Ok(Attempt::Done(after, answered.into(), took));
            }
            Ok(Err(error)) => self.refused(error, &handled.state).await,
            Err(_) => Err(Error::Busy),
        };
        let answered = digest.filter(|_| message.typed.is_some());
        if let (Err(_), Some(digest)) = (&refusal, answered) {
            self.answers.doubt(digest, before.version);
        }
        refusal
    }

    /// Whoever asks may have waited in line while the execution moved to another browser, or while
    /// the secret of its session became another one: then they have no part in it any more. This
    /// is the one place where that is certain, since nothing else happens meanwhile.
    async fn elsewhere(
        &self,
        message: &mut Handle,
        state: &Execution,
    ) -> Result<Option<Answered>, Error> {
        let (Some(asker), Some(running)) = (&message.asker, state.latest()) else {
            return Ok(None);
        };
        let mut is_theirs = asker.session == running.session;
        if let (true, Some(sid)) = (is_theirs, &asker.sid) {
            let (objects, client) = (self.shared.journal.as_ref(), &message.input.client);
            let session: Option<Versioned<Session>> = object::get(objects, asker.session).await?;
            let now = message.input.at;
            is_theirs = session.is_some_and(|session| session.value.admits(sid, client, now));
        }
        if is_theirs {
            return Ok(None);
        }
        if matches!(message.input.request, Request::Cancel { .. }) {
            return Ok(Some(Answered::new(Reply::Over, &[], state)));
        }
        if state.is_over() {
            return Err(Error::Over);
        }
        message.typed = None;
        message.input.request = Request::Elsewhere;
        message.asker = None;
        Ok(None)
    }

    /// Whether another node has gone on with the execution since it was read.
    async fn is_behind(&self, loaded: &Loaded) -> Result<bool, Error> {
        let journal = self.shared.journal.as_ref();
        if !journal.is_shared() {
            return Ok(false);
        }
        let (now, _) = journal.head(stream(self.id)).await?;
        Ok(now != loaded.version)
    }

    /// Whoever is kept waiting for what nothing waits for any more is told.
    fn leave(&self, before: &Execution, after: &Execution) {
        let Some(running) = before.running() else {
            return;
        };
        let still = after.running().and_then(|it| it.wait.as_ref());
        let left = |it: &&Wait| still.is_none_or(|still| still.effect != it.effect);
        if let Some(Wait { effect, what, .. }) = running.wait.as_ref().filter(left) {
            self.shared.in_flight.leave(*effect, what.as_ref());
        }
    }

    async fn refused(&self, error: journal::Error, after: &Execution) -> Result<Attempt, Error> {
        match error {
            journal::Error::Conflict { stream: moved, .. } if moved == stream(self.id) => {
                Ok(Attempt::Moved)
            }
            journal::Error::Taken { kind, .. } if kind == Unfinished::KIND => {
                self.in_the_way(after).await
            }
            journal::Error::Conflict { stream, .. } if stream.kind == Install::KIND => {
                Ok(Attempt::NumberTaken)
            }
            journal::Error::NoKey(key) if key == self.id => Ok(Attempt::Erased),
            journal::Error::Conflict { .. } | journal::Error::Taken { .. } => {
                Ok(Attempt::OthersMoved)
            }
            other => Err(other.into()),
        }
    }

    /// Another execution has one of the ways that this one would have.
    async fn in_the_way(&self, after: &Execution) -> Result<Attempt, Error> {
        let objects = self.shared.journal.as_ref();
        let entries = after.running().map(|running| running.entries.as_slice());
        let mut others = Vec::new();
        for entry in entries.unwrap_or_default() {
            let found = unfinished::find(objects, entry).await?;
            others.extend(
                found
                    .map(|it| it.value.execution)
                    .filter(|it| *it != self.id),
            );
        }
        Err(Error::InTheWay(others))
    }

    /// Reads the execution. One that can never be read again is over: its record goes, or the
    /// browser could neither go on nor begin anew.
    async fn load(&self, message: &Handle) -> Result<Loaded, Error> {
        let began = self.shared.clock.monotonic();
        let problem = match load(&self.shared, self.id).await {
            Ok(loaded) => {
                self.recovered(&loaded, began);
                return Ok(loaded);
            }
            Err(problem) => problem,
        };
        let ends = matches!(
            message.input.request,
            Request::Cancel { .. } | Request::Expire
        );
        match problem {
            Unreadable::Erased => {}
            Unreadable::Failed(Error::Journal(error @ journal::Error::Corrupt { .. })) if ends => {
                tracing::error!(execution = %self.id, %error, "a damaged execution is given up");
            }
            Unreadable::Failed(error) => return Err(error),
        }
        Err(self.give_up(message).await)
    }

    /// Removes the record of an execution in which nothing more can happen. The error says that
    /// it is over, unless that cannot be written.
    async fn give_up(&self, message: &Handle) -> Error {
        let journal = self.shared.journal.as_ref();
        let nothing = BTreeSet::new();
        let named = (&nothing, &nothing);
        let removal = async {
            let mut writes = Vec::from_iter(unfinished::removal(journal, self.id).await?);
            writes.extend(vault::writes(journal, self.id, Vec::new(), named, true).await?);
            writes.extend(timers::removal(journal, self.id).await?);
            Ok::<_, journal::Error>(writes)
        };
        let writes = match removal.await {
            Ok(writes) => writes,
            Err(error) => return error.into(),
        };
        let commit = Commit {
            writes,
            durability: Durability::Durable,
            fence: None,
            at: message.input.at,
            correlation: message.correlation,
        };
        match journal.commit(commit).await {
            Ok(_) | Err(journal::Error::Conflict { .. }) => {
                self.shared.watched.tell(self.id);
                Error::Over
            }
            Err(error) => error.into(),
        }
    }
}

enum Attempt {
    /// It is in the journal, or there was nothing to write; and whether an answer was taken.
    Done(Loaded, Box<Answered>, bool),
    /// The execution itself moved.
    Moved,
    /// Another object moved.
    OthersMoved,
    /// Somebody else made a user, who has the number that this one would have had.
    NumberTaken,
    /// The execution's key was destroyed with the user whose it was.
    Erased,
}

impl Handle {
    /// Whether it matters also when all is over: what came of an effect, and whoever waited to see.
    fn is_heard_afterwards(&self) -> bool {
        let noted = matches!(
            self.input.request,
            Request::Conclude { .. } | Request::Fire { .. }
        );
        noted || (self.waited && matches!(self.input.request, Request::Visit))
    }
}

/// Makes a command of the visitor one that only looks. What came of an effect, and what somebody
/// does with a link, is to be said again instead: a look would not ask in whose name.
fn look_only(message: &mut Handle) {
    let is_said_again = matches!(
        message.input.request,
        Request::Conclude { .. }
            | Request::Fire { .. }
            | Request::Open { .. }
            | Request::Confirm { .. }
            | Request::Elsewhere
            | Request::Forget { .. }
    );
    if is_said_again {
        return;
    }
    message.typed = None;
    message.input.request = Request::Visit;
    message.begin = None;
}

fn failed(error: stage::Error) -> Error {
    match error {
        stage::Error::World(error) => error.into(),
        other => Error::Broken(other.to_string()),
    }
}

/// Why an execution could not be folded from the journal.
pub(crate) enum Unreadable {
    /// Its bodies were removed, or their key destroyed with the user whose they were.
    Erased,
    /// Reading failed, now or for good.
    Failed(Error),
}

impl From<journal::Error> for Unreadable {
    fn from(error: journal::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Folds an execution from the journal.
pub(crate) async fn load(shared: &Shared, id: Uuid) -> Result<Loaded, Unreadable> {
    let mut loaded = Loaded::default();
    for envelope in shared.journal.read(stream(id), Version::NONE).await? {
        let body = envelope.body.as_deref().ok_or(Unreadable::Erased)?;
        let record: Record =
            serde_json::from_slice(body).map_err(|error| journal::Error::Corrupt {
                stream: envelope.stream,
                version: envelope.version,
                problem: format!("its body cannot be read: {error}"),
            })?;
        loaded.state = record.events.iter().fold(loaded.state, evolve);
        loaded.version = envelope.version;
        if record.events.iter().any(commit::may_rotate) {
            loaded.rotated = Some(envelope.version);
        }
    }
    Ok(loaded)
}
