//! The whole journal as one export, from which it can be made again anywhere.

use std::io::Write;
use std::path::Path;

use super::super::{Position, Result};
use super::export::Writer;
use super::place::Place;
use super::segments::Segments;
use super::{Options, SledJournal, log_of};

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
