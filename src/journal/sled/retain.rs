//! Retention: bodies go, frames stay, so every chain can still be verified.
//!
//! A body is only taken out of the log here. What must be unreadable also in backups and in the
//! old bytes that sled keeps needs its key destroyed.

use std::collections::HashSet;
use std::fs::File;
use std::io::BufWriter;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::super::forgotten::{Forgotten, Unneeded};
use super::super::frame::{Frame, Operation, Record};
use super::super::{Error, Kind, Result, StreamId, Version};
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

/// How often it is looked whether a closed part of the log has its export, and how long in between.
const PATIENCE: usize = 600;
const PAUSE: Duration = Duration::from_millis(100);

impl SledJournal {
    /// Shows the frame of every record that there is now, in order, how many bytes the record has, and
    /// whether its body is there. Nothing is opened.
    ///
    /// Reads the whole journal: call it on a thread that may block.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn frames(&self, mut look: impl FnMut(&Frame, usize, bool)) -> Result<()> {
        self.shared.segments.visit(Place::START, |_, entry| {
            if entry.place.is_record() {
                let record = decode(&entry)?;
                look(&record.frame, entry.bytes.len(), record.payload.is_some());
            }
            Ok(true)
        })
    }

    /// Removes, in one pass, the bodies of all records of which `goes` says so. The current revision
    /// of an object always stays, and so do moves of counters. Returns how many bodies went, and which
    /// keys nothing needs any more of the streams of the kind `keyed` that went.
    ///
    /// A part of the log that was closed and waits for its export is left for the next time.
    /// Reads the whole journal: call it on a thread that may block.
    ///
    /// # Errors
    /// When the log cannot be read or written; what was removed until then is gone.
    ///
    /// # Panics
    /// When it is called on a thread that runs asynchronous tasks.
    pub fn forget(
        &self,
        keyed: Kind,
        goes: impl Fn(StreamId, Timestamp) -> bool,
    ) -> Result<Forgotten> {
        let goes = |frame: &Frame| goes(frame.stream, frame.at);
        let mut keys = Unneeded::of(keyed);
        let (mut bodies, positions) = self.shared.remove_closed(goes, &mut keys)?;
        for positions in positions.chunks(PORTION) {
            let answered = self.remove_open(positions)?;
            bodies += answered.blocking_recv().map_err(|_| batch::closed())??;
        }
        let keyring = self.keyring();
        let keys = keys.keys().filter(|key| keyring.contains(*key)).collect();
        Ok(Forgotten { bodies, keys })
    }

    /// Removes the bodies of these records, but of none that is the current revision of an object.
    ///
    /// # Errors
    /// When the log cannot be read or written; what was removed until then is gone. Also when a part of
    /// the log that was closed still waits for its export: that takes no more than a moment.
    pub(super) async fn remove_those(&self, records: HashSet<(StreamId, Version)>) -> Result<u64> {
        if records.is_empty() {
            return Ok(0);
        }
        let look = move |shared: &Shared| {
            let goes = |frame: &Frame| records.contains(&(frame.stream, frame.version));
            shared.remove_closed(goes, &mut Unneeded::default())
        };
        self.exported().await?;
        let (mut removed, positions) = self.blocking(look).await?;
        for positions in positions.chunks(PORTION) {
            let answered = self.remove_open(positions)?;
            removed += answered.await.map_err(|_| batch::closed())??;
        }
        Ok(removed)
    }

    /// Waits until every closed part of the log has its export, which bodies are removed from.
    async fn exported(&self) -> Result<()> {
        for _ in 0..PATIENCE {
            let closed = self.shared.segments.closed();
            if closed.iter().all(|segment| segment.has_export()) {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        let why = "a closed part of the log waits for its export; try again in a moment";
        Err(Error::Unavailable(why.into()))
    }

    fn remove_open(&self, positions: &[u64]) -> Result<oneshot::Receiver<Result<u64>>> {
        let (answer, answered) = oneshot::channel();
        let positions = positions.to_vec();
        self.send(Request::Remove { positions, answer })?;
        Ok(answered)
    }
}

impl Shared {
    /// Removes what `goes` says from the closed parts of the log. Returns how many bodies went, and
    /// where those lie in the open part that have to go there.
    fn remove_closed(
        &self,
        goes: impl Fn(&Frame) -> bool,
        keys: &mut Unneeded,
    ) -> Result<(u64, Vec<u64>)> {
        let may_go = |record: &Record| -> Result<bool> {
            let frame = &record.frame;
            let may = record.payload.is_some() && frame.operation.has_body() && goes(frame);
            Ok(may && !self.is_current(record)?)
        };
        let mut removed = 0;
        for segment in self.segments.closed() {
            let has_export = segment.has_export();
            let mut any = false;
            each_record(&segment, |record, _| {
                let now = may_go(&record)?;
                any |= now;
                keys.note(
                    &record.frame,
                    record.payload.is_some() && !(now && has_export),
                );
                Ok(())
            })?;
            // Most of the parts have nothing left that is old, and are only read.
            if any && has_export {
                let rewritten = rewrite(&segment, may_go);
                self.opened.clear();
                removed += rewritten?;
            }
        }
        let mut positions = Vec::new();
        each_record(&self.segments.last(), |record, position| {
            let now = may_go(&record)?;
            if now {
                positions.push(position);
            }
            keys.note(&record.frame, record.payload.is_some() && !now);
            Ok(())
        })?;
        Ok((removed, positions))
    }

    fn is_current(&self, record: &Record) -> Result<bool> {
        if record.frame.operation != Operation::Put {
            return Ok(false);
        }
        let current = self.current(record.frame.stream)?;
        Ok(current.is_some_and(|current| current.frame.version == record.frame.version))
    }
}

/// Shows every record of a part of the log, and its position.
fn each_record(segment: &Segment, mut look: impl FnMut(Record, u64) -> Result<()>) -> Result<()> {
    let source = segment.read()?;
    for entry in source.entries(Place::START) {
        let entry = entry?;
        if entry.place.is_record() {
            look(decode(&entry)?, entry.place.position)?;
        }
    }
    Ok(())
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
