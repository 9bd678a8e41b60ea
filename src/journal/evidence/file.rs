//! Files of signed checkpoints, to which one is added now and then.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::checkpoint::CUT_OFF;
use super::{Signed, Verifier, read_all, whole};
use crate::journal::{Error, Result};

/// The name of the file of checkpoints in a data directory.
pub const CHECKPOINTS: &str = "checkpoints.signed";

/// The name of the file in a data directory that has the key to check them with.
pub const KEY: &str = "checkpoints.key";

/// A file that checkpoints are added to. Whoever moves it away gets a new one with the next.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    last: Option<Signed>,
    /// Whether the file ends with a part of a checkpoint that cannot be taken away.
    is_torn: bool,
}

impl Ledger {
    /// Looks for the last checkpoint in the file. One that a crash cut off is taken away.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is a file of something else.
    pub fn open(path: &Path) -> Result<Self> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Error::io(path, error)),
        };
        let end = whole(&text);
        let last = parse(path, &text[..end], None)?.pop();
        let mut is_torn = false;
        if end < text.len() {
            let is_ours = last.is_some() || could_be_cut_off(&text);
            if !is_ours {
                return Err(damaged(path, "it has no checkpoints in it".into()));
            }
            let file = File::options().write(true).open(path);
            // Some file systems let a file only grow.
            is_torn = file.and_then(|file| file.set_len(end as u64)).is_err();
        }
        Ok(Self {
            path: path.to_path_buf(),
            last,
            is_torn,
        })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last checkpoint in it. Nobody has looked at its signature.
    #[must_use]
    pub fn last(&self) -> Option<&Signed> {
        self.last.as_ref()
    }

    /// Adds a checkpoint, on the disk when this returns; not the same one twice.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, signed: &Signed) -> Result<()> {
        if self.last.as_ref() == Some(signed) && self.path.exists() {
            return Ok(());
        }
        let io = |error| Error::io(&self.path, error);
        let mut options = File::options();
        let mut file = options
            .create(true)
            .append(true)
            .open(&self.path)
            .map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let is_new = length == 0;
        let cut_off = format!("{CUT_OFF}\n\n");
        let before = match (is_new, self.is_torn) {
            (true, _) => "",
            (false, true) => cut_off.as_str(),
            (false, false) => "\n",
        };
        let written = file.write_all(format!("{before}{}", signed.note).as_bytes());
        if let Err(error) = written.and_then(|()| file.sync_all()) {
            // A part of it may be there, and the next must not stand behind half a one.
            self.is_torn |= file.set_len(length).is_err();
            return Err(io(error));
        }
        self.is_torn = false;
        if is_new {
            let parent = self.path.parent().filter(|it| !it.as_os_str().is_empty());
            File::open(parent.unwrap_or(Path::new(".")))
                .and_then(|parent| parent.sync_all())
                .map_err(io)?;
        }
        self.last = Some(signed.clone());
        Ok(())
    }
}

/// A first checkpoint that was being written when the power went begins with a name of ours.
fn could_be_cut_off(text: &[u8]) -> bool {
    text.len() < 300 && text.starts_with(&b"gatelog-"[..text.len().min(8)])
}

/// The checkpoints that lie in a data directory, and the key that they were checked with, where
/// there is one. No files are no checkpoints.
///
/// # Errors
/// [`Error::Damaged`] when one of the files is not what was written.
pub fn read(directory: &Path) -> Result<(Vec<Signed>, Option<Verifier>)> {
    let key_path = directory.join(KEY);
    let verifier = match fs::read_to_string(&key_path) {
        Ok(text) => {
            let key = text.strip_suffix('\n').unwrap_or(&text).parse();
            Some(key.map_err(|error: super::Error| damaged(&key_path, error.to_string()))?)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            return Err(damaged(&key_path, "it is no text".into()));
        }
        Err(error) => return Err(Error::io(key_path, error)),
    };
    let path = directory.join(CHECKPOINTS);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Vec::new(), verifier)),
        Err(error) => return Err(Error::io(path, error)),
    };
    let checkpoints = parse(&path, &text[..whole(&text)], verifier.as_ref())?;
    Ok((checkpoints, verifier))
}

/// Leaves the key where the checkpoints lie, unless there is one already.
///
/// # Errors
/// [`Error::Damaged`] when there is another one.
pub fn leave_key(directory: &Path, verifier: &Verifier) -> Result<()> {
    let path = directory.join(KEY);
    let io = |error| Error::io(&path, error);
    let line = format!("{verifier}\n");
    match fs::read(&path) {
        Ok(text) if text == line.as_bytes() => return Ok(()),
        Ok(text) if !text.is_empty() => {
            return Err(damaged(
                &path,
                "it is the key of another journal: restore the file, or the directory `keys`, \
                 from a backup, or move it and checkpoints.signed away to begin anew"
                    .into(),
            ));
        }
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let mut file = File::create(&path).map_err(io)?;
    file.write_all(line.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(io)
}

fn parse(path: &Path, text: &[u8], verifier: Option<&Verifier>) -> Result<Vec<Signed>> {
    let text = std::str::from_utf8(text).map_err(|_| damaged(path, "it is no text".into()))?;
    read_all(text, verifier).map_err(|error| damaged(path, error.to_string()))
}

fn damaged(path: &Path, problem: String) -> Error {
    Error::Damaged {
        path: path.to_path_buf(),
        problem,
    }
}
