//! What can be found wrong with a blueprint without looking at any object.

use std::collections::HashSet;

use super::document::{Document, Entry};
use super::model::{Model, NotAModel};
use super::problem::{EntryName, Problem, Span};
use super::tag::{Expr, Form, Tag};

/// An entry that this version cannot apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The entry.
    pub entry: EntryName,
    /// Where it names the model.
    pub span: Span,
    /// The model.
    pub model: String,
}

/// Reads a blueprint and checks what does not depend on what there is: its structure, its tags,
/// that its models exist, and that `!KeyOf` names an earlier entry.
///
/// Models that this version does not have are no problem here; see [`unsupported`].
///
/// # Errors
/// Every problem that was found, in the order of the file.
pub fn check(source: &str, file: &str) -> Result<Document, Vec<Problem>> {
    let document = Document::read(source, file)?;
    let mut problems = Vec::new();
    let mut ids = HashSet::new();
    for entry in &document.entries {
        let mut found = Vec::new();
        if let Some(name) = entry.model.as_str()
            && let Err(why @ (NotAModel::NotAllowed | NotAModel::Unknown)) = Model::of_name(name)
        {
            found.push(Problem::at(entry.model.span, why.message(name)));
        }
        for expr in parts(entry) {
            keys(expr, &ids, &mut found);
        }
        let named = found
            .into_iter()
            .map(|it| it.within(&entry.name).in_file(file));
        problems.extend(named);
        ids.extend(entry.name.id.as_deref());
    }
    if problems.is_empty() {
        Ok(document)
    } else {
        Err(problems)
    }
}

/// The entries whose models this version does not have, as far as no tag names them.
#[must_use]
pub fn unsupported(document: &Document) -> Vec<Unsupported> {
    let entries = document.entries.iter();
    let found = entries.filter_map(|entry| {
        let model = entry.model.as_str()?;
        (Model::of_name(model) == Err(NotAModel::Unsupported)).then(|| Unsupported {
            entry: entry.name.clone(),
            span: entry.model.span,
            model: model.to_owned(),
        })
    });
    found.collect()
}

/// What somebody has to be allowed to do before a blueprint is applied on their behalf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The entry's id, or which one it is.
    pub entry: String,
    /// The model in small letters; none where a tag names it.
    pub model: Option<String>,
    /// Whether it permits others something.
    pub grants: bool,
    /// The models that its tags look objects up in, in small letters; none where a tag names one.
    pub looks_up: Vec<Option<String>>,
}

/// What each entry demands, in order.
#[must_use]
pub fn demands(document: &Document) -> Vec<Demand> {
    // An entry may use any of the context, which is looked up only then.
    let context = document.context.iter().map(|(_, expr)| expr);
    let entries = document.entries.iter().map(|entry| Demand {
        entry: entry
            .name
            .id
            .clone()
            .unwrap_or_else(|| format!("entry {}", entry.name.number)),
        model: entry.model.as_str().map(str::to_ascii_lowercase),
        grants: !entry.permissions.is_empty(),
        looks_up: looked_up(parts(entry).chain(context.clone())),
    });
    entries.collect()
}

/// The models in which these look objects up.
fn looked_up<'a>(exprs: impl Iterator<Item = &'a Expr>) -> Vec<Option<String>> {
    let mut found = Vec::new();
    for expr in exprs {
        tags(expr, &mut |_, tag| {
            if let Tag::Find { model, .. } = tag {
                found.push(model.as_str().map(str::to_ascii_lowercase));
            }
        });
    }
    found
}

fn parts(entry: &Entry) -> impl Iterator<Item = &Expr> {
    [&entry.model, &entry.state, &entry.identifiers, &entry.attrs]
        .into_iter()
        .chain(&entry.conditions)
        .chain(&entry.permissions)
}

/// Finds each `!KeyOf` that names none of `ids`.
fn keys(expr: &Expr, ids: &HashSet<&str>, problems: &mut Vec<Problem>) {
    tags(expr, &mut |span, tag| {
        if let Tag::KeyOf(id) = tag
            && !ids.contains(id.as_str())
        {
            let message = format!("!KeyOf {id}: no entry before this one has this id");
            problems.push(Problem::at(span, message));
        }
    });
}

/// Looks at every tag, the outer ones first.
fn tags(expr: &Expr, look: &mut impl FnMut(Span, &Tag)) {
    match &expr.form {
        Form::Literal(_) => {}
        Form::Sequence(items) => items.iter().for_each(|item| tags(item, look)),
        Form::Mapping(pairs) => pairs.iter().for_each(|(_, item)| tags(item, look)),
        Form::Tag(tag) => {
            look(expr.span, tag);
            for inner in tag.inner() {
                tags(inner, look);
            }
        }
    }
}
