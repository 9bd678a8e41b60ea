//! Signs what the journal was: on a schedule, when somebody asks, and at the end.
//!
//! Two histories are never signed: where a checkpoint of before is not of this journal, because a
//! backup was restored or the log rewritten, nothing is signed until the operator has decided.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::feed::checkpoint::Post;
use crate::journal::evidence::file::{self, Ledger};
use crate::journal::evidence::{Signed, Signer, Verifier};
use crate::journal::sled::SledJournal;
use crate::journal::{Error, Result};
use crate::settings::Checkpoints;

/// When a checkpoint was not taken, the next attempt comes after this, or after the interval.
const PAUSE: Duration = Duration::from_mins(1);

/// Who signs for the journal of this process.
pub(super) struct Notary {
    journal: Arc<SledJournal>,
    signer: Signer,
    directory: PathBuf,
    elsewhere: Option<PathBuf>,
    ledgers: Mutex<Option<Ledgers>>,
}

/// The files, once it is known that they are of this journal.
struct Ledgers {
    own: Ledger,
    elsewhere: Option<Ledger>,
}

impl Notary {
    /// Signs with the key that the journal's keys make: it is kept and backed up with them, and a
    /// new root key does not change it.
    pub(super) fn new(
        journal: &Arc<SledJournal>,
        directory: &Path,
        settings: &Checkpoints,
    ) -> Self {
        let seed = journal.keyring().derive("checkpoint signatures");
        Self {
            journal: Arc::clone(journal),
            signer: Signer::new(&seed),
            directory: directory.to_path_buf(),
            elsewhere: settings.file.clone(),
            ledgers: Mutex::default(),
        }
    }

    /// What checks its signatures.
    pub(super) fn verifier(&self) -> &Verifier {
        self.signer.verifier()
    }

    /// Signs what the journal is now, and adds that to the files.
    pub(super) async fn sign(&self) -> Result<Signed> {
        let mut ledgers = self.ledgers.lock().await;
        let ledgers = match &mut *ledgers {
            Some(ledgers) => ledgers,
            none => none.insert(self.open()?),
        };
        let stand = self.journal.stand().await?;
        let signed = self.signer.checkpoint(stand.size, stand.root);
        if stand.size > 0 {
            ledgers.own.add(&signed)?;
            if let Some(ledger) = &mut ledgers.elsewhere
                && let Err(error) = ledger.add(&signed)
            {
                tracing::error!(%error, "journal.checkpoints.file cannot be written");
            }
        }
        Ok(signed)
    }

    /// Opens the files, and makes sure that what is in them was signed for this journal.
    fn open(&self) -> Result<Ledgers> {
        file::leave_key(&self.directory, self.verifier())?;
        let own = Ledger::open(&self.directory.join(file::CHECKPOINTS))?;
        self.check(&own)?;
        let elsewhere = match &self.elsewhere {
            Some(path) => Some(Ledger::open(path)?),
            None => None,
        };
        if let Some(ledger) = &elsewhere {
            self.check(ledger)?;
        }
        Ok(Ledgers { own, elsewhere })
    }

    fn check(&self, ledger: &Ledger) -> Result<()> {
        let Some(Signed { checkpoint, .. }) = ledger.last() else {
            return Ok(());
        };
        let is_ours = checkpoint.origin == self.verifier().name();
        if is_ours && self.journal.root_at(checkpoint.size)? == Some(checkpoint.root) {
            return Ok(());
        }
        Err(Error::Damaged {
            path: ledger.path().to_path_buf(),
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
                            Ok(()) => posted = Some(signed),
                            Err(problem) => {
                                tracing::warn!(%problem, "a checkpoint was not taken; trying again");
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
