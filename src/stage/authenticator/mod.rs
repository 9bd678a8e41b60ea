//! Second factors: the stages that set authenticators up, and the one that asks for them.
//!
//! What an authenticator is lies in [`crate::directory::device`]; here is how a visitor gets one
//! and proves that they have it. One file for each class.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::reply::object;
use super::{Error, Turn, Verdict};
use crate::directory::device::{Device, devices_of};
use crate::directory::mfa_attempts::mfa_attempts;
use crate::directory::user::User;
use crate::flow::context::{Value as Known, key};
use crate::flow::event::Event;
use crate::journal::Version;
use crate::journal::object::{Versioned, put};
use crate::world::Change;

pub mod duo;
pub mod email;
mod mask;
mod pending;
mod sending;
pub mod sms;
pub mod static_codes;
pub mod totp;
pub mod validate;
pub mod webauthn;

/// Whose authenticator it is about.
#[derive(Debug)]
pub(super) enum Owner {
    /// A user of the directory.
    User(Box<Versioned<User>>),
    /// Somebody who typed an identifier that nobody has. For them everything is done alike, and
    /// nothing is written.
    Stranger(String),
    /// Nobody is known.
    Nobody,
}

impl Owner {
    /// Whoever is going through the flow or, where that is nobody, is logged in.
    pub(super) async fn of(turn: &Turn<'_>) -> Result<Self, Error> {
        let user = match turn.running.context.get(key::PENDING_USER) {
            Some(Known::Stranger { identifier }) => return Ok(Self::Stranger(identifier.clone())),
            Some(Known::User(id)) => turn.user(*id).await?,
            _ => turn.session_user().await?,
        };
        Ok(user.map_or(Self::Nobody, |user| Self::User(Box::new(user))))
    }

    /// The user of the directory, if it is one.
    pub(super) fn user(&self) -> Option<&Versioned<User>> {
        match self {
            Self::User(user) => Some(user),
            Self::Stranger(_) | Self::Nobody => None,
        }
    }

    /// The user's id, if there is one.
    pub(super) fn id(&self) -> Option<Uuid> {
        self.user().map(|user| user.value.uuid)
    }

    /// By which name they log in, as far as anybody knows.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::User(user) => &user.value.username,
            Self::Stranger(typed) => typed,
            Self::Nobody => "",
        }
    }
}

/// The user's name and picture, which every challenge here begins with.
pub(super) async fn with_user(turn: &Turn<'_>) -> Result<Map<String, Value>, Error> {
    let (user, avatar) = turn.shown_user().await?;
    Ok(object(json!({
        "pending_user": user,
        "pending_user_avatar": avatar,
    })))
}

/// What somebody reads who sets up a first authenticator where there is one by now.
const NOT_THE_FIRST: &str = "You have an authenticator already. Please log in again.";

/// Writes a device that its owner has just shown to have, and lets them go on.
///
/// Whoever was led here because the user had none must not get one more of them: a login may be
/// left half-way by somebody who knows the password alone, until its owner has set one up.
pub(super) async fn enrol(turn: &mut Turn<'_>, mut device: Device) -> Result<Verdict, Error> {
    let here = turn.stage.stage.id.to_string();
    if turn.running.context.text(key::VALIDATE_CONFIGURES) == Some(here.as_str()) {
        let own = devices_of(turn.world.objects(), device.user).await?;
        if own.iter().any(|it| it.value.confirmed) {
            turn.refuse("the user has set up an authenticator meanwhile");
            return Ok(Verdict::Denied(NOT_THE_FIRST.to_owned()));
        }
        turn.set(key::VALIDATE_CONFIGURES, None);
    }
    // Of two at the same instant, whose lists of devices are both empty, the second one has to
    // look again: so all write something that is there once for each user.
    let attempts = mfa_attempts(turn.world.objects(), device.user).await?;
    let unchanged = put(&attempts.value, attempts.version);
    turn.world.change(Change::Write(unchanged));
    let now: Timestamp = turn.world.now();
    device.confirmed = true;
    device.last_updated = now;
    let write = put(&device, Version::NONE);
    turn.world.change(Change::Write(write));
    turn.learn(Event::DeviceEnrolled {
        device: device.uuid,
        class: device.class().to_string(),
        user: device.user,
    });
    Ok(Verdict::Passed)
}
