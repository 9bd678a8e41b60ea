//! Checks what a security key or a passkey says: a registration, and an assertion. Source: W3C Web
//! Authentication Level 2, 7.1 and 7.2; the texts of what is wrong are those of authentik's library.
//!
//! It computes and nothing else: no clock, no randomness, no store. Whoever calls it brings the
//! challenge, keeps what comes of it, and knows whose credential it is.

mod answer;
mod assertion;
mod attestation;
mod authenticator;
mod cbor;
#[cfg(test)]
#[path = "../../tests/it/support/authenticator.rs"]
pub(crate) mod device;
mod key;
pub mod models;
mod options;
mod party;
mod registration;
#[cfg(test)]
mod tests;

pub use answer::presented;
pub use assertion::{Asserted, Known, assert, is_later};
pub use options::{Attachment, Creation, Hint, Person, Request, Requirement, inferred};
pub use party::{Party, encode};
pub use registration::{Registered, register};

/// What is wrong with what a browser sent. A visitor may read it: nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A member is not there.
    #[error("Credential missing required {0}")]
    Missing(&'static str),
    /// A member of its response is not there.
    #[error("Credential response missing required {0}")]
    Incomplete(&'static str),
    /// A member is not what it has to be.
    #[error("Credential {0} was not valid base64url")]
    NotBase64(&'static str),
    /// The two forms of the identifier differ.
    #[error("id and raw_id were not equivalent")]
    TwoIds,
    /// It is some other kind of credential.
    #[error("Unexpected credential type \"{0}\", expected \"public-key\"")]
    Type(String),
    /// What the browser signed is not JSON.
    #[error("Unable to decode client_data_json bytes as JSON")]
    ClientData,
    /// A member of what the browser signed is not there.
    #[error("client_data_json missing required {0}")]
    ClientDataMissing(&'static str),
    /// It was made for the other ceremony.
    #[error("Unexpected client data type \"{0}\", expected \"{1}\"")]
    Ceremony(String, &'static str),
    /// It answers another challenge.
    #[error("Client data challenge was not expected challenge")]
    Challenge,
    /// It was made for another site.
    #[error("Unexpected client data origin \"{0}\", expected \"{1}\"")]
    Origin(String, String),
    /// It was made in a frame of another site.
    #[error("Client data was made across origins")]
    CrossOrigin,
    /// What the device signed has another form.
    #[error("Unable to parse {0}")]
    Form(&'static str),
    /// It was made for another relying party.
    #[error("Unexpected RP ID hash")]
    RelyingParty,
    /// Nobody touched the device.
    #[error("User was not present during {0}")]
    Absent(&'static str),
    /// The device did not check who touched it.
    #[error("User verification is required but user was not verified during {0}")]
    Unverified(&'static str),
    /// There is no key in it.
    #[error("Authenticator did not provide attested credential data")]
    NoKey,
    /// The key in it belongs to another credential.
    #[error("Authenticator data is for another credential ID")]
    OtherCredential,
    /// The key is for something else than what was offered.
    #[error("Unsupported credential public key alg \"{0}\"")]
    Algorithm(i64),
    /// The key is none.
    #[error("Unable to read the credential public key")]
    Key,
    /// The attestation is of a kind that is not known.
    #[error("Unsupported attestation type \"{0}\"")]
    Format(String),
    /// The attestation is not good.
    #[error("Unable to verify attestation statement: {0}")]
    Attestation(&'static str),
    /// The signature is not the credential's.
    #[error("Could not verify authentication signature")]
    Signature,
}

/// At most so much of a text that somebody sent: it is shown and written down.
fn short(text: &str) -> String {
    text.chars().take(255).collect()
}
