//! One span: begun, told of, ended when it is dropped.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use super::tracer::Making;

/// What an attribute says. Texts are of our making or an operator's choice, never a visitor's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A word or a name.
    Text(Cow<'static, str>),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Truth(bool),
    /// An id; it is written with hyphens.
    Id(Uuid),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

/// Which side of a conversation a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request of somebody else is answered.
    Server,
    /// A part of that.
    Internal,
}

/// The span below which others are put; none where nothing is traced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parent(pub(super) Option<(u128, u64)>);

/// A span that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The trace.
    pub trace: u128,
    /// Its own id in there.
    pub span: u64,
    /// The span that it is a part of.
    pub parent: Option<u64>,
    /// Whether that one is another program's.
    pub is_parent_remote: bool,
    /// Which side it is.
    pub kind: Kind,
    /// What was done.
    pub name: Cow<'static, str>,
    /// When it began, in nanoseconds since 1970.
    pub begin: u64,
    /// When it ended, in nanoseconds since 1970.
    pub end: u64,
    /// What is said about it.
    pub attributes: Vec<(&'static str, Value)>,
    /// Whether it failed for a reason that is the server's.
    pub has_failed: bool,
}

/// A span that is under way, or nothing where nothing is traced. It ends when it is dropped.
#[derive(Default)]
pub struct Span(pub(super) Option<Box<Open>>);

pub(super) struct Open {
    pub(super) making: Arc<Making>,
    pub(super) began: Instant,
    pub(super) finished: Finished,
}

impl Span {
    /// Whether anybody will read it. What takes work to be said is said only then.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Where spans are put that are parts of it.
    #[must_use]
    pub fn parent(&self) -> Parent {
        let ids = |open: &Open| (open.finished.trace, open.finished.span);
        Parent(self.0.as_deref().map(ids))
    }

    /// Begins a part of it.
    #[must_use]
    pub fn below(&self, name: &'static str) -> Self {
        let Some(open) = &self.0 else {
            return Self::default();
        };
        open.making.below(self.parent(), name, open.making.moment())
    }

    /// Says something about it.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        if let Some(open) = &mut self.0 {
            open.finished.attributes.push((key, value.into()));
        }
    }

    /// Says what was done, once that is known.
    pub fn rename(&mut self, name: impl Into<Cow<'static, str>>) {
        if let Some(open) = &mut self.0 {
            open.finished.name = name.into();
        }
    }

    /// It failed, and the reason is the server's.
    pub fn fail(&mut self) {
        if let Some(open) = &mut self.0 {
            open.finished.has_failed = true;
        }
    }

    /// Leaves it out. Its parts are sent all the same, so it must have none.
    pub fn forget(&mut self) {
        self.0 = None;
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(open) = self.0.take() {
            let Open {
                making,
                began,
                finished,
            } = *open;
            making.end(began, finished);
        }
    }
}
