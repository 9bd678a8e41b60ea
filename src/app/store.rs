//! How a journal is opened with its keys, and what the operator's routes get of it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use secrecy::SecretString;
use tokio::sync::mpsc;

use super::elsewhere;
use super::kept::Kept;
use super::notary::Notary;
use crate::clock::Clock;
use crate::http::operator::{Signing, Store, Verified};
use crate::journal::evidence::{Checkpoint, Consistency, Inclusion, Signed, Verifier};
use crate::journal::keys::{Keyring, RootKey};
use crate::journal::postgres;
use crate::journal::sled::{self, Options, Report};
use crate::journal::{self, Envelope, Position, StreamId};
use crate::settings::Settings;
use crate::tls;

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

/// Where the journal is in a database, if the settings say that it is in one.
///
/// # Errors
/// When the certificates that the database's are checked against cannot be read.
pub(super) fn database(settings: &Settings) -> anyhow::Result<Option<postgres::Options>> {
    let url = settings.journal.url.clone();
    url.map(|url| options_at(url, settings)).transpose()
}

/// How a database at this address is reached.
///
/// # Errors
/// As [`database`].
pub(super) fn options_at(
    url: SecretString,
    settings: &Settings,
) -> anyhow::Result<postgres::Options> {
    let journal = &settings.journal;
    let tls = tls::for_database(journal.ca.as_deref());
    Ok(postgres::Options {
        url,
        password: journal.password.clone(),
        tls: Some(tls.context("journal.ca")?),
        connections: journal.connections,
    })
}

/// The root key that all nodes of a database have. The first one makes it.
pub(super) fn shared_root(
    settings: &Settings,
    clock: &Clock,
) -> impl FnOnce(bool) -> journal::Result<RootKey> + Send + 'static {
    let (path, clock) = (settings.secret_key_file.clone(), clock.clone());
    move |is_needed| {
        if is_needed && !is_there(&path)? {
            return Err(journal::Error::Damaged {
                path,
                problem: "the root key is missing, but there are keys in the database that it has \
                          to open: copy the file from another node or a backup, or name it in \
                          GATELOG_SECRET_KEY_FILE"
                    .to_owned(),
            });
        }
        RootKey::load_or_create(&path, &clock)
    }
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

/// What verifying a journal on the disk came to.
pub(super) fn verified(report: &Report) -> Verified {
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

/// What verifying a journal in a database came to.
pub(super) fn verified_shared(report: postgres::Report) -> Verified {
    Verified {
        records: report.records,
        // The file `checkpoints` is the disk's own: a database has none that could be too short.
        checkpoints: 0,
        after_checkpoints: 0,
        signed: report.signed,
        after_signed: report.after_signed,
        bodies_gone: report.bodies_gone,
        findings: report.findings,
        not_compared: None,
    }
}

/// The open journal as the operator's routes see it.
pub(super) struct Opened {
    pub(super) journal: Kept,
    pub(super) notary: Arc<Notary>,
    pub(super) clock: Clock,
}

#[async_trait]
impl Store for Opened {
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
        // A journal on the disk looks at what lies beside it by itself.
        if let Kept::Shared(_) = &self.journal {
            match self.notary.kept_here() {
                Ok(own) => held.extend(own),
                Err(problem) => said.push(problem),
            }
        }
        let verified = self.journal.verify(held).await?;
        self.journal.meter().found(verified.findings.len());
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
        self.journal.positions(stream).await
    }

    async fn inclusion(
        &self,
        position: Position,
        checkpoint: &Signed,
    ) -> journal::Result<Option<Inclusion>> {
        let size = checkpoint.checkpoint.size;
        let found = self.journal.inclusion(position, size).await?;
        Ok(found.map(|(frame, path)| Inclusion {
            index: position.0 - 1,
            frame,
            path,
            checkpoint: checkpoint.clone(),
        }))
    }

    async fn consistency(&self, from: Signed, to: Signed) -> journal::Result<Option<Consistency>> {
        for Signed { checkpoint, .. } in [&from, &to] {
            if self.journal.root_at(checkpoint.size).await? != Some(checkpoint.root) {
                return Ok(None);
            }
        }
        let sizes = (from.checkpoint.size, to.checkpoint.size);
        let path = self.journal.consistency(sizes.0, sizes.1).await?;
        Ok(path.map(|path| Consistency { from, to, path }))
    }

    async fn rotate_root(&self) -> journal::Result<()> {
        self.journal.rotate_root(&self.clock).await
    }

    fn records(&self) -> BoxStream<'static, journal::Result<(Position, Envelope)>> {
        let journal = self.journal.journal();
        let last = journal.last();
        if last == Position(0) {
            return stream::empty().boxed();
        }
        // Following goes on for ever; this ends with what is there now.
        let records = journal.follow(Position(0));
        stream::unfold(Some(records), move |records| async move {
            let mut records = records?;
            let record = records.next().await?;
            let goes_on = record.as_ref().is_ok_and(|(position, _)| *position < last);
            Some((record, goes_on.then_some(records)))
        })
        .boxed()
    }

    fn export(&self) -> BoxStream<'static, io::Result<Bytes>> {
        self.journal.export()
    }
}

/// Hands on what is written, from a thread that may wait for the reader.
pub(super) struct Pieces(pub(super) mpsc::Sender<io::Result<Bytes>>);

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
