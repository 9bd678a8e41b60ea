//! The whole list in one file, sorted by hash: halved until the line is found, and never read as a
//! whole, since it has more than 40 GB.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::{DIGITS, Error, Hash, lines};

/// More than the longest line: the hash, a colon, a number of 20 digits and the end of the line.
const LINE: u64 = 64;

pub(super) fn count_in_file(path: &Path, hash: &Hash) -> Result<u64, Error> {
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    count(file, hash.whole())
}

fn unreadable(error: &io::Error) -> Error {
    Error::Unreadable(error.kind().to_string())
}

/// How often the password with this hash was stolen.
pub(super) fn count(mut list: impl Read + Seek, hash: &str) -> Result<u64, Error> {
    let mut end = list
        .seek(SeekFrom::End(0))
        .map_err(|error| unreadable(&error))?;
    // The line that is looked for, if it is there, begins at `begin` or after it, before `end`;
    // a line begins at `begin`.
    let mut begin = 0;
    while begin < end {
        let middle = begin + (end - begin) / 2;
        let from = middle.saturating_sub(LINE).max(begin);
        let window = read(&mut list, from).map_err(|error| unreadable(&error))?;
        let before = usize::try_from(middle - from).map_err(|_| Error::NotAList)?;
        let before = window.get(..before).ok_or(Error::NotAList)?;
        // The line in the middle of which, or at the start of which, the middle lies.
        let start = match before.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => at + 1,
            None if from == begin => 0,
            None => return Err(Error::NotAList),
        };
        let line = &window[start..];
        let length = line.iter().position(|byte| *byte == b'\n');
        let is_last = window.len() < usize::try_from(2 * LINE).unwrap_or(usize::MAX);
        let (line, next) = match length {
            Some(length) => (&line[..length], start + length + 1),
            None if is_last => (line, window.len()),
            None => return Err(Error::NotAList),
        };
        let (digits, count) = lines::parse(line.trim_ascii_end(), DIGITS)?;
        match digits.to_ascii_uppercase().as_slice().cmp(hash.as_bytes()) {
            Ordering::Equal => return Ok(count),
            Ordering::Less => begin = from + next as u64,
            Ordering::Greater => end = from + start as u64,
        }
    }
    Ok(0)
}

/// Two lines' worth from here, less at the end of the file.
fn read(list: &mut (impl Read + Seek), from: u64) -> io::Result<Vec<u8>> {
    let mut window = Vec::new();
    list.seek(SeekFrom::Start(from))?;
    list.by_ref().take(2 * LINE).read_to_end(&mut window)?;
    Ok(window)
}
