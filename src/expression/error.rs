//! Why there is no outcome.

use std::fmt::{self, Write as _};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::evaluation::LogLine;

/// Why an evaluation ended without an outcome. Secrets are masked in every text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not Python, or not the Python that is understood here.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// It raised an exception.
    #[error("{message}")]
    Runtime {
        /// The exception's class: `ValueError`.
        kind: String,
        /// What `str()` of the exception gives.
        message: String,
        /// Where, the innermost last; lines are those of the expression.
        traceback: Vec<Frame>,
    },
    /// It raised `SkipObject`: it wants to be left out, and nothing went wrong.
    #[error("{message}")]
    Skipped {
        /// What it gave as the reason, maybe empty.
        message: String,
    },
    /// All workers are in use, and too many wait for one, or for too long. Try again in a moment.
    #[error("too many expressions are being evaluated at the moment")]
    Busy,
    /// It took longer than it may.
    #[error("the expression was ended after {after:?}, which is all the time that it may take")]
    Timeout {
        /// The limit that was exceeded.
        after: Duration,
    },
    /// It wanted more memory than it may have.
    #[error("the expression wanted more memory than it may have")]
    Memory,
    /// The interpreter died under it. The server is not concerned.
    #[error("the interpreter died under the expression: {0}")]
    WorkerDied(String),
    /// It did what it may not: asked too often, or handed over what is too large.
    #[error("the expression was ended: {0}")]
    Refused(String),
    /// No worker could be started. Look at the log, and at the permissions of the program.
    #[error("no worker for expressions could be started: {0}")]
    Unavailable(String),
    /// The host could not answer; nothing that the expression did.
    #[error(transparent)]
    Host(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// The traceback as Python prints it, ending with the exception; `None` for other errors.
    pub fn traceback(&self, name: &str) -> Option<String> {
        let Self::Runtime {
            kind,
            message,
            traceback,
        } = self
        else {
            return None;
        };
        let mut text = "Traceback (most recent call last):\n".to_owned();
        for frame in traceback {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "  File \"{name}\", {frame}");
        }
        text.push_str(kind);
        if !message.is_empty() {
            text.push_str(": ");
            text.push_str(message);
        }
        Some(text)
    }
}

/// An evaluation without an outcome.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Unfinished {
    /// Why there is none.
    pub error: Error,
    /// What was printed and logged until then, as far as the worker could still tell; what was
    /// said with `ak_message` comes last. Secrets are masked.
    pub log: Vec<LogLine>,
}

impl From<Error> for Unfinished {
    fn from(error: Error) -> Self {
        let log = Vec::new();
        Self { error, log }
    }
}

/// One place of a traceback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The line of the expression, from 1.
    pub line: u32,
    /// The function of the author's; empty at the top.
    pub function: String,
    /// The text of the line.
    pub text: String,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if !self.function.is_empty() {
            write!(f, ", in {}", self.function)?;
        }
        if !self.text.is_empty() {
            write!(f, "\n    {}", self.text)?;
        }
        Ok(())
    }
}

/// Where and why an expression cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message} (line {line}, column {column})")]
pub struct SyntaxError {
    /// The line of the expression, from 1.
    pub line: u32,
    /// The character of that line, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
}
