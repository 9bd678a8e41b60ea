//! Looks after the invitation that an execution keeps for itself.

use super::Run;
use crate::directory::invitation::{Invitation, RESERVED_FOR};
use crate::flow::Command;
use crate::flow::event::Event;
use crate::flow::plan::PlannedStage;
use crate::journal::object::{self, Versioned, put};
use crate::stage::{Error, invitation};
use crate::world::Change;

impl Run<'_> {
    /// Uses up the invitation at the end of a flow in which nobody did; whether the flow may end
    /// so. Somebody else may have it by now.
    pub(super) async fn use_invitation_up(&mut self) -> Result<bool, Error> {
        let reserves = |run: &Self| {
            run.state
                .running()
                .is_some_and(|it| it.invitation.is_some())
        };
        if !reserves(self) {
            return Ok(true);
        }
        let flow = self.flow().await?;
        let nowhere = PlannedStage::nowhere();
        let mut turn = self.turn(&flow, &nowhere)?;
        let was_there = invitation::consume(&mut turn).await?;
        let learnt = turn.learnt;
        self.apply(Command::Learn(learnt))?;
        Ok(was_there)
    }

    /// Gives the invitation back when the execution ended without having used it up, and keeps it
    /// for longer when the visitor has answered something.
    pub(super) async fn look_after_invitation(&mut self) -> Result<(), Error> {
        let Some((id, own)) = self
            .state
            .latest()
            .and_then(|it| Some((it.invitation?, it.execution)))
        else {
            return Ok(());
        };
        let is_over = self.state.is_over();
        if !is_over && self.body.is_none() {
            return Ok(());
        }
        let found: Option<Versioned<Invitation>> = object::get(self.world.objects(), id).await?;
        let Some(mut found) = found else {
            return Ok(());
        };
        let now = self.world.now();
        let keeps = found.value.reserved.filter(|it| it.execution == own);
        // What this very command reserved is in no journal yet.
        let is_new = self.events.iter().any(|event| {
            matches!(event, Event::InvitationUsed { reserved: true, invitation, .. } if *invitation == id)
        });
        match keeps {
            Some(_) if is_over => found.value.reserved = None,
            None if is_over && is_new => {}
            Some(kept) if !is_new && kept.until.duration_since(now) < RESERVED_FOR / 2 => {
                found.value.reserve(own, now);
            }
            _ => return Ok(()),
        }
        let write = put(&found.value, found.version);
        self.world.change(Change::Write(write));
        Ok(())
    }
}
