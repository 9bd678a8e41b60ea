//! Logs the visitor out. Source: authentik `stages/user_logout`.
//!
//! The session goes on as an anonymous one under a new cookie, so that `next` and the stages
//! that follow are not lost.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Entered, Error, Response, Stage, Turn, Verdict};
use crate::flow::event::Event;
use crate::world::Change;

/// A logout stage has no settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = UserLogoutStage)]
pub struct UserLogout {}

#[async_trait(?Send)]
impl Stage for UserLogout {
    const COMPONENT: &'static str = "ak-stage-user-logout";

    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        if let Some(session) = turn.session().await? {
            let user = session.value.user;
            if user.is_some() {
                turn.world.change(Change::EndSession {
                    session: session.value.id,
                });
            }
            turn.learn(Event::SessionEnded {
                session: session.value.id,
                user,
            });
        }
        Ok(Entered::Passed)
    }

    async fn challenge(&self, _turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        Ok(Map::new())
    }

    async fn judge(&self, _: Response, _: &mut Turn<'_>) -> Result<Verdict, Error> {
        Ok(Verdict::Passed)
    }
}
