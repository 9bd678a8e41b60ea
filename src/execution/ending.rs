//! Ends executions that nobody answers any more: cancelled, expelled, out of time.

use uuid::Uuid;

use super::actor::{Asker, Handle};
use super::{Cancel, Error, Executions, Request, Unfinished, unfinished};
use crate::directory::link;
use crate::flow::Entry;
use crate::flow::client::Client;
use crate::flow::input::{Canceller, Request as Asked};
use crate::journal::object::{self, Versioned};

impl Executions {
    pub(super) async fn end(
        &self,
        id: Uuid,
        client: &Client,
        asked: Asked,
        correlation: Uuid,
    ) -> Result<(), Error> {
        let handle = self.command(client, "", asked, correlation);
        self.finish(id, handle).await
    }

    /// Ends executions whose keys were destroyed, as far as they are still under way: nobody can go on
    /// in them, and what was kept to find them goes.
    ///
    /// # Errors
    /// [`Error::Busy`], or what the journal said.
    pub async fn forget(&self, ids: impl IntoIterator<Item = Uuid>) -> Result<(), Error> {
        for id in ids {
            let objects = self.shared.journal.as_ref();
            let found: Option<Versioned<Unfinished>> = object::get(objects, id).await?;
            if found.is_some() {
                let correlation = self.shared.clock.opaque_id();
                self.end(id, &Client::nobody(), Asked::Expire, correlation)
                    .await?;
            }
        }
        Ok(())
    }

    /// Cancels it on behalf of a session, unless it belongs to another one by then.
    async fn cancel_in(
        &self,
        id: Uuid,
        session: Uuid,
        by: Canceller,
        client: &Client,
        correlation: Uuid,
    ) -> Result<(), Error> {
        let handle = Handle {
            asker: Some(Asker { session, sid: None }),
            ..self.command(client, "", Asked::Cancel { by }, correlation)
        };
        self.finish(id, handle).await
    }

    /// Ends an execution for a session that wants it gone. What went on in another browser is not
    /// this one's to end; it only loses its way there, and may begin anew.
    pub(super) async fn give_up(
        &self,
        unfinished: &Unfinished,
        session: Uuid,
        by: Canceller,
        client: &Client,
        correlation: Uuid,
    ) -> Result<(), Error> {
        let id = unfinished.execution;
        if unfinished.session == session {
            return self.cancel_in(id, session, by, client, correlation).await;
        }
        let asked = Asked::Forget { session };
        self.end(id, client, asked, correlation).await
    }

    async fn finish(&self, id: Uuid, handle: Handle) -> Result<(), Error> {
        match self.send(id, handle).await {
            Ok(_) | Err(Error::Over) => {
                self.crowd.left(id);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Ends executions that nobody has answered, because there are too many of them. The visitor
    /// whose request brought that about has their answer already, whatever becomes of this.
    pub(super) async fn expel(&self, ids: &[Uuid], request: &Request) {
        for id in ids {
            let (client, correlation) = (&request.client, request.correlation);
            let mut handle = self.command(client, "", Asked::Expire, correlation);
            // Somebody may have answered in this very moment.
            handle.unless_answered = true;
            match self.send(*id, handle).await {
                Ok(_) | Err(Error::Over) => {}
                Err(error) => {
                    tracing::warn!(execution = %id, %error, "an execution could not be expelled");
                }
            }
        }
    }

    /// Cancels executions of a session.
    ///
    /// # Errors
    /// [`Error::Busy`], or what the journal said; those that could be cancelled are.
    pub async fn cancel(
        &self,
        session: Uuid,
        which: Cancel,
        by: Canceller,
        client: &Client,
        correlation: Uuid,
    ) -> Result<(), Error> {
        let objects = self.shared.journal.as_ref();
        let found = match &which {
            Cancel::One { slug, query } => {
                let (query, _) = link::known(query);
                let way = Entry::new(session, slug, &query);
                unfinished::find(objects, &way).await?.into_iter().collect()
            }
            Cancel::Next(next) => unfinished::leading_to(objects, session, next).await?,
            Cancel::All => {
                let mut all = unfinished::of_session(objects, session).await?;
                all.extend(unfinished::left_by(objects, session).await?);
                all
            }
        };
        let mut result = Ok(());
        for unfinished in found {
            let given_up = self.give_up(&unfinished.value, session, by, client, correlation);
            result = result.and(given_up.await);
        }
        result
    }

    /// A session ended: what else was under way in it ends as well. The command that ended it is
    /// in the journal already, so a failure here must not hide its answer.
    pub(super) async fn cancel_others(&self, session: Uuid, own: Uuid, request: &Request) {
        let objects = self.shared.journal.as_ref();
        let found = match unfinished::of_session(objects, session).await {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%session, %error, "the executions of a session that ended go on");
                return;
            }
        };
        for unfinished in found {
            let id = unfinished.value.execution;
            if id == own {
                continue;
            }
            let (client, correlation) = (&request.client, request.correlation);
            let by = Canceller::Logout;
            if let Err(error) = self.cancel_in(id, session, by, client, correlation).await {
                tracing::error!(execution = %id, %error, "an execution outlives its session");
            }
        }
    }
}
