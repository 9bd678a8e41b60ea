//! The end of sessions that somebody asked for: whoever is logged in there is logged out with the
//! commit.

use super::command::{ATTEMPTS, termination};
use super::{Act, Error, Session};
use crate::journal::object::{self, Versioned};

/// Ends sessions, all or none, and returns those that were still there.
///
/// # Errors
/// [`Error::Contended`], or what the journal says.
pub async fn end_sessions(
    act: &Act<'_>,
    mut sessions: Vec<Versioned<Session>>,
) -> Result<Vec<Session>, Error> {
    for _ in 0..ATTEMPTS {
        if sessions.is_empty() || act.commit(termination(&sessions)).await? {
            return Ok(sessions.into_iter().map(|it| it.value).collect());
        }
        // Whoever is logged in used one of them meanwhile.
        let mut current = Vec::new();
        for session in &sessions {
            current.extend(object::get(act.journal, session.value.id).await?);
        }
        sessions = current;
    }
    Err(Error::Contended)
}
