//! Blueprint values before they are resolved: literals, and the tags of blueprint format 1.
//!
//! A tag of the wrong shape is refused here, when the file is read, so that `check` finds it
//! without touching any object. What a tag yields is decided in `resolve`.

use serde_json::Value;

use super::node::{CORE, Kind, Node};
use super::problem::{Problem, Span};
use super::scalar;

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
    /// Reads a node and everything in it.
    ///
    /// # Errors
    /// The first tag that is unknown or has the wrong shape.
    pub(super) fn read(node: &Node) -> Result<Self, Problem> {
        let span = node.span;
        if let Some(tag) = node.tag.as_deref().filter(|tag| is_ours(tag)) {
            let form = Form::Tag(Box::new(read_tag(tag, node)?));
            return Ok(Self { span, form });
        }
        let form = match &node.kind {
            Kind::Scalar { .. } => Form::Literal(scalar::value(node)?),
            Kind::Sequence(items) => Form::Sequence(read_all(items)?),
            Kind::Mapping(pairs) => {
                let mut mapping = Vec::with_capacity(pairs.len());
                for (key, value) in pairs {
                    mapping.push((read_key(key)?.to_owned(), Self::read(value)?));
                }
                Form::Mapping(mapping)
            }
        };
        Ok(Self { span, form })
    }

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

fn is_ours(tag: &str) -> bool {
    tag != "!" && !tag.starts_with(CORE)
}

/// The text of a mapping's key.
pub(super) fn read_key(key: &Node) -> Result<&str, Problem> {
    match key.text() {
        Some(text) if key.tag.as_deref().is_none_or(|tag| !is_ours(tag)) => Ok(text),
        _ => Err(Problem::at(
            key.span,
            "the key of a mapping has to be a plain text",
        )),
    }
}

fn read_all(nodes: &[Node]) -> Result<Vec<Expr>, Problem> {
    nodes.iter().map(Expr::read).collect()
}

fn read_tag(tag: &str, node: &Node) -> Result<Tag, Problem> {
    Ok(match tag {
        "!KeyOf" => Tag::KeyOf(only(tag, node)?.to_owned()),
        "!ParseJSON" => Tag::ParseJson(only(tag, node)?.to_owned()),
        "!Index" => Tag::Index(depth(tag, node)?),
        "!Value" => Tag::Value(depth(tag, node)?),
        "!Context" => Tag::Context(named(tag, node)?),
        "!Env" => Tag::Env(named(tag, node)?),
        "!File" => Tag::File(named(tag, node)?),
        "!Find" => find(tag, node, false)?,
        "!FindObject" => find(tag, node, true)?,
        "!Format" => {
            let items = list(tag, node, "[text, value, ...]", |n| n >= 1)?;
            Tag::Format {
                pattern: Expr::read(&items[0])?,
                arguments: read_all(&items[1..])?,
            }
        }
        "!If" => {
            let form = "[condition] or [condition, if true, if false]";
            let items = list(tag, node, form, |n| n == 1 || n == 3)?;
            Tag::If {
                condition: Expr::read(&items[0])?,
                branches: match items {
                    [_, yes, no] => Some((Expr::read(yes)?, Expr::read(no)?)),
                    _ => None,
                },
            }
        }
        "!Condition" => {
            let items = list(tag, node, "[mode, condition, ...]", |n| n >= 2)?;
            Tag::Condition {
                mode: mode(&items[0])?,
                arguments: read_all(&items[1..])?,
            }
        }
        "!Enumerate" => enumerate(tag, node)?,
        "!AtIndex" => {
            let form = "[list or mapping, key] or [list or mapping, key, default]";
            let items = list(tag, node, form, |n| n == 2 || n == 3)?;
            Tag::AtIndex {
                of: Expr::read(&items[0])?,
                key: Expr::read(&items[1])?,
                default: items.get(2).map(Expr::read).transpose()?,
            }
        }
        _ => return Err(Problem::at(node.span, format!("the tag {tag} is unknown"))),
    })
}

/// The text of a tag that stands before a single value.
fn only<'a>(tag: &str, node: &'a Node) -> Result<&'a str, Problem> {
    node.text().ok_or_else(|| {
        Problem::at(
            node.span,
            format!("{tag} takes a single value, not {}", shape(node)),
        )
    })
}

fn depth(tag: &str, node: &Node) -> Result<usize, Problem> {
    only(tag, node)?.trim().parse().map_err(|_| {
        Problem::at(
            node.span,
            format!(
                "{tag} takes a number: 0 for the innermost !Enumerate, 1 for the one around it, ..."
            ),
        )
    })
}

/// The items of a tag that stands before a list of an `allowed` length.
fn list<'a>(
    tag: &str,
    node: &'a Node,
    form: &str,
    allowed: impl Fn(usize) -> bool,
) -> Result<&'a [Node], Problem> {
    match &node.kind {
        Kind::Sequence(items) if allowed(items.len()) => Ok(items),
        Kind::Sequence(items) => Err(Problem::at(
            node.span,
            format!("{tag} takes {form}, not a list of {}", items.len()),
        )),
        _ => Err(Problem::at(
            node.span,
            format!("{tag} takes {form}, not {}", shape(node)),
        )),
    }
}

fn shape(node: &Node) -> &'static str {
    match node.kind {
        Kind::Scalar { .. } => "a single value",
        Kind::Sequence(_) => "a list",
        Kind::Mapping(_) => "a mapping",
    }
}

fn named(tag: &str, node: &Node) -> Result<Named, Problem> {
    if let Some(name) = node.text() {
        let name = Expr::literal(Value::String(name.to_owned()), node.span);
        return Ok(Named {
            name,
            default: None,
        });
    }
    let items = list(tag, node, "a name or [name, default]", |n| n == 1 || n == 2)?;
    Ok(Named {
        name: Expr::read(&items[0])?,
        default: items.get(1).map(Expr::read).transpose()?,
    })
}

fn find(tag: &str, node: &Node, whole: bool) -> Result<Tag, Problem> {
    let items = list(tag, node, "[model, [field, value], ...]", |n| n >= 1)?;
    let mut pairs = Vec::with_capacity(items.len() - 1);
    for item in &items[1..] {
        match &item.kind {
            Kind::Sequence(pair) if pair.len() == 2 && item.tag.is_none() => {
                pairs.push((Expr::read(&pair[0])?, Expr::read(&pair[1])?));
            }
            _ => {
                let message = format!("{tag} takes pairs [field, value] after the model");
                return Err(Problem::at(item.span, message));
            }
        }
    }
    Ok(Tag::Find {
        model: Expr::read(&items[0])?,
        pairs,
        whole,
    })
}

fn mode(node: &Node) -> Result<Mode, Problem> {
    match node.text().map(str::to_ascii_uppercase).as_deref() {
        Some("AND") => Ok(Mode::And),
        Some("NAND") => Ok(Mode::Nand),
        Some("OR") => Ok(Mode::Or),
        Some("NOR") => Ok(Mode::Nor),
        Some("XOR") => Ok(Mode::Xor),
        Some("XNOR") => Ok(Mode::Xnor),
        _ => Err(Problem::at(
            node.span,
            "!Condition takes one of AND, NAND, OR, NOR, XOR and XNOR first",
        )),
    }
}

fn enumerate(tag: &str, node: &Node) -> Result<Tag, Problem> {
    let items = list(tag, node, "[what to go through, SEQ or MAP, body]", |n| {
        n == 3
    })?;
    let iterable = Expr::read(&items[0])?;
    if let Form::Tag(inner) = &iterable.form
        && matches!(**inner, Tag::Index(0) | Tag::Value(0))
    {
        let message = "!Enumerate cannot go through its own !Index or !Value; depth 1 is that of the one around it";
        return Err(Problem::at(iterable.span, message));
    }
    let output = match items[1].text().map(str::to_ascii_uppercase).as_deref() {
        Some("SEQ") => Output::Sequence,
        Some("MAP") => Output::Mapping,
        _ => {
            return Err(Problem::at(
                items[1].span,
                "!Enumerate collects in SEQ or MAP",
            ));
        }
    };
    Ok(Tag::Enumerate {
        iterable,
        output,
        body: Expr::read(&items[2])?,
    })
}
