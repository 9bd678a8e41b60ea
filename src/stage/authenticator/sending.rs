//! How many codes may be sent: to one address, and to one user. Otherwise whoever knows a password
//! could keep a stranger's telephone ringing, at the operator's expense.

use jiff::SignedDuration;
use uuid::Uuid;

use super::super::{Error, Turn};
use crate::directory::mail_attempts::{MailAttempts, mail_attempts};
use crate::flow::event::Event;
use crate::journal::Version;
use crate::journal::object::{Versioned, put};
use crate::world::Change;

/// What somebody reads who has asked too often.
pub(super) const TOO_MANY: &str = "Too many codes were sent. Please try again later.";

/// So many within so long a time, and so many within a day.
const SOON: (usize, SignedDuration) = (5, SignedDuration::from_mins(10));
const DAILY: (usize, SignedDuration) = (30, SignedDuration::from_hours(24));

/// What a code is sent for. Each has an allowance of its own: whoever sets up an authenticator may
/// name an address that is somebody else's, and must not use up what that owner needs to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To set an authenticator up.
    Enrolment,
    /// To log in with one.
    Login,
}

/// That another code may be sent; it counts once it is.
pub(super) struct Allowance(Vec<Versioned<MailAttempts>>);

impl Allowance {
    /// Whether a code may be sent to this address for this user; `None` where there were too many,
    /// which is noted. `scheme` tells addresses of different classes apart; two ways to write one
    /// address have to be one already.
    pub(super) async fn of(
        turn: &mut Turn<'_>,
        scheme: &str,
        purpose: Purpose,
        address: &str,
        user: Uuid,
    ) -> Result<Option<Self>, Error> {
        let now = turn.world.now();
        let mut all = Vec::new();
        let at = match purpose {
            Purpose::Enrolment => format!("{scheme}-enrols:{address}"),
            Purpose::Login => format!("{scheme}:{address}"),
        };
        for place in [at, format!("{scheme}-of:{user}")] {
            let found = mail_attempts(turn.world.objects(), &place).await?;
            let mut attempts = match found {
                Some(found) => found,
                None => Versioned {
                    version: Version::NONE,
                    value: MailAttempts::none(turn.world.draw()?, &place),
                },
            };
            attempts.value.forget(now, DAILY.1);
            let at = &attempts.value.at;
            let recent = at.iter().filter(|at| now.duration_since(**at) < SOON.1);
            let recent = recent.count();
            if recent >= SOON.0 || at.len() >= DAILY.0 {
                turn.learn(Event::MailWithheld {
                    recent: u32::try_from(recent.max(at.len())).unwrap_or(u32::MAX),
                });
                return Ok(None);
            }
            all.push(attempts);
        }
        Ok(Some(Self(all)))
    }

    /// Counts the code that is sent.
    pub(super) fn count(self, turn: &Turn<'_>) {
        for mut attempts in self.0 {
            attempts.value.count(turn.world.now(), DAILY.1);
            let write = put(&attempts.value, attempts.version);
            turn.world.change(Change::Write(write));
        }
    }
}
