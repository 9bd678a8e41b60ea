//! Whether a password that was typed is good enough: fixed rules, a list of stolen ones, and how
//! easily it is guessed. Source: authentik `policies/password`.
//!
//! The text of the password is looked at through the world only, which notes what came of it.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Error, Judged, Policy, Request};
use crate::flow::field::{Invalid, Problem};
use crate::world::Weighed;

mod static_rules;
mod strength;
mod typed;

pub(super) use typed::{NOT_SET, typed};

/// The settings of a password policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PasswordPolicy)]
pub struct PasswordPolicy {
    /// The field of the prompt that holds the password, or else the entry of the context.
    #[serde(default = "password")]
    #[schema(min_length = 1)]
    pub password_field: String,
    /// Whether the amounts and the length count.
    #[serde(default = "yes")]
    pub check_static_rules: bool,
    /// Whether it must not be in the lists of stolen passwords.
    #[serde(default)]
    pub check_have_i_been_pwned: bool,
    /// Whether it must be hard to guess.
    #[serde(default)]
    pub check_zxcvbn: bool,
    /// The fewest digits.
    #[serde(default)]
    pub amount_digits: u32,
    /// The fewest letters from A to Z.
    #[serde(default)]
    pub amount_uppercase: u32,
    /// The fewest letters from a to z.
    #[serde(default)]
    pub amount_lowercase: u32,
    /// The fewest characters of `symbol_charset`.
    #[serde(default)]
    pub amount_symbols: u32,
    /// The fewest characters in all.
    #[serde(default)]
    pub length_min: u32,
    /// What counts as a symbol.
    #[serde(default = "symbols")]
    #[schema(min_length = 1)]
    pub symbol_charset: String,
    /// What the visitor reads when a rule is broken; there is a sentence for an empty one.
    #[serde(default)]
    pub error_message: String,
    /// How often it may be in the lists.
    #[serde(default)]
    pub hibp_allowed_count: u32,
    /// The score, from 0 to 4, that it must be better than.
    #[serde(default = "two")]
    pub zxcvbn_score_threshold: u32,
}

fn password() -> String {
    "password".to_owned()
}

fn yes() -> bool {
    true
}

/// authentik's, with the backslash that came in twice.
fn symbols() -> String {
    "!\\\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ".to_owned()
}

fn two() -> u32 {
    2
}

#[async_trait(?Send)]
impl Policy for PasswordPolicy {
    async fn judge(&self, request: &Request<'_>) -> Result<Judged, Error> {
        let Some(password) = typed(request, &self.password_field).await? else {
            return Ok(Judged::new(false).saying(NOT_SET));
        };
        let world = request.world;
        if self.check_static_rules {
            let rules = self.clone();
            let look = Box::new(move |password: &str| static_rules::look(&rules, password));
            let weighed = world.weigh(&password, look).await?;
            if !weighed.passes {
                return Ok(refused(weighed));
            }
        }
        if self.check_have_i_been_pwned {
            let count = world.breaches(&password).await?.map_err(Error::failed)?;
            if count > u64::from(self.hibp_allowed_count) {
                let message = format!("Password exists on {count} online lists.");
                return Ok(Judged::new(false).saying(message));
            }
        }
        if self.check_zxcvbn {
            let obvious = strength::obvious(request).await?;
            let threshold = self.zxcvbn_score_threshold;
            let look =
                Box::new(move |password: &str| strength::look(password, &obvious, threshold));
            let weighed = world.weigh(&password, look).await?;
            if !weighed.passes {
                return Ok(refused(weighed));
            }
        }
        Ok(Judged::new(true))
    }

    fn problems(&self) -> Vec<Invalid> {
        let texts = [
            ("password_field", &self.password_field),
            ("symbol_charset", &self.symbol_charset),
        ];
        let blank = texts.into_iter().filter(|(_, text)| text.is_empty());
        blank
            .map(|(field, _)| Invalid::new(field, Problem::Blank))
            .collect()
    }
}

fn refused(weighed: Weighed) -> Judged {
    Judged {
        messages: weighed.advice,
        ..Judged::new(false)
    }
}
