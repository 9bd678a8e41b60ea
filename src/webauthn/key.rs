//! Public keys, as devices (COSE, RFC 9053) and certificates (X.509) write them, and what they
//! have signed.

use p521::ecdsa::signature::Verifier;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Reader, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use super::cbor::{self, Item};

/// What a credential may sign with, in the order in which it is asked for. Source: authentik's
/// library, whose list it is.
pub(super) const OFFERED: [i64; 9] = [-7, -8, -36, -37, -38, -39, -257, -258, -259];

/// RSA with SHA-1, with which the chips of older computers attest. No credential may use it.
pub(super) const LEGACY: i64 = -65535;

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A point of one of NIST's curves, uncompressed: its length says which.
    Point(Vec<u8>),
    Ed25519(Vec<u8>),
    /// Modulus and exponent, without zeros in front.
    Rsa(Vec<u8>, Vec<u8>),
}

/// How long the coordinates of a curve are, by its number in COSE.
fn coordinate(curve: i64) -> Option<usize> {
    match curve {
        1 => Some(32),
        2 => Some(48),
        3 => Some(66),
        _ => None,
    }
}

fn without_zeros(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes[zeros..].to_vec()
}

/// The uncompressed point with these coordinates.
pub(super) fn point(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[4], x, y].concat()
}

/// A credential's key and the algorithm that it is for.
pub(super) fn of_credential(cose: &[u8]) -> Option<(i64, Key)> {
    of_item(&cbor::whole(cose)?)
}

fn of_item(item: &Item<'_>) -> Option<(i64, Key)> {
    let kind = item.at(1)?.integer()?;
    let algorithm = item.at(3)?.integer()?;
    let key = match kind {
        1 => {
            let (curve, x) = (item.at(-1)?.integer()?, item.at(-2)?.bytes()?);
            (curve == 6 && x.len() == 32).then(|| Key::Ed25519(x.to_vec()))?
        }
        2 => {
            let length = coordinate(item.at(-1)?.integer()?)?;
            let (x, y) = (item.at(-2)?.bytes()?, item.at(-3)?.bytes()?);
            (x.len() == length && y.len() == length).then(|| Key::Point(point(x, y)))?
        }
        3 => {
            let (n, e) = (item.at(-1)?.bytes()?, item.at(-2)?.bytes()?);
            Key::Rsa(without_zeros(n), without_zeros(e))
        }
        _ => return None,
    };
    key.fits(algorithm).then_some((algorithm, key))
}

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// A certificate's key.
pub(super) fn of_certificate(spki: &SubjectPublicKeyInfoOwned) -> Option<Key> {
    let bytes = spki.subject_public_key.as_bytes()?;
    match spki.algorithm.oid {
        EC => Some(Key::Point(bytes.to_vec())),
        ED25519 => Some(Key::Ed25519(bytes.to_vec())),
        RSA => {
            let mut reader = SliceReader::new(bytes).ok()?;
            let numbers = reader.sequence(|inner| {
                let n: UintRef<'_> = inner.decode()?;
                let e: UintRef<'_> = inner.decode()?;
                Ok((n.as_bytes().to_vec(), e.as_bytes().to_vec()))
            });
            let (n, e) = numbers.ok()?;
            Some(Key::Rsa(n, e))
        }
        _ => None,
    }
}

impl Key {
    /// Whether an algorithm is one for such keys.
    fn fits(&self, algorithm: i64) -> bool {
        match self {
            Self::Point(point) => {
                matches!((algorithm, point.len()), (-7, 65) | (-35, 97) | (-36, 133))
            }
            Self::Ed25519(_) => algorithm == -8,
            Self::Rsa(..) => matches!(algorithm, -39..=-37 | -259..=-257 | LEGACY),
        }
    }

    /// Whether this key has signed `message` with this algorithm.
    pub(super) fn has_signed(&self, algorithm: i64, message: &[u8], signed: &[u8]) -> bool {
        if !self.fits(algorithm) {
            return false;
        }
        let checked = |by: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(by, key)
                .verify(message, signed)
                .is_ok()
        };
        match self {
            Self::Point(point) if algorithm == -36 => has_signed_by_p521(point, message, signed),
            Self::Point(point) if algorithm == -35 => {
                checked(&signature::ECDSA_P384_SHA384_ASN1, point)
            }
            Self::Point(point) => checked(&signature::ECDSA_P256_SHA256_ASN1, point),
            Self::Ed25519(key) => checked(&signature::ED25519, key),
            Self::Rsa(n, e) => {
                let by = match algorithm {
                    -37 => &signature::RSA_PSS_2048_8192_SHA256,
                    -38 => &signature::RSA_PSS_2048_8192_SHA384,
                    -39 => &signature::RSA_PSS_2048_8192_SHA512,
                    -258 => &signature::RSA_PKCS1_2048_8192_SHA384,
                    -259 => &signature::RSA_PKCS1_2048_8192_SHA512,
                    LEGACY => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
                    _ => &signature::RSA_PKCS1_2048_8192_SHA256,
                };
                let key = RsaPublicKeyComponents { n, e };
                key.verify(by, message, signed).is_ok()
            }
        }
    }
}

/// The one curve that ring does not know.
fn has_signed_by_p521(point: &[u8], message: &[u8], signed: &[u8]) -> bool {
    let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point);
    let signed = p521::ecdsa::Signature::from_der(signed);
    match (key, signed) {
        (Ok(key), Ok(signed)) => key.verify(message, &signed).is_ok(),
        _ => false,
    }
}
