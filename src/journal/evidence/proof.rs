//! Proofs as text, which lead from a record, or from an earlier checkpoint, to a checkpoint.
//!
//! That a record is there is told as c2sp.org/tlog-proof says, with the record's frame as the
//! extra data; the leaf is the frame's hash. That one checkpoint follows from another has a form
//! of ours. A file may hold several proofs, one directly after the other.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::checkpoint::{hash, number};
use super::{Error, Signed, Verifier, tree};
use crate::journal::Hash;
use crate::journal::frame::{Frame, Record};

/// The first line of a proof that a record is there.
const INCLUSION: &str = "c2sp.org/tlog-proof@v1";

/// The first line of a proof that one checkpoint follows from another.
const CONSISTENCY: &str = "gatelog consistency proof 1";

/// What is said of what is no proof.
const WHAT: &str = "proof";

/// No tree is so high that a path through it has more hashes.
const LONGEST: usize = 64;

/// That a record is in the journal, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// Its place, counted from zero: one less than its position.
    pub index: u64,
    /// The record's frame: everything but its body.
    pub frame: Frame,
    /// The way from the leaf to the root.
    pub path: Vec<Hash>,
    /// The checkpoint with that root.
    pub checkpoint: Signed,
}

/// That nothing of what an earlier checkpoint covers was altered until a later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consistency {
    /// The earlier one.
    pub from: Signed,
    /// The later one.
    pub to: Signed,
    /// What leads from the one root to the other.
    pub path: Vec<Hash>,
}

/// A proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// That a record is there.
    Inclusion(Box<Inclusion>),
    /// That one checkpoint follows from another.
    Consistency(Box<Consistency>),
}

impl Inclusion {
    /// The proof as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let record = Record {
            frame: self.frame.clone(),
            payload: None,
        };
        let extra = STANDARD.encode(record.encode());
        let mut text = format!("{INCLUSION}\nextra {extra}\nindex {}\n", self.index);
        write_path(&mut text, &self.path);
        text + &self.checkpoint.note
    }

    fn read<'a>(lines: &'a str, verifier: &Verifier) -> Result<(Self, &'a str), Error> {
        let malformed = |problem: &str| Error::malformed(WHAT, problem);
        let (extra, rest) = line(lines)?;
        let record = extra
            .strip_prefix("extra ")
            .and_then(|extra| STANDARD.decode(extra).ok())
            .ok_or_else(|| malformed("its second line has no frame of a record"))?;
        let record = Record::decode(&record).map_err(|problem| malformed(&problem))?;
        let (index, rest) = line(rest)?;
        let index = index.strip_prefix("index ").and_then(number);
        let index = index.ok_or_else(|| malformed("its third line has no index"))?;
        let (path, rest) = read_path(rest)?;
        let (checkpoint, rest) = Signed::first(rest, verifier)?;
        let frame = record.frame;
        let leaf = tree::leaf(frame.hash());
        let head = &checkpoint.checkpoint;
        if !tree::is_included(leaf, index, head.size, &path, head.root) {
            return Err(Error::Refuted(format!(
                "the record is not at position {} of the {} that the checkpoint covers",
                index.saturating_add(1),
                head.size
            )));
        }
        let proof = Self {
            index,
            frame,
            path,
            checkpoint,
        };
        Ok((proof, rest))
    }
}

impl Consistency {
    /// The proof as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{CONSISTENCY}\n");
        write_path(&mut text, &self.path);
        text + &self.from.note + "\n" + &self.to.note
    }

    fn read<'a>(lines: &'a str, verifier: &Verifier) -> Result<(Self, &'a str), Error> {
        let (path, rest) = read_path(lines)?;
        let (from, rest) = Signed::first(rest, verifier)?;
        let rest = rest
            .strip_prefix('\n')
            .ok_or_else(|| Error::malformed(WHAT, "it has no second checkpoint"))?;
        let (to, rest) = Signed::first(rest, verifier)?;
        let (earlier, later) = (&from.checkpoint, &to.checkpoint);
        let heads = [earlier, later].map(|head| (head.size, head.root));
        if !tree::is_consistent(heads[0], heads[1], &path) {
            return Err(Error::Refuted(format!(
                "the {} records of the later checkpoint do not begin with the {} of the earlier",
                later.size, earlier.size
            )));
        }
        Ok((Self { from, to, path }, rest))
    }
}

/// All proofs of a file; each of them holds.
///
/// # Errors
/// When one of them is none, rests on a checkpoint that is not signed by `verifier`, or does not
/// show what it says.
pub fn open(text: &str, verifier: &Verifier) -> Result<Vec<Proof>, Error> {
    let mut rest = text;
    let mut proofs = Vec::new();
    loop {
        let (first, lines) = line(rest)?;
        rest = match first {
            INCLUSION => {
                let (proof, rest) = Inclusion::read(lines, verifier)?;
                proofs.push(Proof::Inclusion(Box::new(proof)));
                rest
            }
            CONSISTENCY => {
                let (proof, rest) = Consistency::read(lines, verifier)?;
                proofs.push(Proof::Consistency(Box::new(proof)));
                rest
            }
            _ => {
                let problem = "it does not begin as one";
                return Err(Error::malformed(WHAT, problem));
            }
        };
        if rest.is_empty() {
            return Ok(proofs);
        }
    }
}

fn line(text: &str) -> Result<(&str, &str), Error> {
    text.split_once('\n')
        .ok_or_else(|| Error::malformed(WHAT, "it is cut off"))
}

fn write_path(text: &mut String, path: &[Hash]) {
    for hash in path {
        writeln!(text, "{}", STANDARD.encode(hash.0)).expect("a text can be written to");
    }
    text.push('\n');
}

/// The hashes up to an empty line, and what follows it.
fn read_path(text: &str) -> Result<(Vec<Hash>, &str), Error> {
    let mut path = Vec::new();
    let mut rest = text;
    loop {
        let (next, after) = line(rest)?;
        rest = after;
        if next.is_empty() {
            return Ok((path, rest));
        }
        let hash = hash(next).filter(|_| path.len() < LONGEST);
        path.push(hash.ok_or_else(|| Error::malformed(WHAT, "a line of it is no hash"))?);
    }
}
