//! Mails that were written to files: what stands in them, and how they are removed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

/// No mail of this program is larger.
const LARGEST: u64 = 32 << 20;

/// A mail that was written to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The mail.
    pub mail: Uuid,
    path: PathBuf,
}

impl Kept {
    /// The mail of a file by its name, whole or half written.
    fn of(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let id = match name.strip_suffix(".eml") {
            Some(name) => name.split_once('-')?.1,
            None => name.strip_prefix('.')?.strip_suffix(".half")?,
        };
        let mail = id.parse().ok()?;
        Some(Self { mail, path })
    }

    /// Removes the file; once this returns it stays away after a crash as well.
    ///
    /// # Errors
    /// What the disk said.
    pub fn remove(&self) -> io::Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        match self.path.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

/// Shows every mail in the folder with what stands in it: as it lies there, and decoded.
///
/// # Errors
/// What the disk said; a folder that is missing holds no mails.
pub fn each(folder: &Path, mut look: impl FnMut(Kept, &str)) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let Some(kept) = Kept::of(entry.path()).filter(|_| is_small(&entry)) else {
            continue;
        };
        match std::fs::read(&kept.path) {
            Ok(bytes) => look(kept, &text(&bytes)),
            // It became whole, or was removed, meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_small(entry: &std::fs::DirEntry) -> bool {
    let metadata = entry.metadata();
    metadata.is_ok_and(|it| it.is_file() && it.len() <= LARGEST)
}

/// What stands in a mail: as it is, and without the two encodings that its parts may have.
fn text(bytes: &[u8]) -> String {
    let plain = String::from_utf8_lossy(bytes);
    let mut text = plain.clone().into_owned();
    text.push('\n');
    text.push_str(&quoted_printable(&plain));
    let mut block = String::new();
    for line in plain.lines().chain([""]) {
        let is_encoded = !line.is_empty()
            && line
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || b"+/=".contains(&it));
        if is_encoded {
            block.push_str(line);
        } else if !block.is_empty() {
            if let Ok(decoded) = STANDARD.decode(&block) {
                text.push('\n');
                text.push_str(&String::from_utf8_lossy(&decoded));
            }
            block.clear();
        }
    }
    text
}

/// Without the line ends and the `=3D` of quoted-printable.
fn quoted_printable(text: &str) -> String {
    let joined = text.replace("=\r\n", "").replace("=\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_bytes();
    while let [first, more @ ..] = rest {
        let pair = more.get(..2).filter(|_| *first == b'=');
        let byte = pair.and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok());
        if let Some(byte) = byte {
            bytes.push(byte);
            rest = &more[2..];
        } else {
            bytes.push(*first);
            rest = more;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::folder;
    use super::super::message::{Message, tests::mail};
    use super::*;

    #[test]
    fn a_mail_in_a_file_is_read_in_every_encoding_and_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        for text in [
            "for ann@example.org",
            "für ann@example.org",
            "ü".repeat(99).as_str(),
        ] {
            let mut mail = mail();
            mail.id = Uuid::from_u128(text.len() as u128);
            mail.text = format!("{text}{} <bob@example.org>", "-".repeat(200));
            mail.html = String::new();
            let message = Message::of(&mail, "a@example.org").expect("it can be put together");
            folder::write(directory.path(), &mail, &message).expect("it is written");
        }
        let mut found = Vec::new();
        let look = |kept, text: &str| {
            assert!(text.contains("<bob@example.org>"), "{text}");
            found.push(kept);
        };
        each(directory.path(), look).expect("it reads");
        assert_eq!(found.len(), 3);
        for kept in found {
            kept.remove().expect("it goes");
            kept.remove().expect("again");
        }
        each(directory.path(), |kept, _| panic!("{kept:?}")).expect("it reads");
        let missing = directory.path().join("missing");
        each(&missing, |kept, _| panic!("{kept:?}")).expect("nothing is there");
    }
}
