//! What the span of a command says: which execution, where it stood, and how it went. Nothing here decides anything.

use std::time::Instant;

use uuid::Uuid;

use super::actor::Handle;
use super::{Error, Shared};
use crate::flow::Execution;
use crate::flow::event::Event;
use crate::flow::input::Request;
use crate::stage::{Handled, Reply};
use crate::telemetry::Measured;
use crate::traces::{Parent, Span, Tracer};

/// Begins the span of a command.
pub(super) fn begin(shared: &Shared, execution: Uuid, message: &Handle) -> Span {
    let mut span = shared.outside.traces.below(message.trace, "command");
    span.set("gatelog.execution.id", execution);
    span.set("gatelog.command", name(&message.input.request));
    span
}

/// Says where the command found the execution; one that begins stands nowhere yet.
pub(super) fn found(span: &mut Span, state: &Execution) {
    let Some(running) = state.latest().filter(|_| span.is_on()) else {
        return;
    };
    span.set("gatelog.flow.slug", running.slug.clone());
    let Some(current) = running.plan.current().filter(|_| !state.is_over()) else {
        return;
    };
    span.set("gatelog.stage.kind", current.kind.clone());
    // What a policy made up may be called by whatever it was told.
    if current.settings.is_none() {
        span.set("gatelog.stage.name", current.name.clone());
    }
}

/// Says how it went.
pub(super) fn went(span: &mut Span, before: &Execution, handled: &Handled) {
    if !span.is_on() {
        return;
    }
    if before.latest().is_none() {
        found(span, &handled.state);
    }
    span.set("gatelog.outcome", outcome(handled));
}

/// Says that nothing came of it, and why.
pub(super) fn failed(span: &mut Span, error: &Error) {
    let why = match error {
        Error::Busy => "busy",
        Error::Throttled(_) | Error::Guessed(_) => "limit",
        Error::Over | Error::Superseded | Error::InTheWay(_) => "elsewhere",
        Error::UnknownFlow | Error::NotApplicable(_) => "not_applicable",
        Error::Journal(_) => "journal",
        Error::Broken(_) => "broken",
    };
    span.set("gatelog.outcome", why);
    if matches!(error, Error::Journal(_) | Error::Broken(_)) {
        span.set("error.type", why);
        span.fail();
    }
}

/// A part of a command that was measured.
pub(super) fn part(traces: &Tracer, parent: Parent, part: Measured<'_>, since: Instant) {
    if !traces.is_on() || parent == Parent::default() {
        return;
    }
    let (name, kind) = match part {
        Measured::Plan { .. } => ("plan", None),
        Measured::Shown { kind } => ("stage asks", Some(("gatelog.stage.kind", kind))),
        Measured::Judged { kind } => ("stage judges", Some(("gatelog.stage.kind", kind))),
        Measured::Decided => ("policies", None),
        Measured::Evaluated { kind } => ("policy", Some(("gatelog.policy.kind", kind))),
    };
    let mut span = traces.below_since(parent, name, since);
    if let Some((key, kind)) = kind {
        span.set(key, kind.to_owned());
    }
}

/// What a command asks for.
fn name(request: &Request) -> &'static str {
    match request {
        Request::Begin { .. } => "begin",
        Request::Visit => "visit",
        Request::Answer { .. } => "answer",
        Request::Cancel { .. } => "cancel",
        Request::Open { .. } => "open",
        Request::Confirm { .. } => "confirm",
        Request::Elsewhere => "elsewhere",
        Request::Forget { .. } => "forget",
        Request::Conclude { .. } => "conclude",
        Request::Fire { .. } => "fire",
        Request::Expire => "expire",
    }
}

/// How a command went, in one word: the most that happened.
fn outcome(handled: &Handled) -> &'static str {
    let has = |is: fn(&Event) -> bool| handled.events.iter().any(is);
    if has(|it| matches!(it, Event::Completed { .. })) {
        "completed"
    } else if has(|it| matches!(it, Event::Denied { .. })) {
        "denied"
    } else if has(|it| matches!(it, Event::Cancelled { .. })) {
        "cancelled"
    } else if has(|it| matches!(it, Event::Expired)) {
        "expired"
    } else if has(|it| matches!(it, Event::StageFailed { .. })) {
        "stage_failed"
    } else if has(|it| matches!(it, Event::ResponseRejected { .. })) {
        "rejected"
    } else if handled.state.running().is_some_and(|it| it.wait.is_some()) {
        "waits"
    } else if has(|it| matches!(it, Event::ResponseReceived { .. })) {
        "accepted"
    } else if matches!(handled.reply, Reply::Challenge { .. }) {
        "asks"
    } else {
        "shown"
    }
}
