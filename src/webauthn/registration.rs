//! A device has made a credential: what there is to keep of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::answer::{client_data, identity, part};
use super::attestation::{Statement, certificate};
use super::authenticator::Data;
use super::party::sha256;
use super::{Party, Problem, attestation, cbor, encode, key};

/// A credential that was made. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// Its identifier, in base64url without padding.
    pub credential_id: String,
    /// Its public key in COSE form, in base64url without padding.
    pub public_key: String,
    /// What its counter stands at.
    pub sign_count: u32,
    /// The model of the device, as the device says: nothing proves it.
    pub aaguid: Uuid,
    /// The certificate that the device showed, in PEM.
    pub certificate: Option<String>,
    /// Its SHA-256, in lower hexadecimal with colons.
    pub fingerprint: Option<String>,
}

/// Checks an answer to `navigator.credentials.create` (7.1).
///
/// # Errors
/// What is wrong with it.
pub fn register(
    answer: &Value,
    challenge: &[u8],
    party: &Party,
    verified: bool,
) -> Result<Registered, Problem> {
    let id = identity(answer, false)?;
    let signed = part(answer, "clientDataJSON")?;
    let object = part(answer, "attestationObject")?;
    client_data(&signed, "webauthn.create", challenge, party)?;
    let form = Problem::Form("attestation object");
    let object = cbor::whole(&object).ok_or(form.clone())?;
    let entry = |name| object.named(name).ok_or(form.clone());
    let format = entry("fmt")?.text().ok_or(form.clone())?;
    let bytes = entry("authData")?.bytes().ok_or(form.clone())?;
    let data = Data::read(bytes)?;
    if data.party != party.hash() {
        return Err(Problem::RelyingParty);
    }
    if !data.is_present() {
        return Err(Problem::Absent("attestation"));
    }
    if verified && !data.is_verified() {
        return Err(Problem::Unverified("attestation"));
    }
    let attested = data.attested.as_ref().ok_or(Problem::NoKey)?;
    if encode(attested.id) != id {
        return Err(Problem::OtherCredential);
    }
    let (algorithm, key) = key::of_credential(attested.key).ok_or(Problem::Key)?;
    if !key::OFFERED.contains(&algorithm) {
        return Err(Problem::Algorithm(algorithm));
    }
    let statement = Statement {
        content: entry("attStmt")?,
        data: bytes,
        client_data: &sha256(&signed),
        attested,
        algorithm,
        key: &key,
        party: data.party,
    };
    let certificate = attestation::check(format, &statement)?;
    Ok(Registered {
        credential_id: id,
        public_key: encode(attested.key),
        sign_count: data.sign_count,
        aaguid: attested.model,
        certificate: certificate.map(certificate::pem),
        fingerprint: certificate.map(certificate::fingerprint),
    })
}
