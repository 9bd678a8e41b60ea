//! The whole journal as one export: the same file that the journal on disk writes.

use std::io::Write;

use super::super::Result;
use super::super::sled::Portable;
use super::PostgresJournal;
use super::read::Values;
use super::save::number;
use super::wanted::position;

/// So many records are read at once.
const PORTION: i64 = 1_000;

const LAST: &str = "SELECT position FROM journal";

const LOG: &str = "
SELECT position, record FROM record WHERE position > $1 AND position <= $2
ORDER BY position LIMIT $3";

impl PostgresJournal {
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
        let rows = handle.block_on(shared.asked(LAST, Values::new()))?;
        let last = rows.first().map_or(0, |row| position(row.get(0)));
        let mut export = Portable::begin(to);
        let mut after = 0;
        while after < last {
            let values: Values = vec![
                Box::new(number(after)),
                Box::new(number(last)),
                Box::new(PORTION),
            ];
            let rows = handle.block_on(shared.asked(LOG, values))?;
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
