//! What is known of objects beside what is stored in them, for filters, for sorting and for showing.

use jiff::Timestamp;

use super::super::directory::shown::said_of;
pub(super) use super::super::directory::shown::{Beside, beside};
use super::filter::Wanted;
use super::related::related;
use crate::blueprint::edit::{Found, Miss, Object, Staged, show};

/// The fields of an object, and what is known of it beside them, as far as anybody asks.
///
/// # Errors
/// What has to be read first.
pub(super) fn row(
    object: &Object,
    staged: &Staged,
    beside: &Beside,
    wanted: &[Wanted],
    inherited: bool,
) -> Result<Found, Miss> {
    let mut row = show(object, staged)?;
    if let Some(more) = beside.get(&object.stream().id) {
        row.fields.extend(more.clone());
    }
    let field = |wanted: &Wanted| wanted.0.field.split("__").next();
    let mut fields = wanted.iter().filter_map(field);
    let asks = fields.any(|field| !row.fields.contains_key(field));
    if asks {
        row.fields.extend(said_of(object, staged, inherited)?);
    }
    // An invitation is searched by the name of whoever made it.
    if asks || matches!(object, Object::Invitation(_)) {
        row.fields.extend(related(object, staged)?);
    }
    Ok(row)
}

/// Whether an object's time is over, so that nobody sees it any more.
pub(super) fn is_over(object: &Object, now: Timestamp) -> bool {
    matches!(object, Object::Token(token) if token.is_expired(now))
}
