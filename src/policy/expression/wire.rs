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
use super::evaluation::{Change, Limits, LogLine, Plan};
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
pub(super) struct Text {
    pub(super) source: String,
    pub(super) request: bool,
    pub(super) context: bool,
    pub(super) plan: bool,
    pub(super) client_ip: bool,
    pub(super) variables: Vec<String>,
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
    Failed(Failed),
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
