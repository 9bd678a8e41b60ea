//! The visitor of then, who does what they did, as far as they are asked for it again.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use uuid::Uuid;

use super::Supposition;
use super::missing::Missing;
use super::outcome::{self, Outcome};
use super::world::Supposed;
use crate::flow::event::Event;
use crate::flow::execution::Running;
use crate::flow::input::{Input, Request};
use crate::flow::plan::PlannedStage;
use crate::flow::{Execution, evolve};
use crate::replay::Entry;
use crate::stage::{self, Handled};
use crate::world;

/// No execution takes more commands than these.
const COMMANDS: usize = 2_000;

/// How often somebody comes back whom the workers had no time for, and after how long.
const ATTEMPTS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(10);

/// A command of then.
struct Command<'a> {
    entry: &'a Entry,
    /// The stage at which it was given.
    at: Option<PlannedStage>,
    used: bool,
}

struct Visitor<'a> {
    of: &'a Supposition,
    execution: Uuid,
    entries: &'a [Entry],
    commands: Vec<Command<'a>>,
    /// The stage at which the visitor gave up then, if they did.
    left_at: Option<PlannedStage>,
    state: Execution,
    events: Vec<Event>,
    made_up: AtomicU64,
    reconstructed: AtomicBool,
}

/// Goes through an execution again: how that ends, and whether something was read out of the
/// history for it.
pub(super) async fn goes_again(
    of: &Supposition,
    execution: Uuid,
    entries: &[Entry],
) -> (Outcome, bool) {
    let (commands, last) = commands(entries);
    let is_left = matches!(outcome::recorded(entries), Outcome::Unfinished { .. });
    let at = last.latest().and_then(|it| it.plan.current().cloned());
    let mut visitor = Visitor {
        of,
        execution,
        entries,
        commands,
        left_at: at.filter(|_| is_left),
        state: Execution::default(),
        events: Vec::new(),
        made_up: AtomicU64::new(0),
        reconstructed: AtomicBool::new(false),
    };
    let outcome = visitor.goes().await;
    let outcome = outcome.unwrap_or_else(|why| Outcome::Unknown { why });
    (outcome, visitor.reconstructed.load(Ordering::Relaxed))
}

/// What was done then, and how it stood at the end.
fn commands(entries: &[Entry]) -> (Vec<Command<'_>>, Execution) {
    let mut state = Execution::default();
    let mut commands = Vec::with_capacity(entries.len());
    for entry in entries {
        let at = state.running().and_then(|it| it.plan.current().cloned());
        commands.push(Command {
            entry,
            at,
            used: false,
        });
        state = entry.record.events.iter().fold(state, evolve);
    }
    (commands, state)
}

/// What is done next.
enum Next {
    /// What was done then, by its number.
    Then(usize),
    /// Somebody looks, as in the command with this number.
    Look(usize),
    /// Nothing more was done.
    Nothing,
}

impl<'a> Visitor<'a> {
    async fn goes(&mut self) -> Result<Outcome, Missing> {
        let begins = self.commands.first().map(|it| it.entry);
        let begins = begins.ok_or_else(|| cannot("it has no beginning"))?;
        self.commands[0].used = true;
        self.does(begins, begins.record.input.clone()).await?;
        for _ in 0..COMMANDS {
            let over = outcome::of(&self.state, &self.events);
            let running = match (over, self.state.running()) {
                (Some(over), _) => return Ok(over),
                (None, Some(running)) => running,
                (None, None) => return Ok(outcome::unfinished(&self.state)),
            };
            match self.next(running) {
                Next::Then(number) => {
                    let challenge = running.challenge_id();
                    self.commands[number].used = true;
                    let entry = self.commands[number].entry;
                    let mut input = entry.record.input.clone();
                    if let Request::Answer { challenge: named } = &mut input.request {
                        *named = challenge;
                    }
                    self.does(entry, input).await?;
                }
                Next::Look(number) => {
                    self.commands[number].used = true;
                    let entry = self.commands[number].entry;
                    let input = Input {
                        request: Request::Visit,
                        body: None,
                        ..entry.record.input.clone()
                    };
                    self.does(entry, input).await?;
                }
                Next::Nothing => return self.stops(running),
            }
        }
        Err(cannot("it takes too many commands"))
    }

    fn next(&self, running: &Running) -> Next {
        let unused = || {
            let all = self.commands.iter().enumerate();
            all.filter(|(_, it)| !it.used)
        };
        let request = |it: &Command<'_>| it.entry.record.input.request.clone();
        if let Some(wait) = &running.wait {
            let is_outcome = |it: &Command<'_>| match request(it) {
                Request::Conclude { effect, .. } => effect == wait.effect,
                _ => false,
            };
            let looks =
                |it: &Command<'_>| matches!(request(it), Request::Visit | Request::Answer { .. });
            let found = if wait.outcome.is_some() {
                unused()
                    .find(|(_, it)| looks(it))
                    .map(|it| Next::Look(it.0))
            } else {
                unused()
                    .find(|(_, it)| is_outcome(it))
                    .map(|it| Next::Then(it.0))
            };
            return found.unwrap_or(Next::Nothing);
        }
        let confirms = |it: &Command<'_>| match request(it) {
            Request::Confirm { link, .. } => running.links.get(&link).is_some_and(|it| !it.used),
            _ => false,
        };
        let at = running.plan.current();
        let answers = |it: &Command<'_>| {
            let is_answer = matches!(request(it), Request::Answer { .. });
            let was_taken = it.entry.record.input.body.is_some();
            is_answer && was_taken && self.is_same(at, it.at.as_ref(), running)
        };
        let found = unused().find(|(_, it)| confirms(it) || answers(it));
        found.map_or(Next::Nothing, |it| Next::Then(it.0))
    }

    /// Whether an answer to one stage is one to the other: to the same, or to one that is there
    /// instead of it and asks the same.
    fn is_same(
        &self,
        now: Option<&PlannedStage>,
        then: Option<&PlannedStage>,
        running: &Running,
    ) -> bool {
        let (Some(now), Some(then)) = (now, then) else {
            return false;
        };
        if now.kind != then.kind {
            return false;
        }
        if now.stage.id == then.stage.id {
            // A stage that a policy made up has no identifier.
            return now.settings.is_none() || now.name == then.name;
        }
        let is_planned = running.plan.0.iter().any(|it| it.stage.id == then.stage.id);
        !self.came_to(now) && !is_planned
    }

    /// Whether the visitor was at this stage then.
    fn came_to(&self, stage: &PlannedStage) -> bool {
        let mut stages = self.commands.iter().filter_map(|it| it.at.as_ref());
        stages.any(|it| it.stage.id == stage.stage.id && it.name == stage.name)
    }

    /// How it stands when nothing more was done.
    fn stops(&self, running: &Running) -> Result<Outcome, Missing> {
        let Some(at) = running.plan.current() else {
            return Ok(outcome::unfinished(&self.state));
        };
        let stage = at.name.clone();
        if self.is_same(Some(at), self.left_at.as_ref(), running) {
            return Ok(Outcome::Unfinished { stage });
        }
        if outcome::is_second_factor(at) && !self.came_to(at) {
            return Ok(Outcome::AskedForSecondFactor { stage });
        }
        Err(if running.wait.is_some() {
            Missing::Outcome { stage }
        } else {
            Missing::Answer { stage }
        })
    }

    async fn does(&mut self, entry: &'a Entry, input: Input) -> Result<(), Missing> {
        let mut attempt = 1;
        loop {
            let world = Supposed::new(
                self.of,
                self.execution,
                (self.entries, entry),
                &self.made_up,
                &self.reconstructed,
            );
            let body = input.body.as_ref();
            let handled = stage::handle(self.state.clone(), &input, body, &world).await;
            if let Some(missing) = world.missing() {
                return Err(missing);
            }
            match handled {
                Ok(Handled { state, events, .. }) => {
                    self.state = state;
                    self.events.extend(events);
                    return Ok(());
                }
                Err(stage::Error::World(world::Error::Busy)) if attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(cannot(&error.to_string())),
            }
        }
    }
}

fn cannot(problem: &str) -> Missing {
    Missing::Code {
        problem: problem.to_owned(),
    }
}
