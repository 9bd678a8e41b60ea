//! From nodes to tags: which shape each tag has to have.

use serde_json::Value;

use super::super::node::{CORE, Kind, Node};
use super::super::problem::Problem;
use super::super::scalar;
use super::{Expr, Form, Mode, Named, Output, Tag};

impl Expr {
    /// Reads a node and everything in it.
    ///
    /// # Errors
    /// The first tag that is unknown or has the wrong shape.
    pub(in crate::blueprint) fn read(node: &Node) -> Result<Self, Problem> {
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
}

fn is_ours(tag: &str) -> bool {
    tag != "!" && !tag.starts_with(CORE)
}

/// The text of a mapping's key.
pub(in crate::blueprint) fn read_key(key: &Node) -> Result<&str, Problem> {
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
