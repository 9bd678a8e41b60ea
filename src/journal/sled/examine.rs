//! Looking at exports alone, without the data directory they come from and without any key.
//!
//! The same is checked as of a log: every checksum, frame and body, that each record follows its
//! stream's last one, that nothing is left out, and that signed checkpoints agree.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::super::evidence::Checkpoint;
use super::super::evidence::held::{Held, missing};
use super::super::evidence::tree::{self, Edge};
use super::super::frame::Record;
use super::super::{Hash, Position, Result, StreamId, Version};
use super::export::Export;
use super::log::Entry;
use super::note::Note;
use super::place::Place;
use super::verify::{Finding, Report, from_error};

/// Verifies exports that follow each other and begin with the first record, against checkpoints
/// that somebody has kept.
///
/// # Errors
/// Only when a file cannot be read; damage is in the report.
pub fn verify_exports(paths: &[PathBuf], held: &[Checkpoint]) -> Result<Report> {
    let mut examination = Examination::new(held);
    for path in paths {
        if let Err(found) = examination.export(path)? {
            return Ok(examination.report(Some(*found)));
        }
    }
    let last = paths.last().map_or(Path::new(""), PathBuf::as_path);
    let found = examination.end(last);
    Ok(examination.report(found))
}

/// A log that is read entry by entry.
struct Examination {
    place: Place,
    edge: Edge,
    heads: HashMap<StreamId, (Version, Hash)>,
    held: Held,
    bodies_gone: u64,
}

/// What was found, if anything was.
type Found = std::result::Result<(), Box<Finding>>;

impl Examination {
    fn new(held: &[Checkpoint]) -> Self {
        Self {
            place: Place::START,
            edge: Edge::default(),
            heads: HashMap::new(),
            held: Held::new(held.to_vec()),
            bodies_gone: 0,
        }
    }

    fn export(&mut self, path: &Path) -> Result<Found> {
        let opened = Export::open(path).and_then(|export| export.check().map(|()| export));
        let export = match opened {
            Ok(export) => export,
            Err(error) => return Ok(Err(Box::new(from_error(error, path)?))),
        };
        for entry in export.entries(Place::START) {
            let added = match entry {
                Ok(entry) => self.add(path, &entry),
                Err(error) => Err(Box::new(from_error(error, path)?)),
            };
            if added.is_err() {
                return Ok(added);
            }
        }
        Ok(Ok(()))
    }

    /// The next entry, if it is the one that follows. Nothing is changed when it is not.
    fn add(&mut self, path: &Path, entry: &Entry) -> Found {
        let finding = |record, problem| {
            Box::new(Finding {
                path: path.to_path_buf(),
                position: Some(Position(self.place.last_record() + 1)),
                record,
                problem,
            })
        };
        if !entry.place.follows(self.place) {
            let problem = if self.place == Place::START {
                format!(
                    "it begins with {}: name the parts before it as well",
                    entry.place
                )
            } else {
                format!(
                    "after {} comes {}: what lies between is missing",
                    self.place, entry.place
                )
            };
            return Err(finding(None, problem));
        }
        if !entry.place.is_record() {
            Note::decode(&entry.bytes).map_err(|problem| finding(None, problem))?;
            self.place = entry.place;
            return Ok(());
        }
        let record = Record::decode(&entry.bytes).map_err(|problem| finding(None, problem))?;
        let frame = &record.frame;
        let (version, previous) = self.heads.get(&frame.stream).copied().unwrap_or_default();
        let here = Some((frame.stream, frame.version));
        if frame.version != version.next() || frame.previous != previous {
            let problem = format!("it does not follow version {version} of its stream");
            return Err(finding(here, problem));
        }
        self.bodies_gone += u64::from(record.lacks_body());
        let hash = frame.hash();
        self.edge.push(tree::leaf(hash), |_| ());
        self.heads.insert(frame.stream, (frame.version, hash));
        self.place = entry.place;
        let edge = &self.edge;
        let compared = self.held.compare(edge.size(), || edge.root());
        compared.map_err(|problem| {
            Box::new(Finding {
                path: path.to_path_buf(),
                position: Some(Position(edge.size())),
                record: None,
                problem,
            })
        })
    }

    /// What is missing at the end.
    fn end(&self, path: &Path) -> Option<Finding> {
        let beyond = self.held.beyond()?;
        Some(Finding {
            path: path.to_path_buf(),
            position: Some(Position(self.edge.size() + 1)),
            record: None,
            problem: missing(self.edge.size(), beyond),
        })
    }

    fn report(&self, found: Option<Finding>) -> Report {
        Report {
            records: self.edge.size(),
            bodies_gone: self.bodies_gone,
            signed: self.held.agreed(),
            after_signed: self.held.after(self.edge.size()),
            findings: found.into_iter().collect(),
            ..Report::default()
        }
    }
}
