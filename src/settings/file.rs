//! The settings file: TOML, taken apart into dotted names with their lines.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::value::Given;
use super::{DEFAULT_FILE, Error, Origin, Sources, environment};

/// The path and text of the file, if there is one.
///
/// A file that a flag or `GATELOG_CONFIG` names must exist; [`DEFAULT_FILE`] need not.
pub(super) fn find(sources: &Sources) -> Result<Option<(PathBuf, String)>, Error> {
    let named = sources
        .file
        .clone()
        .or_else(|| environment::file(&sources.environment));
    let (path, must_exist) = match (named, &sources.directory) {
        (Some(path), _) => (path, true),
        (None, Some(directory)) => (directory.join(DEFAULT_FILE), false),
        (None, None) => return Ok(None),
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => Ok(None),
        Err(source) => Err(Error::File { path, source }),
    }
}

/// Every value of the file with its dotted name and line.
pub(super) fn read(path: &Path, text: &str) -> Result<Vec<(String, Given, Origin)>, Error> {
    let table = DeTable::parse(text).map_err(|error| Error::Syntax {
        path: path.to_owned(),
        problem: error.to_string().trim_end().to_owned(),
    })?;
    let mut found = Vec::new();
    flatten(path, text, "", table.get_ref(), &mut found);
    Ok(found)
}

fn flatten(
    path: &Path,
    text: &str,
    prefix: &str,
    table: &DeTable<'_>,
    found: &mut Vec<(String, Given, Origin)>,
) {
    for (name, value) in table {
        let key = format!("{prefix}{}", name.get_ref());
        if let DeValue::Table(inner) = value.get_ref() {
            flatten(path, text, &format!("{key}."), inner, found);
            continue;
        }
        let origin = Origin::File {
            path: path.to_owned(),
            line: text[..name.span().start].matches('\n').count() + 1,
        };
        let given = match value.get_ref() {
            DeValue::Array(items) => Given::List(items.iter().map(scalar).collect()),
            _ => Given::Text(scalar(value)),
        };
        found.push((key, given, origin));
    }
}

/// A scalar as its text. A table or list inside a list has no setting that would take it; its
/// text is left to the setting's parser to refuse.
fn scalar(value: &Spanned<DeValue<'_>>) -> String {
    match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(moment) => moment.to_string(),
        DeValue::Array(_) => "[...]".to_owned(),
        DeValue::Table(_) => "{...}".to_owned(),
    }
}
