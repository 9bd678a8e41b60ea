//! The browser in which somebody showed an authenticator a while ago, by its cookie.
//!
//! The cookie names the stage and the authenticator. Whether it is signed and still good is known
//! to whoever reads it; whether that is enough here is decided here.

use jiff::{SignedDuration, Timestamp};

use super::AuthenticatorValidate;
use crate::directory::device::Device;
use crate::flow::event::Event;
use crate::journal::object::Versioned;
use crate::stage::Turn;
use crate::stage::duration::after;

impl AuthenticatorValidate {
    /// The device that was shown to this very stage, in the same browser and not too long ago for
    /// what the stage says now.
    pub(super) fn shown_before<'d>(
        &self,
        turn: &Turn<'_>,
        devices: &'d [Versioned<Device>],
    ) -> Option<&'d Versioned<Device>> {
        let verified = turn.client.mfa.as_ref()?;
        let now = turn.world.now();
        let span = self.last_auth_threshold.span();
        let latest = after(now, span);
        let is_good = span > SignedDuration::ZERO
            && verified.stage == turn.stage.stage.id
            && (now < verified.until && verified.until <= latest);
        let mut own = devices.iter();
        own.find(|it| is_good && it.value.pk == verified.device)
    }
}

/// Notes that nothing is asked.
pub(super) fn waive(turn: &mut Turn<'_>, device: &Device) {
    turn.learn(Event::MfaWaived {
        device: device.uuid,
        class: device.class().to_string(),
    });
}

/// Has the browser remember a device that was just shown, where the stage wants that.
pub(super) fn remember(stage: &AuthenticatorValidate, turn: &mut Turn<'_>, device: &Device) {
    let seconds = stage.last_auth_threshold.span().as_secs();
    if seconds < 1 {
        return;
    }
    // Whole seconds, which a cookie holds without rounding them up.
    let until = turn.world.now().as_second().saturating_add(seconds);
    turn.learn(Event::MfaRemembered {
        stage: turn.stage.stage.id,
        device: device.pk,
        until: Timestamp::from_second(until).unwrap_or(Timestamp::MAX),
    });
}
