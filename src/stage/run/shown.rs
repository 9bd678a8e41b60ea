//! What the visitor gets back, read off the state that a command led to.
//!
//! It reads and changes nothing: the same state leads to the same reply after a restart.

use serde_json::Value;

use super::Run;
use crate::directory;
use crate::flow::event::Check;
use crate::flow::execution::{End, Running};
use crate::flow::model::DeniedAction;
use crate::flow::plan::PlannedStage;
use crate::flow::{Execution, next};
use crate::stage::reply::{access_denied, envelope, flow_info};
use crate::stage::{Error, Reply, settings_of};

impl Run<'_> {
    pub(super) async fn reply(&self) -> Result<Reply, Error> {
        if let Some(aside) = &self.aside {
            return self.beside(aside).await;
        }
        match &self.state {
            Execution::Unstarted => Ok(Reply::Over),
            Execution::Running(running) => self.current(running).await,
            Execution::Ended(ended) => match &ended.how {
                End::Completed { destination } => Ok(Reply::Redirect {
                    to: destination.clone(),
                }),
                End::Denied { check, message } => self.denied(check, message).await,
                End::Cancelled | End::Expired => Ok(Reply::Over),
            },
        }
    }

    async fn current(&self, running: &Running) -> Result<Reply, Error> {
        // A stage that failed to judge an answer still asks: whoever comes back is asked again.
        let stuck = running.failure.as_ref();
        let stuck = stuck.filter(|_| running.challenge.is_none());
        if let Some(problem) = self.failed.as_ref().or(stuck) {
            return self.failure(problem).await;
        }
        let (Some(planned), Some(id)) = (running.plan.current(), running.challenge_id()) else {
            return Ok(Reply::Over);
        };
        let stage = match settings_of(self.world, planned).await {
            Ok(stage) => stage,
            Err(Error::Failed(problem)) => return self.failure(&problem).await,
            Err(other) => return Err(other),
        };
        let fields = match self.fields(&stage, planned).await {
            // It was noted when it was asked.
            Ok(mut asked) => {
                asked.fields.extend(asked.shown);
                asked.fields
            }
            Err(Error::Failed(problem)) => return self.failure(&problem).await,
            Err(other) => return Err(other),
        };
        let flow = self.flow().await?;
        let (user, _) = self.turn(&flow, planned)?.shown_user().await?;
        let info = flow_info(&flow, &user, Some(&self.query));
        let body = envelope(stage.component(), fields, info, self.errors.as_ref());
        Ok(Reply::Challenge { id, body })
    }

    /// The error page. What went wrong is for those only who can mend it.
    async fn failure(&self, problem: &str) -> Result<Reply, Error> {
        let visible = match self.session_user().await? {
            Some(user) => {
                let flag = user.value.attributes.get("goauthentik.io/user/debug");
                flag == Some(&Value::Bool(true))
                    || directory::is_superuser(self.world.objects(), &user.value).await?
            }
            None => false,
        };
        Ok(Reply::Failed {
            error: visible.then(|| problem.to_owned()),
        })
    }

    async fn denied(&self, check: &Check, message: &str) -> Result<Reply, Error> {
        let flow = self.flow().await?;
        if matches!(check, Check::Requirement | Check::Policies) {
            let wanted = self.query.next().filter(|wanted| next::is_safe(wanted));
            match (flow.denied_action, wanted) {
                (DeniedAction::Continue | DeniedAction::MessageContinue, Some(next)) => {
                    return Ok(Reply::Redirect {
                        to: next.to_owned(),
                    });
                }
                (DeniedAction::Continue, None) => {
                    return Ok(Reply::Redirect { to: "/".to_owned() });
                }
                _ => {}
            }
        }
        let nowhere = PlannedStage::nowhere();
        let turn = self.turn(&flow, &nowhere)?;
        Ok(Reply::Denied {
            body: access_denied(&turn, message).await?,
        })
    }
}
