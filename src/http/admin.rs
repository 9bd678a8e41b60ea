//! `/if/admin/`: the operator's console, one document whose scripts call the API.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::location::{login, redirect};
use super::page::{dress, html, html_under, page_error};
use super::request::Arrival;
use super::session::Visitor;
use super::{Error, State, content_policy};
use crate::directory::permission::granted;
use crate::web::Message;
use crate::web::language::text;

/// `GET /if/admin/<anything>`: which page it is, is for the script to say.
pub(super) async fn show(
    request: HttpRequest,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let shown = page(&request, &state, arrival).await;
    page_error(&state, &request, arrival, shown).await
}

async fn page(
    request: &HttpRequest,
    state: &State,
    arrival: Arrival,
) -> Result<HttpResponse, Error> {
    let visitor = Visitor::of(state, request, arrival.id).await?;
    let Some(user) = &visitor.user else {
        let here = request.uri().path_and_query();
        let here = here.map_or("/if/admin/", |it| it.as_str());
        return Ok(redirect(StatusCode::FOUND, &login(here)));
    };
    let dress = dress(state, request).await?;
    let granted = granted(&*state.journal, &user.value).await?;
    if !granted.may_anything() {
        let page = state.pages.message(&dress, &NOT_AN_OPERATOR)?;
        return Ok(html(StatusCode::FORBIDDEN, page));
    }
    let page = state.pages.admin(&dress, &user.value.username)?;
    html_under(&content_policy::of_console(), page)
}

/// What whoever may do nothing there is told.
const NOT_AN_OPERATOR: Message<'static> = Message {
    heading: text("This is for operators"),
    text: text(
        "Your account may not administer this server. Ask whoever runs it for a role that does.",
    ),
    request_id: None,
    link: Some(("/", text("Go to the start page"))),
};
