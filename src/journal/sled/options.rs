//! Where a journal lies and how it is kept.

use std::path::PathBuf;

use super::OnSync;
use super::segments::Tuning;

/// Where a journal lies and how it is kept.
#[derive(Clone)]
pub struct Options {
    /// The data directory, in which `log`, `state` and `checkpoints` are kept.
    pub directory: PathBuf,
    /// Bytes of cache for the state, and as many for the open part of the log. The process takes
    /// about 1.7 times as much.
    pub cache_capacity: u64,
    /// How many records a part of the log holds before the next one is begun.
    pub segment_records: u64,
    /// Whether a closed part of the log is removed once its export is verified.
    pub remove_exported: bool,
    /// So many bytes have to be free on the disk for something new to be begun; nothing at all is
    /// written when a quarter of it is left, or [`FLOOR`](super::FLOOR), whichever is less. Zero is no limit.
    pub reserve: u64,
    /// Called with the path after each `fdatasync` of a file that holds records.
    pub on_sync: Option<OnSync>,
}

impl Options {
    /// The usual settings for a journal in this data directory.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            cache_capacity: 16 << 20,
            segment_records: 500_000,
            remove_exported: false,
            reserve: 64 << 20,
            on_sync: None,
        }
    }

    pub(super) fn tuning(&self) -> Tuning {
        Tuning {
            cache: self.cache_capacity,
            on_sync: self.on_sync.clone(),
        }
    }
}
