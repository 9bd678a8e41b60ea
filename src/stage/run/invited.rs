//! Looks after the invitation for a single user that is in effect.

use uuid::Uuid;

use super::Run;
use crate::directory::invitation::{Invitation, RESERVED_FOR};
use crate::flow::Command;
use crate::flow::plan::PlannedStage;
use crate::journal::object::{self, Versioned, put};
use crate::stage::{Error, invitation};
use crate::world::Change;

impl Run<'_> {
    /// Uses up the invitation at the end of a flow in which nobody did; whether the flow may end
    /// so. Somebody else may have it by now.
    pub(super) async fn use_invitation_up(&mut self) -> Result<bool, Error> {
        if self.invitation().is_none() {
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

    /// Whether an answer is still one of somebody who is invited: another may have answered before.
    pub(super) async fn is_still_invited(&mut self) -> Result<bool, Error> {
        let Some(id) = self.invitation() else {
            return Ok(true);
        };
        let flow = self.flow().await?;
        let nowhere = PlannedStage::nowhere();
        let mut turn = self.turn(&flow, &nowhere)?;
        let is_there = invitation::own(&mut turn, id).await?.is_some();
        let learnt = turn.learnt;
        self.apply(Command::Learn(learnt))?;
        Ok(is_there)
    }

    fn invitation(&self) -> Option<Uuid> {
        self.state.running()?.invitation
    }

    /// Gives the invitation back when the execution ended without having used it up. Keeps it from
    /// all others when the visitor has answered something, and for longer when they have again.
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
        let kept = found.value.reserved.filter(|it| it.execution == own);
        let is_fresh = kept.is_some_and(|it| it.until.duration_since(now) >= RESERVED_FOR / 2);
        if is_over {
            if kept.is_none() {
                return Ok(());
            }
            found.value.reserved = None;
        } else {
            if is_fresh || found.value.is_taken(own, now) {
                return Ok(());
            }
            found.value.reserve(own, now);
        }
        let write = put(&found.value, found.version);
        self.world.change(Change::Write(write));
        Ok(())
    }
}
