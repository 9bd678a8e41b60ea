//! All visitors together: lets them in, and tells what they experienced.

use std::cell::{OnceCell, RefCell};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hyper::Uri;

use super::challenge::Mind;
use super::conversation::Visitor;
use super::pace::Pace;
use super::people::People;
use super::report::{Delay, Generator, Loop, Report, Server};
use super::series::float;
use super::tally::{Tally, Window};
use super::target::Target;
use super::{Plan, Profile};
use crate::clock::Clock;
use crate::process::{Usage, of_process, of_thread};

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The plan cannot be carried out.
    #[error("{0}")]
    Plan(String),
    /// The operating system has nothing to give.
    #[error("the load cannot be made: {0}")]
    Machine(#[from] std::io::Error),
    /// Nobody answers as a server of flows would.
    #[error("{target} cannot be measured: the first request failed ({failure})")]
    Server {
        /// The server.
        target: String,
        /// As it is named among the failures of a report.
        failure: String,
    },
}

/// What visitors share.
pub(super) struct Crowd<'a> {
    pub(super) plan: &'a Plan,
    pub(super) target: &'a Target,
    pub(super) clock: &'a Clock,
    people: &'a People,
    flows: Vec<Uri>,
    /// What makes the names of new accounts those of this run.
    run: String,
    started: OnceCell<Pace>,
    tally: RefCell<Tally>,
}

/// What was used when.
struct Sample {
    at: Instant,
    generator: Option<Duration>,
    server: Option<Usage>,
}

/// Measures, on this thread, which must not be that of an async runtime.
///
/// # Errors
/// When the plan makes no sense, or the server does not answer at all.
pub fn run(plan: &Plan, target: &Target, people: &People, clock: &Clock) -> Result<Report, Error> {
    let crowd = Crowd::new(plan, target, people, clock)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(crowd.measure())
}

impl<'a> Crowd<'a> {
    fn new(
        plan: &'a Plan,
        target: &'a Target,
        people: &'a People,
        clock: &'a Clock,
    ) -> Result<Self, Error> {
        if plan.visitors == 0 || plan.flows.is_empty() {
            return Err(Error::Plan("nobody would go through nothing".to_owned()));
        }
        if plan.rate.is_some_and(|rate| !(0.001..=1e9).contains(&rate)) {
            let text = "a rate is between 0.001 and 1000000000 conversations a second";
            return Err(Error::Plan(text.to_owned()));
        }
        let flows = plan.flows.iter().map(|slug| place(slug));
        let from = clock.monotonic();
        Ok(Self {
            plan,
            target,
            clock,
            people,
            flows: flows.collect::<Result<_, _>>()?,
            run: clock.opaque_id().simple().to_string()[..12].to_owned(),
            started: OnceCell::new(),
            tally: RefCell::new(Tally::new(Window { from, until: None })),
        })
    }

    /// The place of the flow of this number.
    pub(super) fn flow(&self, number: u64) -> &Uri {
        let many = u64::try_from(self.flows.len()).unwrap_or(u64::MAX);
        &self.flows[usize::try_from(number % many).unwrap_or(0)]
    }

    /// Who makes this conversation, and what they have in mind.
    pub(super) fn mind(&self, number: u64) -> Mind<'_> {
        Mind {
            profile: self.plan.profile,
            person: self.people.of(number),
            fresh: match self.plan.profile {
                Profile::Enrolment => format!("bench-{}-{number}", self.run),
                _ => String::new(),
            },
            refusals: 0,
        }
    }

    pub(super) fn pace(&self) -> &Pace {
        self.started
            .get()
            .expect("visitors stay once it has started")
    }

    pub(super) fn tally(&self, note: impl FnOnce(&mut Tally)) {
        note(&mut self.tally.borrow_mut());
    }

    async fn measure(&self) -> Result<Report, Error> {
        let plan = self.plan;
        let memory = plan.process.and_then(of_process);
        let mut visitors: Vec<Visitor<'_>> = (0..)
            .take(plan.visitors)
            .map(|number| Visitor::new(self, number))
            .collect();
        self.prepare(&mut visitors).await?;
        let start = self.clock.monotonic();
        let (from, until) = if plan.conversations.is_some() {
            (start, None)
        } else {
            let from = start + plan.warm_up;
            (from, Some(from + plan.duration))
        };
        self.tally(|tally| *tally = Tally::new(Window { from, until }));
        let pace = Pace::new(plan, start, self.clock)?;
        let pace = self.started.get_or_init(|| pace);
        let (before, after) = self.stay(&mut visitors, from, until).await;
        let now = self.clock.monotonic();
        let first = plan.profile.first_step();
        self.tally(|tally| tally.give_up(now, &pace.left(), first));
        let connections = visitors.iter().map(Visitor::connections).sum();
        Ok(self.report(&before, &after, memory, connections))
    }

    async fn prepare(&self, visitors: &mut [Visitor<'_>]) -> Result<(), Error> {
        let mut all: FuturesUnordered<_> = visitors.iter_mut().map(Visitor::prepare).collect();
        while let Some(prepared) = all.next().await {
            prepared.map_err(|failure| self.unreachable(&failure.name()))?;
        }
        let reached = tokio::net::TcpStream::connect(self.target.address()).await;
        reached.map_err(|_| self.unreachable("connect"))?;
        Ok(())
    }

    fn unreachable(&self, failure: &str) -> Error {
        Error::Server {
            target: self.target.base().to_owned(),
            failure: failure.to_owned(),
        }
    }

    /// Lets visitors make their conversations; what was used when it began to count and when it
    /// no longer did.
    async fn stay(
        &self,
        visitors: &mut [Visitor<'_>],
        from: Instant,
        until: Option<Instant>,
    ) -> (Sample, Sample) {
        let everybody = async {
            let mut all: FuturesUnordered<_> = visitors.iter_mut().map(Visitor::stays).collect();
            while all.next().await.is_some() {}
        };
        let Some(until) = until else {
            let before = self.sample();
            everybody.await;
            return (before, self.sample());
        };
        let meter = async {
            tokio::time::sleep_until(from.into()).await;
            let before = self.sample();
            tokio::time::sleep_until(until.into()).await;
            (before, self.sample())
        };
        let deadline = until + self.plan.timeout;
        let everybody = tokio::time::timeout_at(deadline.into(), everybody);
        // Whoever does not end in time is given up.
        let (samples, _) = tokio::join!(meter, everybody);
        samples
    }

    fn sample(&self) -> Sample {
        Sample {
            at: self.clock.monotonic(),
            generator: of_thread(),
            server: self.plan.process.and_then(of_process),
        }
    }

    fn report(
        &self,
        before: &Sample,
        after: &Sample,
        memory: Option<Usage>,
        connections: u64,
    ) -> Report {
        let plan = self.plan;
        let tally = self.tally.borrow();
        let seconds = (after.at - before.at).as_secs_f64();
        let used = before.generator.zip(after.generator);
        let used = used.map(|(before, after)| after.saturating_sub(before).as_secs_f64());
        let (failures, pushed_back) = tally.failures();
        let (delay, unbegun) = tally.delay();
        let servers = before.server.zip(after.server);
        let server = servers.map(|(before, after)| {
            let used = after.processor.saturating_sub(before.processor);
            let used = used.as_secs_f64();
            let ended = Some(tally.ended()).filter(|ended| *ended > 0);
            Server {
                processor_seconds: used,
                processor_ms_per_conversation: ended.map(|ended| used * 1e3 / float(ended)),
                busy: used / seconds,
                memory_before: memory.map_or(0, |memory| memory.memory),
                memory_after: after.memory,
                memory_of_children: after.memory_of_children,
            }
        });
        Report {
            version: 1,
            profile: plan.profile.name(),
            flows: plan.flows.clone(),
            target: self.target.base().to_owned(),
            kind: match plan.rate {
                Some(_) => Loop::Open,
                None => Loop::Closed,
            },
            rate: plan.rate,
            visitors: plan.visitors,
            warm_up_seconds: match plan.conversations {
                Some(_) => 0.0,
                None => plan.warm_up.as_secs_f64(),
            },
            seconds,
            conversations: tally.conversations(seconds),
            requests: tally.requests(seconds, connections),
            steps: tally.steps(seconds),
            delay: plan.rate.map(|_| Delay {
                latency: delay.latency(),
                unbegun,
            }),
            failures,
            pushed_back,
            generator: Generator {
                processor_seconds: used,
                busy: used.map(|used| used / seconds),
            },
            server,
        }
    }
}

/// Where the executor of a flow is.
fn place(slug: &str) -> Result<Uri, Error> {
    let is_slug = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    if slug.is_empty() || !slug.chars().all(is_slug) {
        return Err(Error::Plan(format!("{slug:?} is no slug of a flow")));
    }
    let path = format!("/api/v3/flows/executor/{slug}/?query=");
    path.parse()
        .map_err(|_| Error::Plan(format!("{slug:?} is no slug of a flow")))
}
