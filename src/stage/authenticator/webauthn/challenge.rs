//! What a device has to sign: made here, kept in the execution's vault, and good for one answer.

use secrecy::SecretString;

use crate::flow::context::{Value as Known, key};
use crate::stage::{Error, Turn};
use crate::webauthn::Party;
use crate::world::{self, Ceremony, Fresh};

/// Makes another one, in the place of the one before.
pub(in crate::stage) fn renew(turn: &mut Turn<'_>) -> Result<(), Error> {
    let secret = turn.world.generate(Fresh::Challenge)?;
    let handle = turn.world.keep(secret)?;
    turn.set(key::WEBAUTHN_CHALLENGE, Some(Known::Secret(handle)));
    Ok(())
}

/// Drops it: nothing is asked any more.
pub(in crate::stage) fn drop(turn: &mut Turn<'_>) {
    turn.set(key::WEBAUTHN_CHALLENGE, None);
}

/// The challenge that is open; nothing that anybody could have signed if none is.
pub(in crate::stage) async fn open(turn: &Turn<'_>) -> Result<SecretString, Error> {
    let secret = match turn.running.context.get(key::WEBAUTHN_CHALLENGE) {
        Some(Known::Secret(handle)) => turn.world.open(*handle).await?,
        _ => None,
    };
    Ok(secret.unwrap_or_default())
}

/// Its bytes, for the page; in a replay there are none.
pub(in crate::stage) fn bytes(secret: &SecretString) -> Vec<u8> {
    world::challenge(secret).unwrap_or_default()
}

/// The site that the visitor sees.
pub(in crate::stage) fn party(turn: &Turn<'_>) -> Party {
    Party::new(&turn.client.host, turn.client.secure)
}

/// What a device was asked.
pub(in crate::stage) fn ceremony<'a>(
    challenge: &'a SecretString,
    party: &'a Party,
    verified: bool,
) -> Ceremony<'a> {
    Ceremony {
        challenge,
        party,
        verified,
    }
}

/// What is read where a device's model is not allowed.
pub(in crate::stage) async fn wrong_type(turn: &Turn<'_>) -> Result<String, Error> {
    ask_for_help(turn, "Invalid device type").await
}

/// A refusal that only an operator can help with.
pub(in crate::stage) async fn ask_for_help(turn: &Turn<'_>, what: &str) -> Result<String, Error> {
    let title = turn.brand().await?.branding_title;
    Ok(format!(
        "{what}. Contact your {title} administrator for help."
    ))
}
