//! Links that lead to an execution, and stages that lead out of a flow into another.
//!
//! Opening a link changes nothing: programs that look into mails do it too. Whoever confirms it
//! takes the execution over, and the browser that it belonged to gets nothing of it any more.

use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Run;
use super::plan::Occasion;
use crate::catalog::Flow;
use crate::directory::link::Link;
use crate::flow::Command;
use crate::flow::challenge::DEFAULT_AVATAR;
use crate::flow::event::{Errors, Event, errors};
use crate::flow::input::DeadLink;
use crate::flow::plan::{Pinned, PlannedStage};
use crate::flow::timer::{self, Deadline};
use crate::flow::verdict::PlanChange;
use crate::journal::object::{self, Versioned, put};
use crate::stage::consent::Consent;
use crate::stage::field::{Field, Shape};
use crate::stage::redirect::{self, Redirect};
use crate::stage::reply::{denial, envelope, flow_info, object};
use crate::stage::{Error, Form, Reply, Stage as _, email};
use crate::world::{Change, NewLink};

/// What is shown that is no challenge of the execution's own.
#[derive(Clone, Debug)]
pub(super) enum Aside {
    /// It went on in another browser.
    Elsewhere,
    /// The visitor is asked whether they want to go on here.
    Asks { link: Uuid, errors: Option<Errors> },
    /// The link leads nowhere any more.
    Dead(DeadLink),
    /// Another flow goes on, at this address.
    Leads(String),
}

/// What somebody reads whose link leads nowhere.
pub(super) fn dead(link: DeadLink) -> &'static str {
    match link {
        DeadLink::Unknown => crate::stage::planner::NO_LINK,
        DeadLink::Used => "Link was already used, please request a new link.",
    }
}

/// What somebody reads who asked for the link, once it was confirmed in another browser.
const ELSEWHERE: &str =
    "This was continued in another window. You can close this one, or cancel to start again.";

/// What the page says that keeps programs from confirming a link. Source: authentik
/// `stages/email/stage.py`.
const CONFIRM: &str = "Continue to confirm this email address.";

const ANSWER: Form = Form::Fixed(&[Field {
    name: "token",
    shape: Shape::RequiredText,
    secret: false,
}]);

impl Run<'_> {
    /// Puts a stage in front of the flow that waits for a link, and makes the link.
    pub(super) fn lead_here(&mut self, until: jiff::Timestamp) -> Result<(), Error> {
        let Some(running) = self.state.running() else {
            return Ok(());
        };
        let user = running.context.pending_user();
        let link = self.world.link(NewLink {
            slug: running.slug.clone(),
            query: String::new(),
            expires: until,
        })?;
        let of = Deadline::Link { link };
        let timer = timer::id(until, self.world.draw()?);
        let stage = PlannedStage::made_up("email", "link", email::waits_for_link());
        self.apply(Command::Learn(vec![
            Event::LinkIssued {
                link,
                stage: None,
                user,
                expires: until,
            },
            Event::PlanChanged {
                change: PlanChange::Insert { at: 0, stage },
                by: "the operator".to_owned(),
            },
            Event::TimerSet {
                timer,
                due: until,
                of,
            },
        ]))
    }

    /// Shows what a link is for.
    pub(super) fn open(&mut self, link: Uuid) -> Result<(), Error> {
        let asks = if let Some(dead) = self.refused(link) {
            Aside::Dead(dead)
        } else {
            self.apply(Command::Open { link })?;
            Aside::Asks { link, errors: None }
        };
        self.aside = Some(asks);
        Ok(())
    }

    /// Takes the answer to what [`Run::open`] shows: the execution moves to the session, and the
    /// stage that waits for the link looks again.
    pub(super) async fn confirm(
        &mut self,
        link: Uuid,
        session: Uuid,
        typed: Option<&Value>,
    ) -> Result<(), Error> {
        self.check_on_return().await?;
        if self.state.running().is_none() {
            return Ok(());
        }
        let found: Option<Versioned<Link>> = object::get(self.world.objects(), link).await?;
        let ended = |it: &Versioned<Link>| it.value.is_over(self.world.now());
        let Some(mut found) = found.filter(|it| !ended(it)) else {
            self.aside = Some(Aside::Dead(DeadLink::Unknown));
            return Ok(());
        };
        if let Some(dead) = self.refused(link) {
            self.aside = Some(Aside::Dead(dead));
            return Ok(());
        }
        let nothing = json!({});
        let body = typed.unwrap_or(&nothing);
        self.body = Some(ANSWER.redact(body));
        let problem = match ANSWER.read(body) {
            Err(errors) => Some(errors),
            Ok(answer) => {
                let asked = SecretString::from(found.value.consent.to_string());
                let told = answer.text("token").cloned().unwrap_or_default();
                let fits = self.world.is_secret(&told, &asked)?;
                (!fits).then(|| {
                    errors(
                        "token",
                        "Invalid consent token, re-showing prompt",
                        "invalid",
                    )
                })
            }
        };
        if problem.is_some() {
            self.aside = Some(Aside::Asks {
                link,
                errors: problem,
            });
            return Ok(());
        }
        found.value.used = true;
        self.world
            .change(Change::Write(put(&found.value, found.version)));
        self.apply(Command::Confirm {
            link,
            session,
            query: self.input.query.clone(),
        })?;
        self.advance().await
    }

    /// Why a link cannot be confirmed, as far as the execution knows. The proof of one user is
    /// none of another, who may go through the flow by now.
    fn refused(&self, link: Uuid) -> Option<DeadLink> {
        let running = self.state.running()?;
        match running.links.get(&link) {
            None => Some(DeadLink::Used),
            Some(known) if known.used => Some(DeadLink::Used),
            Some(known) if known.user.is_none() => Some(DeadLink::Unknown),
            Some(known) => {
                let is_theirs = known.user == running.context.pending_user();
                (!is_theirs).then_some(DeadLink::Unknown)
            }
        }
    }

    /// Goes on with another flow, at its own address.
    pub(super) async fn lead_to(&mut self, flow: Uuid, keep_context: bool) -> Result<(), Error> {
        let Some(planned) = self
            .state
            .running()
            .and_then(|it| it.plan.current().cloned())
        else {
            return Ok(());
        };
        let target: Option<Versioned<Flow>> = object::get(self.world.objects(), flow).await?;
        let Some(target) = target else {
            return self.refuse(&planned, redirect::NO_TARGET).await;
        };
        if self.is_restarted_too_often()? {
            return Ok(());
        }
        let query = self.query.without_link().encode();
        let slug = target.value.slug.to_string();
        let to = crate::flow::query::flow_url(&slug, &query);
        self.apply(Command::Redirect {
            flow: Pinned {
                id: target.value.pk,
                version: target.version.0,
            },
            slug,
            query,
            keep_context,
        })?;
        self.flow = std::cell::OnceCell::new();
        self.plan(Occasion::Redirected).await?;
        if self.state.running().is_some() {
            self.aside = Some(Aside::Leads(to));
        }
        Ok(())
    }

    /// The reply that shows something else than the execution's own challenge.
    pub(super) async fn beside(&self, aside: &Aside) -> Result<Reply, Error> {
        let flow = self.flow().await?;
        let info = |user: &str| flow_info(&flow, user, Some(&self.query));
        // Whoever has no part in the execution any more learns nothing of whose it is.
        let denied = |message: &str| denial("", DEFAULT_AVATAR, message, info(""));
        let body = match aside {
            Aside::Elsewhere => denied(ELSEWHERE),
            Aside::Dead(link) => denied(dead(*link)),
            Aside::Leads(to) => {
                let fields = object(json!({ "to": to }));
                envelope(Redirect::COMPONENT, fields, info(""), None)
            }
            Aside::Asks { link, errors } => {
                let found: Option<Versioned<Link>> =
                    object::get(self.world.objects(), *link).await?;
                let Some(found) = found else {
                    return Ok(Reply::Aside {
                        body: denied(dead(DeadLink::Unknown)),
                    });
                };
                let nowhere = PlannedStage::nowhere();
                let (user, avatar) = self.turn(&flow, &nowhere)?.shown_user().await?;
                let asked = object(json!({
                    "pending_user": user,
                    "pending_user_avatar": avatar,
                    "header_text": CONFIRM,
                    "permissions": [],
                    "additional_permissions": [],
                    "token": found.value.consent,
                }));
                envelope(Consent::COMPONENT, asked, info(&user), errors.as_ref())
            }
        };
        Ok(Reply::Aside { body })
    }
}
