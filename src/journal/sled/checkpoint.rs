//! The plain file `checkpoints`: how long the log was, and the hash over it, now and then.
//!
//! It lies outside of sled, so a log that was cut off or exchanged does not agree with it. A
//! line is `position step root`; lines are only ever added.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::super::{Error, Hash, Result};
use super::disk;
use super::place::Place;
use super::state::Applied;

/// The file, open for adding lines.
pub(super) struct Checkpoints {
    file: File,
    path: PathBuf,
    last: Option<Applied>,
}

impl Checkpoints {
    /// Opens the file, which is made when it does not exist. A last line that a crash cut off
    /// is taken away.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let io = |error| Error::io(path, error);
        let new = !path.exists();
        let file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .map_err(io)?;
        if new {
            file.sync_all().map_err(io)?;
            disk::sync_parent(path)?;
        }
        let text = fs::read(path).map_err(io)?;
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(io)?;
        }
        let last = read(path)?.pop();
        Ok(Self {
            file,
            path: path.to_path_buf(),
            last,
        })
    }

    /// What the last line says.
    pub(super) fn last(&self) -> Option<Applied> {
        self.last
    }

    /// Adds a line, unless the last one says the same. The log up to there must be durable.
    pub(super) fn add(&mut self, applied: Applied) -> Result<()> {
        if self.last == Some(applied) || applied == Applied::START {
            return Ok(());
        }
        self.file
            .write_all(line(applied).as_bytes())
            .map_err(|error| Error::io(&self.path, error))?;
        self.last = Some(applied);
        Ok(())
    }

    /// Makes the lines durable.
    pub(super) fn sync(&self) -> Result<()> {
        self.file
            .sync_data()
            .map_err(|error| Error::io(&self.path, error))
    }
}

/// All lines of the file, oldest first; none when there is no file. A last line without its end
/// is left out.
pub(super) fn read(path: &Path) -> Result<Vec<Applied>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(path, error)),
    };
    let mut lines = text.split_inclusive(|byte| *byte == b'\n').enumerate();
    let mut checkpoints: Vec<Applied> = Vec::new();
    for (number, bytes) in &mut lines {
        let Some(bytes) = bytes.strip_suffix(b"\n") else {
            break;
        };
        let checkpoint = std::str::from_utf8(bytes).ok().and_then(parse);
        let in_order = |at: &Applied| checkpoints.last().is_none_or(|last| last.place < at.place);
        let Some(checkpoint) = checkpoint.filter(in_order) else {
            return Err(Error::Damaged {
                path: path.to_path_buf(),
                problem: format!(
                    "line {} is not what was written: restore the file from a backup, or take \
                     the line away to accept that",
                    number + 1
                ),
            });
        };
        checkpoints.push(checkpoint);
    }
    Ok(checkpoints)
}

fn line(applied: Applied) -> String {
    let place = applied.place.to_bytes();
    let (position, step) = place.split_at(8);
    let mut line = String::with_capacity(100);
    for (part, end) in [(position, ' '), (step, ' '), (&applied.root.0, '\n')] {
        for byte in part {
            write!(line, "{byte:02x}").expect("a text can be written to");
        }
        line.push(end);
    }
    line
}

fn parse(line: &str) -> Option<Applied> {
    let mut parts = line.split(' ');
    let position = bytes::<8>(parts.next()?)?;
    let step = bytes::<4>(parts.next()?)?;
    let root = bytes::<32>(parts.next()?)?;
    let place = Place::from_bytes(&[&position[..], &step].concat())?;
    parts.next().is_none().then_some(Applied {
        place,
        root: Hash(root),
    })
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    // `from_str_radix` takes a plus sign and capitals, which we never write.
    let plain = |digit: &u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(digit);
    if digits.len() != 2 * N || !digits.iter().all(plain) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, digits) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: u64) -> Applied {
        Applied {
            place: Place::record(position),
            root: Hash([position.to_le_bytes()[0]; 32]),
        }
    }

    #[test]
    fn lines_are_read_as_they_were_added() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("checkpoints");
        let mut checkpoints = Checkpoints::open(&path).expect("opens");
        for position in [1, 1, 5, 9] {
            checkpoints.add(at(position)).expect("adds");
        }
        assert_eq!(read(&path).expect("reads"), [at(1), at(5), at(9)]);
        let mut text = fs::read(&path).expect("reads");
        text.extend_from_slice(b"00000");
        fs::write(&path, text).expect("writes");
        let mut again = Checkpoints::open(&path).expect("opens");
        assert_eq!(again.last(), Some(at(9)));
        again.add(at(10)).expect("adds");
        assert_eq!(read(&path).expect("reads").len(), 4);
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("checkpoints");
        let good = line(at(3));
        for at in 0..good.len() - 1 {
            let mut bad = good.clone().into_bytes();
            bad[at] = b'x';
            fs::write(&path, bad).expect("writes");
            let error = read(&path).expect_err("notices");
            assert!(error.to_string().contains("line 1"));
        }
    }
}
