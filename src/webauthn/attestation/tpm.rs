//! 8.3: the chip of a computer certifies that it made the key. Its structures are those of the
//! Trusted Computing Group's library specification, part 2.

use ring::digest::{self, digest};
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::ExtendedKeyUsage;

use super::super::Problem;
use super::super::key::{Key, point};
use super::{Statement, bad, certificate, hash_of};
use crate::webauthn::cbor::Item;

/// What the certificate of such a key is for.
const ATTESTATION_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.8.3");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");

/// `TPM_GENERATED_VALUE`: nothing but the chip itself writes this in front of what it signs.
const MAGIC: u32 = 0xff54_4347;
/// `TPM_ST_ATTEST_CERTIFY`.
const CERTIFIES: u16 = 0x8017;
/// `TPM_ALG_NULL`: nothing.
const NOTHING: u16 = 0x0010;

pub(super) fn check<'a>(statement: &Statement<'a>) -> Result<Option<&'a [u8]>, Problem> {
    if statement.content.named("ver").and_then(Item::text) != Some("2.0") {
        return bad("the chip is of another version");
    }
    let (info, area) = (statement.bytes("certInfo")?, statement.bytes("pubArea")?);
    if public(area).as_ref() != Some(statement.key) {
        return bad("the chip's key is another one");
    }
    let algorithm = statement.algorithm()?;
    let Some(certified) = certified(info) else {
        return bad("the chip certifies nothing");
    };
    if certified.about != hash_of(algorithm, &statement.message()) {
        return bad("the chip certifies something else");
    }
    if name(area).as_deref() != Some(certified.name) {
        return bad("the chip certifies another key");
    }
    let der = statement.certificate()?;
    let certificate = certificate::read(der)?;
    if !certificate
        .key()?
        .has_signed(algorithm, info, statement.bytes("sig")?)
    {
        return bad("its certificate did not sign it");
    }
    certificate.is_for(statement.attested.model)?;
    let usage = certificate.extension(EXTENDED_KEY_USAGE);
    let usage = usage.and_then(|usage| ExtendedKeyUsage::from_der(usage).ok());
    if !usage.is_some_and(|usage| usage.0.contains(&ATTESTATION_KEY)) {
        return bad("its certificate is for something else");
    }
    Ok(Some(der))
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*taken))
    }

    fn u32(&mut self) -> Option<u32> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*taken))
    }

    /// Bytes with their length in front.
    fn sized(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(length.into())
    }

    /// A scheme, which brings its hash along if it is one.
    fn scheme(&mut self) -> Option<()> {
        if self.u16()? != NOTHING {
            self.u16()?;
        }
        Some(())
    }
}

/// The key in a `TPMT_PUBLIC`.
fn public(area: &[u8]) -> Option<Key> {
    let mut reader = Reader(area);
    let kind = reader.u16()?;
    let (_hash, _attributes, _policy) = (reader.u16()?, reader.u32()?, reader.sized()?);
    // Keys that sign encrypt nothing.
    if reader.u16()? != NOTHING {
        return None;
    }
    reader.scheme()?;
    let key = match kind {
        0x0001 => {
            let _bits = reader.u16()?;
            let exponent = match reader.u32()? {
                0 => 65_537,
                exponent => exponent,
            };
            let exponent = exponent.to_be_bytes();
            let zeros = exponent.iter().take_while(|byte| **byte == 0).count();
            Key::Rsa(reader.sized()?.to_vec(), exponent[zeros..].to_vec())
        }
        0x0023 => {
            let _curve = reader.u16()?;
            reader.scheme()?;
            let (x, y) = (reader.sized()?, reader.sized()?);
            Key::Point(point(x, y))
        }
        _ => return None,
    };
    reader.0.is_empty().then_some(key)
}

/// The name of the key in a `TPMT_PUBLIC`: which hash, and the hash.
fn name(area: &[u8]) -> Option<Vec<u8>> {
    let hash = area.get(2..4)?;
    let by = match hash {
        [0x00, 0x04] => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        [0x00, 0x0b] => &digest::SHA256,
        [0x00, 0x0c] => &digest::SHA384,
        [0x00, 0x0d] => &digest::SHA512,
        _ => return None,
    };
    Some([hash, digest(by, area).as_ref()].concat())
}

struct Certified<'a> {
    about: &'a [u8],
    name: &'a [u8],
}

/// What a `TPMS_ATTEST` says.
fn certified(info: &[u8]) -> Option<Certified<'_>> {
    let mut reader = Reader(info);
    if reader.u32()? != MAGIC || reader.u16()? != CERTIFIES {
        return None;
    }
    let _signer = reader.sized()?;
    let about = reader.sized()?;
    // The clock, and the version of the firmware.
    reader.take(17 + 8)?;
    let (name, _qualified) = (reader.sized()?, reader.sized()?);
    reader.0.is_empty().then_some(Certified { about, name })
}
