//! Deletes the user who is going through the flow. Source: authentik `stages/user_delete`.
//!
//! All that is theirs goes in the same commit, and so does the key of all that was ever written of
//! them, this execution included: what follows in the same breath is still done, and whoever comes
//! back afterwards begins anew.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Entered, Error, Response, Stage, Turn, Verdict};
use crate::directory::user::User;
use crate::flow::context::{Value as Known, key};
use crate::flow::event::Event;
use crate::journal::Version;
use crate::journal::object::Versioned;
use crate::world::Change;

/// A stage that deletes a user has no settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = UserDeleteStage)]
pub struct UserDelete {}

/// The message of the refusal.
const REFUSAL: &str = "Unknown error";

impl UserDelete {
    /// Whoever goes through the flow, else whoever is logged in.
    async fn subject(turn: &Turn<'_>) -> Result<Option<Versioned<User>>, Error> {
        match turn.running.context.get(key::PENDING_USER) {
            Some(Known::User(id)) => turn.user(*id).await,
            Some(Known::Stranger { .. }) => Ok(None),
            _ => turn.session_user().await,
        }
    }
}

#[async_trait(?Send)]
impl Stage for UserDelete {
    const COMPONENT: &'static str = "ak-stage-user-delete";

    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        let Some(user) = Self::subject(turn).await? else {
            return Ok(Entered::Denied(REFUSAL.to_owned()));
        };
        // A user whom this very command makes is in no journal that they could be taken from.
        if user.version == Version::NONE {
            let problem = "a user cannot be made and deleted in one step";
            return Err(Error::Failed(problem.to_owned()));
        }
        if let Some(session) = turn.session().await?
            && session.value.user.is_some()
        {
            let (session, user) = (session.value.id, session.value.user);
            turn.world.change(Change::EndSession { session });
            turn.learn(Event::SessionEnded { session, user });
        }
        let id = user.value.uuid;
        turn.learn(Event::UserIdentified {
            user: Some(id),
            active: user.value.is_active,
        });
        turn.learn(Event::UserDeleted { user: id });
        turn.set(key::PENDING_USER, None);
        turn.world.change(Change::DeleteUser(Box::new(user)));
        Ok(Entered::Passed)
    }

    async fn challenge(&self, _: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        Ok(Map::new())
    }

    async fn judge(&self, _: Response, _: &mut Turn<'_>) -> Result<Verdict, Error> {
        Ok(Verdict::Passed)
    }
}
