//! Lets a user in again by a link that an operator hands over, or has mailed.

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Map;
use uuid::Uuid;

use super::actor::{Begin, Handle};
use super::live::MadeLink;
use super::{Error, Executions, Presence, Request, Unfinished, posting, unfinished};
use crate::catalog::brand::{brands, select};
use crate::catalog::flow::flow_by_slug;
use crate::catalog::{Stage, settings};
use crate::courier::outbox::{self, Posted};
use crate::directory::User;
use crate::flow::context::{Context, Value, key};
use crate::flow::input::{Canceller, Request as Asked};
use crate::flow::{Entry, client::Client};
use crate::journal::{Commit, Durability};
use crate::stage::Reply;
use crate::stage::email::{Email, language};
use crate::traces::Parent;
use crate::world::{Letter, Recipient, person};

/// A link that lets a user in again.
pub struct Recovery {
    /// The execution to which it leads.
    pub execution: Uuid,
    /// The path and the query string at which it is opened. It is a secret, and shown only once.
    pub path: SecretString,
}

impl Executions {
    /// Begins a flow for a user in nobody's browser, and makes a link to it that works once until
    /// `until`. One that was made for the same user before, and that nobody has confirmed, works
    /// no more. Source: authentik `core/api/users.py`, `recovery`.
    ///
    /// # Errors
    /// [`Error::UnknownFlow`], [`Error::NotApplicable`] when the flow lets the user not in, or what
    /// the journal said.
    pub async fn recovery_link(
        &self,
        slug: &str,
        user: Uuid,
        until: Timestamp,
        client: Client,
        correlation: Uuid,
    ) -> Result<Recovery, Error> {
        let (execution, made) = self
            .recovery(slug, user, until, client, correlation)
            .await?;
        Ok(Recovery {
            execution,
            path: made.path(),
        })
    }

    /// Makes such a link and mails it to the user, as this e-mail stage would: with its template, its
    /// subject and its server. Source: authentik `core/api/users.py`, `recovery_email`.
    ///
    /// # Errors
    /// Those of [`Executions::recovery_link`]; the inner one says what the operator has to mend.
    pub async fn recovery_mail(
        &self,
        slug: &str,
        user: &User,
        stage: &Stage,
        until: Timestamp,
        client: Client,
        correlation: Uuid,
    ) -> Result<Result<(), String>, Error> {
        let email: Email = match settings::read(&stage.settings) {
            Ok(email) => email,
            Err(problem) => return Ok(Err(problem)),
        };
        let (_, made) = self
            .recovery(slug, user.uuid, until, client.clone(), correlation)
            .await?;
        let journal = self.shared.journal.as_ref();
        let brands = brands(journal).await?;
        let global = email.server.use_global_settings;
        let letter = Letter {
            template: email.template,
            subject: email.subject,
            to: Some(Recipient {
                name: user.name.clone(),
                address: user.email.clone(),
            }),
            user: person(user),
            brand: select(&brands, &client.host).value.branding_title,
            from: (!global).then_some(email.server.from_address),
            server: (!global).then_some(stage.pk),
            language: language(user),
            client,
            link: Some(made.link.id),
            code: None,
            text: None,
            more: Map::new(),
            expires: until,
        };
        let (execution, now) = (made.link.execution, self.shared.clock.now());
        let written = posting::write(&self.shared, execution, now, &letter, Some(&made)).await?;
        let mut mail = match written {
            Ok(mail) => mail,
            Err(problem) => return Ok(Err(problem)),
        };
        // The execution did not ask for it, and waits for no word of it.
        mail.execution = None;
        let commit = Commit {
            writes: outbox::enqueue(&mail),
            durability: Durability::Durable,
            fence: None,
            at: now,
            correlation,
        };
        journal.commit(commit).await?;
        if let Some(courier) = &self.shared.outside.courier {
            courier.wake([Posted::from(&mail)]);
        }
        Ok(Ok(()))
    }

    async fn recovery(
        &self,
        slug: &str,
        user: Uuid,
        until: Timestamp,
        client: Client,
        correlation: Uuid,
    ) -> Result<(Uuid, MadeLink), Error> {
        let journal = self.shared.journal.as_ref();
        let clock = &self.shared.clock;
        let flow = flow_by_slug(journal, slug).await?;
        let flow = flow.ok_or(Error::UnknownFlow)?;
        for earlier in unfinished::recoveries_of(journal, user).await? {
            let by = Asked::Cancel {
                by: Canceller::Operator,
            };
            let id = earlier.value.execution;
            self.end(id, &client, by, correlation).await?;
        }
        let (execution, session) = (clock.ordered_id(), clock.opaque_id());
        let mut context = Context::default();
        context.set(key::PENDING_USER, Some(Value::User(user)));
        // A flow for whoever has a link begins for whoever gets one.
        let by = Value::Object {
            class: "FlowToken".to_owned(),
            id: execution.to_string(),
        };
        context.set(key::IS_RESTORED, Some(by));
        let request = Request {
            session: None,
            sid: None,
            slug: slug.to_owned(),
            query: String::new(),
            client,
            challenge: None,
            received: clock.monotonic(),
            correlation,
            trace: Parent::default(),
            presence: Presence::default(),
        };
        let asked = Asked::Begin {
            execution,
            session,
            flow: flow.value.pk,
            context: context.clone(),
            dead_link: None,
            link_until: Some(until),
        };
        let begin = Begin {
            flow: flow.value.pk,
            context,
            unfinished: Unfinished {
                execution,
                session,
                due: until,
                entries: vec![Entry::new(session, slug, "")],
                recovers: Some(user),
            },
            session: None,
            dead_link: None,
            link_until: Some(until),
        };
        let handle = Handle {
            begin: Some(begin.into()),
            ..self.handle(&request, asked)
        };
        let answered = self.send(execution, handle).await?;
        match (answered.links.into_iter().next(), &answered.reply) {
            (Some(made), _) => Ok((execution, made)),
            (None, Reply::Denied { body }) => {
                let message = body["error_message"].as_str().unwrap_or_default();
                Err(Error::NotApplicable(message.to_owned()))
            }
            (None, _) => Err(Error::NotApplicable("it is over at once".to_owned())),
        }
    }
}
