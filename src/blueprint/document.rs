//! A blueprint of format version 1, read but not resolved.
//!
//! Only the structure is checked here: what an entry means is decided when it is applied.

use std::collections::BTreeMap;

use serde_json::Value;

use super::node::{self, Kind, Node};
use super::problem::{EntryName, Problem, Span};
use super::tag::{self, Expr, Form, Tag};

/// A blueprint.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file, as the caller named it; for messages.
    pub file: String,
    /// `metadata.name`, by which other blueprints ask for this one.
    pub name: Option<String>,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// What `!Context` finds unless whoever applies the blueprint overrides it.
    pub(super) context: Vec<(String, Expr)>,
    /// The entries in order; sections are flattened.
    pub(super) entries: Vec<Entry>,
}

/// One object that a blueprint asks for.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// What it is called in messages.
    pub(super) name: EntryName,
    /// Where it begins.
    pub(super) span: Span,
    /// The model's name, or a tag that yields it.
    pub(super) model: Expr,
    /// By which fields the object is looked up.
    pub(super) identifiers: Expr,
    /// The other fields of the object.
    pub(super) attrs: Expr,
    /// What is wanted of the object: `present` and so on, or a tag that yields it.
    pub(super) state: Expr,
    /// All of them have to hold, or the entry is left out.
    pub(super) conditions: Vec<Expr>,
    /// Grants on the object.
    pub(super) permissions: Vec<Expr>,
}

/// The fields that say which object is meant, those that say it alone first. Any other could hold
/// a secret, and is not shown.
const TELLING: [(&str, bool); 15] = [
    ("name", true),
    ("slug", true),
    ("username", true),
    ("identifier", true),
    ("domain", true),
    ("managed", true),
    ("target", false),
    ("stage", false),
    ("policy", false),
    ("group", false),
    ("user", false),
    ("order", false),
    ("scope_name", false),
    ("provider", false),
    ("pk", false),
];

impl Entry {
    /// What its identifiers say, as written, for people.
    pub(super) fn label(&self) -> Option<String> {
        let Form::Mapping(pairs) = &self.identifiers.form else {
            return None;
        };
        let mut told = Vec::new();
        for (field, alone) in TELLING {
            let Some((_, value)) = pairs.iter().find(|(name, _)| name == field) else {
                continue;
            };
            let value = match &value.form {
                Form::Literal(value) => super::format::text(value),
                Form::Tag(tag) => match tag.as_ref() {
                    Tag::KeyOf(id) => id.clone(),
                    _ => continue,
                },
                _ => continue,
            };
            if alone {
                return Some(value);
            }
            told.push(format!("{field} {value}"));
        }
        (!told.is_empty()).then(|| told.join(", "))
    }
}

impl Document {
    /// Reads a blueprint in YAML or JSON.
    ///
    /// # Errors
    /// Everything that is wrong with its structure: one problem if it is not even YAML, else
    /// one for each part that is unusable.
    pub fn read(source: &str, file: &str) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let read = node::read(source)
            .map_err(|problem| problems.push(problem))
            .ok()
            .and_then(|root| Self::of_node(&root, file, &mut problems));
        match read {
            Some(document) if problems.is_empty() => Ok(document),
            _ => Err(problems.into_iter().map(|p| p.in_file(file)).collect()),
        }
    }

    /// What its entries are called in messages, in order.
    pub fn entries(&self) -> impl Iterator<Item = &EntryName> {
        self.entries.iter().map(|entry| &entry.name)
    }

    /// The slug of the first flow that it names, as written.
    pub(super) fn flow(&self) -> Option<String> {
        let is_flow = |entry: &&Entry| entry.name.model.as_deref() == Some("authentik_flows.flow");
        self.entries.iter().find(is_flow)?.label()
    }

    fn of_node(root: &Node, file: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut note = |problem: Problem| problems.push(problem);
        let fields = mapping(root, "a blueprint").map_err(&mut note).ok()?;
        let mut document = Self {
            file: file.to_owned(),
            name: None,
            labels: BTreeMap::new(),
            context: Vec::new(),
            entries: Vec::new(),
        };
        if let Some(version) = field(fields, "version")
            && !is_version_1(version)
        {
            note(Problem::at(
                version.span,
                "Invalid blueprint version: only version 1 is known",
            ));
            return None;
        }
        if let Some(metadata) = field(fields, "metadata") {
            document.read_metadata(metadata).unwrap_or_else(&mut note);
        }
        if let Some(context) = field(fields, "context") {
            match Expr::read(context) {
                Ok(Expr { form, .. }) => match form {
                    Form::Mapping(pairs) => document.context = pairs,
                    _ => note(expected(context, "context", "a mapping")),
                },
                Err(problem) => note(problem),
            }
        }
        match entries(fields) {
            Ok(nodes) => {
                for (index, node) in nodes.into_iter().enumerate() {
                    let mut name = EntryName {
                        number: index + 1,
                        ..EntryName::default()
                    };
                    match Entry::of_node(node, &mut name) {
                        Ok(entry) => document.entries.push(entry),
                        Err(problem) => note(problem.within(&name)),
                    }
                }
            }
            Err(problem) => note(problem),
        }
        Some(document)
    }

    fn read_metadata(&mut self, metadata: &Node) -> Result<(), Problem> {
        let fields = mapping(metadata, "metadata")?;
        let name = field(fields, "name")
            .ok_or_else(|| Problem::at(metadata.span, "metadata needs a name"))?;
        self.name = Some(text(name, "the name of a blueprint")?);
        if let Some(labels) = field(fields, "labels") {
            for (key, value) in mapping(labels, "labels")? {
                let label = tag::read_key(key)?.to_owned();
                self.labels.insert(label, text(value, "a label")?);
            }
        }
        Ok(())
    }
}

impl Entry {
    /// `name` is filled in as far as reading gets, so that a problem can say which entry it is.
    fn of_node(node: &Node, name: &mut EntryName) -> Result<Self, Problem> {
        let fields = mapping(node, "an entry")?;
        // The names first: they go into every message about this entry.
        name.model = field(fields, "model")
            .and_then(Node::text)
            .map(str::to_owned);
        if let Some(id) = field(fields, "id") {
            name.id = Some(text(id, "the id of an entry")?);
        }
        let model = field(fields, "model").ok_or_else(|| {
            Problem::at(
                node.span,
                "an entry needs a model, such as authentik_flows.flow",
            )
        })?;
        let model = Expr::read(model)?;
        if matches!(model.form, Form::Sequence(_) | Form::Mapping(_))
            || matches!(&model.form, Form::Literal(value) if !value.is_string())
        {
            return Err(Problem::at(
                model.span,
                "the model has to be a text or a tag",
            ));
        }
        if !matches!(model.form, Form::Literal(_)) {
            name.model = None;
        }
        let state = match field(fields, "state") {
            Some(state) => Expr::read(state)?,
            None => Expr::literal("present".into(), node.span),
        };
        if let Form::Literal(value) = &state.form {
            State::read(value).map_err(|message| Problem::at(state.span, message))?;
        }
        Ok(Self {
            name: name.clone(),
            span: node.span,
            model,
            identifiers: fields_of(node, fields, "identifiers")?,
            attrs: fields_of(node, fields, "attrs")?,
            state,
            conditions: list_of(fields, "conditions")?,
            permissions: list_of(fields, "permissions")?,
        })
    }
}

/// What an entry wants of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It exists and has these fields.
    Present,
    /// It exists; one that exists already is left as it is.
    Created,
    /// It is made by this entry; one that exists already is an error.
    MustCreated,
    /// It does not exist.
    Absent,
}

impl State {
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        match value.as_str() {
            Some("present") => Ok(Self::Present),
            Some("created") => Ok(Self::Created),
            Some("must_created") => Ok(Self::MustCreated),
            Some("absent") => Ok(Self::Absent),
            _ => Err(format!(
                "the state {value} is unknown; it is one of present, created, must_created and absent"
            )),
        }
    }
}

type Pairs = [(Node, Node)];

fn field<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a Node> {
    pairs
        .iter()
        .find_map(|(key, value)| (key.text() == Some(name)).then_some(value))
}

fn mapping<'a>(node: &'a Node, what: &str) -> Result<&'a Pairs, Problem> {
    match &node.kind {
        Kind::Mapping(pairs) if !has_tag(node) => Ok(pairs),
        _ => Err(expected(node, what, "a mapping")),
    }
}

fn has_tag(node: &Node) -> bool {
    node.tag
        .as_deref()
        .is_some_and(|tag| !tag.starts_with(node::CORE))
}

fn expected(node: &Node, what: &str, form: &str) -> Problem {
    Problem::at(
        node.span,
        format!("{what} has to be {form}, not {}", node.describe()),
    )
}

fn text(node: &Node, what: &str) -> Result<String, Problem> {
    match Expr::read(node)?.form {
        Form::Literal(Value::String(text)) => Ok(text),
        Form::Literal(Value::Number(_) | Value::Bool(_)) => Err(Problem::at(
            node.span,
            format!("{what} has to be a text; put it in quotes"),
        )),
        _ => Err(expected(node, what, "a text")),
    }
}

fn is_version_1(node: &Node) -> bool {
    matches!(Expr::read(node), Ok(Expr { form: Form::Literal(value), .. }) if value == 1)
}

/// `entries` as a list, or as sections that each have a list.
fn entries(fields: &Pairs) -> Result<Vec<&Node>, Problem> {
    let Some(node) = field(fields, "entries") else {
        return Ok(Vec::new());
    };
    if has_tag(node) {
        return Err(expected(node, "entries", "a list, or a mapping of lists"));
    }
    match &node.kind {
        Kind::Sequence(items) => Ok(items.iter().collect()),
        Kind::Mapping(sections) => {
            let mut all = Vec::new();
            for (_, section) in sections {
                match &section.kind {
                    Kind::Sequence(items) if !has_tag(section) => all.extend(items),
                    _ if is_null(section) => {}
                    _ => return Err(expected(section, "a section of entries", "a list")),
                }
            }
            Ok(all)
        }
        Kind::Scalar { .. } if is_null(node) => Ok(Vec::new()),
        Kind::Scalar { .. } => Err(expected(node, "entries", "a list, or a mapping of lists")),
    }
}

fn is_null(node: &Node) -> bool {
    matches!(
        Expr::read(node),
        Ok(Expr {
            form: Form::Literal(Value::Null),
            ..
        })
    )
}

/// A mapping, or a tag that yields one; absent and null mean that it is empty.
fn fields_of(entry: &Node, fields: &Pairs, name: &str) -> Result<Expr, Problem> {
    let Some(node) = field(fields, name) else {
        return Ok(Expr {
            span: entry.span,
            form: Form::Mapping(Vec::new()),
        });
    };
    let read = Expr::read(node)?;
    match read.form {
        Form::Mapping(_) | Form::Tag(_) => Ok(read),
        Form::Literal(Value::Null) => Ok(Expr {
            span: read.span,
            form: Form::Mapping(Vec::new()),
        }),
        _ => Err(expected(node, name, "a mapping")),
    }
}

fn list_of(fields: &Pairs, name: &str) -> Result<Vec<Expr>, Problem> {
    let Some(node) = field(fields, name) else {
        return Ok(Vec::new());
    };
    match Expr::read(node)?.form {
        Form::Sequence(items) => Ok(items),
        Form::Literal(Value::Null) => Ok(Vec::new()),
        _ => Err(expected(node, name, "a list")),
    }
}
