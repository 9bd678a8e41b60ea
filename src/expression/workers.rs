//! The workers, as the policy engine uses them.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;
use std::{io, thread};

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::error::{Error, SyntaxError, Unfinished};
use super::evaluation::{DEEPEST, Evaluation, Limits, Outcome};
use super::host::{Failure, Host};
use super::keeper::{self, Job, Place};
use super::process::Process;
use super::told::Asking;
use super::wire::{Answer, Done, Failed, Order, Question, Report, Revealed, Text};
use crate::clock::Clock;

mod conversation;
mod opening;
mod retelling;

use conversation::Conversation;
use opening::{reveal_start, start};
pub use retelling::retell;

/// How long a check of the syntax may take, the wait for a worker included.
const CHECK: Duration = Duration::from_secs(5);
/// How long somebody waits for a free worker before they are told to come back.
pub const WAIT: Duration = Duration::from_secs(10);
/// How many may wait at once: more than there are requests to flows in work by default, so that a
/// crowd of visitors waits in one line, the one in front (`execution.max_waiting`), and not in two.
const WAITING: usize = 1_024;
/// What a worker may take beyond its own time limit before it is killed.
const GRACE: Duration = Duration::from_millis(250);

/// How expressions are run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program that is started as `<program> evaluate`; the running one, if it is the server.
    pub program: PathBuf,
    /// How many processes.
    pub workers: usize,
    /// What the address space of one may grow by, in bytes.
    pub memory: u64,
    /// What one evaluation may use.
    pub limits: Limits,
}

impl Options {
    /// Two workers of this program with the default limits.
    pub fn of_program(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            workers: 2,
            memory: super::worker::MEMORY,
            limits: Limits::default(),
        }
    }
}

/// A handful of worker processes that evaluate expressions, one at a time each. Cheap to clone;
/// the processes end with the last clone.
#[derive(Clone)]
pub struct Workers {
    shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
    clock: Clock,
}

/// How the workers are.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Vitals {
    /// How many there are.
    pub count: usize,
    /// How many have nothing to do.
    pub idle: usize,
    /// How many expressions wait for one.
    pub waiting: usize,
    /// Why one is missing.
    pub problems: Vec<String>,
}

/// What the keeper and the evaluations share.
pub(super) struct Shared {
    pub(super) options: Options,
    /// The processes that nobody uses, or why there is none.
    idle: Mutex<Vec<Result<Process, String>>>,
    /// As many permits as there are in `idle`. Fair: who waits longest is next.
    free: Semaphore,
    /// How many wait for a worker.
    waiting: AtomicUsize,
    /// Whether an evaluation came to its end since the keeper looked last.
    pub(super) fortunate: AtomicBool,
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Vec<Result<Process, String>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process for whoever comes next, or why there is none.
    pub(super) fn offer(&self, process: Result<Process, String>) {
        self.idle().push(process);
        self.free.add_permits(1);
    }
}

impl Workers {
    /// Starts the processes in the background. An evaluation that comes earlier waits.
    pub fn start(options: Options, clock: Clock) -> io::Result<Self> {
        // At most one job for each process that there is, and one for each that is asked for: as
        // many as expressions may call each other, for each of the usual workers.
        let (jobs, received) = mpsc::channel();
        for _ in 0..options.workers.max(1) {
            // The receiver is at hand.
            let _ = jobs.send(Job::Start);
        }
        let shared = Arc::new(Shared {
            options,
            idle: Mutex::default(),
            free: Semaphore::new(0),
            waiting: AtomicUsize::new(0),
            fortunate: AtomicBool::new(false),
        });
        let weak = Arc::downgrade(&shared);
        thread::Builder::new()
            .name("expressions".to_owned())
            .spawn(move || keeper::keep(&received, &weak))?;
        Ok(Self {
            shared,
            jobs,
            clock,
        })
    }

    /// As many processes again, of the same program and with the same limits, so that much work
    /// does not have others wait.
    ///
    /// # Errors
    /// When the thread that keeps them cannot be started.
    pub fn another(&self) -> io::Result<Self> {
        Self::start(self.shared.options.clone(), self.clock.clone())
    }

    /// The same, but one process only, for work that is done one after the other.
    ///
    /// # Errors
    /// When the thread that keeps it cannot be started.
    pub fn one_more(&self) -> io::Result<Self> {
        let options = Options {
            workers: 1,
            ..self.shared.options.clone()
        };
        Self::start(options, self.clock.clone())
    }

    /// The process numbers of the workers that are free at the moment.
    pub fn idle(&self) -> Vec<u32> {
        let idle = self.shared.idle();
        idle.iter().flatten().map(Process::id).collect()
    }

    /// How they are.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        let idle = self.shared.idle();
        Vitals {
            count: self.shared.options.workers.max(1),
            idle: idle.iter().flatten().count(),
            waiting: self.shared.waiting.load(Ordering::Relaxed),
            problems: idle
                .iter()
                .filter_map(|it| it.as_ref().err().cloned())
                .collect(),
        }
    }

    /// Whether the expression can be understood.
    pub async fn check(&self, source: &str) -> Result<(), Error> {
        let text = Text::checked(source);
        let checked = timeout(CHECK, async {
            let mut talk = self.begin(0, 1).await?;
            talk.say(&Order::Check(text)).await?;
            match talk.hear(CHECK).await? {
                Report::Checked(found) => {
                    talk.end();
                    Ok(found)
                }
                other => Err(unexpected(&other)),
            }
        });
        let found: Option<SyntaxError> = checked
            .await
            .unwrap_or(Err(Error::Timeout { after: CHECK }))?;
        found.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Evaluates. Whatever happens in the worker, this ends within [`WAIT`] for a worker and then
    /// the evaluation's timeout, both times its patience, plus the time that the host's own code takes
    /// between two awaits.
    ///
    /// If the future is dropped, the worker is killed and replaced.
    pub async fn evaluate(
        &self,
        evaluation: Evaluation<'_>,
        host: &dyn Host,
    ) -> Result<Outcome, Unfinished> {
        let mut asking = Asking::default();
        self.evaluate_aloud(evaluation, host, &mut asking).await
    }

    /// The same, and `asking` has afterwards what was asked on the way.
    pub async fn evaluate_aloud(
        &self,
        evaluation: Evaluation<'_>,
        host: &dyn Host,
        asking: &mut Asking,
    ) -> Result<Outcome, Unfinished> {
        let began = self.clock.monotonic();
        let after = evaluation.timeout * evaluation.patience;
        // Whoever waits for others is not slow.
        let talk = self.begin(evaluation.depth, evaluation.patience).await?;
        let done = timeout(after, self.conduct(talk, evaluation, host, asking)).await;
        let done = done.unwrap_or(Err(Error::Timeout { after }.into()))?;
        Ok(Outcome {
            passing: done.value.truthy(),
            value: done.value,
            messages: done.messages,
            log: done.log,
            context_changes: done.changes,
            duration: self.clock.monotonic().duration_since(began),
        })
    }

    async fn conduct(
        &self,
        mut talk: Conversation,
        evaluation: Evaluation<'_>,
        host: &dyn Host,
        asking: &mut Asking,
    ) -> Result<Done, Unfinished> {
        let mut limits = self.shared.options.limits.clone();
        limits.time *= evaluation.patience;
        let silence = limits.time + GRACE * evaluation.patience;
        let mut revealed = HashSet::new();
        let mut start = match start(evaluation, &limits) {
            Ok(start) => start,
            Err(error) => {
                talk.end();
                return Err(error.into());
            }
        };
        start.secrets = match reveal_start(&start, host, &mut revealed).await {
            Ok(secrets) => secrets,
            Err(error) => {
                talk.end();
                return Err(error.into());
            }
        };
        asking.has_secrets |= !start.secrets.is_empty();
        talk.say(&Order::Evaluate(Box::new(start))).await?;
        loop {
            let question = match talk.hear(silence).await? {
                Report::Question(question) => question,
                Report::Done(done) => {
                    talk.end();
                    return Ok(done);
                }
                Report::Failed(failed, log) => {
                    talk.end();
                    let error = error(failed, &limits);
                    return Err(Unfinished { error, log });
                }
                other => return Err(unexpected(&other).into()),
            };
            asking.asked.push((&question).into());
            let answer = match answer(question, host, &mut revealed).await {
                Ok((answer, secrets)) => {
                    asking.has_secrets |= !secrets.is_empty();
                    Order::Answer(answer, secrets)
                }
                Err(error) => {
                    talk.say(&Order::Answer(Answer::Abort, Vec::new())).await?;
                    if matches!(
                        talk.hear(silence).await?,
                        Report::Failed(Failed::Aborted, _)
                    ) {
                        talk.end();
                    }
                    return Err(Error::Host(error).into());
                }
            };
            talk.say(&answer).await?;
        }
    }

    /// A free worker: waits for one, or, while others wait for this evaluation, gets a new one.
    async fn begin(&self, depth: usize, patience: u32) -> Result<Conversation, Error> {
        let with = |process, place| {
            Conversation::new(process, place, Arc::clone(&self.shared), self.jobs.clone())
        };
        if depth > DEEPEST {
            let what = "policies call each other too deeply".to_owned();
            return Err(Error::Refused(what));
        }
        if depth > 0 && self.shared.free.available_permits() == 0 {
            let (asks, started) = oneshot::channel();
            // The keeper lives as long as a sender does.
            let _ = self.jobs.send(Job::Extra(asks));
            return match started.await {
                Ok(Ok(process)) => with(process, Place::Extra),
                Ok(Err(why)) => Err(Error::Unavailable(why)),
                Err(_) => Err(Error::Unavailable("the server is stopping".to_owned())),
            };
        }
        let waiting = Waiting::begin(&self.shared.waiting);
        if waiting.others >= WAITING {
            return Err(Error::Busy);
        }
        let taken = timeout(WAIT * patience, self.take()).await;
        with(taken.unwrap_or(Err(Error::Busy))?, Place::Usual)
    }

    /// The next free process that lives. An older failure to start one is no answer: another is
    /// tried first.
    async fn take(&self) -> Result<Process, Error> {
        let mut failed = false;
        loop {
            let permit = self.shared.free.acquire().await;
            permit.expect("the semaphore is never closed").forget();
            let next = self.shared.idle().pop();
            // The keeper lives as long as a sender does.
            let _ = match next {
                Some(Ok(mut process)) => {
                    if process.lives() {
                        return Ok(process);
                    }
                    self.jobs.send(Job::Replace(process, Place::Usual))
                }
                Some(Err(why)) => {
                    let sent = self.jobs.send(Job::Start);
                    if failed {
                        return Err(Error::Unavailable(why));
                    }
                    failed = true;
                    sent
                }
                None => return Err(Error::Unavailable("no worker is free".to_owned())),
            };
        }
    }
}

/// Somebody who waits for a worker; counted until they have one or give up.
struct Waiting<'a> {
    count: &'a AtomicUsize,
    others: usize,
}

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        let others = count.fetch_add(1, Ordering::Relaxed);
        Self { count, others }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

type Answered = Result<(Answer, Vec<Revealed>), Box<dyn std::error::Error + Send + Sync>>;

async fn answer(question: Question, host: &dyn Host, revealed: &mut HashSet<String>) -> Answered {
    let answer = match question {
        Question::Name(name) => host.name(&name).await,
        Question::Import(module, name) => host.import(&module, name.as_deref()).await,
        Question::Attribute(object, name) => host.attribute(&object, &name).await,
        Question::Call(call) => host.call(call).await.map(Some),
    };
    let answer = match answer {
        Ok(Some(value)) if !value.fits() => {
            Err(Failure::raise("ValueError", "the answer is too large"))
        }
        Ok(Some(value)) => match conversation::reveal(&value, host, revealed).await {
            Ok(secrets) => return Ok((Answer::Value(value), secrets)),
            Err(failure) => Err(failure),
        },
        Ok(None) => return Ok((Answer::Nothing, Vec::new())),
        Err(failure) => Err(failure),
    };
    match answer {
        Ok(answer) => Ok(answer),
        Err(Failure::Raise(raised)) => Ok((Answer::Raise(raised), Vec::new())),
        Err(Failure::Abort(error)) => Err(error),
    }
}

fn error(failed: Failed, limits: &Limits) -> Error {
    match failed {
        Failed::Syntax(error) => Error::Syntax(error),
        Failed::Runtime {
            kind,
            message,
            traceback,
        } => Error::Runtime {
            kind,
            message,
            traceback,
        },
        Failed::Skipped(message) => Error::Skipped { message },
        Failed::Time => Error::Timeout { after: limits.time },
        Failed::Memory => Error::Memory,
        Failed::Refused(what) => Error::Refused(what),
        Failed::Aborted => Error::WorkerDied("it ended by itself".to_owned()),
    }
}

fn unexpected(_: &Report) -> Error {
    Error::WorkerDied("it said what nobody asked".to_owned())
}
