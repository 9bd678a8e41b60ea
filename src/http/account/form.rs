//! What a form of the user's page says.

use std::collections::HashMap;

use actix_web::{HttpRequest, web};
use url::form_urlencoded;

use crate::http::client::client;
use crate::http::{Error, State, csrf};

/// The fields of a form; of several with one name the last counts.
pub(super) struct Form(HashMap<String, String>);

impl Form {
    /// Takes a form that was posted by a page of ours, as far as the browser says.
    ///
    /// # Errors
    /// When this address posts too often, when another site posted, or when it did not arrive.
    pub(super) async fn of(
        state: &State,
        request: &HttpRequest,
        payload: web::Payload,
    ) -> Result<Self, Error> {
        let client = client(request, &state.trusted_proxies);
        let peer = request.peer_addr().map(|peer| peer.ip());
        let wait = state.admit(peer, client.address);
        wait.map_err(Error::Throttled)?;
        csrf::check_origin(request, &client)?;
        let body = state.collect(request, payload).await?;
        Ok(Self(form_urlencoded::parse(&body).into_owned().collect()))
    }

    /// What was typed into a field, if the form has it.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}
