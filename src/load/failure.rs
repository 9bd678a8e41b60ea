//! Why a conversation came to no good end, by names that programs can count.

use std::time::Duration;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// No connection.
    Connect,
    /// The connection broke off in the middle.
    Broken,
    /// No answer within the time that one may take.
    Timeout,
    /// The server sends people away: 429 or 503.
    PushedBack {
        status: u16,
        /// Seconds, from `Retry-After`.
        retry_after: Option<u64>,
    },
    /// Another status than one of success.
    Status(u16),
    /// The answer is no challenge, or is too long.
    Malformed,
    /// The server refuses what was typed.
    Refused,
    /// The flow ended with a denial.
    Denied,
    /// A wrong password was accepted.
    LetIn,
    /// A challenge that a program cannot answer here.
    Unexpected(String),
    /// A flow without an end.
    Endless,
}

impl Failure {
    /// The name under which it is counted; the documentation lists them.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Connect => "connect".to_owned(),
            Self::Broken => "broken".to_owned(),
            Self::Timeout => "timeout".to_owned(),
            Self::PushedBack { status, .. } | Self::Status(status) => format!("status_{status}"),
            Self::Malformed => "malformed".to_owned(),
            Self::Refused => "refused".to_owned(),
            Self::Denied => "denied".to_owned(),
            Self::LetIn => "let_in".to_owned(),
            Self::Unexpected(component) => format!("unexpected_{component}"),
            Self::Endless => "endless".to_owned(),
        }
    }

    /// Whether the time until it is one that a visitor waited: it belongs to the latencies, or a
    /// server that never answers would look fast.
    pub(super) fn is_a_wait(&self) -> bool {
        *self == Self::Timeout
    }

    /// How long to wait before the next try in a closed loop, which would do nothing but ask for
    /// connections otherwise.
    pub(super) fn pause(&self) -> Option<Duration> {
        let is_transport = matches!(self, Self::Connect | Self::Broken);
        is_transport.then_some(Duration::from_millis(10))
    }
}
