//! An answer of the world, as people read it after "it saw".

use std::fmt;

use super::{Observation, PasswordAnswer};

impl fmt::Display for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object { kind, id, version } => match version {
                Some(version) => write!(f, "{kind}/{id} at version {version}"),
                None => write!(f, "that there is no {kind}/{id}"),
            },
            Self::Found {
                kind,
                lookup,
                value,
                objects,
            } => {
                write!(f, "all objects of the kind {kind}")?;
                if !lookup.is_empty() {
                    write!(f, " with the {lookup} {value:?}")?;
                }
                match objects.len() {
                    0 => Ok(()),
                    count => write!(f, ", {count} of them"),
                }
            }
            Self::Password { user, answer } => {
                let what = match answer {
                    PasswordAnswer::Accepted => "the right password",
                    PasswordAnswer::Upgraded => "the right password, with a hash to replace,",
                    PasswordAnswer::Rejected => "a wrong password",
                    PasswordAnswer::Unusable => "that no password is good",
                };
                write!(f, "{what} for user/{user}")
            }
            Self::Kept { handle } => write!(f, "a secret put away as {handle}"),
            Self::Opened { handle, found } => {
                let what = if *found { "the" } else { "no" };
                write!(f, "{what} secret {handle}")
            }
            Self::Secret { equal: true } => f.write_str("that the secret was typed"),
            Self::Secret { equal: false } => f.write_str("that something else was typed"),
            Self::EvaluationBegan { policy } => write!(f, "the evaluation of {policy}"),
            Self::EvaluationEnded { interrupted, .. } => match interrupted {
                Some(interrupted) => write!(f, "an evaluation end early: {interrupted}"),
                None => f.write_str("the end of an evaluation"),
            },
            Self::Counter { name, value } => write!(f, "the counter {name} at {value}"),
            Self::Reputation {
                address,
                identifier,
                score,
            } => {
                write!(f, "the reputation {score}")?;
                if let Some(address) = address {
                    write!(f, " of {address}")?;
                }
                match identifier {
                    Some(identifier) => write!(f, " of {identifier:?}"),
                    None => Ok(()),
                }
            }
            Self::Place { address, .. } => write!(f, "where {address} is"),
            Self::Breached { count: Ok(count) } => {
                write!(f, "the password {count} times among stolen ones")
            }
            Self::Breached {
                count: Err(problem),
            } => {
                write!(
                    f,
                    "that nobody knew whether the password was stolen: {problem}"
                )
            }
            Self::Weighed { passes: true, .. } => f.write_str("a secret that is good enough"),
            Self::Weighed { passes: false, .. } => f.write_str("a secret that is too weak"),
            Self::Generated => f.write_str("a fresh secret"),
            Self::Drawn { id } => write!(f, "the random identifier {id}"),
            Self::Presented {
                credential: Some(_),
            } => f.write_str("which credential was shown"),
            Self::Presented { credential: None } => f.write_str("that no credential was shown"),
            Self::Registered { result: Ok(_) } => f.write_str("a new credential"),
            Self::Registered {
                result: Err(problem),
            } => {
                write!(f, "a new credential that is not good: {problem}")
            }
            Self::Asserted { result: Ok(_) } => f.write_str("the proof of a credential"),
            Self::Asserted {
                result: Err(problem),
            } => {
                write!(f, "a proof that is not good: {problem}")
            }
            Self::Hashed => f.write_str("a hashed password"),
            Self::Linked { link } => write!(f, "the link {link}"),
            Self::Posted { mail: Ok(mail) } => write!(f, "the mail {mail}"),
            Self::Posted { mail: Err(problem) } => {
                write!(f, "that a mail could not be written: {problem}")
            }
            Self::Requested { effect } => write!(f, "the effect {effect}"),
            Self::Hash { of, fits } => {
                let what = if *fits { "a" } else { "no" };
                write!(f, "{what} former password of {of}")
            }
        }
    }
}
