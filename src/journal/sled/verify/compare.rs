//! Comparing what must be the same: the state and the log, a segment and its export.

use super::super::export::Export;
use super::super::log::Entry;
use super::super::place::Place;
use super::super::segment::{Segment, Source};
use super::super::state::{self, Head};
use super::super::store::Store;
use super::{Finding, Report};
use crate::journal::frame::Record;
use crate::journal::{Position, Result, StreamId, Version};

/// While others write, heads may have moved on but never back.
pub(super) fn heads_differ(scratch: &Store, state: &Store) -> Result<Option<String>> {
    for entry in scratch.tree().scan_prefix(state::ALL_HEADS) {
        let (key, value) = entry.map_err(|error| scratch.error(error))?;
        let log = Head::from_bytes(&value);
        let stored = state.get(&key)?.and_then(|value| Head::from_bytes(&value));
        let fits = match (&log, &stored) {
            (Some(log), Some(stored)) if log.version == stored.version => log == stored,
            (Some(log), Some(stored)) => log.version < stored.version,
            _ => false,
        };
        if !fits {
            return Ok(Some(differs(&key)));
        }
    }
    // Tiles are full and never change. Where there is no tree there is nothing to compare.
    if state.get(state::EDGE)?.is_some() {
        for entry in scratch.tree().scan_prefix(state::ALL_TILES) {
            let (key, value) = entry.map_err(|error| scratch.error(error))?;
            if state.get(&key)? != Some(value) {
                return Ok(Some(differs(&key)));
            }
        }
    }
    Ok(None)
}

/// The first thing about which the log and the state do not agree.
pub(super) fn everything_differs(scratch: &Store, state: &Store) -> Result<Option<String>> {
    // A state from before there was a tree gets it at the next start.
    let has_tree = state.get(state::EDGE)?.is_some();
    let of_tree = |key: &[u8]| key == state::EDGE || key.starts_with(state::ALL_TILES);
    let told = |entry: &sled::Result<(sled::IVec, sled::IVec)>| {
        // The log does not say when it was on the disk.
        let untold = |key: &[u8]| key == state::DURABLE || (!has_tree && of_tree(key));
        !entry.as_ref().is_ok_and(|(key, _)| untold(key))
    };
    let mut log = scratch.tree().iter().filter(told);
    let mut stored = state.tree().iter().filter(told);
    loop {
        let log = log
            .next()
            .transpose()
            .map_err(|error| scratch.error(error))?;
        let stored = stored
            .next()
            .transpose()
            .map_err(|error| state.error(error))?;
        match (log, stored) {
            (None, None) => return Ok(None),
            (Some(log), Some(stored)) if log == stored => {}
            (Some((key, _)), _) | (None, Some((key, _))) => return Ok(Some(differs(&key))),
        }
    }
}

fn differs(key: &[u8]) -> String {
    match state::stream_of(key) {
        Some(stream) => format!("it differs from the log about {stream}"),
        None if key.starts_with(state::ALL_TILES) => "its tree is not the log's".into(),
        None => "it differs from the log".into(),
    }
}

/// A finding about the state.
pub(super) fn state_finding(state: &Store, problem: &str) -> Finding {
    Finding {
        path: state.directory().to_path_buf(),
        position: None,
        record: None,
        problem: format!("{problem}; `gatelog journal rebuild` builds it anew"),
    }
}

/// A closed segment that still has both its directory and its export has the same in both.
pub(super) fn both_forms(segment: &Segment, report: &mut Report) -> Result<()> {
    if !segment.has_export() || !segment.directory().join("db").exists() {
        return Ok(());
    }
    let export = Source::Export(Export::open(&segment.export())?.into());
    let store = segment.open_sled()?;
    let mut exported = export.entries(Place::START);
    let mut stored = store.entries(Place::START);
    loop {
        match (exported.next().transpose()?, stored.next().transpose()?) {
            (None, None) => return Ok(()),
            (Some(one), Some(other)) if one == other => {}
            (one, other) => {
                let entry = other.or(one);
                report.findings.push(Finding {
                    path: segment.directory().to_path_buf(),
                    position: entry.as_ref().map(|entry| Position(entry.place.position)),
                    record: entry.as_ref().and_then(record_of),
                    problem: "it is not the same as its export".into(),
                });
                return Ok(());
            }
        }
    }
}

fn record_of(entry: &Entry) -> Option<(StreamId, Version)> {
    let record = Record::decode(&entry.bytes).ok()?;
    Some((record.frame.stream, record.frame.version))
}
