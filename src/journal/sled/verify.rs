//! Looking at everything that was ever written, and telling what is not as it was.
//!
//! The log is folded anew into a scratch state, which proves every frame, body and chain, and is
//! then compared with the state that answers. Nothing is repaired here. sled may give up on a
//! damaged file where it should return an error; that is caught and reported as damage.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use super::super::evidence::held::{Held, missing};
use super::super::evidence::{self, Checkpoint};
use super::super::keys;
use super::super::{Error, Position, Result, StreamId, Version};
use super::checkpoint;
use super::fold::Fold;
use super::overlay::Overlay;
use super::place::Place;
use super::recover;
use super::segments::Segments;
use super::state::{self, Applied, Head};
use super::store::Store;
use super::{Options, Shared, SledJournal, disk, log_of};

use compare::{both_forms, everything_differs, heads_differ, state_finding};

mod compare;

/// The scratch state makes its changes in portions of so many values.
const PORTION: usize = 2_000;

/// One thing that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file or directory.
    pub path: PathBuf,
    /// The position of the damaged record, where known.
    pub position: Option<Position>,
    /// The stream and version of the damaged record, where known.
    pub record: Option<(StreamId, Version)>,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(position) = self.position {
            write!(f, ", position {}", position.0)?;
        }
        if let Some((stream, version)) = self.record {
            write!(f, ", {stream} version {version}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// What verifying a journal came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many records were found to be as they were written.
    pub records: u64,
    /// How many checkpoints the log agrees with.
    pub checkpoints: u64,
    /// How many records came after the last of those. No checkpoint vouches for them, and for
    /// nothing that may have followed.
    pub after_checkpoints: u64,
    /// How many signed checkpoints the log agrees with.
    pub signed: u64,
    /// How many records came after the last of those; all, where it agrees with none.
    pub after_signed: u64,
    /// How many records have no body any more: retention and erasures take them out, and leave the
    /// frames. Chains and checkpoints cannot tell who did it.
    pub bodies_gone: u64,
    /// What is damaged, the first damaged record first; empty for a sound journal.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing is damaged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Verifies the journal in a data directory that nobody has open, also against signed checkpoints
/// that somebody has kept elsewhere.
///
/// # Errors
/// Only when the disk cannot be read or written; damage is in the report.
pub fn verify(options: &Options, held: &[Checkpoint]) -> Result<Report> {
    let mut report = Report::default();
    guarded(&mut report, &options.directory, |report| {
        let tuning = options.tuning();
        let segments = Segments::look(&log_of(&options.directory), tuning.clone())?;
        let path = options.directory.join("state");
        let state = if path.exists() {
            match Store::open(&path, tuning.cache, None) {
                Ok(state) => Some(state),
                Err(error) => {
                    report.findings.push(from_error(error, &path)?);
                    None
                }
            }
        } else {
            None
        };
        let log = Log {
            directory: &options.directory,
            segments: &segments,
            state: state.as_ref(),
            until: None,
        };
        log.verify(held, report)
    })?;
    Ok(report)
}

impl SledJournal {
    /// Verifies everything up to the last position, while others read and write, also against
    /// signed checkpoints that somebody has kept elsewhere.
    ///
    /// Reads the whole journal: call it on a thread that may block.
    ///
    /// # Errors
    /// As [`verify`].
    pub fn verify(&self, held: &[Checkpoint]) -> Result<Report> {
        let turn = self.shared.verifying.lock();
        let _turn = turn.unwrap_or_else(PoisonError::into_inner);
        let mut report = Report::default();
        guarded(&mut report, &self.shared.directory, |report| {
            self.shared.log().verify(held, report)
        })?;
        Ok(report)
    }
}

impl Shared {
    fn log(&self) -> Log<'_> {
        Log {
            directory: &self.directory,
            segments: &self.segments,
            state: Some(&self.state),
            until: Some(self.last.borrow().position),
        }
    }
}

struct Log<'a> {
    directory: &'a Path,
    segments: &'a Segments,
    state: Option<&'a Store>,
    /// Others are writing: look no further than this position.
    until: Option<Position>,
}

impl Log<'_> {
    fn verify(&self, held: &[Checkpoint], report: &mut Report) -> Result<()> {
        let held = self.held(held, report)?;
        let scratch_path = self.directory.join("verify.scratch");
        disk::remove_directory(&scratch_path)?;
        disk::create_directory(&scratch_path)?;
        let scratch = Store::open(&scratch_path, 16 << 20, None)?;
        let folded = self.fold(&scratch, held, report);
        let compared = folded.and_then(|applied| match applied {
            Some(applied) => self.compare_state(&scratch, applied, report),
            None => Ok(()),
        });
        drop(scratch);
        disk::remove_directory(&scratch_path)?;
        compared?;
        for segment in self.segments.all() {
            guarded(report, segment.directory(), |report| {
                both_forms(&segment, report)
            })?;
        }
        self.keys(report)
    }

    /// What somebody has kept, and what lies beside the log.
    fn held(&self, kept: &[Checkpoint], report: &mut Report) -> Result<Held> {
        let mut all = kept.to_vec();
        match evidence::file::read(self.directory) {
            Ok((own, _)) => {
                let own = own.into_iter().map(|signed| signed.checkpoint);
                // What was signed since this began is of no concern.
                all.extend(own.filter(|own| self.until.is_none_or(|until| own.size <= until.0)));
            }
            Err(error) => report.findings.push(from_error(error, self.directory)?),
        }
        Ok(Held::new(all))
    }

    /// The keys, as far as they can be looked at without the root key.
    fn keys(&self, report: &mut Report) -> Result<()> {
        if let Err(error) = keys::inspect(&self.directory.join("keys")) {
            report.findings.push(from_error(error, self.directory)?);
        }
        Ok(())
    }

    /// Everything in order, up to the first damage; `None` when there was any.
    fn fold(
        &self,
        scratch: &Store,
        mut held: Held,
        report: &mut Report,
    ) -> Result<Option<Applied>> {
        let path = self.directory.join("checkpoints");
        let mut checkpoints = match checkpoint::read(&path) {
            Ok(checkpoints) => checkpoints,
            Err(error) => {
                report.findings.push(from_error(error, &path)?);
                Vec::new()
            }
        };
        checkpoints.reverse();
        let mut fold = Fold::new(Overlay::new(scratch), Applied::START);
        let visited =
            catch_unwind(AssertUnwindSafe(|| {
                self.segments.visit(Place::START, |path, entry| {
                if self.until.is_some_and(|last| entry.place.last_record() > last.0) {
                    return Ok(false);
                }
                recover::add(&mut fold, &mut BTreeSet::new(), path, &entry)?;
                fold.keep();
                if let Some(edge) = fold.tree() {
                    let compared = held.compare(edge.size(), || edge.root());
                    compared.map_err(|problem| damaged(path, problem))?;
                }
                if fold.len() >= PORTION {
                    fold.apply(false)?;
                }
                let record = u64::from(entry.place.is_record());
                report.records += record;
                report.after_checkpoints += record;
                if let Some(checkpoint) = checkpoints.pop_if(|next| next.place <= entry.place) {
                    if checkpoint != fold.applied() {
                        return Err(damaged(
                            path,
                            format!(
                                "up to {} it is not the log that the file `checkpoints` describes",
                                entry.place
                            ),
                        ));
                    }
                    report.checkpoints += 1;
                    report.after_checkpoints = 0;
                }
                Ok(true)
            })
            }));
        let applied = fold.applied();
        report.bodies_gone = fold.without_body();
        report.signed = held.agreed();
        report.after_signed = held.after(report.records);
        let result = visited.unwrap_or_else(|_| {
            Err(damaged(
                &log_of(self.directory),
                "sled gave up while this was read".into(),
            ))
        });
        if let Err(error) = result {
            let next = applied.place.last_record() + 1;
            let mut finding = from_error(error, &log_of(self.directory))?;
            finding.position = Some(Position(next));
            if finding.record.is_none() {
                finding.record = self.owner_of(next);
            }
            report.findings.push(finding);
            return Ok(None);
        }
        fold.apply(false)?;
        if let Some(last) = checkpoints.first()
            && self
                .until
                .is_none_or(|until| last.place.last_record() <= until.0)
        {
            report.findings.push(Finding {
                path: log_of(self.directory),
                position: Some(Position(applied.place.last_record() + 1)),
                record: self.owner_of(applied.place.last_record() + 1),
                problem: format!(
                    "the log ends at {}, but the file `checkpoints` says that it reached {}",
                    applied.place, last.place
                ),
            });
            return Ok(None);
        }
        if let Some(beyond) = held.beyond() {
            let last = applied.place.last_record();
            report.findings.push(Finding {
                path: log_of(self.directory),
                position: Some(Position(last + 1)),
                record: self.owner_of(last + 1),
                problem: missing(last, beyond),
            });
            return Ok(None);
        }
        Ok(Some(applied))
    }

    /// The state says to which stream the record at a position belongs.
    fn owner_of(&self, position: u64) -> Option<(StreamId, Version)> {
        let state = self.state?;
        let looked = catch_unwind(AssertUnwindSafe(|| {
            for entry in state.tree().scan_prefix(state::ALL_HEADS) {
                let (key, value) = entry.ok()?;
                let (Some(stream), Some(head)) = (state::stream_of(&key), Head::from_bytes(&value))
                else {
                    continue;
                };
                let mut version = head.version;
                while version > Version::NONE {
                    let found = state::find_position(state, stream, &head, version);
                    match found {
                        Some(found) if found == position => return Some((stream, version)),
                        // Positions only grow along a stream.
                        Some(found) if found < position => break,
                        _ => version = Version(version.0 - 1),
                    }
                }
            }
            None
        }));
        looked.ok().flatten()
    }

    /// Whether the state gives the answers that the log gives.
    fn compare_state(&self, scratch: &Store, applied: Applied, report: &mut Report) -> Result<()> {
        let Some(state) = self.state else {
            return Ok(());
        };
        guarded(report, state.directory(), |report| {
            let stored = state.get(state::APPLIED)?;
            let stored = stored.and_then(|bytes| Applied::from_bytes(&bytes));
            let running = self.until.is_some();
            if !running && stored != Some(applied) {
                // A state that lags behind after a crash is brought up by the next start.
                if stored.is_some_and(|stored| stored.place < applied.place) {
                    return Ok(());
                }
                report.findings.push(match stored {
                    // A log that was cut back is the more likely, and the worse.
                    Some(stored) if stored.place > applied.place => Finding {
                        path: log_of(self.directory),
                        position: Some(Position(applied.place.position)),
                        record: None,
                        problem: format!(
                            "the log ends here, but the state has seen position {}: records \
                             are missing; `gatelog journal rebuild` goes on with what is left",
                            stored.place.position
                        ),
                    },
                    _ => state_finding(state, "it does not end where the log ends"),
                });
                return Ok(());
            }
            let problem = if running {
                heads_differ(scratch, state)?
            } else {
                everything_differs(scratch, state)?
            };
            if let Some(problem) = problem {
                report.findings.push(state_finding(state, &problem));
            }
            Ok(())
        })
    }
}

/// Turns damage into a finding; other errors are passed on.
fn guarded(
    report: &mut Report,
    path: &Path,
    work: impl FnOnce(&mut Report) -> Result<()>,
) -> Result<()> {
    let result = catch_unwind(AssertUnwindSafe(|| work(report)));
    let result =
        result.unwrap_or_else(|_| Err(damaged(path, "sled gave up while this was read".into())));
    if let Err(error) = result {
        report.findings.push(from_error(error, path)?);
    }
    Ok(())
}

/// What was found, where an error is about damage.
pub(super) fn from_error(error: Error, path: &Path) -> Result<Finding> {
    let (path, record, problem) = match error {
        Error::Damaged { path, problem } => (path, None, problem),
        Error::Corrupt {
            stream,
            version,
            problem,
        } => (path.to_path_buf(), Some((stream, version)), problem),
        // sled reports some damage as an error of the system.
        Error::Io { path, source } if recover::is_damage_kind(source.kind()) => {
            (path, None, source.to_string())
        }
        other => return Err(other),
    };
    Ok(Finding {
        path,
        position: None,
        record,
        problem,
    })
}

fn damaged(path: &Path, problem: String) -> Error {
    Error::Damaged {
        path: path.to_path_buf(),
        problem,
    }
}
