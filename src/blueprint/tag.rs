//! Blueprint values before they are resolved: literals, and the tags of blueprint format 1.
//!
//! A tag of the wrong shape is refused here, when the file is read, so that `check` finds it
//! without touching any object. What a tag yields is decided in `resolve`.

use serde_json::Value;

use super::problem::Span;

mod read;

pub(super) use read::read_key;

/// A value that may have tags anywhere in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expr {
    /// Where it begins.
    pub(super) span: Span,
    /// What it is.
    pub(super) form: Form,
}

/// What an [`Expr`] is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// A single value without a tag.
    Literal(Value),
    /// A list.
    Sequence(Vec<Expr>),
    /// A mapping, in the order of the file.
    Mapping(Vec<(String, Expr)>),
    /// A tag of ours.
    Tag(Box<Tag>),
}

/// The tags of blueprint format 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tag {
    /// `!KeyOf id`: the key of the object that an earlier entry made.
    KeyOf(String),
    /// `!Find` and `!FindObject`: the first object of a model that fits.
    Find {
        /// The model's name.
        model: Expr,
        /// Lookup and wanted value; all have to fit.
        pairs: Vec<(Expr, Expr)>,
        /// The whole object rather than its key.
        whole: bool,
    },
    /// `!Context`: a value from the blueprint's context.
    Context(Named),
    /// `!Env`: an environment variable of the server.
    Env(Named),
    /// `!File`: the text of a file of the server.
    File(Named),
    /// `!Format`: printf with positional arguments.
    Format {
        /// The text with its `%` places.
        pattern: Expr,
        /// What goes there.
        arguments: Vec<Expr>,
    },
    /// `!ParseJSON`: the value that a JSON text stands for.
    ParseJson(String),
    /// `!If`: one of two values, or whether the condition holds.
    If {
        /// What is judged as Python would.
        condition: Expr,
        /// The value if it holds, and if it does not.
        branches: Option<(Expr, Expr)>,
    },
    /// `!Condition`: several conditions in one.
    Condition {
        /// How they are combined.
        mode: Mode,
        /// The conditions, at least one.
        arguments: Vec<Expr>,
    },
    /// `!Enumerate`: the body once for each item.
    Enumerate {
        /// A list, a mapping or a text.
        iterable: Expr,
        /// What the bodies are collected in.
        output: Output,
        /// What is resolved for each item.
        body: Expr,
    },
    /// `!Index n`: the index or key of an enclosing `!Enumerate`, 0 being the innermost.
    Index(usize),
    /// `!Value n`: the value of an enclosing `!Enumerate`, 0 being the innermost.
    Value(usize),
    /// `!AtIndex`: an item of a list or mapping.
    AtIndex {
        /// The list or mapping.
        of: Expr,
        /// The index or key.
        key: Expr,
        /// What it is when there is no such item; without it that is an error.
        default: Option<Expr>,
    },
}

/// Something looked up by name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Named {
    /// The name.
    pub(super) name: Expr,
    /// What it is when there is none of this name; otherwise null.
    pub(super) default: Option<Expr>,
}

/// How `!Condition` combines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// All hold.
    And,
    /// Not all hold.
    Nand,
    /// At least one holds.
    Or,
    /// None holds.
    Nor,
    /// An odd number of them hold.
    Xor,
    /// An even number of them hold.
    Xnor,
}

impl Tag {
    /// The values within the tag.
    pub(super) fn inner(&self) -> Vec<&Expr> {
        match self {
            Self::KeyOf(_) | Self::ParseJson(_) | Self::Index(_) | Self::Value(_) => Vec::new(),
            Self::Find { model, pairs, .. } => {
                let pairs = pairs.iter().flat_map(|(field, value)| [field, value]);
                std::iter::once(model).chain(pairs).collect()
            }
            Self::Context(named) | Self::Env(named) | Self::File(named) => {
                std::iter::once(&named.name).chain(&named.default).collect()
            }
            Self::Format { pattern, arguments } => {
                std::iter::once(pattern).chain(arguments).collect()
            }
            Self::If {
                condition,
                branches,
            } => {
                let branches = branches.iter().flat_map(|(yes, no)| [yes, no]);
                std::iter::once(condition).chain(branches).collect()
            }
            Self::Condition { arguments, .. } => arguments.iter().collect(),
            Self::Enumerate { iterable, body, .. } => vec![iterable, body],
            Self::AtIndex { of, key, default } => [of, key].into_iter().chain(default).collect(),
        }
    }
}

/// What `!Enumerate` collects in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// `SEQ`: a list.
    Sequence,
    /// `MAP`: a mapping, merged from pairs or mappings.
    Mapping,
}

impl Expr {
    /// A value without tags, as if it stood at `span`.
    pub(super) fn literal(value: Value, span: Span) -> Self {
        let form = match value {
            Value::Array(items) => {
                let items = items.into_iter().map(|item| Self::literal(item, span));
                Form::Sequence(items.collect())
            }
            Value::Object(map) => {
                let pairs = map.into_iter().map(|(k, v)| (k, Self::literal(v, span)));
                Form::Mapping(pairs.collect())
            }
            single => Form::Literal(single),
        };
        Self { span, form }
    }

    /// The text of a literal.
    pub(super) fn as_str(&self) -> Option<&str> {
        match &self.form {
            Form::Literal(Value::String(text)) => Some(text),
            _ => None,
        }
    }
}
