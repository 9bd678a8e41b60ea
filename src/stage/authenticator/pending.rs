//! An authenticator that is set up by a code which is sent to it. Until the code comes back it is
//! nothing but an entry of the context, and the code lies in the execution's vault.
//!
//! A code is good for the one address to which it was sent: whoever names another one needs
//! another code.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::super::duration::after;
use super::super::{Error, Turn};
use crate::directory::device::{self, DeviceClass, Throttle};
use crate::flow::context::{Value, key};
use crate::flow::event::{Event, MfaProblem};
use crate::flow::timer::Deadline;
use crate::world::Fresh;

/// How many digits a code has. Source: authentik `stages/authenticator/models.py`.
pub(super) const DIGITS: usize = 6;

/// The authenticator as far as it goes.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    /// The identifier that the device will have.
    pub(super) device: Uuid,
    /// Where codes go, once that is known.
    pub(super) address: Option<String>,
    /// Whether the address was known when the visitor came, and not typed by them.
    pub(super) is_known: bool,
    code: Option<Sent>,
    /// The wrong codes.
    throttle: Throttle,
}

/// A code that was sent.
#[derive(Clone, Copy, Debug)]
struct Sent {
    /// Its name in the vault.
    handle: Uuid,
    until: Timestamp,
}

/// A code that is about to be sent.
pub(super) struct Code {
    pub(super) secret: SecretString,
    /// Its name in the vault.
    pub(super) handle: Uuid,
    pub(super) until: Timestamp,
}

impl Pending {
    /// One of which nothing is known.
    pub(super) fn new(turn: &Turn<'_>) -> Result<Self, Error> {
        Ok(Self {
            device: turn.world.draw()?,
            address: None,
            is_known: false,
            code: None,
            throttle: Throttle::default(),
        })
    }

    /// The one in the context.
    pub(super) fn of(turn: &Turn<'_>, key: &str) -> Option<Self> {
        let entries = turn.running.context.get(key)?.entries()?;
        let text = |name: &str| match entries.get(name) {
            Some(Value::Json(Json::String(text))) => Some(text.as_str()),
            _ => None,
        };
        let moment = |name: &str| text(name)?.parse().ok();
        let code = match entries.get("token") {
            Some(Value::Secret(handle)) => moment("valid_until").map(|until| Sent {
                handle: *handle,
                until,
            }),
            _ => None,
        };
        let failures = match entries.get("failures") {
            Some(Value::Json(failures)) => failures.as_u64().unwrap_or(0),
            _ => 0,
        };
        Some(Self {
            device: text("device")?.parse().ok()?,
            address: text("address").map(str::to_owned),
            is_known: entries.get("is_known") == Some(&Value::Json(json!(true))),
            code,
            throttle: Throttle {
                failures: u32::try_from(failures).unwrap_or(u32::MAX),
                last: moment("last_failure"),
            },
        })
    }

    /// Puts it into the context.
    pub(super) fn store(&self, turn: &mut Turn<'_>, key: &str) {
        let mut entries = BTreeMap::from([
            ("device".to_owned(), Value::text(self.device.to_string())),
            ("is_known".to_owned(), Value::Json(json!(self.is_known))),
        ]);
        if let Some(address) = &self.address {
            entries.insert("address".to_owned(), Value::text(address));
        }
        if let Some(Sent { handle, until }) = self.code {
            entries.insert("token".to_owned(), Value::Secret(handle));
            entries.insert("valid_until".to_owned(), Value::text(until.to_string()));
        }
        if let Some(last) = self.throttle.last {
            let failures = Value::Json(json!(self.throttle.failures));
            entries.insert("failures".to_owned(), failures);
            entries.insert("last_failure".to_owned(), Value::text(last.to_string()));
        }
        turn.set(key, Some(Value::map(entries)));
    }

    /// It is about this address from now on.
    pub(super) fn is_at(&mut self, address: &str, is_known: bool) {
        if self.address.as_deref() != Some(address) {
            self.code = None;
        }
        self.address = Some(address.to_owned());
        self.is_known = is_known;
    }

    /// Nobody knows where it is.
    pub(super) fn is_nowhere(&mut self) {
        self.address = None;
        self.code = None;
        self.is_known = false;
    }

    /// The code was not sent.
    pub(super) fn has_no_code(&mut self) {
        self.code = None;
    }

    /// The code to be sent: the one that is good already, so that whichever message arrives first
    /// is the right one, or another one once its time is over.
    pub(super) async fn code(
        &mut self,
        turn: &mut Turn<'_>,
        lasts: SignedDuration,
    ) -> Result<Code, Error> {
        let now = turn.world.now();
        if let Some(Sent { handle, until }) = self.code.filter(|sent| now < sent.until)
            && let Some(secret) = turn.world.open(handle).await?
        {
            return Ok(Code {
                secret,
                handle,
                until,
            });
        }
        let secret = turn.world.generate(Fresh::Digits(DIGITS))?;
        let handle = turn.world.keep(secret.clone())?;
        let until = after(now, lasts);
        let device = self.device;
        turn.set_timer(until, Deadline::Code { device })?;
        self.code = Some(Sent { handle, until });
        Ok(Code {
            secret,
            handle,
            until,
        })
    }

    /// Whether this is the code. A wrong one makes the next one wait; why it is none is noted.
    pub(super) async fn judge(
        &mut self,
        turn: &mut Turn<'_>,
        class: DeviceClass,
        typed: &SecretString,
    ) -> Result<bool, Error> {
        let now = turn.world.now();
        if let Some(until) = self.throttle.locked_until(now) {
            self.refuse(turn, class, MfaProblem::Locked { until });
            return Ok(false);
        }
        let mut fits = false;
        if let Some(sent) = self.code.filter(|sent| now < sent.until)
            && let Some(secret) = turn.world.open(sent.handle).await?
        {
            let typed = typed
                .expose_secret()
                .split_whitespace()
                .collect::<String>()
                .into();
            fits = turn.world.is_secret(&typed, &secret)?;
            if !fits {
                self.throttle.fail(now);
            }
        }
        if !fits {
            self.refuse(turn, class, MfaProblem::Wrong);
        }
        Ok(fits)
    }

    fn refuse(&self, turn: &mut Turn<'_>, class: DeviceClass, reason: MfaProblem) {
        turn.learn(Event::MfaRejected {
            class: class.to_string(),
            device: Some(self.device),
            reason,
        });
    }
}

/// How long a code has to be good for it to be sent once more.
const LEAST: SignedDuration = SignedDuration::from_mins(1);

/// The code to be sent to a device that somebody logs in with: the one that is good already, so
/// that whichever message arrives first is the right one, and nobody can make worthless what is on
/// its way to somebody else. It ends when it would have ended. Another one is made where its time
/// is nearly over.
pub(super) fn code_to_send(
    turn: &mut Turn<'_>,
    device: Uuid,
    before: Option<&device::Code>,
    lasts: SignedDuration,
) -> Result<device::Code, Error> {
    let now = turn.world.now();
    let (deadline, made) = (Deadline::Code { device }, after(now, lasts));
    // A code that would end later than one made now was made when codes lasted longer.
    let is_good = |code: &&device::Code| after(now, LEAST) < code.until && code.until <= made;
    if let Some(code) = before.filter(is_good) {
        let mut timers = turn.running.timers.values();
        if !timers.any(|timer| timer.of == deadline && timer.due == code.until) {
            turn.set_timer(code.until, deadline)?;
        }
        return Ok(code.clone());
    }
    let secret = turn.world.generate(Fresh::Digits(DIGITS))?;
    turn.set_timer(made, deadline)?;
    Ok(device::Code {
        secret,
        until: made,
    })
}

/// What was typed into a prompt under this key, if it says anything.
pub(super) fn prompted(turn: &Turn<'_>, name: &str) -> Option<String> {
    let typed = turn.running.context.get(key::PROMPT_DATA)?.entries()?;
    match typed.get(name) {
        Some(Value::Json(Json::String(text))) if !text.trim().is_empty() => {
            Some(text.trim().to_owned())
        }
        _ => None,
    }
}

/// Forgets what was typed into a prompt under this key.
pub(super) fn forget_prompted(turn: &mut Turn<'_>, name: &str) {
    let typed = turn.running.context.get(key::PROMPT_DATA);
    let Some(mut typed) = typed.and_then(Value::entries) else {
        return;
    };
    if typed.remove(name).is_some() {
        turn.set(key::PROMPT_DATA, Some(Value::map(typed)));
    }
}
