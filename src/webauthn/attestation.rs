//! What a device says of where it comes from.
//!
//! Each format is checked as Web Authentication Level 2 (8.) says, but for one thing: no root of a
//! maker is known here, so that a certificate proves nothing of who issued it, nor the model that
//! it names. The FIDO alliance's list of roots would have to be brought along for that.

use ring::digest::{self, digest};

use super::Problem;
use super::authenticator::Attested;
use super::cbor::Item;
use super::key::Key;

pub(super) mod certificate;
mod key_store;
mod tlv;
mod tpm;

/// An attestation, with all that it speaks about.
pub(super) struct Statement<'a> {
    pub(super) content: &'a Item<'a>,
    pub(super) data: &'a [u8],
    pub(super) client_data: &'a [u8],
    pub(super) attested: &'a Attested<'a>,
    pub(super) algorithm: i64,
    pub(super) key: &'a Key,
    pub(super) party: &'a [u8],
}

fn bad<T>(what: &'static str) -> Result<T, Problem> {
    Err(Problem::Attestation(what))
}

/// Checks an attestation of this format; the device's certificate, where it shows one.
pub(super) fn check<'a>(
    format: &str,
    statement: &Statement<'a>,
) -> Result<Option<&'a [u8]>, Problem> {
    match format {
        "none" => match statement.content {
            Item::Map(entries) if entries.is_empty() => Ok(None),
            _ => bad("there is one where there should be none"),
        },
        "packed" => packed(statement),
        "fido-u2f" => u2f(statement),
        "tpm" => tpm::check(statement),
        "apple" => key_store::apple(statement),
        "android-key" => key_store::android(statement),
        other => Err(Problem::Format(super::short(other))),
    }
}

impl<'a> Statement<'a> {
    /// What most formats sign.
    fn message(&self) -> Vec<u8> {
        [self.data, self.client_data].concat()
    }

    fn bytes(&self, name: &str) -> Result<&'a [u8], Problem> {
        let found = self.content.named(name).and_then(Item::bytes);
        found.ok_or(Problem::Attestation("a part of it is missing"))
    }

    fn algorithm(&self) -> Result<i64, Problem> {
        let found = self.content.named("alg").and_then(Item::integer);
        found.ok_or(Problem::Attestation("it names no algorithm"))
    }

    /// The certificates, if it has any.
    fn certificates(&self) -> Option<Vec<&'a [u8]>> {
        let listed = self.content.named("x5c")?.list()?;
        listed.iter().map(Item::bytes).collect()
    }

    /// The device's certificate, where there has to be one.
    fn certificate(&self) -> Result<&'a [u8], Problem> {
        let all = self.certificates().unwrap_or_default();
        let first = all.first().copied();
        first.ok_or(Problem::Attestation("it has no certificate"))
    }
}

/// 8.2: the format of most security keys.
fn packed<'a>(statement: &Statement<'a>) -> Result<Option<&'a [u8]>, Problem> {
    let (algorithm, signed) = (statement.algorithm()?, statement.bytes("sig")?);
    let message = statement.message();
    if statement.content.named("x5c").is_none() {
        let same = algorithm == statement.algorithm;
        if !same || !statement.key.has_signed(algorithm, &message, signed) {
            return bad("the credential did not sign it");
        }
        return Ok(None);
    }
    let der = statement.certificate()?;
    let certificate = certificate::read(der)?;
    if !certificate.key()?.has_signed(algorithm, &message, signed) {
        return bad("its certificate did not sign it");
    }
    certificate.is_for(statement.attested.model)?;
    Ok(Some(der))
}

/// 8.6: the format of keys that are older than Web Authentication.
fn u2f<'a>(statement: &Statement<'a>) -> Result<Option<&'a [u8]>, Problem> {
    if !statement.attested.model.is_nil() {
        return bad("a key of this kind has no model");
    }
    let certificates = statement.certificates().unwrap_or_default();
    let ([der], Key::Point(point)) = (&certificates[..], statement.key) else {
        return bad("it has not one certificate and a key on a curve");
    };
    let id = statement.attested.id;
    let message = [&[0], statement.party, statement.client_data, id, point].concat();
    let key = certificate::read(der)?.key()?;
    if !key.has_signed(-7, &message, statement.bytes("sig")?) {
        return bad("its certificate did not sign it");
    }
    Ok(Some(der))
}

/// What an algorithm hashes with.
fn hash_of(algorithm: i64, bytes: &[u8]) -> Vec<u8> {
    let by = match algorithm {
        -35 | -38 | -258 => &digest::SHA384,
        -36 | -39 | -259 => &digest::SHA512,
        super::key::LEGACY => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        _ => &digest::SHA256,
    };
    digest(by, bytes).as_ref().to_vec()
}
