//! By what a list is filtered, and what is searched.

use serde_json::Value;

use super::super::listing::Listing;
use super::Resource;
use crate::blueprint::edit::{Found, Miss, Staged, compare, follow};
use crate::flow::query::Query;
use crate::http::Error;
use crate::http::api::body::wrong;
use crate::journal::Kind;

/// One way to filter a list.
#[derive(Clone, Copy)]
pub(crate) struct Filter {
    /// The parameter.
    pub(crate) name: &'static str,
    /// The field that it looks at, with the path and the comparison in Django's spelling, such as
    /// `stage__name` or `name__icontains`.
    pub(crate) field: &'static str,
    /// What fits.
    pub(crate) fits: Fits,
}

/// What fits in a filter.
#[derive(Clone, Copy)]
pub(crate) enum Fits {
    /// Any text.
    Text,
    /// True or false.
    Flag,
    /// A whole number.
    Integer,
    /// An identifier.
    Uuid,
    /// One of these words.
    Word(fn() -> Vec<&'static str>),
    /// Several identifiers, each as a parameter or with commas between: whatever has any of them.
    Uuids,
    /// A moment.
    Moment,
    /// Texts, each as a parameter: whatever has any of them.
    Texts,
    /// Whole numbers, each as a parameter or with commas between.
    Integers,
    /// Some of these words.
    Words(fn() -> Vec<&'static str>),
    /// A mapping, written as JSON, that has to be a part of the field.
    Object,
}

impl Filter {
    /// A filter by the field of the same name.
    pub(crate) const fn of(name: &'static str, fits: Fits) -> Self {
        Self {
            name,
            field: name,
            fits,
        }
    }
}

/// A filter by a text.
pub(crate) const fn text(name: &'static str) -> Filter {
    Filter::of(name, Fits::Text)
}

/// A filter by yes or no.
pub(crate) const fn flag(name: &'static str) -> Filter {
    Filter::of(name, Fits::Flag)
}

/// A filter by a whole number.
pub(crate) const fn number(name: &'static str) -> Filter {
    Filter::of(name, Fits::Integer)
}

/// A filter by an identifier.
pub(crate) const fn id(name: &'static str) -> Filter {
    Filter::of(name, Fits::Uuid)
}

/// A filter by any of several identifiers.
pub(crate) const fn ids(name: &'static str) -> Filter {
    Filter::of(name, Fits::Uuids)
}

/// A filter by one of these words.
pub(crate) const fn word(name: &'static str, words: fn() -> Vec<&'static str>) -> Filter {
    Filter::of(name, Fits::Word(words))
}

/// A filter that was asked for, and the values any of which will do.
pub(super) type Wanted = (&'static Filter, Vec<Value>);

/// The filters that a request asks for.
///
/// # Errors
/// 400 with a complaint for a value that does not fit.
pub(super) fn wanted(resource: &Resource, query: &Query) -> Result<Vec<Wanted>, Error> {
    let mut found = Vec::new();
    for filter in resource.filters {
        let given: Vec<&str> = query.all(filter.name).collect();
        let values = match filter.fits {
            Fits::Uuids | Fits::Integers => given.iter().flat_map(|it| it.split(',')).collect(),
            Fits::Texts | Fits::Words(_) => given,
            _ => given.last().copied().into_iter().collect::<Vec<_>>(),
        };
        let values: Vec<Value> = values
            .into_iter()
            .filter(|it| !it.is_empty())
            .map(|it| read(filter.fits, it).map_err(|text| wrong(filter.name, text)))
            .collect::<Result<_, _>>()?;
        if !values.is_empty() {
            found.push((filter, values));
        }
    }
    Ok(found)
}

/// The complaints are those of django-filter.
fn read(fits: Fits, text: &str) -> Result<Value, String> {
    match fits {
        Fits::Text | Fits::Texts => Ok(text.into()),
        Fits::Object => serde_json::from_str::<Value>(text)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| "Value must be valid JSON.".to_owned()),
        // Anything else counts as unknown there, which asks for nothing.
        Fits::Flag => Ok(match text.to_ascii_lowercase().as_str() {
            "true" | "1" => true.into(),
            "false" | "0" => false.into(),
            _ => return Err("Enter a valid boolean.".to_owned()),
        }),
        Fits::Integer | Fits::Integers => text
            .trim()
            .parse::<i64>()
            .map(Into::into)
            .map_err(|_| "Enter a number.".to_owned()),
        Fits::Uuid | Fits::Uuids => text
            .trim()
            .parse::<uuid::Uuid>()
            .map(|id| id.to_string().into())
            .map_err(|_| "Enter a valid UUID.".to_owned()),
        Fits::Word(words) | Fits::Words(words) if words().contains(&text) => Ok(text.into()),
        Fits::Word(_) | Fits::Words(_) => Err(format!(
            "Select a valid choice. {text} is not one of the available choices."
        )),
        Fits::Moment => text
            .parse::<jiff::Timestamp>()
            .map(|at| at.to_string().into())
            .map_err(|_| "Enter a valid date/time.".to_owned()),
    }
}

/// Whether an object is what a request asks for.
///
/// # Errors
/// What has to be read first.
pub(super) fn fits(
    resource: &Resource,
    wanted: &[Wanted],
    listing: &Listing,
    (kind, row): (Kind, &Found),
    staged: &Staged,
) -> Result<bool, Miss> {
    for (filter, values) in wanted {
        let (path, lookup) = split(filter.field);
        let value = follow(kind, row, &path, staged)?;
        if !values.iter().any(|wanted| compare(lookup, &value, wanted)) {
            return Ok(false);
        }
    }
    let mut texts = Vec::with_capacity(resource.search.len());
    for field in resource.search {
        let path: Vec<&str> = field.split("__").collect();
        texts.push(match follow(kind, row, &path, staged)? {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        });
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    Ok(listing.finds(&texts))
}

/// The path of a filter's field, and the comparison at its end.
fn split(field: &'static str) -> (Vec<&'static str>, &'static str) {
    let mut path: Vec<&str> = field.split("__").collect();
    let lookup = match path.last() {
        Some(&("isnull" | "icontains" | "startswith" | "gt" | "lt" | "contains")) => {
            path.pop().unwrap_or("exact")
        }
        _ => "exact",
    };
    (path, lookup)
}
