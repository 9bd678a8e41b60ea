//! Attestations whose certificate is about the very key of the credential: Apple's and Android's.

use x509_cert::der::asn1::ObjectIdentifier;

use super::super::Problem;
use super::super::party::sha256;
use super::{Statement, bad, certificate, tlv};

const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113635.100.8.2");
const DESCRIPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.1.17");

/// 8.8: an Apple device signs nothing; its certificate, made for the occasion, names the challenge.
pub(super) fn apple<'a>(statement: &Statement<'a>) -> Result<Option<&'a [u8]>, Problem> {
    let der = statement.certificate()?;
    let certificate = certificate::read(der)?;
    let nonce = sha256(&statement.message());
    // A sequence of one tagged octet string.
    let expected = [&[0x30, 0x24, 0xa1, 0x22, 0x04, 0x20], &nonce[..]].concat();
    if certificate.extension(NONCE) != Some(&expected[..]) {
        return bad("its certificate was made for something else");
    }
    if certificate.key()? != *statement.key {
        return bad("its certificate is for another key");
    }
    Ok(Some(der))
}

/// 8.4: Android's key store describes the key in the certificate.
pub(super) fn android<'a>(statement: &Statement<'a>) -> Result<Option<&'a [u8]>, Problem> {
    let der = statement.certificate()?;
    let certificate = certificate::read(der)?;
    let key = certificate.key()?;
    let (algorithm, signed) = (statement.algorithm()?, statement.bytes("sig")?);
    if !key.has_signed(algorithm, &statement.message(), signed) {
        return bad("its certificate did not sign it");
    }
    if key != *statement.key {
        return bad("its certificate is for another key");
    }
    let described = certificate.extension(DESCRIPTION).and_then(description);
    match described {
        Some(described) if described.challenge != statement.client_data => {
            bad("its certificate was made for something else")
        }
        Some(described) if !described.is_own => bad("the key is not the site's own"),
        Some(_) => Ok(Some(der)),
        None => bad("its certificate does not describe the key"),
    }
}

struct Description<'a> {
    challenge: &'a [u8],
    /// Whether the key was made in the store, only to sign, and for one application.
    is_own: bool,
}

const ALL_APPLICATIONS: u32 = 600;
const ORIGIN: u32 = 702;
const PURPOSE: u32 = 1;

/// Android's `KeyDescription`: two versions, each with its level, the challenge, an identifier, and
/// what is enforced by software and by hardware.
fn description(extension: &[u8]) -> Option<Description<'_>> {
    let (whole, rest) = tlv::next(extension)?;
    let parts = tlv::all(whole.content)?;
    let [_, _, _, _, challenge, _, software, hardware] = &parts[..] else {
        return None;
    };
    let mut enforced = tlv::all(software.content)?;
    enforced.extend(tlv::all(hardware.content)?);
    let of = |tag: u32| {
        let found = enforced.iter().filter(move |it| it.tag == tag);
        found.map(|it| it.content)
    };
    // Each is a tagged number, and the purposes a tagged set of numbers.
    let is_generated = of(ORIGIN).all(|content| content == [2, 1, 0]);
    let signs = of(PURPOSE).all(|content| content == [0x31, 3, 2, 1, 2]);
    let says = of(ORIGIN).next().is_some() && of(PURPOSE).next().is_some();
    rest.is_empty().then(|| Description {
        challenge: challenge.content,
        is_own: says && is_generated && signs && of(ALL_APPLICATIONS).next().is_none(),
    })
}
