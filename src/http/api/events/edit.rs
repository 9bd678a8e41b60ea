//! What may be written of an event, and what is wrong with it.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{ACTIONS, CUSTOM, Wrong, body};
use crate::directory::AuditEvent;
use crate::http::Error;

/// The most characters of the part that tells it.
const LONGEST: usize = 10_000;

/// Takes the fields of a body over into `event`.
///
/// # Errors
/// The complaints.
pub(super) fn apply(
    event: &mut AuditEvent,
    fields: &Map<String, Value>,
    partial: bool,
) -> Result<(), Error> {
    let mut wrong = Wrong::new();
    let asked = |name: &str| !partial || fields.contains_key(name);
    if asked("action") {
        match action(fields.get("action")) {
            Ok(action) => event.action = action,
            Err(complaint) => {
                wrong.insert("action", complaint);
            }
        }
    }
    if asked("app") {
        match body::text(fields.get("app"), LONGEST) {
            Ok(app) => event.app = app,
            Err(complaint) => {
                wrong.insert("app", complaint);
            }
        }
    }
    for (name, place) in [
        ("user", &mut event.user),
        ("context", &mut event.context),
        ("brand", &mut event.brand),
    ] {
        match fields.get(name) {
            None => {}
            Some(Value::Object(given)) => place.clone_from(given),
            Some(_) => {
                wrong.insert(name, "Value must be valid JSON object.".to_owned());
            }
        }
    }
    match fields.get("client_ip") {
        None => {}
        Some(Value::Null) => event.client_ip = None,
        Some(given) => match given
            .as_str()
            .and_then(|it| it.trim().parse::<IpAddr>().ok())
        {
            Some(address) => event.client_ip = Some(address),
            None => {
                wrong.insert(
                    "client_ip",
                    "Enter a valid IPv4 or IPv6 address.".to_owned(),
                );
            }
        },
    }
    if let Some(given) = fields.get("expires") {
        let moment = given.as_str().and_then(|it| it.parse::<Timestamp>().ok());
        if let Some(moment) = moment {
            event.expires = Some(moment);
        } else {
            let complaint = "Datetime has wrong format. Use one of these formats instead: \
                                 YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
            wrong.insert("expires", complaint.to_owned());
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Error::Fields(wrong))
    }
}

fn action(given: Option<&Value>) -> Result<String, String> {
    match given {
        None => Err(body::REQUIRED.to_owned()),
        Some(Value::Null) => Err(body::NULL.to_owned()),
        Some(given) => {
            let known = |name: &&str| {
                name.starts_with(CUSTOM) || ACTIONS.iter().any(|(value, _)| value == name)
            };
            let name = given.as_str().filter(known);
            let shown = || {
                given
                    .as_str()
                    .map_or_else(|| given.to_string(), str::to_owned)
            };
            name.map(str::to_owned)
                .ok_or_else(|| format!("\"{}\" is not a valid choice.", shown()))
        }
    }
}

/// A duration as authentik writes it, such as `hours=1;minutes=30`.
pub(super) fn timedelta(text: &str) -> Option<Duration> {
    let mut seconds = 0.0;
    for part in text.split(';').filter(|part| !part.trim().is_empty()) {
        let (unit, number) = part.split_once('=')?;
        let number: f64 = number.trim().parse().ok()?;
        seconds += number
            * match unit.trim() {
                "microseconds" => 1e-6,
                "milliseconds" => 1e-3,
                "seconds" => 1.0,
                "minutes" => 60.0,
                "hours" => 3600.0,
                "days" => 86_400.0,
                "weeks" => 604_800.0,
                _ => return None,
            };
    }
    Duration::try_from_secs_f64(seconds).ok()
}
