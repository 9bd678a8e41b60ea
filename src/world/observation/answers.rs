//! What a note answers: each of these is `None` where the note is about something else.
//!
//! A replay and a supposition ask the same notes, each in its own order.

use std::net::IpAddr;

use uuid::Uuid;

use super::{Observation, PasswordAnswer};
use crate::expression::Told;
use crate::geoip::Place;
use crate::journal::{Kind, Version};
use crate::webauthn::{Asserted, Registered};
use crate::world::{Evaluated, Weighed};

impl Observation {
    /// What was said of this user's password.
    #[must_use]
    pub fn password_of(&self, asked: Uuid) -> Option<PasswordAnswer> {
        match self {
            Self::Password { user, answer } if *user == asked => Some(*answer),
            _ => None,
        }
    }

    /// Whether what was typed was a certain secret.
    #[must_use]
    pub fn is_equal(&self) -> Option<bool> {
        match self {
            Self::Secret { equal } => Some(*equal),
            _ => None,
        }
    }

    /// Under which name a secret was kept.
    #[must_use]
    pub fn kept(&self) -> Option<Uuid> {
        match self {
            Self::Kept { handle } => Some(*handle),
            _ => None,
        }
    }

    /// Whether the secret of this name was there.
    #[must_use]
    pub fn was_there(&self, asked: Uuid) -> Option<bool> {
        match self {
            Self::Opened { handle, found } if *handle == asked => Some(*found),
            _ => None,
        }
    }

    /// Which identifier was drawn.
    #[must_use]
    pub fn drawn(&self) -> Option<Uuid> {
        match self {
            Self::Drawn { id } => Some(*id),
            _ => None,
        }
    }

    /// What a device said that had made a credential.
    #[must_use]
    pub fn registered(&self) -> Option<Result<Registered, String>> {
        match self {
            Self::Registered { result } => Some(result.clone()),
            _ => None,
        }
    }

    /// What a device said that proved a credential.
    #[must_use]
    pub fn asserted(&self) -> Option<Result<Asserted, String>> {
        match self {
            Self::Asserted { result } => Some(result.clone()),
            _ => None,
        }
    }

    /// By what a link is known that was made.
    #[must_use]
    pub fn linked(&self) -> Option<Uuid> {
        match self {
            Self::Linked { link } => Some(*link),
            _ => None,
        }
    }

    /// Which mail was written.
    #[must_use]
    pub fn posted(&self) -> Option<Result<Uuid, String>> {
        match self {
            Self::Posted { mail } => Some(mail.clone()),
            _ => None,
        }
    }

    /// Under which identifier another server was asked.
    #[must_use]
    pub fn requested(&self) -> Option<Uuid> {
        match self {
            Self::Requested { effect } => Some(*effect),
            _ => None,
        }
    }

    /// What the counter of this name stood at.
    #[must_use]
    pub fn counter(&self, asked: &str) -> Option<i64> {
        match self {
            Self::Counter { name, value } if name == asked => Some(*value),
            _ => None,
        }
    }

    /// What the attempts from this address, and those with this name, came to.
    #[must_use]
    pub fn reputation(&self, from: Option<IpAddr>, name: Option<&str>) -> Option<i64> {
        match self {
            Self::Reputation {
                address,
                identifier,
                score,
            } if *address == from && identifier.as_deref() == name => Some(*score),
            _ => None,
        }
    }

    /// Where this address was.
    #[must_use]
    pub fn place(&self, asked: IpAddr) -> Option<Place> {
        match self {
            Self::Place { address, place } if *address == asked => Some(place.clone()),
            _ => None,
        }
    }

    /// How often a password was in the lists of stolen ones.
    #[must_use]
    pub fn breached(&self) -> Option<Result<u64, String>> {
        match self {
            Self::Breached { count } => Some(count.clone()),
            _ => None,
        }
    }

    /// What a look at a secret came to.
    #[must_use]
    pub fn weighed(&self) -> Option<Weighed> {
        match self {
            Self::Weighed { passes, advice } => Some(Weighed {
                passes: *passes,
                advice: advice.clone(),
            }),
            _ => None,
        }
    }

    /// Whether what was typed fitted the encoded password of this one.
    #[must_use]
    pub fn fits(&self, asked: Uuid) -> Option<bool> {
        match self {
            Self::Hash { of, fits } if *of == asked => Some(*fits),
            _ => None,
        }
    }

    /// Whether the evaluation of this policy began.
    #[must_use]
    pub fn began(&self, asked: Uuid) -> Option<()> {
        match self {
            Self::EvaluationBegan { policy } if *policy == asked => Some(()),
            _ => None,
        }
    }

    /// How an evaluation ended.
    #[must_use]
    pub fn ended(&self) -> Option<Evaluated> {
        match self {
            Self::EvaluationEnded {
                micros,
                interrupted,
                ..
            } => Some(Evaluated {
                micros: *micros,
                interrupted: interrupted.clone(),
            }),
            _ => None,
        }
    }

    /// How an evaluation went that was handed a secret.
    #[must_use]
    pub fn told(&self) -> Option<&Told> {
        match self {
            Self::EvaluationEnded { told, .. } => told.as_deref(),
            _ => None,
        }
    }

    /// What was found by the same lookup as the one that `asked` notes.
    #[must_use]
    pub fn found_as(&self, asked: &Self) -> Option<&[(Uuid, Version)]> {
        let (question, objects) = self.lookup()?;
        let (same, _) = asked.lookup()?;
        (question == same).then_some(objects)
    }

    fn lookup(&self) -> Option<Lookup<'_>> {
        match self {
            Self::Found {
                kind,
                lookup,
                value,
                objects,
            } => Some(((*kind, lookup, value), objects)),
            _ => None,
        }
    }
}

/// What was looked up, and what was found.
type Lookup<'a> = ((Kind, &'a str, &'a str), &'a [(Uuid, Version)]);

/// Where the end of the evaluation is noted within which the first of `notes` lies.
pub fn end_of_evaluation<'a>(notes: impl IntoIterator<Item = &'a Observation>) -> Option<usize> {
    // Evaluations may lie within each other.
    let mut open = 1;
    notes.into_iter().position(|note| {
        match note {
            Observation::EvaluationBegan { .. } => open += 1,
            Observation::EvaluationEnded { .. } => open -= 1,
            _ => {}
        }
        open == 0
    })
}
