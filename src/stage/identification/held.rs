//! What was typed, kept while a captcha's provider is being asked.
//!
//! The password lies in the vault, as long as the context names it; it is forgotten with the
//! answer that it belongs to.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::flow::context::{Value, key};
use crate::stage::{Error, Turn};

const IDENTIFIER: &str = "identifier";
const PASSWORD: &str = "password";

/// Keeps what was typed until the next command.
pub(super) fn keep(
    turn: &mut Turn<'_>,
    identifier: &str,
    password: Option<&SecretString>,
) -> Result<(), Error> {
    let mut held = BTreeMap::from([(IDENTIFIER.to_owned(), Value::text(identifier))]);
    if let Some(password) = password {
        let handle = turn.world.keep(password.clone())?;
        held.insert(PASSWORD.to_owned(), Value::Secret(handle));
    }
    turn.set(key::IDENTIFICATION_HELD, Some(Value::map(held)));
    Ok(())
}

/// Takes it back; it is kept no longer.
pub(super) async fn take(
    turn: &mut Turn<'_>,
) -> Result<Option<(String, Option<SecretString>)>, Error> {
    let held = turn.running.context.get(key::IDENTIFICATION_HELD);
    let held = held.and_then(Value::entries).unwrap_or_default();
    turn.set(key::IDENTIFICATION_HELD, None);
    let Some(Value::Json(serde_json::Value::String(identifier))) = held.get(IDENTIFIER) else {
        return Ok(None);
    };
    let password = match held.get(PASSWORD) {
        Some(Value::Secret(handle)) => turn.world.open(*handle).await?,
        _ => None,
    };
    Ok(Some((identifier.clone(), password)))
}
