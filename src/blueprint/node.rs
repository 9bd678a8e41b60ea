//! A YAML document as a tree that keeps what a blueprint needs: tags, spellings and places.
//!
//! JSON is read by the same reader, of which it is a subset. Nothing is typed here and no tag is
//! understood here; this module only refuses what no reader could make sense of, and what would
//! make one run out of memory.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle, StrInput, Tag};

use super::problem::{Problem, Span};

/// The most bytes that a blueprint may have.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The most nodes that a blueprint may have after its aliases are replaced.
const MAX_NODES: usize = 200_000;
/// How deep collections may be nested.
const MAX_DEPTH: usize = 64;

/// One value of a YAML document.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// Its tag, such as `!KeyOf` or `tag:yaml.org,2002:str`.
    pub(super) tag: Option<String>,
    /// What it is.
    pub(super) kind: Kind,
    /// Where it begins.
    pub(super) span: Span,
}

/// What a [`Node`] is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A text, number, boolean, ...: which of them is decided later.
    Scalar {
        /// The spelling, with escapes replaced.
        text: String,
        /// In quotes or as a block, so that it is a text whatever it looks like.
        quoted: bool,
    },
    /// Values in order.
    Sequence(Vec<Node>),
    /// Keys with values, in the order of the file.
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    /// The spelling of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            Kind::Sequence(_) | Kind::Mapping(_) => None,
        }
    }

    /// "a mapping" and so on, for messages.
    pub(super) fn describe(&self) -> &'static str {
        match (&self.tag, &self.kind) {
            (Some(tag), _) if !tag.starts_with(CORE) => "a tag",
            (_, Kind::Scalar { .. }) => "a single value",
            (_, Kind::Sequence(_)) => "a list",
            (_, Kind::Mapping(_)) => "a mapping",
        }
    }

    fn size(&self) -> usize {
        1 + match &self.kind {
            Kind::Scalar { .. } => 0,
            Kind::Sequence(items) => items.iter().map(Self::size).sum(),
            Kind::Mapping(pairs) => pairs.iter().map(|(k, v)| k.size() + v.size()).sum(),
        }
    }
}

/// The prefix of the tags that YAML itself defines.
pub(super) const CORE: &str = "tag:yaml.org,2002:";

/// Reads the one document that `source` holds.
///
/// # Errors
/// A [`Problem`] with the place of the first thing that is not YAML, of a key that is there
/// twice, or of the limit that was exceeded.
pub(super) fn read(source: &str) -> Result<Node, Problem> {
    let start = Span { line: 1, column: 1 };
    if source.len() > MAX_BYTES {
        return Err(Problem::at(
            start,
            format!("the file is larger than the {MAX_BYTES} bytes that a blueprint may have"),
        ));
    }
    let mut options = granit_parser::Options::default();
    options.set_emit_comments(false);
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    let mut composer = Composer {
        parser: Parser::new_from_str_with_options(source, options),
        anchors: HashMap::new(),
        nodes: 0,
    };
    let mut root = None;
    loop {
        let (event, span) = composer.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
            _ if root.is_some() => {
                return Err(Problem::at(
                    span,
                    "a blueprint is one YAML document, not several",
                ));
            }
            event => root = Some(composer.compose(event, span, 0)?),
        }
    }
    root.ok_or_else(|| Problem::at(start, "the file is empty"))
}

struct Composer<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// `None` while the anchored node is still being read.
    anchors: HashMap<usize, Option<Node>>,
    nodes: usize,
}

impl<'a> Composer<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Problem> {
        match self.parser.next() {
            Some(Ok((event, span))) => {
                // A tagged node begins at its tag.
                let start = span.tag_start().unwrap_or(span.start);
                Ok((event, place(start)))
            }
            Some(Err(error)) => Err(Problem::at(place(*error.marker()), error.info())),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn compose(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Problem> {
        self.count(1, span)?;
        if depth > MAX_DEPTH {
            return Err(Problem::at(
                span,
                format!("values may be nested {MAX_DEPTH} deep and no deeper"),
            ));
        }
        let (anchor, tag, kind) = match event {
            Event::Alias(id) => return self.alias(id, span),
            Event::Scalar(text, style, anchor, tag) => {
                let kind = Kind::Scalar {
                    text: text.into_owned(),
                    quoted: style != ScalarStyle::Plain,
                };
                (anchor, tag, kind)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.anchors.insert(anchor, None);
                (anchor, tag, self.sequence(depth)?)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.anchors.insert(anchor, None);
                (anchor, tag, self.mapping(depth)?)
            }
            _ => return Err(Problem::at(span, "the file ends in the middle of a value")),
        };
        let node = Node {
            tag: tag.map(|tag| full_name(&tag)),
            kind,
            span,
        };
        // The parser numbers anchors from 1.
        if anchor > 0 {
            self.anchors.insert(anchor, Some(node.clone()));
        }
        Ok(node)
    }

    fn sequence(&mut self, depth: usize) -> Result<Kind, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Kind::Sequence(items)),
                (event, span) => items.push(self.compose(event, span, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Kind, Problem> {
        let mut pairs: Vec<(Node, Node)> = Vec::new();
        let mut merged = Vec::new();
        let mut seen = HashSet::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, _) => break,
                (event, span) => self.compose(event, span, depth + 1)?,
            };
            let (event, span) = self.next()?;
            let value = self.compose(event, span, depth + 1)?;
            if is_merge(&key) {
                merged.extend(merge_sources(value)?);
                continue;
            }
            if let Some(text) = key.text()
                && !seen.insert(text.to_owned())
            {
                return Err(Problem::at(
                    key.span,
                    format!("the key {text:?} is there twice"),
                ));
            }
            pairs.push((key, value));
        }
        // What stands in the mapping itself wins over what is merged in, and the first merged
        // mapping over later ones.
        for (key, value) in merged {
            if let Some(text) = key.text()
                && seen.insert(text.to_owned())
            {
                pairs.push((key, value));
            }
        }
        Ok(Kind::Mapping(pairs))
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<Node, Problem> {
        match self.anchors.get(&id) {
            Some(Some(node)) => {
                let mut node = node.clone();
                self.count(node.size(), span)?;
                node.span = span;
                Ok(node)
            }
            _ => Err(Problem::at(
                span,
                "an alias stands inside of what it is an alias for",
            )),
        }
    }

    fn count(&mut self, nodes: usize, span: Span) -> Result<(), Problem> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            return Err(Problem::at(
                span,
                format!("the file has more than the {MAX_NODES} values that a blueprint may have"),
            ));
        }
        Ok(())
    }
}

fn place(marker: granit_parser::Marker) -> Span {
    Span {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

fn full_name(tag: &Tag) -> String {
    format!("{}{}", tag.handle(), tag.suffix())
}

fn is_merge(key: &Node) -> bool {
    key.tag.is_none() && matches!(&key.kind, Kind::Scalar { text, quoted: false } if text == "<<")
}

fn merge_sources(value: Node) -> Result<Vec<(Node, Node)>, Problem> {
    let span = value.span;
    match value.kind {
        Kind::Mapping(pairs) => Ok(pairs),
        Kind::Sequence(items) => {
            let mut all = Vec::new();
            for item in items {
                all.extend(merge_sources(item)?);
            }
            Ok(all)
        }
        Kind::Scalar { .. } => Err(Problem::at(span, "only mappings can be merged with <<")),
    }
}
