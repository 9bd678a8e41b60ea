//! Asks policies where no execution has begun. Nothing is written: whatever a policy asks for is
//! dropped with the world that it was asked in.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use uuid::Uuid;

use super::live::Live;
use super::{Error, Executions};
use crate::catalog::{Flow, Policy};
use crate::directory::user::User;
use crate::flow::Context;
use crate::flow::event::Event;
use crate::flow::verdict::PolicyFailed;
use crate::geoip::Place;
use crate::journal::object::Versioned;
use crate::policy::request::Object;
use crate::policy::{Asker, Judged, Question, Request, Scope, engine};
use crate::world::{self, World as _};

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
