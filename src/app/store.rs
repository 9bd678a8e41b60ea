//! The journal on disk: opened, closed, and what only it can do for the operator.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::sync::mpsc;

use super::elsewhere;
use super::notary::Notary;
use crate::clock::Clock;
use crate::http::operator::{Signing, Store, Verified};
use crate::journal::evidence::{Checkpoint, Consistency, Inclusion, Signed, Verifier};
use crate::journal::keys::{Keyring, RootKey};
use crate::journal::sled::{self, Options, Report, SledJournal};
use crate::journal::{self, Envelope, Journal, Position, StreamId};
use crate::settings::Settings;

/// How many pieces of an export wait for a slow reader.
const PIECES: usize = 16;

pub(super) fn options(settings: &Settings) -> Options {
    Options {
        cache_capacity: settings.journal.cache_capacity,
        segment_records: settings.journal.segment_records as u64,
        remove_exported: settings.journal.remove_exported,
        reserve: settings.journal.reserve,
        ..Options::new(&settings.data)
    }
}

/// Reads the root key, or makes it, and opens all others with it.
pub(super) fn keyring(settings: &Settings, clock: &Clock) -> journal::Result<Arc<Keyring>> {
    nothing_is_missing(settings)?;
    let root = RootKey::load_or_create(&settings.secret_key_file, clock)?;
    Ok(Arc::new(Keyring::open(
        &settings.data.join("keys"),
        root,
        clock,
    )?))
}

/// A key that has to be there is never made anew: a new one opens nothing, and it would lie
/// where the right one belongs. The root key is older than the other keys, and they are older
/// than the log.
fn nothing_is_missing(settings: &Settings) -> journal::Result<()> {
    let root = &settings.secret_key_file;
    let slots = settings.data.join("keys").join("slots");
    let log = settings.data.join("log");
    let missing = |path: &Path, problem: &str| {
        Err(journal::Error::Damaged {
            path: path.to_path_buf(),
            problem: problem.to_owned(),
        })
    };
    let any = |path: &Path| {
        path.read_dir()
            .is_ok_and(|mut files| files.next().is_some())
    };
    if is_there(&slots)? && !is_there(root)? {
        return missing(
            root,
            "the root key is missing, but there are keys that it has to open: restore it from a \
             backup, or name it in GATELOG_SECRET_KEY_FILE",
        );
    }
    let emptied = slots.metadata().is_ok_and(|slots| slots.len() == 0);
    if any(&log) && (!is_there(&slots)? || emptied) {
        return missing(
            &slots,
            "the keys are missing, but there is a log that they have to open: restore the \
             directory `keys` from a backup",
        );
    }
    Ok(())
}

/// What this user may not see is not missing.
fn is_there(path: &Path) -> journal::Result<bool> {
    path.try_exists()
        .map_err(|error| journal::Error::io(path, error))
}

fn verified(report: &Report) -> Verified {
    Verified {
        records: report.records,
        checkpoints: report.checkpoints,
        after_checkpoints: report.after_checkpoints,
        signed: report.signed,
        after_signed: report.after_signed,
        bodies_gone: report.bodies_gone,
        findings: report.findings.iter().map(ToString::to_string).collect(),
        not_compared: None,
    }
}

/// The open journal as the operator's routes see it.
pub(super) struct Disk {
    pub(super) journal: Arc<SledJournal>,
    pub(super) notary: Arc<Notary>,
    pub(super) clock: Clock,
}

#[async_trait]
impl Store for Disk {
    async fn verify(&self, held: Vec<Checkpoint>) -> journal::Result<Verified> {
        let (mut held, mut said) = (held, self.notary.foreign_key());
        let not_compared = match self.notary.kept_elsewhere().await {
            Ok(Ok(last)) => {
                held.extend(last);
                None
            }
            Ok(Err(foreign)) => {
                said.push(foreign);
                None
            }
            Err(error) => Some(error.to_string()),
        };
        let journal = Arc::clone(&self.journal);
        let verified = blocking(move || {
            let verified = verified(&journal.verify(&held)?);
            journal.meter().found(verified.findings.len());
            Ok(verified)
        })
        .await?;
        Ok(Verified {
            findings: [verified.findings, said].concat(),
            not_compared,
            ..verified
        })
    }

    fn verifier(&self) -> &Verifier {
        self.notary.verifier()
    }

    fn signing(&self) -> Signing {
        self.notary.health()
    }

    fn attest(&self, sort: &str, document: &[u8]) -> String {
        self.notary.attest(sort, document)
    }

    async fn checkpoint(&self) -> journal::Result<Signed> {
        self.notary.sign().await
    }

    async fn positions(&self, stream: StreamId) -> journal::Result<Vec<Position>> {
        let journal = Arc::clone(&self.journal);
        blocking(move || journal.positions(stream)).await
    }

    async fn inclusion(
        &self,
        position: Position,
        checkpoint: &Signed,
    ) -> journal::Result<Option<Inclusion>> {
        let (journal, checkpoint) = (Arc::clone(&self.journal), checkpoint.clone());
        blocking(move || {
            let found = journal.inclusion(position, checkpoint.checkpoint.size)?;
            Ok(found.map(|(frame, path)| Inclusion {
                index: position.0 - 1,
                frame,
                path,
                checkpoint,
            }))
        })
        .await
    }

    async fn consistency(&self, from: Signed, to: Signed) -> journal::Result<Option<Consistency>> {
        let journal = Arc::clone(&self.journal);
        blocking(move || {
            for Signed { checkpoint, .. } in [&from, &to] {
                if journal.root_at(checkpoint.size)? != Some(checkpoint.root) {
                    return Ok(None);
                }
            }
            let path = journal.consistency(from.checkpoint.size, to.checkpoint.size)?;
            Ok(path.map(|path| Consistency { from, to, path }))
        })
        .await
    }

    async fn rotate_root(&self) -> journal::Result<()> {
        let keyring = Arc::clone(self.journal.keyring());
        let new = RootKey::generate(&self.clock);
        blocking(move || keyring.rotate(&new)).await
    }

    fn records(&self) -> BoxStream<'static, journal::Result<(Position, Envelope)>> {
        let last = self.journal.last();
        if last == Position(0) {
            return stream::empty().boxed();
        }
        // Following goes on for ever; this ends with what is there now.
        let records = self.journal.follow(Position(0));
        stream::unfold(Some(records), move |records| async move {
            let mut records = records?;
            let record = records.next().await?;
            let goes_on = record.as_ref().is_ok_and(|(position, _)| *position < last);
            Some((record, goes_on.then_some(records)))
        })
        .boxed()
    }

    fn export(&self) -> BoxStream<'static, io::Result<Bytes>> {
        let (to, pieces) = mpsc::channel(PIECES);
        let journal = Arc::clone(&self.journal);
        tokio::task::spawn_blocking(move || {
            let failures = to.clone();
            if let Err(error) = journal.export(Pieces(to)) {
                tracing::error!(%error, "an export broke off");
                let _ = failures.blocking_send(Err(io::Error::other(error.to_string())));
            }
        });
        stream::unfold(pieces, |mut pieces| async move {
            Some((pieces.recv().await?, pieces))
        })
        .boxed()
    }
}

/// Does what takes its time away from the threads that serve requests.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> journal::Result<T> + Send + 'static,
) -> journal::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| journal::Error::Unavailable(error.to_string().into()))?
}

/// Hands on what is written, from a thread that may wait for the reader.
struct Pieces(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .blocking_send(Ok(Bytes::copy_from_slice(bytes)))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Verifies a journal that nobody has open; it may be too damaged to be opened.
pub(super) fn verify(settings: &Settings, held: &[Checkpoint]) -> journal::Result<Verified> {
    let (kept, not_compared) = match elsewhere::look(settings) {
        Ok(kept) => (kept, None),
        Err(problem) => (Vec::new(), Some(problem)),
    };
    let held = [held, &kept].concat();
    Ok(Verified {
        not_compared,
        ..verified(&sled::verify(&options(settings), &held)?)
    })
}

/// Verifies exports alone, which needs no data directory, against checkpoints that were kept.
///
/// # Errors
/// Only when a file cannot be read; damage is among the findings.
pub fn verify_exports(paths: &[PathBuf], held: &[Checkpoint]) -> journal::Result<Verified> {
    Ok(verified(&sled::verify_exports(paths, held)?))
}

/// Makes the state of a journal anew that nobody has open, and returns the last position.
pub(super) fn rebuild(settings: &Settings, clock: &Clock) -> journal::Result<Position> {
    sled::rebuild(&options(settings), &*keyring(settings, clock)?)
}
