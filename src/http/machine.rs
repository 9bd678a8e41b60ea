//! What is known of this process and its disk, for whoever looks after the server.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::operator::Store;
use crate::courier::Courier;

/// How many folders within each other are measured.
const DEEPEST: usize = 8;

/// What is known of this process. Handlers alone, in tests, have no such thing.
pub struct Machine {
    /// When the server began.
    pub started: Timestamp,
    /// Sends mails.
    pub courier: Courier,
    /// Where the journal lies.
    pub data: PathBuf,
    /// Where the root key lies.
    pub key_file: PathBuf,
    /// What only the store on disk can do.
    pub store: Arc<dyn Store>,
}

impl Machine {
    /// How much room there is, how much of it the journal takes, since when the root key is what it
    /// is, and whether the journal is signed. It looks at every file, away from the threads that
    /// serve requests.
    pub(super) async fn disk(&self) -> Value {
        let (data, key_file) = (self.data.clone(), self.key_file.clone());
        let signing = self.store.signing();
        let measured = tokio::task::spawn_blocking(move || {
            let log = data.join("log");
            let segments = fs::read_dir(&log).map_or(0, Iterator::count);
            json!({
                "free": free(&data),
                "bytes": bytes(&data, 0),
                "log_bytes": bytes(&log, 0),
                "segments": segments,
                "key_since": modified(&key_file),
                "signing": signing,
            })
        });
        measured.await.unwrap_or_default()
    }
}

/// How many bytes can still be written where a folder lies; `None` where the system does not say.
fn free(folder: &Path) -> Option<u64> {
    let told = rustix::fs::statvfs(folder).ok()?;
    told.f_bavail.checked_mul(told.f_frsize)
}

/// The bytes of all files below a folder. What cannot be read does not count.
fn bytes(folder: &Path, depth: usize) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let of_entry = |entry: fs::DirEntry| match entry.metadata() {
        Ok(it) if it.is_dir() && depth < DEEPEST => bytes(&entry.path(), depth + 1),
        Ok(it) if it.is_file() => it.len(),
        _ => 0,
    };
    entries.flatten().map(of_entry).sum()
}

fn modified(path: &Path) -> Option<Timestamp> {
    let modified: SystemTime = fs::metadata(path).ok()?.modified().ok()?;
    Timestamp::try_from(modified).ok()
}
