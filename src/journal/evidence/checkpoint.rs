//! Checkpoints: how many records there were, and the root of the tree over them, signed.
//!
//! Source: c2sp.org/tlog-checkpoint. A file of checkpoints has one after the other, with an empty
//! line between them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::note::{MARK, Note};
use super::{Error, Signer, Verifier};
use crate::journal::Hash;

/// What is said of what is no checkpoint.
const WHAT: &str = "checkpoint";

/// What stands behind a part of a checkpoint that a full disk or a crash has left, and that could not
/// be taken away again.
pub(super) const CUT_OFF: &str = "[cut off]";

/// What the journal was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Whose journal it is: the name of the key that signs.
    pub origin: String,
    /// How many records there were, which is the position of the last one.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

/// A checkpoint with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The signed note, as it is kept and passed on.
    pub note: String,
}

impl Signer {
    /// Signs that there are `size` records with this root over them.
    #[must_use]
    pub fn checkpoint(&self, size: u64, root: Hash) -> Signed {
        let origin = self.verifier().name().to_owned();
        let text = format!("{origin}\n{size}\n{}\n", STANDARD.encode(root.0));
        Signed {
            checkpoint: Checkpoint { origin, size, root },
            note: self.sign(&text),
        }
    }
}

impl Signed {
    /// The checkpoint that `text` begins with, signed by `verifier`, and what comes after it.
    ///
    /// # Errors
    /// When it is none, or signed by nobody or somebody else.
    pub fn first<'a>(text: &'a str, verifier: &Verifier) -> Result<(Self, &'a str), Error> {
        let (signed, rest) = verifier.open(text)?;
        let checkpoint = parse(signed)?;
        if checkpoint.origin != verifier.name() {
            return Err(Error::malformed(WHAT, "it is one of another journal"));
        }
        let note = text[..text.len() - rest.len()].to_owned();
        Ok((Self { checkpoint, note }, rest))
    }

    /// The same without a look at the signature.
    fn unchecked(text: &str) -> Result<(Self, &str), Error> {
        let note = Note::first(text)?;
        let signed = Self {
            checkpoint: parse(note.text)?,
            note: text[..text.len() - note.rest.len()].to_owned(),
        };
        Ok((signed, note.rest))
    }
}

/// All checkpoints of a file. Signatures are looked at where there is a key to check them with.
///
/// # Errors
/// When one of them is none, or is not signed by `verifier`.
pub fn read_all(text: &str, verifier: Option<&Verifier>) -> Result<Vec<Signed>, Error> {
    let (torn, last) = match text.rsplit_once(CUT_OFF) {
        Some((before, last)) => (before.split(CUT_OFF).collect(), last),
        None => (Vec::new(), text),
    };
    let mut all = Vec::new();
    for part in torn {
        all.extend(read_whole(&part[..whole(part.as_bytes())], verifier)?);
    }
    all.extend(read_whole(last, verifier)?);
    Ok(all)
}

fn read_whole(text: &str, verifier: Option<&Verifier>) -> Result<Vec<Signed>, Error> {
    let mut rest = text.trim_start_matches('\n');
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (signed, after) = match verifier {
            Some(verifier) => Signed::first(rest, verifier)?,
            None => Signed::unchecked(rest)?,
        };
        all.push(signed);
        rest = after.trim_start_matches('\n');
    }
    Ok(all)
}

/// How many bytes of a file of checkpoints are whole ones: a crash may have cut off the last.
#[must_use]
pub fn whole(text: &[u8]) -> usize {
    let mut end = 0;
    let mut start = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        start += line.len();
        if line.starts_with(MARK.as_bytes()) && line.ends_with(b"\n") {
            end = start;
        }
    }
    end
}

fn parse(text: &str) -> Result<Checkpoint, Error> {
    let malformed = |problem: &str| Error::malformed(WHAT, problem);
    let mut lines = text.split('\n');
    let origin = lines.next().filter(|line| !line.is_empty());
    let size = lines.next().and_then(number);
    let root = lines.next().and_then(hash);
    Ok(Checkpoint {
        origin: origin
            .ok_or_else(|| malformed("its first line names no journal"))?
            .to_owned(),
        size: size.ok_or_else(|| malformed("its second line is no number"))?,
        root: root.ok_or_else(|| malformed("its third line is no hash"))?,
    })
}

/// A number as it is written here: without a sign and without leading zeros.
pub(super) fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// A hash in Base64.
pub(super) fn hash(text: &str) -> Option<Hash> {
    let bytes = STANDARD.decode(text).ok()?;
    bytes.try_into().ok().map(Hash)
}
