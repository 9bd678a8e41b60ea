//! The blueprints that come with the server, and applying them at the first start.

use super::document::Document;
use super::import::{Error, Options, apply};
use super::report::Report;
use super::syntax::Syntax;
use crate::clock::Clock;
use crate::journal::Journal;

const DEFAULTS: &[(&str, &str)] = &[
    (
        "Default - Authentication flow",
        include_str!("default/authentication.yaml"),
    ),
    (
        "Default - Invalidation flow",
        include_str!("default/invalidation.yaml"),
    ),
    ("Default - Brand", include_str!("default/brand.yaml")),
];

/// The `metadata.name` and the source of each blueprint that comes with the server.
#[must_use]
pub fn defaults() -> &'static [(&'static str, &'static str)] {
    DEFAULTS
}

/// Applies all of them in one commit. What they made before and nobody changed is not written
/// again; what was changed since is set back, so this is for the first start. Their expressions
/// are not checked: a test has done that.
///
/// # Errors
/// As [`apply`].
pub async fn apply_defaults(
    journal: &dyn Journal,
    clock: &Clock,
    options: &Options<'_>,
) -> Result<Report, Error> {
    let mut documents = Vec::with_capacity(DEFAULTS.len());
    for (name, source) in DEFAULTS {
        documents.push(Document::read(source, name).map_err(Error::Invalid)?);
    }
    let options = Options {
        syntax: Syntax::Known,
        ..options.clone()
    };
    apply(journal, clock, &documents, &options).await
}
