//! Asks policies and other expressions where no execution has begun. Whatever they ask for is dropped
//! with the world that they were asked in. Letters that no execution asks for are sent from here, too.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::live::Live;
use super::{Error, Executions, posting};
use crate::catalog::{Application, Flow, Policy, PolicyBinding, Prompt, WebhookMapping};
use crate::courier::outbox::{self, Posted};
use crate::courier::template::Templates;
use crate::directory::change::{self, Author};
use crate::directory::user::User;
use crate::expression::Value;
use crate::flow::Context;
use crate::flow::context::Value as Known;
use crate::flow::event::Event;
use crate::flow::verdict::PolicyFailed;
use crate::geoip::Place;
use crate::journal::object::Versioned;
use crate::journal::{Commit, Durability};
use crate::policy::context::seen;
use crate::policy::request::Object;
use crate::policy::{Asker, Decision, Judged, Mapping, Question, Request, Scope, engine};
use crate::stage;
use crate::world::{self, Letter, World as _};

/// What trying out a policy came to.
#[derive(Clone, Debug)]
pub struct Tested {
    /// What it said; what counts instead when it failed.
    pub judged: Judged,
    /// Why it has no answer of its own, where it has none.
    pub failed: Option<PolicyFailed>,
}

impl Executions {
    /// Whether a flow is for whoever asks, as far as its own policies say. Its requirement and
    /// its stages are not looked at.
    ///
    /// # Errors
    /// When the journal could not be read, when too much is going on, or when this address asks too
    /// often: such a question counts like an execution that is begun.
    pub async fn applies(&self, flow: &Flow, asker: Asker<'_>) -> Result<bool, Error> {
        let world = self.aside();
        let conditions = engine::conditions(&world, flow.pbm).await?;
        if conditions.is_empty() {
            return Ok(true);
        }
        // Nobody is served by whoever asks for a default flow all the time; and nothing is begun.
        let address = asker.client.address;
        let wait = self
            .shared
            .begun
            .take(address, self.shared.clock.monotonic());
        wait.map_err(Error::Throttled)?;
        let question = Question::new(&world, asker, Context::default(), None).await?;
        let decision = question.of_flow(flow, &conditions).await?;
        Ok(decision.passing)
    }

    /// Whether an application that is bound to these `conditions` is for whoever asks, as they say, and what they
    /// say besides.
    ///
    /// # Errors
    /// When the journal could not be read, or too much is going on.
    pub async fn may_use(
        &self,
        application: &Application,
        conditions: Vec<Versioned<PolicyBinding>>,
        asker: Asker<'_>,
    ) -> Result<Decision, Error> {
        let world = self.aside();
        let conditions = engine::enabled(conditions);
        if conditions.is_empty() {
            return Ok(Decision {
                passing: true,
                messages: Vec::new(),
            });
        }
        let question = Question::new(&world, asker, Context::default(), None).await?;
        Ok(question.of_application(application, &conditions).await?)
    }

    /// Asks one policy about a user, or about nobody. It sees `context` and nothing else of an
    /// execution, and the request only where there is an asker.
    ///
    /// # Errors
    /// When the journal could not be read, or too much is going on.
    pub async fn test_policy(
        &self,
        policy: &Versioned<Policy>,
        user: Option<Versioned<User>>,
        context: Context,
        asker: Option<Asker<'_>>,
    ) -> Result<Tested, Error> {
        let world = self.aside();
        let visit = asker.map(|asker| asker.visit(&world)).transpose()?;
        let subject = user.into();
        // The context takes the place of what a request alone would bring, as in authentik.
        let scope = Scope::new(context, None, Vec::new());
        let request = Request {
            policy: &policy.value.name,
            debug: true,
            ..Request::new(&world, &subject, visit.as_ref(), Object::None, &scope)
        };
        let judged = engine::test(&request, policy).await?;
        // Its own answer is noted last, after those of the policies that it called.
        let failed = match scope.into_learnt().pop() {
            Some(Event::PolicyFailed(failed)) => Some(failed),
            _ => None,
        };
        Ok(Tested { judged, failed })
    }

    /// What a prompt shows, to whoever asks, before it is part of any stage.
    ///
    /// # Errors
    /// When the journal could not be read, or too much is going on. The inner error is that of an
    /// expression of the prompt.
    pub async fn preview(
        &self,
        prompt: Prompt,
        asker: Asker<'_>,
    ) -> Result<Result<Json, String>, Error> {
        let world = self.aside();
        Ok(stage::prompt::preview(&world, asker, prompt).await?)
    }

    /// What a mapping gives when it is handed these entries, and perhaps a group, for whoever is
    /// logged in with the asker.
    ///
    /// # Errors
    /// When the journal could not be read, or too much is going on. The inner error is that of the
    /// expression.
    pub async fn test_mapping(
        &self,
        mapping: &WebhookMapping,
        (context, group): (Map<String, Json>, Option<Uuid>),
        asker: Asker<'_>,
    ) -> Result<Result<Json, String>, Error> {
        let world = self.aside();
        let question = Question::new(&world, asker, Context::default(), None).await?;
        let mut given: Vec<_> = context
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value)))
            .collect();
        if let Some(group) = group {
            given.push(("group".to_owned(), seen(&Known::Group(group))));
        }
        let mapping = Mapping {
            id: mapping.pk,
            name: &mapping.name,
            source: &mapping.expression,
        };
        let value = question.value(&mapping, given).await?;
        Ok(value
            .map(|value| value.to_json())
            .map_err(|failed| failed.traceback.unwrap_or(failed.message)))
    }

    /// What mails can be made from; `None` where none are sent.
    #[must_use]
    pub fn templates(&self) -> Option<&Templates> {
        self.shared.outside.letters.as_deref()
    }

    /// Sends letters that lead to a path of this server, all or none of them.
    ///
    /// # Errors
    /// When the journal could not be read or written. The inner error says why no such letter can be
    /// written.
    pub async fn post(
        &self,
        letters: &[Letter],
        path: &str,
        author: &Author,
        correlation: Uuid,
    ) -> Result<Result<(), String>, Error> {
        let now = self.shared.clock.now();
        let (mut writes, mut posted) = (Vec::new(), Vec::new());
        for letter in letters {
            match posting::leading(&self.shared, now, letter, path).await? {
                Ok(mail) => {
                    posted.push(Posted::from(&mail));
                    writes.extend(outbox::enqueue(&mail));
                }
                Err(problem) => return Ok(Err(problem)),
            }
        }
        if writes.is_empty() {
            return Ok(Ok(()));
        }
        change::note(&mut writes, author, correlation);
        let commit = Commit {
            writes,
            durability: Durability::Durable,
            fence: None,
            at: now,
            correlation,
        };
        self.shared.journal.commit(commit).await?;
        if let Some(courier) = &self.shared.outside.courier {
            courier.wake(posted);
        }
        Ok(Ok(()))
    }

    /// What a request from this address brings into the context that policies see.
    ///
    /// # Errors
    /// When the place could not be looked up.
    pub fn brought_from(&self, address: IpAddr) -> Result<Map<String, Json>, Error> {
        let Place { city, asn } = self.aside().place(address)?;
        Ok(Map::from_iter([
            ("geoip".to_owned(), json!(city)),
            ("asn".to_owned(), json!(asn)),
        ]))
    }

    /// The world as it is, with no execution behind it.
    fn aside(&self) -> Live {
        let now = self.shared.clock.now();
        Live::new(&self.shared, Uuid::nil(), now, &Arc::default())
    }
}

impl From<world::Error> for Error {
    fn from(error: world::Error) -> Self {
        match error {
            world::Error::Busy => Self::Busy,
            world::Error::Journal(error) => Self::Journal(error),
            other => Self::Broken(other.to_string()),
        }
    }
}
