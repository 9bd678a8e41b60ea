//! The exit codes, and which error gets which. `docs/cli.md` lists them.

use std::io::ErrorKind;

use crate::app::lock;
use crate::{journal, settings};

use super::blueprint::diff;
use super::client::{self, Refusal};
use super::journal::{Damaged, Refuted};
use super::output::Closed;
use super::{password, replay, step};

/// All went well.
pub(super) const OK: u8 = 0;
/// It did not; the message says why.
pub(super) const FAILURE: u8 = 1;
/// The arguments make no sense; the parser of arguments uses the same code.
pub(super) const USAGE: u8 = 2;
/// It cannot be said whether executions come to the same, as some could not be run again.
pub(super) const UNDECIDED: u8 = 2;
/// A blueprint cannot be compared: it is wrong, or the server refuses it.
pub(super) const DATA: u8 = 65;
/// What was asked for was erased: there is nothing left to read or to compare.
pub(super) const ERASED: u8 = 66;
/// The journal cannot be had or written at the moment.
pub(super) const UNAVAILABLE: u8 = 69;
/// The journal is damaged, or evidence about it does not hold.
pub(super) const CORRUPT: u8 = 74;
/// The settings cannot be used.
pub(super) const CONFIGURATION: u8 = 78;

/// The code of the innermost error that has one.
pub(super) fn code(error: &anyhow::Error) -> u8 {
    error.chain().find_map(code_of).unwrap_or(FAILURE)
}

fn code_of(error: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if error.is::<Closed>() {
        Some(OK)
    } else if error.is::<Damaged>() || error.is::<Refuted>() {
        Some(CORRUPT)
    } else if error.is::<diff::Undecided>() {
        Some(DATA)
    } else if error.is::<settings::Error>() {
        Some(CONFIGURATION)
    } else if error.is::<replay::Undecided>() {
        Some(UNDECIDED)
    } else if let Some(ended) = error.downcast_ref::<step::Ended>() {
        Some(ended.code())
    } else if error.is::<password::Error>() {
        Some(USAGE)
    } else if error.is::<client::Silent>() {
        Some(UNAVAILABLE)
    } else if let Some(error) = error.downcast_ref::<lock::Error>() {
        Some(match error {
            lock::Error::Held { .. } => UNAVAILABLE,
            // No setting makes room.
            lock::Error::Io { source, .. }
                if matches!(
                    source.kind(),
                    ErrorKind::StorageFull
                        | ErrorKind::QuotaExceeded
                        | ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                UNAVAILABLE
            }
            lock::Error::Missing { .. } | lock::Error::Io { .. } => CONFIGURATION,
        })
    } else if let Some(error) = error.downcast_ref::<journal::Error>() {
        of_journal(error)
    } else {
        let refusal = error.downcast_ref::<Refusal>()?;
        match refusal.code.as_str() {
            "journal_corrupt" => Some(CORRUPT),
            "journal_unavailable" | "journal_newer" => Some(UNAVAILABLE),
            "erased" => Some(ERASED),
            _ => None,
        }
    }
}

fn of_journal(error: &journal::Error) -> Option<u8> {
    match error {
        journal::Error::Corrupt { .. } | journal::Error::Damaged { .. } => Some(CORRUPT),
        journal::Error::Unavailable(_)
        | journal::Error::Io { .. }
        | journal::Error::Newer { .. } => Some(UNAVAILABLE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn an_error_keeps_its_code_under_any_context() {
        let error = anyhow::Error::new(journal::Error::Unavailable("disk full".into()));
        let error = Err::<(), _>(error)
            .context("starting")
            .expect_err("an error");
        assert_eq!(code(&error), UNAVAILABLE);
        assert_eq!(code(&anyhow::anyhow!("anything")), FAILURE);
    }

    #[test]
    fn a_disk_is_no_setting() {
        let of = |kind: ErrorKind| {
            code(&anyhow::Error::new(lock::Error::Io {
                path: "lock".into(),
                source: kind.into(),
            }))
        };
        assert_eq!(of(ErrorKind::StorageFull), UNAVAILABLE);
        assert_eq!(of(ErrorKind::ReadOnlyFilesystem), UNAVAILABLE);
        assert_eq!(of(ErrorKind::PermissionDenied), CONFIGURATION);
    }

    #[test]
    fn what_the_server_reports_has_the_same_code_as_here() {
        let refusal = |code: &str| {
            anyhow::Error::new(Refusal {
                status: 500,
                code: code.to_owned(),
                message: String::new(),
                problems: Vec::new(),
            })
        };
        assert_eq!(code(&refusal("journal_corrupt")), CORRUPT);
        assert_eq!(code(&refusal("erased")), ERASED);
        assert_eq!(code(&refusal("not_found")), FAILURE);
    }
}
