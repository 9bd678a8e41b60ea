//! A device proves that it has a credential.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{client_data, identity, part};
use super::authenticator::Data;
use super::party::{decode, sha256};
use super::{Party, Problem, key};

/// The credential that has to be proved.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Its identifier, in base64url without padding.
    pub credential_id: &'a str,
    /// Its public key in COSE form, in base64url without padding.
    pub public_key: &'a str,
}

/// What the device said when it proved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asserted {
    /// What its counter stands at.
    pub sign_count: u32,
    /// Whether it checked who used it.
    pub verified: bool,
}

/// Whether a counter has gone on since; a device that does not count always says 0. Else there are
/// two devices with the same key, or somebody sends again what was sent before (7.2, step 21).
#[must_use]
pub fn is_later(stored: u32, received: u32) -> bool {
    received > stored || (received == 0 && stored == 0)
}

/// Checks an answer to `navigator.credentials.get` (7.2), but for the counter, which whoever keeps
/// it compares by [`is_later`]. Its `type` was looked at by [`super::presented`].
///
/// # Errors
/// What is wrong with it.
pub fn assert(
    answer: &Value,
    challenge: &[u8],
    party: &Party,
    verified: bool,
    known: Known<'_>,
) -> Result<Asserted, Problem> {
    if identity(answer, true)? != known.credential_id {
        return Err(Problem::OtherCredential);
    }
    let signed = part(answer, "clientDataJSON")?;
    let bytes = part(answer, "authenticatorData")?;
    let signature = part(answer, "signature")?;
    client_data(&signed, "webauthn.get", challenge, party)?;
    let data = Data::read(&bytes)?;
    if data.party != party.hash() {
        return Err(Problem::RelyingParty);
    }
    if !data.is_present() {
        return Err(Problem::Absent("authentication"));
    }
    if verified && !data.is_verified() {
        return Err(Problem::Unverified("authentication"));
    }
    let cose = decode(known.public_key).ok_or(Problem::Key)?;
    let (algorithm, key) = key::of_credential(&cose).ok_or(Problem::Key)?;
    let message = [&bytes[..], &sha256(&signed)].concat();
    if !key.has_signed(algorithm, &message, &signature) {
        return Err(Problem::Signature);
    }
    Ok(Asserted {
        sign_count: data.sign_count,
        verified: data.is_verified(),
    })
}
