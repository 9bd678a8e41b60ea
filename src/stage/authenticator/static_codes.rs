//! Sets up codes that are written down, each of which is good once. Source: authentik
//! `stages/authenticator_static`.
//!
//! The codes are made once per execution and lie in its vault until the visitor goes on; the trail
//! has none of them.

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Owner, enrol, with_user};
use crate::directory::device::{Authenticator, Device, RecoveryCode};
use crate::flow::context::{Value as Known, key};
use crate::flow::field::{Invalid, Problem};
use crate::stage::{Entered, Error, Response, Stage, Turn, Verdict};
use crate::world::Fresh;

/// The settings of a stage that sets up codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = AuthenticatorStaticStage)]
pub struct AuthenticatorStatic {
    /// The flow in which people set some up for themselves.
    pub configure_flow: Option<Uuid>,
    /// What people read instead of the kind's name.
    pub friendly_name: String,
    /// How many codes there are.
    #[schema(maximum = 1000)]
    pub token_count: u32,
    /// How many characters a code has.
    #[schema(maximum = 100)]
    pub token_length: u32,
}

impl Default for AuthenticatorStatic {
    fn default() -> Self {
        Self {
            configure_flow: None,
            friendly_name: String::new(),
            token_count: 6,
            token_length: 12,
        }
    }
}

/// What the device is called.
const NAME: &str = "Static Token";

/// More characters no code has.
const LONGEST: u32 = 100;

/// More codes nobody writes down.
const MOST: u32 = 1_000;

/// What stands between two codes in the vault; no code has it.
const BETWEEN: &str = "\n";

/// Where the codes lie, once they are made.
fn kept(turn: &Turn<'_>) -> Option<Uuid> {
    match turn.running.context.get(key::AUTHENTICATOR_STATIC) {
        Some(Known::Secret(handle)) => Some(*handle),
        _ => None,
    }
}

/// The codes; a replay gets some that say nothing.
async fn codes(turn: &Turn<'_>) -> Result<Option<SecretString>, Error> {
    Ok(match kept(turn) {
        Some(handle) => turn.world.open(handle).await?,
        None => None,
    })
}

#[async_trait(?Send)]
impl Stage for AuthenticatorStatic {
    const COMPONENT: &'static str = "ak-stage-authenticator-static";

    /// Whoever is nobody has no device to set up.
    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        if matches!(Owner::of(turn).await?, Owner::Nobody) {
            return Ok(Entered::Passed);
        }
        if kept(turn).is_none() {
            let length = usize::try_from(self.token_length).unwrap_or_default();
            let mut all = String::new();
            for number in 0..self.token_count {
                if number > 0 {
                    all.push_str(BETWEEN);
                }
                let code = turn.world.generate(Fresh::Text(length))?;
                all.push_str(code.expose_secret());
            }
            let handle = turn.world.keep(all.into())?;
            turn.set(key::AUTHENTICATOR_STATIC, Some(Known::Secret(handle)));
        }
        Ok(Entered::Asks)
    }

    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        let codes = codes(turn).await?.unwrap_or_default();
        let shown: Vec<_> = codes.expose_secret().split(BETWEEN).collect();
        turn.show("codes", json!(shown));
        let mut fields = with_user(turn).await?;
        fields.insert("codes".to_owned(), json!([]));
        Ok(fields)
    }

    /// Whoever goes on has written them down.
    async fn judge(&self, _: Response, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        let Some(codes) = codes(turn).await? else {
            return Err(Error::Failed("the codes are gone".to_owned()));
        };
        turn.set(key::AUTHENTICATOR_STATIC, None);
        if let Some(user) = Owner::of(turn).await?.id() {
            let codes = codes.expose_secret().split(BETWEEN);
            let codes = codes.filter(|code| !code.is_empty());
            let codes = codes.map(|code| RecoveryCode { code: code.into() });
            let of = Authenticator::Static {
                codes: codes.collect(),
            };
            let id = turn.world.draw()?;
            let now = turn.world.now();
            return enrol(turn, Device::new(id, user, NAME, of, now)).await;
        }
        Ok(Verdict::Passed)
    }

    fn problems(&self) -> Vec<Invalid> {
        let mut found = Vec::new();
        if self.token_length > LONGEST {
            let text = "Ensure this value is less than or equal to 100.";
            found.push(Invalid::new("token_length", Problem::Other(text)));
        }
        if self.token_count > MOST {
            let text = "Ensure this value is less than or equal to 1000.";
            found.push(Invalid::new("token_count", Problem::Other(text)));
        }
        found
    }
}
