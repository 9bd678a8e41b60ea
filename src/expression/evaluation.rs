//! What is handed to an evaluation, and what comes back.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::value::{Object, Value};

/// One expression and all that it is handed.
#[derive(Clone, Debug)]
pub struct Evaluation<'a> {
    /// The policy's name: the file name in tracebacks.
    pub name: &'a str,
    /// The text of the expression.
    pub source: &'a str,
    /// The one moment of the command: what `datetime.now()` gives.
    pub now: Timestamp,
    /// The variable `request`; its attribute `context` is set to the variable `context`.
    pub request: Option<Object>,
    /// The variable `context`. With a plan: what lies over a shallow copy of the plan's context.
    pub context: Vec<(String, Value)>,
    /// What `context["flow_plan"]` is.
    pub plan: Option<Plan>,
    /// The variable `ak_client_ip`.
    pub client_ip: Option<IpAddr>,
    /// Further variables. A name that is no identifier is made one, or left out.
    pub variables: Vec<(String, Value)>,
    /// From the call to the outcome, the wait for a free worker and all answers included.
    pub timeout: Duration,
    /// So many times as long may it take, by this timeout and by the limits of its worker; 1 where somebody
    /// waits for it.
    pub patience: u32,
    /// How many evaluations wait for this one, because they called its policy. Such an evaluation
    /// does not wait for a worker, as those that are in use may wait for each other; beyond
    /// [`DEEPEST`] it is refused.
    pub depth: usize,
}

/// How deeply policies may call each other.
pub const DEEPEST: usize = 4;

/// The plan of a flow, as an expression sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The handle; `context` is added to its fields.
    pub object: Object,
    /// Its context.
    pub context: Vec<(String, Value)>,
}

/// What one evaluation may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// Time inside the interpreter, without the answers to its questions.
    pub time: Duration,
    /// Bytes that one operation may ask for at once (`"a" * 10**10`, `10 ** 10**8`).
    pub allocation: usize,
    /// Depth of calls.
    pub recursion: usize,
    /// Questions to the host, and names that had to be looked up.
    pub questions: usize,
    /// Bytes of messages and log lines together; what is more is cut off.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_millis(500),
            allocation: 4 << 20,
            recursion: 200,
            questions: 10_000,
            output: 64 << 10,
        }
    }
}

/// How an evaluation that did not fail ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether Python takes `value` for true.
    pub passing: bool,
    /// What the expression returned; `None` if it returned nothing. Secrets are masked.
    pub value: Value,
    /// What was said with `ak_message`, in order.
    pub messages: Vec<String>,
    /// What was printed and logged, in order.
    pub log: Vec<LogLine>,
    /// What is different afterwards, in the context and in the plan's.
    pub context_changes: Vec<Change>,
    /// From the call to the outcome.
    pub duration: Duration,
}

/// One line that an expression logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How serious.
    pub level: Level,
    /// The text with what was given by name: `tried user="ann"`.
    pub text: String,
}

/// How serious a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// `ak_logger.debug`.
    Debug,
    /// `ak_logger.info`, and `print`.
    Info,
    /// `ak_logger.warning`.
    Warning,
    /// `ak_logger.error`, `critical` and `exception`.
    Error,
}

/// Something that an expression changed.
///
/// Without a plan, a change with a path of one key concerns the expression's own shallow copy
/// only; what lies deeper is shared with the plan's context, or with what was submitted. With a
/// plan the shared changes are reported under [`Root::Plan`] and, as they are visible there too,
/// under [`Root::Context`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// In which of the two.
    pub root: Root,
    /// The keys on the way, at least one.
    pub path: Vec<String>,
    /// The value now; `None` if it was removed. A secret is masked.
    pub value: Option<Value>,
}

/// Where a change was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Root {
    /// `context`, which is `request.context`.
    Context,
    /// `context["flow_plan"].context`.
    Plan,
}

impl Change {
    /// As the prelude takes it: root, path, whether there is a value, value.
    pub(super) fn to_value(&self) -> Value {
        let path = self
            .path
            .iter()
            .map(|key| Value::text(key.as_str()))
            .collect();
        Value::Tuple(vec![
            Value::Bool(self.root == Root::Plan),
            Value::List(path),
            Value::Bool(self.value.is_some()),
            self.value.clone().unwrap_or(Value::None),
        ])
    }
}
