//! Carries one command through an execution, up to the next question or the end.
//!
//! The same code runs live and in a replay: it sees nothing but the state, the input and the
//! world, and returns events instead of writing anything.

use std::cell::OnceCell;
use std::rc::Rc;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::reply::Reply;
use super::{Configured, Entered, Error, Turn, settings_of};
use crate::catalog::{self, Flow};
use crate::directory::user::User;
use crate::flow::event::{Check, Errors, Event};
use crate::flow::input::{Input, Request};
use crate::flow::plan::{Pinned, PlannedStage};
use crate::flow::query::Query;
use crate::flow::{Command, Execution, decide, evolve};
use crate::journal::Version;
use crate::journal::object::{self, Versioned};
use crate::telemetry::Measured;
use crate::world::{self, World};

mod answer;
mod invited;
mod link;
mod plan;
mod policies;
mod shown;

use link::Aside;
use plan::Occasion;

/// More answers than this end an execution, so that nobody fills the journal.
const MAX_ANSWERS: u32 = 500;

/// What somebody reads who came half-way with a password that is not theirs any more.
const PASSWORD_CHANGED: &str = "The password was changed. Please log in again.";

/// More stages than these in one command end an execution: a policy may put one in front of its
/// own stage for ever.
const MAX_TURNS: u32 = 200;

/// What a command led to.
#[derive(Clone, Debug)]
pub struct Handled {
    /// Where the execution stands now.
    pub state: Execution,
    /// What happened, in order; nothing when the command only looked.
    pub events: Vec<Event>,
    /// The answer as it may be written down.
    pub body: Option<Value>,
    /// What the visitor gets back.
    pub reply: Reply,
}

/// What was in the way of a command, and how far it had come. Nothing of it counts.
#[derive(Debug)]
pub struct Stuck {
    /// What was in the way.
    pub error: Error,
    /// What had happened until then, in order.
    pub events: Vec<Event>,
}

/// Carries out one command.
///
/// # Errors
/// [`Error::World`] when the world did not answer: nothing has happened then.
pub async fn handle(
    state: Execution,
    input: &Input,
    typed: Option<&Value>,
    world: &dyn World,
) -> Result<Handled, Error> {
    let handled = attempt(state, input, typed, world).await;
    handled.map_err(|stuck| stuck.error)
}

/// The same, for whoever wants to know where it ended when it did not succeed.
///
/// # Errors
/// As [`handle`].
pub async fn attempt(
    state: Execution,
    input: &Input,
    typed: Option<&Value>,
    world: &dyn World,
) -> Result<Handled, Box<Stuck>> {
    let query = Query::parse(&input.query);
    let mut run = Run {
        state,
        events: Vec::new(),
        body: None,
        errors: None,
        failed: None,
        admitted: None,
        turns: 0,
        looks: matches!(input.request, Request::Visit),
        aside: None,
        flow: OnceCell::new(),
        world,
        input,
        query,
    };
    match run.carry_out(typed).await {
        Ok(reply) => Ok(Handled {
            state: run.state,
            events: run.events,
            body: run.body,
            reply,
        }),
        Err(error) => Err(Box::new(Stuck {
            error,
            events: run.events,
        })),
    }
}

struct Run<'a> {
    state: Execution,
    events: Vec<Event>,
    body: Option<Value>,
    errors: Option<Errors>,
    /// What a stage failed with in this very command.
    failed: Option<String>,
    /// The binding whose policies were asked in this command and pass.
    admitted: Option<Uuid>,
    /// How often a stage came up in this command.
    turns: u32,
    /// Whether nobody answered anything, so that nothing is written unless something happens.
    looks: bool,
    /// What is shown instead of the execution's own challenge.
    aside: Option<Aside>,
    flow: OnceCell<Rc<Flow>>,
    world: &'a dyn World,
    input: &'a Input,
    query: Query,
}

/// A stage's own part of a challenge.
struct Asked {
    /// What the trail keeps.
    fields: Map<String, Value>,
    /// What the visitor sees in its place, field by field.
    shown: Map<String, Value>,
    learnt: Vec<Event>,
}

impl Run<'_> {
    async fn carry_out(&mut self, typed: Option<&Value>) -> Result<Reply, Error> {
        self.request(typed).await?;
        self.look_after_invitation().await?;
        self.reply().await
    }

    async fn request(&mut self, typed: Option<&Value>) -> Result<(), Error> {
        match &self.input.request {
            Request::Begin {
                execution,
                session,
                flow,
                context,
                dead_link,
                link_until,
            } => {
                let found: Option<Versioned<Flow>> =
                    object::get(self.world.objects(), *flow).await?;
                let flow = found.ok_or_else(|| world::Error::Gone(format!("flow {flow}")))?;
                self.apply(Command::Start {
                    execution: *execution,
                    flow: Pinned {
                        id: flow.value.pk,
                        version: flow.version.0,
                    },
                    slug: flow.value.slug.to_string(),
                    session: *session,
                    client: self.input.client.clone(),
                    query: self.input.query.clone(),
                })?;
                // Nothing has asked for the flow before, so the cell is empty.
                let _unset = self.flow.set(Rc::new(flow.value));
                self.enter_with(context).await?;
                if let Some(dead) = dead_link {
                    return self.deny(Check::Link, link::dead(*dead));
                }
                self.plan(Occasion::Beginning).await?;
                if let Some(until) = link_until {
                    self.lead_here(*until)?;
                }
                self.advance().await?;
                match typed {
                    // Only an open challenge can be answered; without one, nothing may be run
                    // that would not be run again when the answer is not written down.
                    Some(_) if self.challenge_is_open() => self.answer(None, typed).await,
                    _ => Ok(()),
                }
            }
            Request::Visit => {
                self.check_on_return().await?;
                self.take_up().await?;
                self.advance().await
            }
            Request::Answer { challenge } => {
                self.check_on_return().await?;
                self.answer(challenge.as_deref(), typed).await
            }
            Request::Open { link } => self.open(*link),
            Request::Confirm { link, session } => self.confirm(*link, *session, typed).await,
            Request::Elsewhere => {
                self.aside = Some(Aside::Elsewhere);
                Ok(())
            }
            Request::Forget { session } => self.end(Command::Forget { session: *session }),
            Request::Conclude { effect, outcome } => self.apply(Command::Conclude {
                effect: *effect,
                outcome: outcome.clone(),
            }),
            Request::Fire { timer } => self.apply(Command::Fire { timer: *timer }),
            Request::Cancel { by } => self.end(Command::Cancel(*by)),
            Request::Expire => self.end(Command::Expire),
        }
    }

    fn challenge_is_open(&self) -> bool {
        let running = self.state.running();
        running.is_some_and(|running| running.challenge.is_some())
    }

    fn end(&mut self, command: Command) -> Result<(), Error> {
        if self.state.running().is_some() {
            self.apply(command)
        } else {
            Ok(())
        }
    }

    fn apply(&mut self, command: Command) -> Result<(), Error> {
        for event in decide(&self.state, command)? {
            self.state = evolve(std::mem::take(&mut self.state), &event);
            self.events.push(event);
        }
        Ok(())
    }

    fn deny(&mut self, check: Check, message: &str) -> Result<(), Error> {
        let message = if message.is_empty() {
            "Unknown error"
        } else {
            message
        };
        self.apply(Command::Deny {
            check,
            message: message.to_owned(),
        })
    }

    /// What may have changed since the visitor was last here.
    async fn check_on_return(&mut self) -> Result<(), Error> {
        let Some(running) = self.state.running() else {
            return Ok(());
        };
        let objects = self.world.objects();
        let flow: Option<Versioned<Flow>> = object::get(objects, running.flow.id).await?;
        let current = running.plan.current();
        let is_gone = match current.filter(|planned| planned.settings.is_none()) {
            Some(planned) => {
                let stage: Option<Versioned<catalog::Stage>> =
                    object::get(objects, planned.stage.id).await?;
                stage.is_none()
            }
            None => false,
        };
        if flow.is_none() || is_gone {
            return self.deny(Check::FlowDeleted, "This flow is no longer available.");
        }
        if let Some((user, true)) = running.identified {
            let user: Option<Versioned<User>> = object::get(objects, user).await?;
            let Some(user) = user.filter(|user| user.value.is_active) else {
                return self.deny(Check::UserInactive, "");
            };
            let proven = self.state.running().and_then(|it| it.proven);
            let is_past =
                |(whose, set)| whose == user.value.uuid && user.value.password_change_date > set;
            if proven.is_some_and(is_past) {
                return self.deny(Check::PasswordChanged, PASSWORD_CHANGED);
            }
        }
        Ok(())
    }

    /// Runs the stages that need nobody, up to one that asks or to the end.
    async fn advance(&mut self) -> Result<(), Error> {
        while let Some(running) = self.state.running() {
            let Some(planned) = running.plan.current().cloned() else {
                return self.finish().await;
            };
            self.turns += 1;
            if self.turns > MAX_TURNS {
                return self.deny(Check::Attempts, "Too many attempts. Please start again.");
            }
            if !self.admit(&planned).await? {
                continue;
            }
            let Some(running) = self.state.running() else {
                return Ok(());
            };
            if running.challenge.is_some() || running.wait.is_some() {
                return Ok(());
            }
            if !running.entered {
                self.apply(Command::Enter)?;
            }
            let Some(stage) = self.configured(&planned).await? else {
                return Ok(());
            };
            let entered = {
                let flow = self.flow().await?;
                let mut turn = self.turn(&flow, &planned)?;
                let began = self.world.moment();
                let entered = stage.enter(&mut turn).await;
                // Of one that asks, making the challenge is what takes its time.
                if !matches!(entered, Ok(Entered::Asks)) {
                    let kind = &planned.kind;
                    self.world.took(Measured::Shown { kind }, began);
                }
                let learnt = turn.learnt;
                self.apply(Command::Learn(learnt))?;
                entered
            };
            match entered {
                Ok(Entered::Passed) => self.apply(Command::Pass)?,
                Ok(Entered::Waits(effect)) => return self.apply(Command::Suspend { effect }),
                Ok(Entered::Denied(message)) => self.refuse(&planned, &message).await?,
                Ok(Entered::Redirected { flow, keep_context }) => {
                    return self.lead_to(flow, keep_context).await;
                }
                Ok(Entered::Asks) => return self.ask(&stage, &planned).await,
                Err(error) => return self.fail(error),
            }
        }
        Ok(())
    }

    /// Issues a challenge of the current stage.
    async fn ask(&mut self, stage: &Configured, planned: &PlannedStage) -> Result<(), Error> {
        match self.fields(stage, planned).await {
            Ok(asked) => {
                self.apply(Command::Learn(asked.learnt))?;
                self.apply(Command::Ask {
                    component: stage.component().to_owned(),
                    fields: Value::Object(asked.fields),
                })
            }
            Err(error) => self.fail(error),
        }
    }

    /// The stage's own part of the challenge, and what happened while it was made.
    async fn fields(&self, stage: &Configured, planned: &PlannedStage) -> Result<Asked, Error> {
        let flow = self.flow().await?;
        let mut turn = self.turn(&flow, planned)?;
        let began = self.world.moment();
        let fields = stage.challenge(&mut turn).await?;
        let kind = &planned.kind;
        self.world.took(Measured::Shown { kind }, began);
        #[cfg(test)]
        let fields = super::changed::fields(&turn, fields).await?;
        Ok(Asked {
            fields,
            shown: turn.shown,
            learnt: turn.learnt,
        })
    }

    /// A stage's own failure is an event; anything else undoes the command.
    fn fail(&mut self, error: Error) -> Result<(), Error> {
        match error {
            Error::Failed(problem) => {
                self.failed = Some(problem.clone());
                self.apply(Command::Fail(problem))
            }
            other => Err(other),
        }
    }

    /// The flow in the revision that the execution is pinned to. Read once per command.
    async fn flow(&self) -> Result<Rc<Flow>, Error> {
        if let Some(flow) = self.flow.get() {
            return Ok(Rc::clone(flow));
        }
        let Some(running) = self.state.latest() else {
            return Err(crate::flow::Rejection::Unstarted.into());
        };
        let Pinned { id, version } = running.flow;
        let flow: Option<Versioned<Flow>> =
            object::get_at(self.world.objects(), id, Version(version)).await?;
        let flow = flow.ok_or_else(|| world::Error::Gone(format!("flow {id}@{version}")))?;
        let flow = self.flow.get_or_init(|| Rc::new(flow.value));
        Ok(Rc::clone(flow))
    }

    /// The stage with its pinned settings; `None` when they cannot be read, which is noted.
    async fn configured(&mut self, planned: &PlannedStage) -> Result<Option<Configured>, Error> {
        match settings_of(self.world, planned).await {
            Ok(stage) => Ok(Some(stage)),
            Err(error) => self.fail(error).map(|()| None),
        }
    }

    async fn session_user(&self) -> Result<Option<Versioned<User>>, Error> {
        let flow = self.flow().await?;
        let nowhere = PlannedStage::nowhere();
        self.turn(&flow, &nowhere)?.session_user().await
    }

    /// Whether this command has logged out whoever was logged in.
    fn logged_out(&self, own: Uuid) -> bool {
        let latest = self.events.iter().rev().find_map(|event| match event {
            Event::SessionEnded { session, user } if *session == own => Some(user.is_some()),
            Event::SessionStarted { session, .. } if *session == own => Some(false),
            _ => None,
        });
        latest == Some(true)
    }

    fn turn<'t>(&'t self, flow: &'t Flow, stage: &'t PlannedStage) -> Result<Turn<'t>, Error> {
        let running = self
            .state
            .latest()
            .ok_or(crate::flow::Rejection::Unstarted)?;
        Ok(Turn {
            world: self.world,
            running,
            flow,
            stage,
            client: &self.input.client,
            query: &self.query,
            took_up: None,
            learnt: Vec::new(),
            shown: Map::new(),
            logged_out: self.logged_out(running.session),
        })
    }
}
