//! The certificates that devices show.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::BasicConstraints;

use super::super::Problem;
use super::super::key::{self, Key};
use super::super::party::sha256;
use super::bad;

/// The model of a device, in the certificates of the FIDO alliance's members.
const MODEL: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.45724.1.1.4");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");

/// A certificate that was read.
pub(super) struct Read(Certificate);

pub(super) fn read(der: &[u8]) -> Result<Read, Problem> {
    let read = Certificate::from_der(der);
    read.map(Read)
        .map_err(|_| Problem::Attestation("its certificate cannot be read"))
}

impl Read {
    pub(super) fn key(&self) -> Result<Key, Problem> {
        let key = key::of_certificate(&self.0.tbs_certificate.subject_public_key_info);
        key.ok_or(Problem::Attestation(
            "its certificate's key is of no known kind",
        ))
    }

    /// The content of an extension.
    pub(super) fn extension(&self, id: ObjectIdentifier) -> Option<&[u8]> {
        let extensions = self.0.tbs_certificate.extensions.as_ref()?;
        let found = extensions.iter().find(|it| it.extn_id == id);
        found.map(|it| it.extn_value.as_bytes())
    }

    /// Checks that it is a device's own, and of this model if it names one.
    pub(super) fn is_for(&self, model: Uuid) -> Result<(), Problem> {
        let constraints = self
            .extension(BASIC_CONSTRAINTS)
            .map(BasicConstraints::from_der);
        if matches!(
            constraints,
            Some(Ok(BasicConstraints { ca: true, .. }) | Err(_))
        ) {
            return bad("its certificate is an authority's");
        }
        match self.extension(MODEL) {
            // An octet string within the octet string that every extension is.
            Some([4, 16, named @ ..]) if named == model.as_bytes() => Ok(()),
            None => Ok(()),
            Some(_) => bad("its certificate is for another model"),
        }
    }
}

/// A certificate in PEM.
pub(in crate::webauthn) fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

/// What a certificate is known by.
pub(in crate::webauthn) fn fingerprint(der: &[u8]) -> String {
    sha256(der).iter().fold(String::new(), |mut print, byte| {
        let colon = if print.is_empty() { "" } else { ":" };
        // Writing to a string does not fail.
        let _ = write!(print, "{colon}{byte:02x}");
        print
    })
}
