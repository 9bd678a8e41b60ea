//! Retention: bodies go, frames stay, so every chain can still be verified.
//!
//! A body is only taken out of the log here. What must be unreadable also in backups and in the
//! old bytes that sled keeps needs its key destroyed.

use std::fs::File;
use std::io::BufWriter;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::super::frame::{Operation, Record};
use super::super::{Error, Kind, Result, StreamId};
use super::batch::{self, Request};
use super::export::{Export, Writer};
use super::log::{self, Entry};
use super::place::{LogKey, Place};
use super::segment::{Segment, Source};
use super::segments::PARTIAL;
use super::store::Store;
use super::{Shared, SledJournal, archive, disk};

/// The writer is asked to remove so many bodies at once, so that nobody waits long for it.
const PORTION: usize = 200;

impl SledJournal {
    /// Removes the bodies of a kind's records from before `before`, unless `keep` says that the
    /// stream is still needed. The current revision of an object always stays, and so do moves of
    /// counters. Returns how many bodies went.
    ///
    /// A part of the log that was closed and waits for its export is left for the next time.
    /// Reads the whole journal: call it on a thread that may block.
    ///
    /// # Errors
    /// When the log cannot be read or written; what was removed until then is gone.
    ///
    /// # Panics
    /// When it is called on a thread that runs asynchronous tasks.
    pub fn remove_bodies(
        &self,
        kind: Kind,
        before: Timestamp,
        keep: impl Fn(StreamId) -> bool,
    ) -> Result<u64> {
        let goes = |shared: &Shared, record: &Record| -> Result<bool> {
            let frame = &record.frame;
            let may = frame.stream.kind == kind
                && frame.at < before
                && record.payload.is_some()
                && matches!(frame.operation, Operation::Append | Operation::Put)
                && !keep(frame.stream);
            Ok(may && !shared.is_current(record)?)
        };
        let mut removed = 0;
        for segment in self.shared.segments.closed() {
            if segment.has_export() {
                removed += rewrite(&segment, |record| goes(&self.shared, record))?;
            }
        }
        let mut positions = Vec::new();
        let first = self.shared.segments.last().first();
        self.shared
            .segments
            .visit(Place::record(first), |_, entry| {
                if entry.place.is_record() && goes(&self.shared, &decode(&entry)?)? {
                    positions.push(entry.place.position);
                }
                Ok(true)
            })?;
        for positions in positions.chunks(PORTION) {
            let (answer, answered) = oneshot::channel();
            self.send(Request::Remove {
                positions: positions.to_vec(),
                answer,
            })?;
            removed += answered.blocking_recv().map_err(|_| batch::closed())??;
        }
        Ok(removed)
    }
}

impl Shared {
    fn is_current(&self, record: &Record) -> Result<bool> {
        if record.frame.operation != Operation::Put {
            return Ok(false);
        }
        let current = self.current(record.frame.stream)?;
        Ok(current.is_some_and(|current| current.frame.version == record.frame.version))
    }
}

/// Takes the bodies out of the segment that is open for writing. Only the writer calls this.
pub(super) fn remove(store: &Store, positions: &[u64]) -> Result<u64> {
    let mut batch = sled::Batch::default();
    let mut removed = 0;
    for position in positions {
        // Another segment may have been begun since somebody asked.
        let Some(bytes) = log::record(store, *position)? else {
            continue;
        };
        let place = Place::record(*position);
        let entry = Entry { place, bytes };
        for part in 2..=log::pieces(&entry) {
            batch.remove(LogKey::Piece(*position, part).to_bytes());
        }
        let bytes = decode(&entry)?.without_body().encode();
        log::insert(&mut batch, &Entry { place, bytes });
        removed += 1;
    }
    store.apply(batch)?;
    store.flush()?;
    store.sync()?;
    Ok(removed)
}

/// Writes the export anew without the bodies that `goes` names. The sled directory, which would
/// still hold them, goes first; the old export stays whole until the new one takes its place.
fn rewrite(segment: &Segment, goes: impl Fn(&Record) -> Result<bool>) -> Result<u64> {
    let old = Export::open(&segment.export())?;
    let partial = archive::with_ending(old.path(), PARTIAL);
    let io = |error| Error::io(&partial, error);
    let mut writer = Writer::new(
        BufWriter::new(File::create(&partial).map_err(io)?),
        &partial,
    );
    let mut removed = 0;
    for entry in old.entries(Place::START) {
        let mut entry = entry?;
        if entry.place.is_record() {
            let record = decode(&entry)?;
            if goes(&record)? {
                entry.bytes = record.without_body().encode();
                removed += 1;
            }
        }
        writer.write(&entry)?;
    }
    let file = writer.finish()?.into_inner();
    let file = file.map_err(|error| io(error.into_error()))?;
    if removed == 0 {
        return std::fs::remove_file(&partial).map(|()| 0).map_err(io);
    }
    file.sync_all().map_err(io)?;
    for entry in Export::open(&partial)?.entries(Place::START) {
        entry?;
    }
    let before = segment.set(Source::Export(old.into()));
    if let Some(Source::Sled(store)) = before {
        archive::wait_for_readers(&store);
    }
    if segment.directory().exists() {
        archive::remove_directory(segment.directory())?;
    }
    disk::rename(&partial, &segment.export())?;
    segment.set(Source::Export(Export::open(&segment.export())?.into()));
    Ok(removed)
}

fn decode(entry: &Entry) -> Result<Record> {
    Record::decode(&entry.bytes).map_err(|problem| {
        Error::Unavailable(
            format!(
                "the record at {} cannot be read ({problem}); verify the journal before anything \
                 is removed from it",
                entry.place
            )
            .into(),
        )
    })
}
