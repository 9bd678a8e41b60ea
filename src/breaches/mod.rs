//! Whether a password is in a list of stolen ones: the published list of `haveibeenpwned.com`, in
//! a file or a directory of this machine, or behind an address that answers like theirs.
//!
//! It looks up and judges nothing. What leaves the machine is the first five hexadecimal digits of
//! the SHA-1 of the password, which hundreds of passwords share; neither they nor anything else of
//! the password is in an error.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use sha1::{Digest, Sha1};
use tokio::task::spawn_blocking;

mod lines;
mod remote;
mod sorted;

use remote::Remote;

/// How many digits of the hash name a range.
const RANGE: usize = 5;

/// How many digits the hash has.
const DIGITS: usize = 40;

/// Where stolen passwords are listed.
#[derive(Debug, Default)]
pub struct Breaches(Source);

#[derive(Debug, Default)]
enum Source {
    /// Nowhere.
    #[default]
    Nothing,
    /// A file with all hashes, sorted.
    File(PathBuf),
    /// A directory with one file for each range.
    Directory(PathBuf),
    /// A server that answers for ranges.
    Remote(Remote),
}

/// Why a list of stolen passwords gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error("no list of stolen passwords is configured")]
    NoList,
    /// The file, or that of the range, cannot be read.
    #[error("the list of stolen passwords cannot be read: {0}")]
    Unreadable(String),
    /// What is there is no such list.
    #[error("what should be a list of stolen passwords is none")]
    NotAList,
    /// The server cannot be reached, or did not answer in time.
    #[error("the list of stolen passwords could not be asked: {0}")]
    Unreachable(String),
    /// The server refused.
    #[error("the list of stolen passwords could not be asked: it answered {0}")]
    Refused(u16),
}

impl Breaches {
    /// The list in `file`, which may be a directory; without one, the list behind `url`, to which
    /// the digits of the range are added.
    ///
    /// # Errors
    /// When there is neither file nor directory of that name.
    pub fn new(file: Option<&Path>, url: Option<&str>) -> std::io::Result<Self> {
        Ok(Self(match (file, url) {
            (Some(path), _) if std::fs::metadata(path)?.is_dir() => {
                Source::Directory(path.to_owned())
            }
            (Some(path), _) => {
                // Whoever may not read it is told at the start, not at the first password.
                std::fs::File::open(path)?;
                Source::File(path.to_owned())
            }
            (None, Some(url)) => Source::Remote(Remote::new(url)),
            (None, None) => Source::Nothing,
        }))
    }

    /// How often a password was stolen, as far as the list knows.
    ///
    /// # Errors
    /// When the list gives no answer.
    pub async fn count(&self, password: &SecretString) -> Result<u64, Error> {
        let hash = Hash::of(password);
        match &self.0 {
            Source::Nothing => Err(Error::NoList),
            Source::File(path) => {
                let path = path.clone();
                blocking(move || sorted::count_in_file(&path, &hash)).await
            }
            Source::Directory(path) => {
                let path = path.clone();
                blocking(move || count_in_directory(&path, &hash)).await
            }
            Source::Remote(remote) => {
                let answer = remote.range(hash.range()).await?;
                lines::count(&answer, hash.rest())
            }
        }
    }
}

async fn blocking(
    work: impl FnOnce() -> Result<u64, Error> + Send + 'static,
) -> Result<u64, Error> {
    let counted = spawn_blocking(work).await;
    counted.unwrap_or_else(|_| Err(Error::Unreadable("the search was broken off".to_owned())))
}

/// The SHA-1 of a password, in upper case hexadecimal digits.
struct Hash(String);

impl Hash {
    fn of(password: &SecretString) -> Self {
        let digest = Sha1::digest(password.expose_secret());
        let mut digits = String::with_capacity(DIGITS);
        for byte in digest {
            write!(digits, "{byte:02X}").expect("a string takes any text");
        }
        Self(digits)
    }

    fn whole(&self) -> &str {
        &self.0
    }

    fn range(&self) -> &str {
        &self.0[..RANGE]
    }

    fn rest(&self) -> &str {
        &self.0[RANGE..]
    }
}

/// Looks into the file of the range, whose name is its digits with or without `.txt`.
fn count_in_directory(path: &Path, hash: &Hash) -> Result<u64, Error> {
    let range = hash.range();
    let small = range.to_lowercase();
    let names = [
        format!("{range}.txt"),
        range.to_owned(),
        format!("{small}.txt"),
        small,
    ];
    for name in names {
        match lines::read(&path.join(name)) {
            Ok(text) => return lines::count(&text, hash.rest()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::Unreadable(error.kind().to_string())),
        }
    }
    Err(Error::Unreadable("a range has no file".to_owned()))
}

#[cfg(test)]
mod tests;
