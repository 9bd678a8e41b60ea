//! In which order a list comes.

use std::cmp::Ordering;

use serde_json::Value;

use super::super::listing::Listing;
use super::Resource;
use crate::blueprint::edit::{Found, Miss, Object, Staged, follow};
use crate::journal::Kind;

/// The fields that a list is sorted by: those asked for, and then the usual ones.
fn fields<'a>(resource: &Resource, listing: &'a Listing) -> Vec<(&'a str, bool)> {
    let mut fields = listing.ordering();
    fields.extend(resource.order.iter().map(|field| {
        let downwards = field.strip_prefix('-');
        (downwards.unwrap_or(field), downwards.is_some())
    }));
    fields
}

/// What an object is sorted by.
///
/// # Errors
/// What has to be read first.
pub(super) fn keys(
    resource: &Resource,
    listing: &Listing,
    (kind, row): (Kind, &Found),
    staged: &Staged,
) -> Result<Vec<Value>, Miss> {
    let fields = fields(resource, listing).into_iter();
    fields
        .map(|(field, _)| {
            let path: Vec<&str> = field.split("__").collect();
            follow(kind, row, &path, staged)
        })
        .collect()
}

/// Sorts the rows by their keys; fields that no object has make no difference.
pub(super) fn sort(resource: &Resource, listing: &Listing, rows: &mut [(Vec<Value>, Object)]) {
    let downwards: Vec<bool> = fields(resource, listing).iter().map(|it| it.1).collect();
    rows.sort_by(|(one, _), (other, _)| {
        let pairs = one.iter().zip(other).zip(&downwards);
        pairs.fold(Ordering::Equal, |order, ((one, other), downwards)| {
            order.then_with(|| {
                let order = compare(one, other);
                if *downwards { order.reverse() } else { order }
            })
        })
    });
}

/// Numbers by size, texts by letters; what is null comes last.
fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one
            .as_f64()
            .partial_cmp(&other.as_f64())
            .unwrap_or(Ordering::Equal),
        (Value::String(one), Value::String(other)) => one.cmp(other),
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (one, other) => one.is_null().cmp(&other.is_null()),
    }
}
