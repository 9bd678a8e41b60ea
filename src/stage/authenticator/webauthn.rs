//! Registers a security key or a passkey. Source: authentik `stages/authenticator_webauthn`.
//!
//! What the browser is asked does not change while it is shown; after each answer it is asked
//! something else, so that no answer is good twice.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Owner, enrol, with_user};
use crate::directory::device::{
    Authenticator, Credential, Device, device_by_credential, devices_by_fingerprint, devices_of,
};
use crate::directory::install;
use crate::flow::context::{Value as Known, key};
use crate::flow::event::{Event, MfaProblem, errors};
use crate::journal::object::Versioned;
use crate::stage::field::{Field, Shape};
use crate::stage::{Entered, Error, Response, Stage, Turn, Verdict};
use crate::webauthn::{
    Attachment, Creation, Hint, Party, Person, Registered, Requirement, encode, models,
};

pub(in crate::stage) mod challenge;

/// The settings of a stage that registers security keys and passkeys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = AuthenticatorWebAuthnStage)]
pub struct AuthenticatorWebauthn {
    /// The flow in which people register one for themselves.
    pub configure_flow: Option<Uuid>,
    /// What people read instead of the kind's name.
    pub friendly_name: String,
    /// Whether the device checks who uses it.
    pub user_verification: Requirement,
    /// Whether the device keeps the credential, so that nobody has to say who they are.
    pub resident_key_requirement: Requirement,
    /// Which devices come into question; any if nothing is said.
    pub authenticator_attachment: Option<Attachment>,
    /// Which devices the browser leads to, the best first.
    pub hints: Vec<Hint>,
    /// The models that are allowed; any if none is named.
    pub device_type_restrictions: Vec<Uuid>,
    /// Whether a device is refused whose certificate another one has.
    pub prevent_duplicate_devices: bool,
    /// How many answers may be wrong; any number if 0.
    pub max_attempts: u32,
}

impl Default for AuthenticatorWebauthn {
    fn default() -> Self {
        Self {
            configure_flow: None,
            friendly_name: String::new(),
            user_verification: Requirement::Preferred,
            resident_key_requirement: Requirement::Preferred,
            authenticator_attachment: None,
            hints: Vec::new(),
            device_type_restrictions: Vec::new(),
            prevent_duplicate_devices: true,
            max_attempts: 0,
        }
    }
}

/// What a device is called whose model is not known.
const NAME: &str = "WebAuthn Device";

/// What devices know a person by, who may be nobody.
async fn person_id(turn: &Turn<'_>, owner: &Owner) -> Result<String, Error> {
    let install = install(turn.world.objects()).await?;
    let install = install.map_or(Uuid::nil(), |it| it.value.install_id);
    if let Some(user) = owner.user() {
        return Ok(user.value.uid(install));
    }
    let digest = Sha256::digest(format!("{}-{install}", owner.name()));
    Ok(encode(&digest))
}

/// Why a credential is not taken, and what is read of it.
struct Refusal(MfaProblem, String);

impl Refusal {
    fn of(text: String) -> Self {
        let problem = text.clone();
        Self(MfaProblem::Assertion { problem }, text)
    }
}

impl AuthenticatorWebauthn {
    /// What the browser is asked; without a challenge what may be written down of it.
    async fn options(&self, turn: &Turn<'_>, challenge: Option<&[u8]>) -> Result<Value, Error> {
        let owner = Owner::of(turn).await?;
        let id = person_id(turn, &owner).await?;
        let title = turn.brand().await?.branding_title;
        let username = owner.name();
        let name = owner.user().map_or(username, |user| &user.value.name);
        let party = challenge::party(turn);
        let known = match (challenge, owner.id()) {
            (Some(_), Some(user)) => known(turn, user, &party).await?,
            _ => Vec::new(),
        };
        let creation = Creation {
            party: &party,
            known: &known,
            title: &title,
            person: Person {
                id: &id,
                username,
                name,
            },
            verification: self.user_verification,
            resident: self.resident_key_requirement,
            attachment: self.authenticator_attachment,
            hints: &self.hints,
        };
        Ok(creation.options(challenge))
    }

    /// Checks an answer, and that there may be such a device.
    async fn register(
        &self,
        turn: &mut Turn<'_>,
        answer: &Value,
    ) -> Result<Result<Registered, Refusal>, Error> {
        let (secret, party) = (challenge::open(turn).await?, challenge::party(turn));
        let verified = self.user_verification == Requirement::Required;
        let ceremony = challenge::ceremony(&secret, &party, verified);
        let made = match turn.world.register(ceremony, answer)? {
            Ok(made) => made,
            Err(problem) => {
                let text = format!("Registration failed. Error: {problem}");
                return Ok(Err(Refusal(MfaProblem::Assertion { problem }, text)));
            }
        };
        if self.is_there(turn, &made).await? {
            return Ok(Err(Refusal::of("Credential ID already exists.".to_owned())));
        }
        if !models::is_allowed(&self.device_type_restrictions, made.aaguid) {
            let text = challenge::wrong_type(turn).await?;
            return Ok(Err(Refusal(MfaProblem::Type, text)));
        }
        Ok(Ok(made))
    }

    /// Whether somebody has this device already.
    async fn is_there(&self, turn: &Turn<'_>, made: &Registered) -> Result<bool, Error> {
        let objects = turn.world.objects();
        if device_by_credential(objects, &made.credential_id)
            .await?
            .is_some()
        {
            return Ok(true);
        }
        let print = made.fingerprint.as_ref();
        let Some(print) = print.filter(|_| self.prevent_duplicate_devices) else {
            return Ok(false);
        };
        Ok(!devices_by_fingerprint(objects, print).await?.is_empty())
    }

    async fn reject(&self, turn: &mut Turn<'_>, refusal: Refusal) -> Result<Verdict, Error> {
        let Refusal(reason, text) = refusal;
        turn.learn(Event::MfaRejected {
            class: "webauthn".to_owned(),
            device: None,
            reason,
        });
        let attempts = attempts(turn).saturating_add(1);
        turn.set(key::WEBAUTHN_ATTEMPT, Some(Known::Json(attempts.into())));
        if self.max_attempts > 0 && attempts >= u64::from(self.max_attempts) {
            let what = "Exceeded maximum attempts";
            return Ok(Verdict::Denied(challenge::ask_for_help(turn, what).await?));
        }
        challenge::renew(turn)?;
        Ok(Verdict::Rejected(errors("response", text, "invalid")))
    }
}

/// The credentials that a user has for this site.
async fn known(turn: &Turn<'_>, user: Uuid, party: &Party) -> Result<Vec<String>, Error> {
    let own = devices_of(turn.world.objects(), user).await?;
    let credential = |device: Versioned<Device>| match device.value.of {
        Authenticator::Webauthn(it) if it.rp_id == party.id => Some(it.credential_id),
        _ => None,
    };
    Ok(own.into_iter().filter_map(credential).collect())
}

/// How many answers were wrong so far.
fn attempts(turn: &Turn<'_>) -> u64 {
    match turn.running.context.get(key::WEBAUTHN_ATTEMPT) {
        Some(Known::Json(count)) => count.as_u64().unwrap_or(0),
        _ => 0,
    }
}

#[async_trait(?Send)]
impl Stage for AuthenticatorWebauthn {
    const COMPONENT: &'static str = "ak-stage-authenticator-webauthn";

    const FIELDS: &'static [Field] = &[Field {
        name: "response",
        shape: Shape::OptionalObject,
        secret: true,
    }];

    /// Whoever is nobody has no device to register.
    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        if matches!(Owner::of(turn).await?, Owner::Nobody) {
            return Ok(Entered::Passed);
        }
        challenge::renew(turn)?;
        // Another stage of this kind may have counted before.
        if attempts(turn) > 0 {
            turn.set(key::WEBAUTHN_ATTEMPT, None);
        }
        Ok(Entered::Asks)
    }

    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        let secret = challenge::open(turn).await?;
        let shown = self.options(turn, Some(&challenge::bytes(&secret))).await?;
        turn.show("registration", shown);
        let mut fields = with_user(turn).await?;
        let kept = self.options(turn, None).await?;
        fields.insert("registration".to_owned(), kept);
        Ok(fields)
    }

    async fn judge(&self, response: Response, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        let Some(answer) = response.object("response") else {
            let missing = errors("response", "This field is required.", "required");
            return Ok(Verdict::Rejected(missing));
        };
        let made = match self.register(turn, answer).await? {
            Ok(made) => made,
            Err(refusal) => return self.reject(turn, refusal).await,
        };
        challenge::drop(turn);
        if attempts(turn) > 0 {
            turn.set(key::WEBAUTHN_ATTEMPT, None);
        }
        if let Some(user) = Owner::of(turn).await?.id() {
            let id = turn.world.draw()?;
            let name = models::name(made.aaguid).unwrap_or(NAME);
            let of = Authenticator::Webauthn(Box::new(Credential {
                credential_id: made.credential_id,
                public_key: made.public_key,
                sign_count: made.sign_count,
                rp_id: challenge::party(turn).id,
                aaguid: made.aaguid,
                attestation_certificate_pem: made.certificate,
                attestation_certificate_fingerprint: made.fingerprint,
            }));
            let now = turn.world.now();
            return enrol(turn, Device::new(id, user, name, of, now)).await;
        }
        Ok(Verdict::Passed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_settings_have_authentiks_defaults() {
        let settings = serde_json::to_value(AuthenticatorWebauthn::default()).expect("settings");
        let expected = json!({
            "configure_flow": null,
            "friendly_name": "",
            "user_verification": "preferred",
            "resident_key_requirement": "preferred",
            "authenticator_attachment": null,
            "hints": [],
            "device_type_restrictions": [],
            "prevent_duplicate_devices": true,
            "max_attempts": 0,
        });
        assert_eq!(settings, expected);
    }
}
