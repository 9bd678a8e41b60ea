//! Signs what the journal was: on a schedule, when somebody asks, and at the end.
//!
//! Two histories are never signed: where a checkpoint of before is not of this journal, because a
//! backup was restored or the log rewritten, nothing is signed until the operator has decided.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;

use super::elsewhere::Elsewhere;
use super::kept::Kept;
use crate::clock::Clock;
use crate::feed::checkpoint::Post;
use crate::http::operator::Signing;
use crate::journal::evidence::file::{self, Ledger};
use crate::journal::evidence::{Checkpoint, Signed, Signer, Verifier};
use crate::journal::{Error, Result};
use crate::settings::{Checkpoints, Settings};

/// When a checkpoint was not taken, the next attempt comes after this, or after the interval.
const PAUSE: Duration = Duration::from_mins(1);

/// Who signs for the journal of this process.
pub(super) struct Notary {
    journal: Kept,
    signer: Signer,
    directory: PathBuf,
    elsewhere: Option<Elsewhere>,
    /// The own file, once it is known that both are of this journal.
    own: Mutex<Option<Ledger>>,
    /// How the last attempts went.
    health: StdMutex<Signing>,
}

impl Notary {
    /// Signs with the key that the journal's keys make: it is kept and backed up with them, and a
    /// new root key does not change it.
    pub(super) fn new(journal: &Kept, settings: &Settings) -> Self {
        let directory = &settings.data;
        let seed = journal.keyring().derive("checkpoint signatures");
        Self {
            journal: journal.clone(),
            signer: Signer::new(&seed),
            directory: directory.clone(),
            elsewhere: settings
                .journal
                .checkpoints
                .file
                .as_ref()
                .map(|path| Elsewhere::new(path, directory)),
            own: Mutex::default(),
            health: StdMutex::default(),
        }
    }

    /// What checks its signatures.
    pub(super) fn verifier(&self) -> &Verifier {
        self.signer.verifier()
    }

    /// A signed note that a document of this sort was made here.
    pub(super) fn attest(&self, sort: &str, document: &[u8]) -> String {
        self.signer.attest(sort, document)
    }

    /// How the last attempts went.
    pub(super) fn health(&self) -> Signing {
        self.noted().clone()
    }

    fn noted(&self) -> MutexGuard<'_, Signing> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs what the journal is now, and adds that to the files.
    pub(super) async fn sign(&self) -> Result<Signed> {
        let signed = self.try_to_sign().await;
        let mut health = self.noted();
        match &signed {
            Ok(signed) => {
                health.size = signed.checkpoint.size;
                health.problem = None;
            }
            Err(error) => health.problem = Some(error.to_string()),
        }
        drop(health);
        signed
    }

    async fn try_to_sign(&self) -> Result<Signed> {
        let mut own = self.own.lock().await;
        let own = match &mut *own {
            Some(own) => own,
            none => none.insert(self.open().await?),
        };
        let stand = self.journal.stand().await?;
        let signed = self.signer.checkpoint(stand.size, stand.root);
        if stand.size > 0 {
            own.add(&signed)?;
            if let Some(elsewhere) = &self.elsewhere {
                let added = elsewhere.add(&signed).await;
                if let Err(error) = &added {
                    tracing::error!(%error, "journal.checkpoints.file cannot be written");
                }
                self.noted().elsewhere = added.err().map(|error| error.to_string());
            }
        }
        Ok(signed)
    }

    /// Opens the files, and makes sure that what is in them was signed for this journal.
    async fn open(&self) -> Result<Ledger> {
        file::leave_key(&self.directory, self.verifier())?;
        let own = Ledger::open(&self.directory.join(file::CHECKPOINTS))?;
        self.check(own.path(), own.last()).await?;
        if let Some(elsewhere) = &self.elsewhere {
            let last = elsewhere.last().await?;
            self.check(elsewhere.path(), last.as_ref()).await?;
        }
        Ok(own)
    }

    /// The last checkpoint of the file elsewhere, if there is one; or what is to be said of it where
    /// it was not signed here.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) async fn kept_elsewhere(
        &self,
    ) -> Result<std::result::Result<Option<Checkpoint>, String>> {
        let Some(elsewhere) = &self.elsewhere else {
            return Ok(Ok(None));
        };
        let Some(last) = elsewhere.last().await? else {
            return Ok(Ok(None));
        };
        Ok(match Signed::first(&last.note, self.verifier()) {
            Ok((signed, _)) => Ok(Some(signed.checkpoint)),
            Err(error) => Err(format!("{}: {error}", elsewhere.path().display())),
        })
    }

    /// What lies beside the data of this process; or what is to be said of it where it cannot be read.
    pub(super) fn kept_here(&self) -> std::result::Result<Vec<Checkpoint>, String> {
        let (own, _) = file::read(&self.directory).map_err(|error| error.to_string())?;
        Ok(own.into_iter().map(|signed| signed.checkpoint).collect())
    }

    /// What is to be said where the key beside the checkpoints is not this journal's.
    pub(super) fn foreign_key(&self) -> Vec<String> {
        match file::read(&self.directory) {
            Ok((_, Some(key))) if key != *self.verifier() => vec![format!(
                "{}: it is not the key that this journal is signed with, which is {}",
                self.directory.join(file::KEY).display(),
                self.verifier()
            )],
            // What cannot be read is among the findings already.
            _ => Vec::new(),
        }
    }

    async fn check(&self, path: &Path, last: Option<&Signed>) -> Result<()> {
        let Some(Signed { checkpoint, .. }) = last else {
            return Ok(());
        };
        let is_ours = checkpoint.origin == self.verifier().name();
        if is_ours && self.journal.root_at(checkpoint.size).await? == Some(checkpoint.root) {
            return Ok(());
        }
        Err(Error::Damaged {
            path: path.to_path_buf(),
            problem: format!(
                "its last checkpoint, of {} records, is not of this journal, so nothing is signed: \
                 a backup was restored, or the log was altered. See `gatelog journal verify`; to \
                 accept what the journal is now, move the file away",
                checkpoint.size
            ),
        })
    }

    /// Signs again and again, and posts what was signed, until the task is ended.
    pub(super) async fn run(self: Arc<Self>, settings: Checkpoints, clock: Clock) {
        let mut post = settings.url.map(Post::new);
        let mut posted = None;
        loop {
            let started = clock.monotonic();
            let mut pause = settings.interval;
            match self.sign().await {
                Ok(signed) => {
                    if let Some(post) = post.as_mut().filter(|_| posted.as_ref() != Some(&signed)) {
                        match post.send(&signed.note).await {
                            Ok(()) => {
                                posted = Some(signed);
                                self.noted().url = None;
                            }
                            Err(problem) => {
                                tracing::warn!(%problem, "a checkpoint was not taken; trying again");
                                self.noted().url = Some(problem);
                                pause = pause.min(PAUSE);
                            }
                        }
                    }
                }
                Err(error) => tracing::error!(%error, "the journal could not be signed"),
            }
            let took = clock.monotonic().duration_since(started);
            tokio::time::sleep(pause.saturating_sub(took)).await;
        }
    }
}
