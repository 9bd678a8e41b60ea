//! The file elsewhere that signed checkpoints are added to: `journal.checkpoints.file`.
//!
//! It may lie on a disk that does not answer, such as a share that is gone. So whatever touches it
//! happens on a thread of its own, which nobody waits for longer than [`PATIENCE`], not even the end
//! of the server.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, oneshot};

use crate::journal::evidence::file::{self, Ledger};
use crate::journal::evidence::{self, Checkpoint, Signed};
use crate::journal::{Error, Result};
use crate::settings::Settings;

/// How long the disk may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The name of the file in a data directory that says which file elsewhere has checkpoints of its
/// journal. Where it is gone, nothing can be compared with it.
const KNOWN: &str = "checkpoints.elsewhere";

/// The file, once it was read.
pub(super) struct Elsewhere {
    path: PathBuf,
    known: PathBuf,
    ledger: Arc<Mutex<Option<Ledger>>>,
}

impl Elsewhere {
    /// The file at `path`, for the journal in `directory`.
    pub(super) fn new(path: &Path, directory: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            known: directory.join(KNOWN),
            ledger: Arc::default(),
        }
    }

    /// The last checkpoint in the file. It is read once.
    ///
    /// # Errors
    /// When it cannot be read, does not answer, is gone, or is a file of something else.
    pub(super) async fn last(&self) -> Result<Option<Signed>> {
        let (path, known) = (self.path.clone(), self.known.clone());
        self.on_a_thread(move |ledger| {
            if ledger.is_none() {
                make_sure_that_it_is_there(&path, &known)?;
                *ledger = Some(Ledger::open(&path)?);
            }
            Ok(ledger.as_ref().and_then(|it| it.last().cloned()))
        })
        .await
    }

    /// Adds a checkpoint.
    ///
    /// # Errors
    /// When it cannot be written, or the disk does not answer.
    pub(super) async fn add(&self, signed: &Signed) -> Result<()> {
        let (path, known, signed) = (self.path.clone(), self.known.clone(), signed.clone());
        self.on_a_thread(move |ledger| {
            if let Some(ledger) = ledger {
                ledger.add(&signed)?;
                remember(&path, &known)?;
            }
            Ok(())
        })
        .await
    }

    /// The file's name, for what is said of it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Option<Ledger>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let silent = || {
            Error::Unavailable(Arc::from(format!(
                "journal.checkpoints.file: the disk of {} does not answer",
                self.path.display()
            )))
        };
        let done = async {
            // Somebody else may be at it, for a moment or for good.
            let mut ledger = Arc::clone(&self.ledger).lock_owned().await;
            let (tell, told) = oneshot::channel();
            let thread = std::thread::Builder::new().name("checkpoints elsewhere".to_owned());
            let spawned = thread.spawn(move || {
                // Whoever asked may have given up.
                let _ = tell.send(work(&mut ledger));
            });
            spawned.map_err(|error| Error::io(&self.path, error))?;
            told.await.map_err(|_| silent())?
        };
        let done = tokio::time::timeout(PATIENCE, done).await;
        done.unwrap_or_else(|_| Err(silent()))
    }
}

/// The checkpoints in the file elsewhere, for a journal that nobody serves; or why it cannot be
/// compared with them.
pub(super) fn look(settings: &Settings) -> std::result::Result<Vec<Checkpoint>, String> {
    let Some(path) = settings.journal.checkpoints.file.clone() else {
        return Ok(Vec::new());
    };
    let is_known = settings.data.join(KNOWN).exists();
    let (_, key) = file::read(&settings.data).unwrap_or_default();
    let name = path.display().to_string();
    let (tell, told) = std::sync::mpsc::channel();
    // Whoever waits may have given up.
    std::thread::spawn(move || tell.send(std::fs::read_to_string(path)));
    match told.recv_timeout(PATIENCE) {
        Ok(Ok(text)) => {
            let all = evidence::read_all(&text, key.as_ref());
            let all = all.map_err(|error| format!("{name}: {error}"))?;
            Ok(all.into_iter().map(|it| it.checkpoint).collect())
        }
        // There never was one.
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound && !is_known => {
            Ok(Vec::new())
        }
        Ok(Err(error)) => Err(format!("{name}: {error}")),
        Err(_) => Err(format!("{name}: its disk does not answer")),
    }
}

/// A file that had checkpoints and is gone is not one that never had any: its disk may not be there,
/// and what is signed now might contradict it.
fn make_sure_that_it_is_there(path: &Path, known: &Path) -> Result<()> {
    let was_there = match std::fs::read(known) {
        Ok(name) => name == path.as_os_str().as_encoded_bytes(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(Error::io(known, error)),
    };
    let is_there = path.try_exists().map_err(|error| Error::io(path, error))?;
    if was_there && !is_there {
        return Err(Error::Damaged {
            path: path.to_path_buf(),
            problem: format!(
                "the file with the checkpoints of this journal is gone, so nothing is signed that \
                 might contradict it: bring its disk back, or remove {} to begin anew",
                known.display()
            ),
        });
    }
    Ok(())
}

fn remember(path: &Path, known: &Path) -> Result<()> {
    let name = path.as_os_str().as_encoded_bytes();
    if std::fs::read(known).is_ok_and(|it| it == name) {
        return Ok(());
    }
    std::fs::write(known, name).map_err(|error| Error::io(known, error))
}
