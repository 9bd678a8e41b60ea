//! A disk that fails when a test says so. Only the test build has this.
//!
//! `GATELOG_DISK_FAULTS` names a file that is read before each sync of the store: `fail` makes the sync
//! fail, `slow MILLISECONDS` makes it take so much longer. No file, or an empty one, is a good disk.

use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

/// What happens instead of the sync that is about to be made, or before it.
///
/// # Errors
/// When the file says that it fails.
pub(super) fn before_sync() -> io::Result<()> {
    static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let file = FILE.get_or_init(|| std::env::var_os("GATELOG_DISK_FAULTS").map(PathBuf::from));
    let Some(told) = file
        .as_ref()
        .and_then(|it| std::fs::read_to_string(it).ok())
    else {
        return Ok(());
    };
    let told = told.trim();
    if told == "fail" {
        return Err(io::Error::other("the disk failed, as a test asked for"));
    }
    if let Some(millis) = told.strip_prefix("slow ").and_then(|it| it.parse().ok()) {
        std::thread::sleep(Duration::from_millis(millis));
    }
    Ok(())
}
