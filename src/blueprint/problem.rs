//! What is wrong with a blueprint, and where.
//!
//! A problem never repeats a value that could be a secret.

use std::fmt;

/// A place in a source text; line and column count from 1, and 0 means "nowhere in particular".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Span {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// Which entry of a blueprint is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct EntryName {
    /// Its place in the file; the first is 1, sections are counted through.
    pub number: usize,
    /// Its handle for `!KeyOf`.
    pub id: Option<String>,
    /// Its model, where that is known without resolving a tag.
    pub model: Option<String>,
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {}", self.number)?;
        match (&self.id, &self.model) {
            (Some(id), Some(model)) => write!(f, " ({id}, {model})"),
            (Some(one), None) | (None, Some(one)) => write!(f, " ({one})"),
            (None, None) => Ok(()),
        }
    }
}

/// One thing that is wrong with a blueprint.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, thiserror::Error)]
pub struct Problem {
    /// The file, as the caller named it.
    pub file: String,
    /// Where in the file.
    pub span: Span,
    /// The entry that it belongs to, if it belongs to one.
    pub entry: Option<Box<EntryName>>,
    /// The field of the entry's object, such as `designation`.
    pub field: Option<String>,
    /// What is wrong and, where it is not plain, what would be right.
    pub message: String,
}

impl Problem {
    /// A problem at `span`; the file and the entry are filled in by whoever knows them.
    pub(super) fn at(span: Span, message: impl Into<String>) -> Self {
        Self {
            file: String::new(),
            span,
            entry: None,
            field: None,
            message: message.into(),
        }
    }

    /// The same problem, said of this field.
    pub(super) fn of_field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    /// The same problem, said of this entry unless one is named already.
    pub(super) fn within(mut self, entry: &EntryName) -> Self {
        self.entry.get_or_insert_with(|| Box::new(entry.clone()));
        self
    }

    /// The same problem, said of this file unless one is named already.
    pub(super) fn in_file(mut self, file: &str) -> Self {
        if self.file.is_empty() {
            file.clone_into(&mut self.file);
        }
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.span.line, self.span.column)?;
        if let Some(entry) = &self.entry {
            write!(f, "{entry}: ")?;
        }
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.message)
    }
}
