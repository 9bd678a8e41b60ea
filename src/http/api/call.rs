//! A call of the API: the request, and who makes it.

use actix_web::{HttpRequest, web};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::body;
use super::caller::{self, Caller};
use super::listing::Listing;
use super::operation::{Access, Method};
use crate::blueprint::Syntax;
use crate::blueprint::edit::Edit;
use crate::directory::User;
use crate::directory::change::{Author, Means};
use crate::flow::query::Query;
use crate::http::acts::Doer;
use crate::http::line::presence;
use crate::http::request::Arrival;
use crate::http::scans::Turns;
use crate::http::{Error, State};
use crate::journal::object::Versioned;
use crate::policy::Asker;

/// A request that may be served.
pub(crate) struct Call {
    /// The request.
    pub(crate) request: HttpRequest,
    /// What every handler needs.
    pub(crate) state: web::Data<State>,
    /// When it came, and its id.
    pub(crate) arrival: Arrival,
    payload: Option<web::Payload>,
    caller: Option<Caller>,
}

impl Call {
    /// Lets a request in, if its sender may call the operation at all.
    ///
    /// # Errors
    /// The refusal: nobody is logged in, the token is no good, another site asked, or a
    /// permission is missing.
    pub(super) async fn admit(
        method: Method,
        access: Access,
        request: HttpRequest,
        payload: web::Payload,
        state: web::Data<State>,
        arrival: Arrival,
    ) -> Result<Self, Error> {
        let caller = match (access, method) {
            (Access::Public, _) => None,
            (_, Method::Get) => Some(caller::reading(&state, &request, arrival).await?),
            _ => Some(caller::acting(&state, &request, arrival).await?),
        };
        if let (Access::Permitted(permission), Some(caller)) = (access, &caller)
            && !caller.granted.may(permission)
        {
            return Err(Error::NotPermitted);
        }
        Ok(Self {
            request,
            state,
            arrival,
            payload: Some(payload),
            caller,
        })
    }

    /// Who calls.
    ///
    /// # Errors
    /// When the operation is a public one.
    pub(crate) fn caller(&self) -> Result<&Caller, Error> {
        self.caller.as_ref().ok_or(Error::NotAuthenticated)
    }

    /// Goes on for superusers alone.
    ///
    /// # Errors
    /// When the caller is none.
    pub(super) fn superuser(&self) -> Result<(), Error> {
        if self.caller()?.granted.is_superuser() {
            Ok(())
        } else {
            Err(Error::NotPermitted)
        }
    }

    /// Does the work when it is the caller's turn, for as long as they wait for it and the server
    /// goes on.
    ///
    /// # Errors
    /// Those of the work; when too many wait already; or it was given up.
    pub(super) async fn in_turn<T>(
        &self,
        turns: &Turns,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let user = self.caller()?.user.value.uuid;
        let presence = presence(&self.request);
        let is_wanted = || !self.state.is_stopping() && presence.is_there();
        turns.run(user, is_wanted, work).await?
    }

    /// The body as JSON; an empty one is an empty object.
    ///
    /// # Errors
    /// When it is too large, does not arrive, is no JSON, or was taken before.
    pub(crate) async fn json(&mut self) -> Result<Value, Error> {
        let payload = self.payload.take().ok_or(Error::Unread)?;
        body::read(&self.state, &self.request, payload).await
    }

    /// The fields of the body.
    ///
    /// # Errors
    /// Those of [`Call::json`], and when it is no object.
    pub(crate) async fn fields(&mut self) -> Result<Map<String, Value>, Error> {
        let body = self.json().await?;
        body::fields(&body).cloned()
    }

    /// The body as it comes.
    ///
    /// # Errors
    /// When it was taken before.
    pub(crate) fn payload(&mut self) -> Result<web::Payload, Error> {
        self.payload.take().ok_or(Error::Unread)
    }

    /// A parameter of the path; empty when there is none.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.request.match_info().get(name).unwrap_or_default()
    }

    /// What is asked of a list.
    pub(super) fn listing(&self) -> Listing {
        Listing::of(self.request.query_string())
    }

    /// Who is noted to have changed something by this call.
    ///
    /// # Errors
    /// When the operation is a public one.
    pub(crate) fn author(&self) -> Result<Author, Error> {
        let caller = self.caller()?;
        Ok(Author {
            user: Some(caller.user.value.uuid),
            token: caller.token,
            means: Means::Api,
            address: Some(caller.client.address),
            request: Some(format!("{} {}", self.request.method(), self.request.path())),
        })
    }

    /// The caller as somebody who does something.
    ///
    /// # Errors
    /// When the operation is a public one.
    pub(crate) fn doer(&self) -> Result<Doer<'_>, Error> {
        Ok(Doer {
            state: &self.state,
            author: self.author()?,
            client: &self.caller()?.client,
            arrival: self.arrival,
        })
    }

    /// Who asks an expression or a policy something, with the request that they make; `user` is whom
    /// it takes for the one who asks.
    ///
    /// # Errors
    /// When the operation is a public one.
    pub(crate) fn asker<'a>(
        &'a self,
        query: &'a Query,
        user: Versioned<User>,
    ) -> Result<Asker<'a>, Error> {
        Ok(Asker {
            client: &self.caller()?.client,
            query,
            path: self.request.path().to_owned(),
            is_answer: true,
            user: Some(user),
        })
    }

    /// Changes objects on the caller's behalf. `correlation` is the id of the commit: the
    /// request's own for the first, another one for each further commit.
    pub(crate) fn edit<'a>(&'a self, author: &'a Author, correlation: Uuid) -> Edit<'a> {
        let syntax = match &self.state.workers {
            Some(workers) => Syntax::Workers(workers),
            #[cfg(test)]
            None => Syntax::Here,
            #[cfg(not(test))]
            None => Syntax::Unknown,
        };
        Edit {
            journal: &*self.state.journal,
            clock: &self.state.clock,
            passwords: Some(&self.state.hashes),
            turns: &self.state.turns,
            syntax,
            author,
            correlation,
        }
    }
}
