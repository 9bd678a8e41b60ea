//! The whole journal as one export, from which it can be made again anywhere.

use std::io::Write;
use std::path::Path;

use super::super::{Position, Result};
use super::export::Writer;
use super::log::Entry;
use super::place::Place;
use super::segments::Segments;
use super::{Options, SledJournal, log_of};

/// So many records are handed out at once, and so many bytes unless one has more.
const RECORDS: usize = 1_000;
const BYTES: usize = 4 << 20;

/// Writes the whole journal in a data directory that nobody has open as one export.
///
/// Placed as `log/000000000001.export.gz` into an empty data directory, next to the keys, it is
/// that journal again.
///
/// # Errors
/// When the log or `to` fails.
pub fn export(options: &Options, to: impl Write) -> Result<()> {
    let segments = Segments::look(&log_of(&options.directory), options.tuning())?;
    copy(&segments, None, to)
}

impl SledJournal {
    /// Writes everything up to the last position as one export; see [`export`].
    ///
    /// Reads the whole journal: call it on a thread that may block.
    ///
    /// # Errors
    /// When the log or `to` fails.
    pub fn export(&self, to: impl Write) -> Result<()> {
        let last = self.last();
        let copied = copy(&self.shared.segments, Some(last), to);
        self.shared.meter.read(&copied);
        copied
    }
}

impl SledJournal {
    /// The next records after `after` as they lie here, some hundred of them; none at the end.
    ///
    /// Reads files: call it on a thread that may block.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn raw(&self, after: Position) -> Result<Vec<(Position, Vec<u8>)>> {
        let (mut records, mut bytes) = (Vec::new(), 0);
        let from = Place::record(after.0).next_note();
        self.shared.segments.visit(from, |_, entry| {
            if entry.place.is_record() {
                bytes += entry.bytes.len();
                records.push((Position(entry.place.position), entry.bytes));
            }
            Ok(records.len() < RECORDS && bytes < BYTES)
        })?;
        Ok(records)
    }
}

fn copy(segments: &Segments, until: Option<Position>, to: impl Write) -> Result<()> {
    let mut writer = Writer::new(to, Path::new("the export"));
    segments.visit(Place::START, |_, entry| {
        if until.is_some_and(|until| entry.place.last_record() > until.0) {
            return Ok(false);
        }
        writer.write(&entry)?;
        Ok(true)
    })?;
    writer.finish().map(drop)
}

/// An export of records that lie elsewhere, such as in a database.
pub(in crate::journal) struct Portable<W>(Writer<W>);

impl<W: Write> Portable<W> {
    /// Begins one.
    pub(in crate::journal) fn begin(to: W) -> Self {
        Self(Writer::new(to, Path::new("the export")))
    }

    /// Adds the bytes of the next record.
    ///
    /// # Errors
    /// When `to` fails.
    pub(in crate::journal) fn record(&mut self, position: u64, bytes: Vec<u8>) -> Result<()> {
        let place = Place::record(position);
        self.0.write(&Entry { place, bytes })
    }

    /// Ends it.
    ///
    /// # Errors
    /// When `to` fails.
    pub(in crate::journal) fn finish(self) -> Result<()> {
        self.0.finish().map(drop)
    }
}
