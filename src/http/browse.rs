//! `/api/v3/`: the description of the API for people, as a page that loads nothing from elsewhere.

use actix_web::{HttpRequest, HttpResponse, web};

use super::page::{dress, html_under, page_error};
use super::request::Arrival;
use super::{Error, State, content_policy};

/// Where the page's script reads the description.
const DESCRIPTION: &str = "/api/v3/schema/?format=json";

/// `GET /api/v3/`, for everybody: what the API can do is no secret.
pub(super) async fn show(
    request: HttpRequest,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let shown = page(&request, &state).await;
    page_error(&state, &request, arrival, shown).await
}

async fn page(request: &HttpRequest, state: &State) -> Result<HttpResponse, Error> {
    let dress = dress(state, request).await?;
    let page = state.pages.api(&dress, DESCRIPTION)?;
    html_under(&content_policy::with_reading_script(), page)
}
