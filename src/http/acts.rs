//! What people do to what is theirs, and whoever may to what is others': by the API and by the
//! user's page alike. Who may do it is known before.

use crate::directory::{
    self, Act, Author, Device, Session, add_device, end_sessions, remove_devices, rename_device,
    revoke_consent,
};
use crate::execution::Cancel;
use crate::flow::client::Client;
use crate::flow::input::Canceller;
use crate::journal::object::Versioned;
use uuid::Uuid;

use super::request::Arrival;
use super::{Error, State};

/// Somebody who does something, in a request.
pub(super) struct Doer<'a> {
    /// What every handler needs.
    pub(super) state: &'a State,
    /// Who is noted to have done it.
    pub(super) author: Author,
    /// Their end of the line.
    pub(super) client: &'a Client,
    /// The request.
    pub(super) arrival: Arrival,
}

impl Doer<'_> {
    /// The change that is committed under the id of the request.
    pub(super) fn act(&self) -> Act<'_> {
        self.act_under(self.arrival.id)
    }

    /// A further one under an id of its own.
    pub(super) fn act_under(&self, correlation: Uuid) -> Act<'_> {
        Act {
            journal: &*self.state.journal,
            clock: &self.state.clock,
            author: &self.author,
            correlation,
        }
    }

    /// Gives a user a device.
    ///
    /// # Errors
    /// What the journal says.
    pub(super) async fn add_device(&self, device: &Device) -> Result<(), directory::Error> {
        add_device(&self.act(), device).await?;
        self.log("a device was made", device);
        Ok(())
    }

    /// Gives a device another name, and returns it; `None` when it is gone.
    ///
    /// # Errors
    /// What the journal says.
    pub(super) async fn rename_device(
        &self,
        device: Uuid,
        name: &str,
    ) -> Result<Option<Device>, directory::Error> {
        let renamed = rename_device(&self.act(), device, name).await?;
        if let Some(device) = &renamed {
            self.log("a device was renamed", device);
        }
        Ok(renamed)
    }

    /// Removes a device.
    ///
    /// # Errors
    /// What the journal says.
    pub(super) async fn remove_device(&self, device: Uuid) -> Result<(), directory::Error> {
        for device in remove_devices(&self.act(), &[device]).await? {
            self.log("a device was removed", &device);
        }
        Ok(())
    }

    /// Ends sessions: whoever is logged in there is logged out, and what they began is over.
    ///
    /// # Errors
    /// What the journal says.
    pub(super) async fn end_sessions(
        &self,
        sessions: Vec<Versioned<Session>>,
    ) -> Result<(), Error> {
        let executions = &self.state.executions;
        for session in end_sessions(&self.act(), sessions).await? {
            let (all, by) = (Cancel::All, Canceller::Operator);
            let ended = executions.cancel(session.id, all, by, self.client, self.arrival.id);
            if let Err(error) = ended.await {
                // Nobody can reach them any more, and they end when their time is over.
                let session = session.id;
                tracing::error!(%session, %error, "the executions of a session that ended go on");
            }
        }
        Ok(())
    }

    /// Takes a consent back.
    ///
    /// # Errors
    /// What the journal says.
    pub(super) async fn revoke_consent(&self, consent: Uuid) -> Result<(), directory::Error> {
        revoke_consent(&self.act(), consent).await
    }

    /// Says in the log who did what to whose device; nothing personal.
    fn log(&self, what: &str, device: &Device) {
        tracing::info!(
            id = self.arrival.name(),
            by = self.author.user.map(tracing::field::display),
            device = %device.uuid,
            class = device.class().as_str(),
            user = %device.user,
            "{what}"
        );
    }
}
