//! The interpreter of expressions: the only place that names its crate.
//!
//! It runs in the worker process. It asks the host only through the function that [`Program::run`]
//! is given, reads no clock of its own but for its time limit, and opens nothing.

mod answers;
mod bridge;
mod mask;
mod output;
mod prelude;
mod pure;
mod source;

use std::io;

use monty::{MontyRun, RunProgress};
use monty_types::{
    CompileOptions, ExcType, MontyException, MontyObject, NameLookupResult, PrintWriter,
    ResourceLimits, ResourceTracker,
};

use super::difference::difference;
use super::error::SyntaxError;
use super::evaluation::{Limits, LogLine, Root};
use super::value::Value;
use super::wire::{Answer, Done, Failed, Question, Revealed, Start, Text, all_lines};
use bridge::Bridge;
use output::Output;
use source::Source;

pub(super) use source::identifier;

/// Asks the host and waits for its answer.
pub(super) type Ask<'a> = &'a mut dyn FnMut(Question) -> io::Result<(Answer, Vec<Revealed>)>;

/// Why a run failed, and what it logged until then.
pub(super) type Failure = (Failed, Vec<LogLine>);

/// A compiled expression; run as often as wanted.
pub(super) struct Program {
    run: MontyRun,
    source: Source,
}

/// Why a run ended early.
enum Ended {
    Failed(Failed),
    /// The host is gone.
    Io(io::Error),
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// One run of a program.
struct Run<'a> {
    bridge: Bridge,
    output: Output,
    start: Context,
    ask: Ask<'a>,
}

/// What a run must know of what it was handed.
struct Context {
    now: jiff::Timestamp,
    limits: Limits,
    before: Option<Value>,
    plan_before: Option<Value>,
}

impl Program {
    /// Compiles; finds whatever is no Python, or no Python of the interpreter's.
    pub(super) fn compile(text: &Text) -> Result<Self, SyntaxError> {
        let source = Source::new(text)?;
        let options = CompileOptions::default();
        let inputs = source.inputs.clone();
        match MontyRun::new(source.program.clone(), "expression", inputs, options) {
            Ok(run) => Ok(Self { run, source }),
            Err(error) => {
                let at = error.traceback().last().map(|frame| frame.start);
                let (line, column) = at.map_or((2, 5), |at| (at.line, at.column));
                let message = error.message().unwrap_or("invalid syntax");
                Err(source.located(line as usize, column as usize, message))
            }
        }
    }

    /// Runs it. The inner error comes with what was logged until then; the outer one is of the
    /// connection to the host.
    pub(super) fn run(&self, start: Start, ask: Ask<'_>) -> io::Result<Result<Done, Failure>> {
        let limits = start.limits.clone();
        let mut run = Run {
            bridge: Bridge::default(),
            output: Output::new(limits.output),
            start: Context {
                now: start.now,
                limits,
                before: None,
                plan_before: None,
            },
            ask,
        };
        match run.through(self, start) {
            Ok(done) => Ok(Ok(run.finish(done))),
            Err(Ended::Failed(failed)) => {
                let (messages, log) = run.output.finish(&run.bridge.mask);
                Ok(Err((failed, all_lines(messages, log))))
            }
            Err(Ended::Io(error)) => Err(error),
        }
    }
}

impl Run<'_> {
    fn through(&mut self, program: &Program, start: Start) -> Result<MontyObject, Ended> {
        let limits = &self.start.limits;
        let resources = ResourceLimits::default()
            .max_duration(limits.time)
            .max_memory(limits.allocation)
            .max_recursion_depth(limits.recursion)
            .max_suspensions(limits.questions);
        let inputs = self.inputs(start);
        let tracker = ResourceTracker::new(resources);
        let begun = program.run.clone();
        let begun = begun.start(inputs, tracker, PrintWriter::Callback(&mut self.output));
        let mut progress = begun.map_err(|error| self.failed(program, &error))?;
        let mut questions = 0;
        loop {
            if let RunProgress::Complete(value) = progress {
                return Ok(value);
            }
            questions += 1;
            if questions > self.start.limits.questions {
                let limit = self.start.limits.questions;
                let message = format!("it asked for more than {limit} names and calls");
                return Err(Ended::Failed(Failed::Refused(message)));
            }
            let next = self.step(progress)?;
            progress = next.map_err(|error| self.failed(program, &error))?;
        }
    }

    /// Answers whatever it waits for.
    fn step(
        &mut self,
        progress: RunProgress,
    ) -> Result<Result<RunProgress, MontyException>, Ended> {
        Ok(match progress {
            RunProgress::NameLookup(lookup) => {
                let found = match lookup.object_id() {
                    Some(id) => self.attribute(id, &lookup.name)?,
                    None => self.name(&lookup.name)?,
                };
                lookup.resume(found, PrintWriter::Callback(&mut self.output))
            }
            RunProgress::FunctionCall(mut call) => {
                let args = std::mem::take(&mut call.args);
                let kwargs = std::mem::take(&mut call.kwargs);
                let result = self.call(call.object_id, &call.function_name, args, kwargs)?;
                call.resume(result, PrintWriter::Callback(&mut self.output))
            }
            RunProgress::OsCall(call) => {
                let result = self.machine(&call.function_call);
                call.resume(result, PrintWriter::Callback(&mut self.output))
            }
            RunProgress::ResolveFutures(futures) => {
                let none = exception("RuntimeError", "there is nothing to wait for");
                futures.abort(none, PrintWriter::Disabled)
            }
            done @ RunProgress::Complete(_) => Ok(done),
        })
    }

    fn inputs(&mut self, start: Start) -> Vec<MontyObject> {
        self.bridge.mask.add(start.secrets);
        let Text {
            request,
            context,
            plan,
            client_ip,
            ..
        } = start.text;
        let mut inputs = Vec::new();
        if request {
            inputs.push(self.bridge.enter(start.request.into()));
        }
        if context {
            let mut before = start.context.clone();
            if let Some(plan) = &start.plan {
                let over = |key: &String| start.context.iter().any(|(other, _)| other == key);
                let under = plan.context.iter().filter(|(key, _)| !over(key));
                before.extend(under.cloned());
                self.start.plan_before = Some(Value::dict(plan.context.clone()));
            }
            self.start.before = Some(Value::dict(before));
            inputs.push(self.bridge.enter_dict(start.context));
        }
        if client_ip {
            let ip = start.client_ip.map(|ip| ip.to_string());
            inputs.push(self.bridge.enter(ip.into()));
        }
        if plan && let Some(plan) = start.plan {
            let object = plan.object.with("context", Value::dict(plan.context));
            inputs.push(self.bridge.enter(object.into()));
        }
        let variables = start.variables.into_iter();
        inputs.extend(variables.map(|value| self.bridge.enter(value)));
        inputs
    }

    fn finish(self, value: MontyObject) -> Done {
        let mut changes = Vec::new();
        let mut result = Value::None;
        if let MontyObject::Tuple(parts) = value
            && let Ok([value, context, plan]) = <[_; 3]>::try_from(parts)
        {
            result = self.bridge.leave(value, true);
            let both = [
                (Root::Plan, &self.start.plan_before, plan),
                (Root::Context, &self.start.before, context),
            ];
            for (root, before, after) in both {
                let after = self.bridge.leave(after, true);
                if let (Some(Value::Dict(before)), Value::Dict(after)) = (before, &after) {
                    changes.extend(difference(root, before, after));
                }
            }
        }
        let (messages, log) = self.output.finish(&self.bridge.mask);
        Done {
            value: result,
            messages,
            log,
            changes,
        }
    }

    fn failed(&self, program: &Program, error: &MontyException) -> Ended {
        let kind: &'static str = error.exc_type().into();
        let message = error.message().unwrap_or_default();
        let frames = error.traceback().iter().filter_map(|frame| {
            let name = frame.frame_name.as_deref();
            program.source.frame(frame.start.line, name)
        });
        Ended::Failed(match error.exc_type() {
            ExcType::TimeoutError if message.starts_with("time limit exceeded") => Failed::Time,
            ExcType::MemoryError => Failed::Memory,
            answers::SKIP => Failed::Skipped(self.bridge.mask.hide(message.to_owned())),
            _ => Failed::Runtime {
                kind: kind.to_owned(),
                message: self.bridge.mask.hide(message.to_owned()),
                traceback: cut(frames.collect()),
            },
        })
    }
}

/// A deep recursion has as many frames as it is deep; the ends say enough.
fn cut<T>(mut frames: Vec<T>) -> Vec<T> {
    const SHOWN: usize = 10;
    if frames.len() > 2 * SHOWN {
        frames.drain(SHOWN..frames.len() - SHOWN);
    }
    frames
}

/// An exception of Python's.
fn exception(kind: &str, message: impl Into<String>) -> MontyException {
    let kind = kind.parse().unwrap_or(ExcType::RuntimeError);
    MontyException::new(kind, Some(message.into()))
}

/// A name that nobody knows.
const UNKNOWN: NameLookupResult = NameLookupResult::Undefined;

#[cfg(test)]
mod tests;
