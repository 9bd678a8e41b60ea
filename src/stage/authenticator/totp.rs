//! Sets up a generator of codes that goes by the time. Source: authentik
//! `stages/authenticator_totp`, whose device is the one of django-otp.
//!
//! The key is made once per execution and lies in its vault until the visitor has shown that they
//! have it; nothing of it is written to the trail.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Owner, enrol, with_user};
use crate::directory::device::{Authenticator, Device, Throttle, Totp};
use crate::flow::context::{Value as Known, key};
use crate::flow::event::{Event, MfaProblem, errors};
use crate::flow::model::words;
use crate::stage::field::{Field, Shape};
use crate::stage::{Entered, Error, Response, Stage, Turn, Verdict};
use crate::world::Fresh;

mod address;
pub(super) mod code;

use code::Found;

words! {
    /// How many digits a code has.
    Digits as DigitsEnum {
        /// Six.
        Six = "6",
        /// Eight, which some apps cannot show.
        Eight = "8",
    }
}

impl Digits {
    const fn count(self) -> u8 {
        match self {
            Self::Six => 6,
            Self::Eight => 8,
        }
    }
}

/// The settings of a stage that sets up a generator of codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = AuthenticatorTOTPStage)]
pub struct AuthenticatorTotp {
    /// The flow in which people set one up for themselves.
    #[serde(default)]
    pub configure_flow: Option<Uuid>,
    /// What people read instead of the kind's name.
    #[serde(default)]
    pub friendly_name: String,
    /// How many digits a code has.
    #[serde(deserialize_with = "digits")]
    pub digits: Digits,
}

/// A number is as good as its text.
fn digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digits, D::Error> {
    let word = match Value::deserialize(deserializer)? {
        Value::String(word) => word,
        other => other.to_string(),
    };
    // In the words of serde, which the wire's are made of.
    let unknown = |_| serde::de::Error::unknown_variant(&word, &["6", "8"]);
    word.parse().map_err(unknown)
}

/// How long a code is good, in seconds.
const STEP: u32 = 30;

/// What the device is called.
const NAME: &str = "TOTP Authenticator";

/// What is read whenever no device is made.
const WRONG: &str = "Code does not match";

const KEY: &str = "key";
const THROTTLE: &str = "throttle";

/// What is known of a device that is not confirmed yet. It is not in the directory: whoever leaves
/// the flow leaves nothing behind.
struct Pending {
    key: Uuid,
    throttle: Throttle,
}

impl Pending {
    fn of(turn: &Turn<'_>) -> Option<Self> {
        let known = turn.running.context.get(key::AUTHENTICATOR_TOTP)?;
        let entries = known.entries()?;
        let Some(Known::Secret(key)) = entries.get(KEY) else {
            return None;
        };
        let throttle = match entries.get(THROTTLE) {
            Some(Known::Json(json)) => serde_json::from_value(json.clone()).unwrap_or_default(),
            _ => Throttle::default(),
        };
        Some(Self {
            key: *key,
            throttle,
        })
    }

    fn keep(&self, turn: &mut Turn<'_>) {
        let entries = BTreeMap::from([
            (KEY.to_owned(), Known::Secret(self.key)),
            (THROTTLE.to_owned(), Known::Json(json!(self.throttle))),
        ]);
        turn.set(key::AUTHENTICATOR_TOTP, Some(Known::map(entries)));
    }
}

impl AuthenticatorTotp {
    fn device(&self, key: SecretString) -> Totp {
        Totp {
            key,
            digits: self.digits.count(),
            step: STEP,
            drift: 0,
            last_t: -1,
        }
    }
}

fn refused(turn: &mut Turn<'_>, reason: MfaProblem) -> Verdict {
    turn.learn(Event::MfaRejected {
        class: "totp".to_owned(),
        device: None,
        reason,
    });
    Verdict::Rejected(errors("code", WRONG, "invalid"))
}

#[async_trait(?Send)]
impl Stage for AuthenticatorTotp {
    const COMPONENT: &'static str = "ak-stage-authenticator-totp";

    const FIELDS: &'static [Field] = &[Field {
        name: "code",
        shape: Shape::RequiredToken,
        secret: true,
    }];

    /// Whoever is nobody has no device to set up.
    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        if matches!(Owner::of(turn).await?, Owner::Nobody) {
            return Ok(Entered::Passed);
        }
        if Pending::of(turn).is_none() {
            let secret = turn.world.generate(Fresh::Key)?;
            let key = turn.world.keep(secret)?;
            let throttle = Throttle::default();
            Pending { key, throttle }.keep(turn);
        }
        Ok(Entered::Asks)
    }

    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        let owner = Owner::of(turn).await?;
        let issuer = turn.brand().await?.branding_title;
        let secret = match Pending::of(turn) {
            Some(pending) => turn.world.open(pending.key).await?,
            None => None,
        };
        let device = self.device(secret.unwrap_or_default());
        let address = |with: address::Secret| address::of(&device, &issuer, owner.name(), with);
        turn.show("config_url", address(address::Secret::Shown).into());
        let mut fields = with_user(turn).await?;
        let kept = address(address::Secret::LeftOut);
        fields.insert("config_url".to_owned(), kept.into());
        Ok(fields)
    }

    async fn judge(&self, response: Response, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        let now: Timestamp = turn.world.now();
        let (Some(mut pending), Some(typed)) = (Pending::of(turn), response.text("code")) else {
            return Ok(refused(turn, MfaProblem::UnknownDevice));
        };
        if let Some(until) = pending.throttle.locked_until(now) {
            return Ok(refused(turn, MfaProblem::Locked { until }));
        }
        let Some(secret) = turn.world.open(pending.key).await? else {
            return Ok(refused(turn, MfaProblem::UnknownDevice));
        };
        let mut device = self.device(secret);
        let Found::Good { t, drift } = code::find(turn.world, &device, typed)? else {
            pending.throttle.fail(now);
            pending.keep(turn);
            return Ok(refused(turn, MfaProblem::Wrong));
        };
        device.last_t = t;
        device.drift = drift;
        turn.set(key::AUTHENTICATOR_TOTP, None);
        if let Some(user) = Owner::of(turn).await?.id() {
            let id = turn.world.draw()?;
            let of = Authenticator::Totp(device);
            return enrol(turn, Device::new(id, user, NAME, of, now)).await;
        }
        Ok(Verdict::Passed)
    }
}
