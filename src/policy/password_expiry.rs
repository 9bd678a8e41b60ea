//! Whether a password was left unchanged for too long. Source: authentik `policies/expiry`.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Effect, Error, Judged, Policy, Request};
use crate::directory::user::has_usable_password;
use crate::flow::event::Event;
use crate::world::Change;

/// The seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// The settings of a password expiry policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PasswordExpiryPolicy)]
pub struct PasswordExpiryPolicy {
    /// For how many days a password is good.
    pub days: i32,
    /// Whether the user keeps the password that is refused.
    #[serde(default)]
    pub deny_only: bool,
}

#[async_trait(?Send)]
impl Policy for PasswordExpiryPolicy {
    async fn judge(&self, request: &Request<'_>) -> Result<Judged, Error> {
        let Some(user) = request.subject.user() else {
            let text = "nobody is known whose password could have expired";
            return Err(Error::failed(text));
        };
        let now = request.world.now();
        let beyond = full_days(user.value.password_change_date, now) - i64::from(self.days);
        if beyond < 0 {
            return Ok(Judged::new(true));
        }
        if self.deny_only {
            return Ok(Judged::new(false).saying("Password has expired."));
        }
        let message = format!("Password expired {beyond} days ago. Please update your password.");
        let mut judged = Judged::new(false).saying(message);
        let written = request.world.written(user.value.uuid);
        let mut changed = written.unwrap_or_else(|| user.clone());
        // Whoever looks again finds that it is done.
        if has_usable_password(&changed.value) {
            changed.value.expire_password(now);
            judged.effects = vec![
                Effect::Learn(Event::UserChanged {
                    user: user.value.uuid,
                    fields: vec!["password".to_owned()],
                    by: request.policy.to_owned(),
                }),
                Effect::Change(Change::WriteUser(Box::new(changed))),
            ];
        }
        Ok(judged)
    }
}

/// How many whole days lie between two moments, rounded down also below zero.
fn full_days(from: Timestamp, to: Timestamp) -> i64 {
    let between = to.duration_since(from);
    // Parts of a second are cut off towards zero.
    let seconds = between.as_secs() - i64::from(between.subsec_nanos() < 0);
    seconds.div_euclid(DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_full_at_its_last_nanosecond() {
        let from: Timestamp = "2026-01-01T12:00:00Z".parse().expect("a moment");
        for (to, days) in [
            ("2026-01-01T12:00:00Z", 0),
            ("2026-01-02T11:59:59.999999999Z", 0),
            ("2026-01-02T12:00:00Z", 1),
            ("2026-03-01T12:00:00Z", 59),
            ("2026-01-01T11:59:59.999999999Z", -1),
            ("2025-12-31T12:00:00Z", -1),
            ("2025-12-31T11:59:59.5Z", -2),
        ] {
            let to = to.parse().expect("a moment");
            assert_eq!(full_days(from, to), days, "to {to}");
        }
    }
}
