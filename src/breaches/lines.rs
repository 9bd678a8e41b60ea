//! The lines of one range: the rest of each hash and how often its password was stolen.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::{DIGITS, Error, RANGE};

/// The most that a range may have, in bytes. The published ones have 40 KiB or so.
pub(super) const LONGEST: usize = 1 << 20;

/// The text of a file.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let most = u64::try_from(LONGEST).unwrap_or(u64::MAX) + 1;
    File::open(path)?.take(most).read_to_end(&mut text)?;
    Ok(text)
}

/// How often the password was stolen whose hash ends with `rest`. Each line is looked at: a page
/// that somebody else answers with must not pass for a list that does not have the password.
pub(super) fn count(text: &[u8], rest: &str) -> Result<u64, Error> {
    if text.len() > LONGEST {
        return Err(Error::NotAList);
    }
    let mut found = 0;
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            continue;
        }
        let (digits, count) = parse(line, DIGITS - RANGE)?;
        if digits.eq_ignore_ascii_case(rest.as_bytes()) {
            found = count;
        }
    }
    Ok(found)
}

/// Reads `digits:count`, where there are so many hexadecimal digits.
pub(super) fn parse(line: &[u8], digits: usize) -> Result<(&[u8], u64), Error> {
    let (hash, count) = line.split_at_checked(digits).ok_or(Error::NotAList)?;
    let count = count.strip_prefix(b":").ok_or(Error::NotAList)?;
    let is_number = !count.is_empty() && count.iter().all(u8::is_ascii_digit);
    if !is_number || !hash.iter().all(u8::is_ascii_hexdigit) {
        return Err(Error::NotAList);
    }
    let count = std::str::from_utf8(count)
        .ok()
        .and_then(|it| it.parse().ok());
    Ok((hash, count.ok_or(Error::NotAList)?))
}
