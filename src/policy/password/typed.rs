//! Finds the password that a policy is asked about.

use secrecy::SecretString;

use super::super::{Error, Request, context};
use crate::flow::context::{Value, key};

/// What the visitor reads when there is no password to judge.
pub(in crate::policy) const NOT_SET: &str = "Password not set in context";

/// The password under `field`: what was typed into a prompt, or else the entry of the context.
pub(in crate::policy) async fn typed(
    request: &Request<'_>,
    field: &str,
) -> Result<Option<SecretString>, Error> {
    let known = request.scope.context();
    let prompted = known.get(key::PROMPT_DATA).and_then(Value::entries);
    let prompted = prompted.and_then(|mut entries| entries.remove(field));
    match prompted.as_ref().or_else(|| known.get(field)) {
        Some(Value::Secret(handle)) => {
            let world = request.world;
            let secret = world.open(*handle).await?;
            let Some(secret) = secret else {
                return Ok(None);
            };
            // A replay knows no more than what the world says about a secret.
            let is_empty = world.is_secret(&secret, &SecretString::default())?;
            Ok((!is_empty).then_some(secret))
        }
        // Whoever tries a policy out may well give a number.
        Some(value) => {
            let value = context::seen(value);
            Ok(value.truthy().then(|| value.displayed().into()))
        }
        None => Ok(None),
    }
}
