//! Opening: the state is brought up to the log, or built anew from it.
//!
//! The log is the truth. A state that is missing, damaged or ahead of the log is moved aside and
//! rebuilt, never repaired; the log itself is never changed here.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::super::frame::Record;
use super::super::keys::Keyring;
use super::super::prepare::View;
use super::super::{Error, KeyId, Position, Result};
use super::checkpoint::Checkpoints;
use super::fold::Fold;
use super::log::Entry;
use super::note::Note;
use super::overlay::Overlay;
use super::place::Place;
use super::segments::{Segments, Tuning};
use super::state::{self, Applied, Head};
use super::store::Store;
use super::{Options, disk, log_of, tree};

/// Rebuilding makes its changes in portions of so many values, to bound the memory it needs.
const PORTION: usize = 2_000;

/// Opens the state in the data directory and brings it up to the log.
pub(super) fn state(
    directory: &Path,
    tuning: &Tuning,
    segments: &Segments,
    keyring: &Keyring,
) -> Result<(Store, Applied)> {
    let store = open(directory, tuning)?;
    let marker = directory.join(MARKER);
    match bring_up(&store, segments, keyring) {
        Ok(Some(applied)) => return Ok((store, applied)),
        Ok(None) => {}
        // What could not be read was in the state, not in the log.
        Err(error) if marker.exists() => {
            tracing::warn!(%error, "the state is damaged");
        }
        Err(error) => return Err(error),
    }
    drop(store);
    set_aside(directory)?;
    let store = open(directory, tuning)?;
    match bring_up(&store, segments, keyring)? {
        Some(applied) => Ok((store, applied)),
        None => Err(store.unreadable("the new state")),
    }
}

/// Builds the state in a data directory that nobody has open anew from the log; the old one is
/// moved aside. Returns the last position.
///
/// # Errors
/// As [`super::SledJournal::open`].
pub fn rebuild(options: &Options, keyring: &Keyring) -> Result<Position> {
    let tuning = options.tuning();
    let segments = Segments::open(&log_of(&options.directory), tuning.clone())?;
    let aside = set_aside(&options.directory)?;
    let rebuilt = || {
        let (state, applied) = state(&options.directory, &tuning, &segments, keyring)?;
        state.flush()?;
        state.sync()?;
        Ok(Position(applied.place.last_record()))
    };
    let rebuilt = rebuilt();
    if let (Err(_), Some(aside)) = (&rebuilt, aside) {
        // A log that cannot be read to its end gives no new state; the old one still serves.
        let path = options.directory.join("state");
        disk::remove_directory(&path)?;
        disk::rename(&aside, &path)?;
    }
    rebuilt
}

/// Compares what the log ends with and what the last checkpoint says.
pub(super) fn check(directory: &Path, checkpoints: &Checkpoints, applied: Applied) -> Result<()> {
    let Some(last) = checkpoints.last() else {
        return Ok(());
    };
    let problem = if applied.place < last.place {
        format!(
            "it ends at {}, but the file `checkpoints` says that it reached {}: restore it from a \
             backup, or move `checkpoints` away to accept the loss",
            applied.place, last.place
        )
    } else if applied.place == last.place && applied.root != last.root {
        "it is not the log that the file `checkpoints` describes: restore both from one backup, \
         or move `checkpoints` away to accept the difference"
            .into()
    } else {
        return Ok(());
    };
    Err(Error::Damaged {
        path: directory.join("log"),
        problem,
    })
}

/// The file that says that the state is not to be trusted.
pub(super) const MARKER: &str = "state.rebuild";

/// Moves the state aside, so that the next opening builds it from the log. Returns where it is.
pub(super) fn set_aside(directory: &Path) -> Result<Option<PathBuf>> {
    let path = directory.join("state");
    let mut moved = None;
    if path.exists() {
        let aside = disk::move_aside(&path)?;
        tracing::warn!(
            aside = %aside.display(),
            "the state was moved aside and is rebuilt from the log; delete it when all is well"
        );
        moved = Some(aside);
    }
    let marker = directory.join(MARKER);
    match std::fs::remove_file(&marker) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(marker, error)),
        _ => disk::sync_directory(directory),
    }?;
    Ok(moved)
}

fn open(directory: &Path, tuning: &Tuning) -> Result<Store> {
    let path = directory.join("state");
    let marker = directory.join(MARKER);
    if marker.exists() {
        set_aside(directory)?;
    }
    let opened = match Store::open(&path, tuning.cache, tuning.on_sync.clone()) {
        Err(error) if is_damage(&error) => {
            tracing::warn!(%error, "the state cannot be opened");
            set_aside(directory)?;
            Store::open(&path, tuning.cache, tuning.on_sync.clone())?
        }
        other => other?,
    };
    Ok(opened.marking_damage(marker))
}

/// sled reports some damage as an error of the system.
fn is_damage(error: &Error) -> bool {
    match error {
        Error::Damaged { .. } => true,
        Error::Io { source, .. } => is_damage_kind(source.kind()),
        _ => false,
    }
}

/// Whether an error of this kind means that a file is not what was written.
pub(super) fn is_damage_kind(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnexpectedEof
            | ErrorKind::InvalidData
            | ErrorKind::InvalidInput
            | ErrorKind::Other
    )
}

/// Adds to the state what it lacks; `None` when it cannot be built upon.
fn bring_up(store: &Store, segments: &Segments, keyring: &Keyring) -> Result<Option<Applied>> {
    let last = segments.last_place()?;
    let applied = match store.get(state::APPLIED)? {
        Some(bytes) => match Applied::from_bytes(&bytes) {
            Some(applied) => applied,
            None => return Ok(None),
        },
        None if !store.tree().is_empty() => return Ok(None),
        None => Applied::START,
    };
    if applied.place > last {
        let durable = store.get(state::DURABLE)?;
        if let Some(place) = durable.and_then(|bytes| Place::from_bytes(&bytes))
            && place > last
        {
            return Err(segments.lost(last, place));
        }
        tracing::warn!(state = %applied.place, log = %last, "the state is ahead of the log");
        return Ok(None);
    }
    if !agrees(store, segments, applied)? {
        tracing::warn!(state = %applied.place, "the state belongs to another log");
        return Ok(None);
    }
    tree::bring_up(store, segments, applied)?;
    if applied.place == last {
        return Ok(Some(applied));
    }
    if applied == Applied::START {
        tracing::warn!(log = %last, "the state is built from the whole log, which takes a while");
    } else {
        tracing::info!(state = %applied.place, log = %last, "the state is brought up to the log");
    }
    let applied = catch_up(store, segments, keyring, applied)?;
    store.flush()?;
    store.sync()?;
    Ok(Some(applied))
}

/// Whether the last record that the state contains is the one that the log has there.
fn agrees(store: &Store, segments: &Segments, applied: Applied) -> Result<bool> {
    let position = applied.place.last_record();
    if position == 0 {
        return Ok(true);
    }
    let record = segments.record(position)?;
    let Some(record) = record.and_then(|bytes| Record::decode(&bytes).ok()) else {
        // Whatever is wrong with the log is found and named by those who read it.
        return Ok(true);
    };
    let head = store.get(&state::head(record.frame.stream))?;
    let head = head.and_then(|bytes| Head::from_bytes(&bytes));
    Ok(head.is_some_and(|head| head.hash == record.frame.hash()))
}

fn catch_up(
    store: &Store,
    segments: &Segments,
    keyring: &Keyring,
    applied: Applied,
) -> Result<Applied> {
    let mut fold = Fold::new(Overlay::new(store), applied);
    let mut destroyed = BTreeSet::new();
    segments.visit(applied.place.next_note(), |path, entry| {
        add(&mut fold, &mut destroyed, path, &entry)?;
        fold.keep();
        if fold.len() >= PORTION {
            fold.apply(false)?;
        }
        Ok(true)
    })?;
    fold.apply(false)?;
    keyring.destroy_all(destroyed.into_iter().map(KeyId))?;
    Ok(fold.applied())
}

/// Adds the next entry, once it has been proven to be the one that follows.
pub(super) fn add(
    fold: &mut Fold<'_>,
    destroyed: &mut BTreeSet<uuid::Uuid>,
    path: &Path,
    entry: &Entry,
) -> Result<()> {
    let damaged = |problem| Error::Damaged {
        path: path.to_path_buf(),
        problem,
    };
    let before = fold.applied().place;
    if !entry.place.follows(before) {
        return Err(damaged(format!(
            "after {before} comes {}: what lies between is missing; restore the log from a backup",
            entry.place
        )));
    }
    if !entry.place.is_record() {
        let (note, hash) = Note::decode(&entry.bytes)
            .map_err(|problem| damaged(format!("{}: {problem}", entry.place)))?;
        destroyed.extend(note.destroyed_keys().map(|key| key.0));
        fold.note(&note, hash);
        return Ok(());
    }
    let record = Record::decode(&entry.bytes).map_err(|problem| {
        damaged(format!(
            "the record at {} cannot be read: {problem}; restore the log from a backup",
            entry.place
        ))
    })?;
    let frame = &record.frame;
    let (version, hash) = fold.head(frame.stream)?;
    if frame.version != version.next() || frame.previous != hash {
        return Err(Error::Corrupt {
            stream: frame.stream,
            version: version.next(),
            problem: format!(
                "the record at {} of {} is not the one that follows",
                entry.place,
                path.display()
            ),
        });
    }
    // A key that is used after its destruction was made anew since.
    destroyed.remove(&frame.key.0);
    fold.record(&record, &entry.bytes)?;
    Ok(())
}
