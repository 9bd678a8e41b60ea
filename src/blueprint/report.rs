//! What an import did, entry by entry.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::problem::{EntryName, Span};

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// One for each entry of every blueprint that was applied, in the order of their turn.
    pub entries: Vec<Applied>,
    /// What is worth a look although nothing is wrong.
    pub notes: Vec<Note>,
    /// What became of each object that is not as it was, whichever entry it was for: also of those
    /// that went with another.
    pub changes: Vec<Changed>,
}

/// An object that is not as it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changed {
    /// Its model.
    pub model: &'static str,
    /// What people call it.
    pub name: String,
    /// Its key: a number for a user, else an identifier.
    pub pk: Value,
    /// Whether it was created, updated or deleted.
    pub outcome: Outcome,
    /// What is different; of one that was deleted, nothing more than that.
    pub fields: Vec<FieldChange>,
}

/// A field that is not as it was. Objects that it refers to are named as people call them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldChange {
    /// Which field.
    pub field: String,
    /// What was in it; null in a new object, and of a secret.
    pub from: Value,
    /// What is in it; null of a secret.
    pub to: Value,
    /// Whether its values are never shown.
    pub secret: bool,
}

/// What became of one entry.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Applied {
    /// The file of the entry.
    pub file: String,
    /// Where the entry begins.
    pub span: Span,
    /// Which entry it is.
    pub entry: EntryName,
    /// The model, also where a tag named it.
    pub model: String,
    /// What happened.
    pub outcome: Outcome,
    /// What people call the object, such as a flow's slug; of one that is left out, by what the
    /// entry finds it.
    pub name: Option<String>,
    /// The object's key: a number for a user, else an identifier.
    pub pk: Option<Value>,
    /// Why it is left out, or is there although no entry asks for it.
    pub why: Option<String>,
    /// The fields of the entry that its model does not have, such as those of former years.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<String>,
    /// The fields that were filled in, or said in today's words, because the file is so old that
    /// it does not have them.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub filled: Map<String, Value>,
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was made.
    Created,
    /// It was changed.
    Updated,
    /// It was as wanted already, and is not written again.
    Unchanged,
    /// It was removed, and what cannot be without it.
    Deleted,
    /// It was to be removed but did not exist.
    Absent,
    /// A condition of the entry did not hold.
    Skipped,
    /// This version does not have the model, or what the entry builds on; it was left out.
    Unsupported,
    /// Another blueprint was applied, or had been before in the same run.
    Applied,
    /// Another blueprint was asked for, which does not exist and is not required.
    Missing,
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::Absent => "absent",
            Self::Skipped => "skipped",
            Self::Unsupported => "unsupported",
            Self::Applied => "applied",
            Self::Missing => "missing",
        }
    }
}

/// A remark about an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The file of the entry.
    pub file: String,
    /// Where the entry begins.
    pub span: Span,
    /// Which entry it is.
    pub entry: EntryName,
    /// The remark.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file, entry, text, ..
        } = self;
        write!(f, "{file}:{}: {entry}: {text}", self.span.line)
    }
}

/// What is to be said of fields that were ignored and of those that were filled in.
pub(super) fn of_fields(ignored: &[String], filled: &Map<String, Value>) -> Vec<String> {
    let mut said = Vec::new();
    if !ignored.is_empty() {
        let fields = ignored.join(", ");
        said.push(format!("fields that are not known are ignored: {fields}"));
    }
    if !filled.is_empty() {
        let fields = filled
            .iter()
            .map(|(name, value)| format!("{name}: {value}"));
        let fields: Vec<_> = fields.collect();
        let fields = fields.join(", ");
        said.push(format!(
            "the file is older than these fields, which are filled in: {fields}"
        ));
    }
    said
}

impl Report {
    /// How many entries ended so.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        let same = self.entries.iter().filter(|it| it.outcome == outcome);
        same.count()
    }

    /// The report as lines for people, one for each entry and each note.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let entries = self.entries.iter().map(|it| {
            let name = it.name.as_deref().unwrap_or("-");
            let outcome = it.outcome.as_str();
            let why = it.why.as_ref();
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            format!(
                "{}:{}: {outcome} {} {name}{why}",
                it.file, it.span.line, it.model
            )
        });
        entries
            .chain(self.notes.iter().map(ToString::to_string))
            .collect()
    }
}
