//! What server and worker say to each other: frames of a length and JSON.
//!
//! Both ends are the same program, so the form may change at any time. JSON because its reader
//! refuses what is nested too deeply, whoever wrote it. Texts of secrets travel beside the
//! values, never in them.

use std::io::{self, Read, Write};
use std::net::IpAddr;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::{Frame, SyntaxError};
use super::evaluation::{Change, Level, Limits, LogLine, Plan};
use super::host::{Call, Raised};
use super::value::{Object, Value};

/// The largest frame; values are limited more tightly before.
pub(super) const LARGEST: usize = 8 << 20;

/// From the server.
#[derive(Serialize, Deserialize)]
pub(super) enum Order {
    Evaluate(Box<Start>),
    Check(Text),
    Answer(Answer, Vec<Revealed>),
}

/// An expression and what it is handed.
#[derive(Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) text: Text,
    pub(super) now: Timestamp,
    pub(super) request: Option<Object>,
    pub(super) context: Vec<(String, Value)>,
    pub(super) plan: Option<Plan>,
    pub(super) client_ip: Option<IpAddr>,
    /// In the order of the names in `text`.
    pub(super) variables: Vec<Value>,
    pub(super) limits: Limits,
    pub(super) secrets: Vec<Revealed>,
}

/// An expression and the names it is handed: what decides about its compiled form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is handed over or not")]
pub(super) struct Text {
    pub(super) source: String,
    pub(super) request: bool,
    pub(super) context: bool,
    pub(super) plan: bool,
    pub(super) client_ip: bool,
    pub(super) variables: Vec<String>,
}

impl Text {
    /// An expression as it is checked, before anybody knows what it will be handed.
    pub(super) fn checked(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            request: true,
            context: true,
            plan: false,
            client_ip: true,
            variables: Vec::new(),
        }
    }
}

/// A secret and its text. Neither shown nor kept beyond one evaluation.
#[derive(Serialize, Deserialize)]
pub(super) struct Revealed {
    pub(super) handle: String,
    pub(super) text: String,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Answer {
    Value(Value),
    Nothing,
    Raise(Raised),
    Abort,
}

/// From the worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// Started, and waiting for orders.
    Ready,
    Question(Question),
    Done(Done),
    /// With what was logged until then.
    Failed(Failed, Vec<LogLine>),
    Checked(Option<SyntaxError>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Question {
    Name(String),
    Import(String, Option<String>),
    Attribute(Object, String),
    Call(Call),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) value: Value,
    pub(super) messages: Vec<String>,
    pub(super) log: Vec<LogLine>,
    pub(super) changes: Vec<Change>,
}

impl Done {
    /// What was logged, and after it what the visitor would have read, where nothing else counts.
    pub(super) fn into_log(self) -> Vec<LogLine> {
        all_lines(self.messages, self.log)
    }
}

/// Log lines, and after them the messages as log lines.
pub(super) fn all_lines(messages: Vec<String>, mut log: Vec<LogLine>) -> Vec<LogLine> {
    log.extend(messages.into_iter().map(|text| LogLine {
        level: Level::Info,
        text: format!("ak_message: {text}"),
    }));
    log
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Failed {
    Syntax(SyntaxError),
    Runtime {
        kind: String,
        message: String,
        traceback: Vec<Frame>,
    },
    Skipped(String),
    Time,
    Memory,
    Refused(String),
    /// The host wanted no more.
    Aborted,
}

/// The bytes of a frame.
pub(super) fn frame(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = bytes.len() - 4;
    if length > LARGEST {
        return Err(io::Error::other("the frame is too large"));
    }
    let length = u32::try_from(length).map_err(io::Error::other)?;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}

/// How many bytes follow these four; refuses what no frame has.
pub(super) fn length(head: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(head) as usize;
    if length > LARGEST {
        return Err(io::Error::other("the frame is too large"));
    }
    Ok(length)
}

/// The message in the body of a frame.
pub(super) fn message<T: DeserializeOwned>(body: &[u8]) -> io::Result<T> {
    Ok(serde_json::from_slice(body)?)
}

/// Waits for a frame; `None` when the other end is gone.
pub(super) fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut head = [0; 4];
    if let Err(error) = from.read_exact(&mut head) {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof => Ok(None),
            _ => Err(error),
        };
    }
    let mut body = vec![0; length(head)?];
    from.read_exact(&mut body)?;
    message(&body).map(Some)
}

/// Writes a frame.
pub(super) fn write(to: &mut impl Write, content: &impl Serialize) -> io::Result<()> {
    to.write_all(&frame(content)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::value::DEPTH;

    #[test]
    fn what_fits_can_be_read_back_however_it_is_nested() {
        let nests: [fn(Value) -> Value; 3] = [
            |inner| Value::List(vec![inner]),
            |inner| Value::dict([("k", inner)]),
            |inner| Object::new("C", "1").with("f", inner).into(),
        ];
        for nest in nests {
            let value = (1..DEPTH).fold(Value::None, |inner, _| nest(inner));
            assert!(value.fits());
            let object = Object::new("FlowPlan", "1").with("context", value.clone());
            let order = Order::Answer(Answer::Value(object.into()), Vec::new());
            let bytes = frame(&order).expect("a frame");
            let read: Option<Order> = read(&mut bytes.as_slice()).expect("reads back");
            assert!(
                matches!(read, Some(Order::Answer(Answer::Value(Value::Object(o)), _))
                if o.fields[0].1 == value)
            );
        }
    }

    #[test]
    fn a_frame_that_is_too_large_is_refused_before_it_is_read() {
        let mut bytes: &[u8] = &[0xff; 16];
        assert!(read::<Order>(&mut bytes).is_err());
        let mut bytes: &[u8] = &[];
        assert!(read::<Order>(&mut bytes).expect("the end").is_none());
    }

    #[test]
    fn a_body_that_is_nested_too_deeply_is_refused() {
        let body = "{\"List\":[".repeat(100_000);
        assert!(message::<Value>(body.as_bytes()).is_err());
    }
}
