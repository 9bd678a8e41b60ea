//! Verifying that nothing in a stream was altered, taken out or put in. Needs no key.

use super::frame::Record;
use super::{Hash, Version};

/// Follows the records of one stream from its first and returns the hash of the last one.
///
/// Removed bodies are no damage. That the end is missing cannot be seen from the records alone:
/// compare the returned hash with the one that was recorded elsewhere.
///
/// # Errors
/// The first version that is not what was written, and what is wrong with it.
pub fn verify_chain<'a>(
    records: impl IntoIterator<Item = &'a Record>,
) -> Result<Hash, (Version, String)> {
    let mut version = Version::NONE;
    let mut previous = Hash::default();
    let mut stream = None;
    for record in records {
        version = version.next();
        let frame = &record.frame;
        if frame.version != version {
            return Err((
                version,
                format!("version {} is in its place", frame.version),
            ));
        }
        if *stream.get_or_insert(frame.stream) != frame.stream {
            return Err((version, format!("it belongs to {}", frame.stream)));
        }
        record
            .check(previous)
            .map_err(|problem| (version, problem))?;
        previous = frame.hash();
    }
    Ok(previous)
}
