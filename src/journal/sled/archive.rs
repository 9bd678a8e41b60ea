//! The thread that makes exports of closed segments, beside the writer and never in its way.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::Receiver;

use super::super::{Error, Result};
use super::disk;
use super::export::{self, Export};
use super::place::Place;
use super::segment::{Segment, Source};
use super::segments::{GONE, PARTIAL};

/// How often somebody who still reads a directory is waited for before it is removed.
const PATIENCE: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// What the thread has to do.
pub(super) enum Job {
    /// Export this closed segment, unless there is an export already.
    Export(Arc<Segment>),
}

/// Does what comes until nobody can send any more, or `stop` is set. A failure is told and the
/// next start tries again: the segment's directory is still there.
pub(super) fn run(jobs: &Receiver<Job>, remove: bool, stop: &AtomicBool) {
    for Job::Export(segment) in jobs {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        if let Err(error) = archive(&segment, remove, stop) {
            tracing::error!(
                segment = %segment.directory().display(),
                %error,
                "a closed part of the log could not be exported; the next start tries again"
            );
        }
    }
}

fn archive(segment: &Segment, remove: bool, stop: &AtomicBool) -> Result<()> {
    if !segment.has_export() && !make(segment, stop)? {
        return Ok(());
    }
    let export = Arc::new(Export::open(&segment.export())?);
    let before = segment.set(Source::Export(Arc::clone(&export)));
    if remove && segment.directory().exists() {
        if before.is_none() {
            // This export was made in an earlier run: look at all of it before trusting it alone.
            for entry in export.entries(Place::START) {
                entry?;
            }
        }
        if let Some(Source::Sled(store)) = before {
            wait_for_readers(&store);
        }
        remove_directory(segment.directory())?;
    }
    Ok(())
}

/// Writes the export and compares it with the segment; false when it was stopped.
fn make(segment: &Segment, stop: &AtomicBool) -> Result<bool> {
    let source = segment.read()?;
    let path = segment.export();
    let partial = with_ending(&path, PARTIAL);
    let io = |error| Error::io(&partial, error);
    let file = File::create(&partial).map_err(io)?;
    let mut writer = export::Writer::new(BufWriter::new(file), &partial);
    for entry in source.entries(Place::START) {
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        writer.write(&entry?)?;
    }
    let file = writer
        .finish()?
        .into_inner()
        .map_err(|error| io(error.into_error()))?;
    file.sync_all().map_err(io)?;
    if !same(&Export::open(&partial)?, &source, stop)? {
        return Ok(false);
    }
    disk::rename(&partial, &path)?;
    segment.note_export();
    tracing::info!(export = %path.display(), "a closed part of the log was exported");
    Ok(true)
}

/// Reads both to the end; false when it was stopped.
fn same(export: &Export, source: &Source, stop: &AtomicBool) -> Result<bool> {
    let mut exported = export.entries(Place::START);
    for entry in source.entries(Place::START) {
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let entry = entry?;
        let place = entry.place;
        if exported.next().transpose()? != Some(entry) {
            return Err(differs(export.path(), place));
        }
    }
    match exported.next().transpose()? {
        None => Ok(true),
        Some(entry) => Err(differs(export.path(), entry.place)),
    }
}

fn differs(path: &Path, place: Place) -> Error {
    Error::Damaged {
        path: path.to_path_buf(),
        problem: format!("it differs from the log at {place}"),
    }
}

/// Waits, but not for ever, until nobody reads a segment's directory any more.
pub(super) fn wait_for_readers(store: &Arc<super::store::Store>) {
    for _ in 0..PATIENCE {
        if Arc::strong_count(store) == 1 {
            return;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Renamed first, so that a crash leaves either all of it or something that is clearly rubbish.
pub(super) fn remove_directory(path: &Path) -> Result<()> {
    let gone = with_ending(path, GONE);
    disk::rename(path, &gone)?;
    fs::remove_dir_all(&gone).map_err(|error| Error::io(&gone, error))?;
    tracing::info!(directory = %path.display(), "an exported part of the log was removed");
    Ok(())
}

/// The path with something added to its name.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(ending);
    PathBuf::from(name)
}
