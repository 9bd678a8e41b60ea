//! A certificate of erasure, checked with nothing but the verifier key.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Refuted;
use super::verify::read;
use crate::cli::output::{Output, print_line, print_value};
use crate::directory::erasure::Certificate;
use crate::erasure;
use crate::journal::evidence::{self, Verifier};

/// Says of each file whether it is what this key's journal certified.
pub(super) fn tell(paths: &[PathBuf], key: &Verifier, output: &Output) -> anyhow::Result<()> {
    for path in paths {
        let certificate = checked(path, &read(path)?, key)?;
        if output.is_json() {
            print_value(&serde_json::to_value(&certificate)?)?;
        } else {
            print_line(&format!(
                "{} certified that the user {}, number {}, was erased: the key was destroyed {}, \
                 the last trace removed {}.",
                key.name(),
                certificate.user,
                certificate.pk,
                certificate.began,
                certificate.finished
            ))?;
        }
    }
    Ok(())
}

/// The certificate in a file, which may have it in words before.
fn checked(path: &Path, text: &str, key: &Verifier) -> Result<Certificate, Refuted> {
    let refuted = |problem: &str| Refuted(format!("{}: {problem}", path.display()));
    let no_certificate = || refuted("there is no certificate of erasure in it");
    let words = text
        .split_inclusive('\n')
        .take_while(|line| !line.starts_with('{'));
    let (words, data) = text.split_at(words.map(str::len).sum());
    let data: Value = serde_json::from_str(data).map_err(|_| no_certificate())?;
    let certificate: Certificate =
        serde_json::from_value(data.clone()).map_err(|_| no_certificate())?;
    // What is read is all that there is: nothing stands beside it unsigned.
    if serde_json::to_value(&certificate).ok() != Some(data) {
        return Err(refuted("it says more than a certificate does"));
    }
    let Some(note) = &certificate.signature else {
        return Err(refuted("it is not signed"));
    };
    key.attests(note, erasure::NAME, &certificate.signed_bytes())
        .map_err(|error| refuted(&error.to_string()))?;
    if let Some(checkpoint) = &certificate.chain.checkpoint {
        evidence::read_all(checkpoint, Some(key)).map_err(|error| refuted(&error.to_string()))?;
    }
    let words = words.trim();
    if !words.is_empty() && words != erasure::text(&certificate).trim() {
        return Err(refuted("its words are not those of the data below them"));
    }
    Ok(certificate)
}
