//! What a browser is asked: the options of `navigator.credentials.create` and `.get` in JSON, with
//! authentik's members.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::key::OFFERED;
use super::{Party, encode};

/// How long a browser waits for its user, in milliseconds.
const TIMEOUT: u32 = 60_000;

/// How much something is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UserVerificationEnum)]
pub enum Requirement {
    /// Rather not.
    Discouraged,
    /// If it can be.
    #[default]
    Preferred,
    /// It has to be.
    Required,
}

/// Whether a device is part of the computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = AuthenticatorAttachmentEnum)]
pub enum Attachment {
    /// It is.
    Platform,
    /// It is not.
    CrossPlatform,
}

/// What kind of device the browser should lead its user to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = WebAuthnHintEnum)]
pub enum Hint {
    /// A security key.
    SecurityKey,
    /// The computer itself.
    ClientDevice,
    /// A telephone.
    Hybrid,
}

/// Where the hints lead, where nothing else says it: older browsers know no hints.
#[must_use]
pub fn inferred(hints: &[Hint]) -> Option<Attachment> {
    let outside = |hint: &Hint| matches!(hint, Hint::SecurityKey | Hint::Hybrid);
    if hints.is_empty() {
        None
    } else if hints.iter().all(outside) {
        Some(Attachment::CrossPlatform)
    } else if hints.iter().any(outside) {
        None
    } else {
        Some(Attachment::Platform)
    }
}

/// Whom a credential is made for.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// What the device knows them by, which says nothing about them.
    pub id: &'a str,
    /// What they log in with.
    pub username: &'a str,
    /// What they are called.
    pub name: &'a str,
}

/// What is asked where a credential is made.
#[derive(Clone, Copy, Debug)]
pub struct Creation<'a> {
    /// The site.
    pub party: &'a Party,
    /// What it is called.
    pub title: &'a str,
    /// Whose credential it is to be.
    pub person: Person<'a>,
    /// The credentials that they have already, in base64url: no device makes another beside one of
    /// them.
    pub known: &'a [String],
    /// Whether the device checks who touches it.
    pub verification: Requirement,
    /// Whether the device keeps the credential, so that nobody has to say who they are.
    pub resident: Requirement,
    /// Which devices come into question.
    pub attachment: Option<Attachment>,
    /// Where the browser leads.
    pub hints: &'a [Hint],
}

impl Creation<'_> {
    /// The options; without a challenge they say all that may be written down.
    #[must_use]
    pub fn options(&self, challenge: Option<&[u8]>) -> Value {
        let known = self.known.iter();
        let known = known.map(|id| json!({ "id": id, "type": "public-key" }));
        let algorithms = OFFERED.map(|alg| json!({ "type": "public-key", "alg": alg }));
        let mut selection = json!({
            "residentKey": self.resident,
            "requireResidentKey": self.resident == Requirement::Required,
            "userVerification": self.verification,
        });
        if let Some(attachment) = self.attachment.or_else(|| inferred(self.hints)) {
            selection["authenticatorAttachment"] = json!(attachment);
        }
        let mut options = json!({
            "rp": { "name": self.title, "id": self.party.id },
            "user": {
                "id": encode(self.person.id.as_bytes()),
                "name": self.person.username,
                "displayName": self.person.name,
            },
            "pubKeyCredParams": algorithms,
            "timeout": TIMEOUT,
            "excludeCredentials": known.collect::<Vec<_>>(),
            "authenticatorSelection": selection,
            "attestation": "direct",
        });
        complete(&mut options, challenge, self.hints);
        options
    }
}

/// What is asked where a credential is proved.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The site.
    pub party: &'a Party,
    /// The credentials that come into question, in base64url; any of the site's if none is named.
    pub credentials: &'a [String],
    /// Whether the device checks who touches it.
    pub verification: Requirement,
    /// Where the browser leads.
    pub hints: &'a [Hint],
}

impl Request<'_> {
    /// The options; without a challenge they say all that may be written down.
    #[must_use]
    pub fn options(&self, challenge: Option<&[u8]>) -> Value {
        let allowed = self.credentials.iter();
        let allowed = allowed.map(|id| json!({ "id": id, "type": "public-key" }));
        let mut options = json!({
            "timeout": TIMEOUT,
            "rpId": self.party.id,
            "allowCredentials": allowed.collect::<Vec<_>>(),
            "userVerification": self.verification,
        });
        complete(&mut options, challenge, self.hints);
        options
    }
}

fn complete(options: &mut Value, challenge: Option<&[u8]>, hints: &[Hint]) {
    if let Some(challenge) = challenge {
        options["challenge"] = encode(challenge).into();
    }
    if !hints.is_empty() {
        options["hints"] = json!(hints);
    }
}
