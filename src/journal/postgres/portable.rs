//! The whole journal as one export, the same file that the journal on disk writes, or as a data
//! directory.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use uuid::Uuid;

use super::super::keys::remote;
use super::super::sled::Portable;
use super::super::{Error, Result};
use super::PostgresJournal;
use super::read::Values;
use super::wanted::position;

/// So many records are read at once.
const PORTION: i64 = 1_000;

const LOG: &str = "
SELECT position, record FROM record WHERE position > $1 AND position <= $2
ORDER BY position LIMIT $3";

const KEYS: &str = "SELECT slot FROM data_key WHERE id >= $1 ORDER BY id LIMIT $2";

impl PostgresJournal {
    /// Makes a data directory of the journal: its keys, and its log as one export, from which the state is
    /// made when it is opened. The root key is not among it.
    ///
    /// Reads the whole journal: call it on a thread that may block.
    ///
    /// # Errors
    /// When the database cannot be read, or the directory has a journal already or cannot be written.
    ///
    /// # Panics
    /// When it is called on a thread that runs asynchronous tasks.
    pub fn into_directory(&self, directory: &Path) -> Result<()> {
        let log = directory.join("log");
        let file = log.join("000000000001.export.gz");
        let partial = log.join("copy.partial");
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |error| Error::io(path, error)
        };
        fs::create_dir_all(&log).map_err(failed(&log))?;
        let mut others = fs::read_dir(&log).map_err(failed(&log))?;
        if others.any(|it| it.is_ok_and(|it| it.path() != partial)) {
            return Err(Error::Damaged {
                path: log,
                problem: "there is a journal in it already: name an empty directory".to_owned(),
            });
        }
        // Records first: a key that was made later opens nothing of them.
        let to = File::create(&partial).map_err(failed(&partial))?;
        self.export(&to)?;
        to.sync_all().map_err(failed(&partial))?;
        let shared = &self.shared;
        let (mut slots, mut next) = (Vec::new(), Some(Uuid::nil()));
        while let Some(first) = next {
            let values: Values = vec![Box::new(first), Box::new(PORTION)];
            let rows = shared.handle.block_on(shared.asked(KEYS, values))?;
            let portion: Vec<Vec<u8>> = rows.iter().map(|row| row.get(0)).collect();
            next = portion.last().and_then(|slot| remote::following(slot));
            slots.extend(portion);
        }
        let keys = directory.join("keys");
        // One that a copy left behind that broke off.
        let _ = fs::remove_file(keys.join("slots"));
        remote::restore(&keys, slots.iter().map(Vec::as_slice))?;
        fs::rename(&partial, &file).map_err(failed(&partial))?;
        let log = File::open(&log).and_then(|log| log.sync_all());
        log.map_err(failed(&file))
    }

    /// Writes everything up to the last position as one export, sealed as it is.
    ///
    /// Reads the whole journal: call it on a thread that may block.
    ///
    /// # Errors
    /// When the database cannot be read or `to` fails.
    ///
    /// # Panics
    /// When it is called on a thread that runs asynchronous tasks.
    pub fn export(&self, to: impl Write) -> Result<()> {
        let shared = &self.shared;
        let handle = &shared.handle;
        let last = handle.block_on(shared.written())?;
        let mut export = Portable::begin(to);
        let mut after = 0;
        while after < last {
            let rows = handle.block_on(shared.portion(LOG, after, last, PORTION))?;
            for row in &rows {
                after = position(row.get(0));
                export.record(after, row.get(1))?;
            }
            if rows.is_empty() {
                break;
            }
        }
        export.finish()
    }
}
