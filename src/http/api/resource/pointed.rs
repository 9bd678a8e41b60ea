//! Where the secrets of a stage are sent: whoever may change that must not thereby learn them.

use serde_json::{Map, Value};

use super::super::body::wrong;
use crate::blueprint::edit::Object;
use crate::catalog::stage::POINTED;
use crate::http::Error;

/// Checks that a stage's secrets are given anew where they are to be sent to another place.
///
/// # Errors
/// A complaint about the place.
pub(super) fn check(object: &Object, fields: &Map<String, Value>) -> Result<(), Error> {
    let Object::Stage(stage) = object else {
        return Ok(());
    };
    match stage.sends_elsewhere(fields) {
        Some(name) => Err(wrong(name, POINTED)),
        None => Ok(()),
    }
}
