//! `/if/user/`: what is known of somebody and what is theirs, as plain pages with plain forms.
//!
//! Nobody comes to anything here that is not their own: the identifier of somebody else's device or
//! session is that of nothing. What is done is done as by the API, see [`super::acts`].

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};

use super::page::page_error;
use super::request::Arrival;
use super::{Error, State};

mod consents;
mod details;
mod devices;
mod form;
mod owner;
mod password;
mod profile;
mod sessions;
mod setting_up;

use form::Form;
use owner::Owner;

/// Where the pages are.
const PATH: &str = "/if/user/";

/// `/if/user/…`: every page, and what its forms send.
pub(super) async fn serve(
    request: HttpRequest,
    path: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let page = async {
        let form = match *request.method() {
            Method::POST => Some(Form::of(&state, &request, payload).await?),
            _ => None,
        };
        let owner = Owner::of(&state, &request, arrival).await?;
        turn(owner, &path, form).await
    };
    let answer = page.await;
    page_error(&state, &request, arrival, answer).await
}

/// Opens the page that the path names, or does what its form asks for.
async fn turn(mut owner: Owner<'_>, path: &str, form: Option<Form>) -> Result<HttpResponse, Error> {
    let typed = form.as_ref();
    // A form without the session's token does nothing; what was typed is shown again.
    let acts = typed.filter(|form| owner.admits(form));
    if typed.is_some() && acts.is_none() {
        owner.refuse();
    }
    let parts: Vec<&str> = path.split('/').collect();
    match (&parts[..], acts) {
        ([""], None) => profile::show(&owner, typed).await,
        ([""], Some(form)) => profile::save(&mut owner, form).await,
        (["password", ""], None) => password::show(&owner).await,
        (["devices", ""], None) => devices::list(&owner).await,
        (["devices", id, ""], None) => devices::one(&owner, id, typed).await,
        (["devices", id, ""], Some(form)) => devices::rename(&owner, id, form).await,
        (["devices", id, "remove", ""], None) => devices::ask(&owner, id).await,
        (["devices", id, "remove", ""], Some(_)) => devices::remove(&owner, id).await,
        (["sessions", "end-others", ""], Some(_)) => sessions::end_others(&owner).await,
        (["sessions", id, "end", ""], Some(_)) => sessions::end(&owner, id).await,
        (["consents", id, "revoke", ""], Some(_)) => consents::revoke(&owner, id).await,
        // Whoever had to log in before their form was taken comes back without it.
        (["sessions", ""] | ["sessions", "end-others", ""] | ["sessions", _, "end", ""], None) => {
            sessions::list(&owner).await
        }
        (["consents", ""] | ["consents", _, "revoke", ""], None) => consents::list(&owner).await,
        _ => Err(Error::NOT_FOUND),
    }
}
