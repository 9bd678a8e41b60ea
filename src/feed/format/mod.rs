//! The forms in which an item is written down. Each only computes.

mod json;
mod ocsf;
mod syslog;

#[cfg(test)]
mod tests;

use super::Item;
use crate::settings::FeedFormat;

/// The lines of an item, without their ends; none where the form has no word for it.
#[must_use]
pub fn lines(format: FeedFormat, item: &Item) -> Vec<String> {
    match format {
        FeedFormat::Json => vec![json::line(item)],
        FeedFormat::Ocsf => ocsf::lines(item),
        FeedFormat::Syslog => syslog::lines(item),
    }
}
