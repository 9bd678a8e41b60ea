//! What all pages for a browser share, who is logged in, and what went wrong.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentEncoding};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};

use super::client::client;
use super::forward::may_use;
use super::location::{login, redirect};
use super::request::Arrival;
use super::session::Visitor;
use super::{Error, State, language};
use crate::catalog::{Brand, applications};
use crate::directory::permission::granted;
use crate::directory::{User, avatar, install};
use crate::flow::client::Client;
use crate::journal::object::Versioned;
use crate::web::applications::{Shelf, Tile};
use crate::web::language::text;
use crate::web::{Dress, Message, Person};

/// `/`: who is logged in, and what they may use.
pub(super) async fn home(
    request: HttpRequest,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let page = async {
        let visitor = Visitor::of(&state, &request, arrival.id).await?;
        let Some(user) = &visitor.user else {
            let install = install(&*state.journal).await?;
            let is_set_up = install.is_none_or(|install| install.value.is_set_up());
            let to = if is_set_up {
                login("/")
            } else {
                "/setup".to_owned()
            };
            return Ok(redirect(StatusCode::FOUND, &to));
        };
        let person = person(&state, &user.value).await?;
        let dress = dress(&state, &request).await?;
        let shelves = shelves(&state, &visitor.client, user).await?;
        let page = state.pages.home(&dress, &person, &shelves)?;
        Ok(html(StatusCode::OK, page))
    };
    let answer = page.await;
    page_error(&state, &request, arrival, answer).await
}

/// What somebody may use, under the headings that its operator gave it. What is hidden, or has no
/// address, is left out.
async fn shelves(
    state: &State,
    client: &Client,
    user: &Versioned<User>,
) -> Result<Vec<Shelf>, Error> {
    let mut shelves: Vec<Shelf> = Vec::new();
    for Versioned { value, .. } in applications(&*state.journal).await? {
        let Some(url) = value.launch_url().filter(|_| !value.meta_hide) else {
            continue;
        };
        let decision = may_use(state, &value, client, user.clone()).await?;
        if !decision.passing {
            continue;
        }
        let tile = Tile {
            name: value.name.clone(),
            url: url.to_owned(),
            icon: value.icon_url().map(|it| it.replace("%(theme)s", "light")),
            description: value.meta_description.clone(),
            publisher: value.meta_publisher.clone(),
            new_tab: value.open_in_new_tab,
        };
        match shelves.last_mut().filter(|it| it.heading == value.group) {
            Some(shelf) => shelf.tiles.push(tile),
            None => shelves.push(Shelf {
                heading: value.group,
                tiles: vec![tile],
            }),
        }
    }
    Ok(shelves)
}

/// Somebody who is logged in, as pages show them.
pub(super) async fn person(state: &State, user: &User) -> Result<Person, Error> {
    let granted = granted(&*state.journal, user).await?;
    Ok(Person {
        is_operator: granted.may_anything(),
        username: user.username.clone(),
        name: user.name.clone(),
        email: user.email.clone(),
        avatar: avatar::of(user),
    })
}

/// A page as an answer.
///
/// It is never compressed: it holds a token beside text that another site can choose, and the
/// length of what is compressed tells how much the two have in common.
pub(super) fn html(status: StatusCode, page: String) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header(ContentEncoding::Identity)
        .content_type("text/html; charset=utf-8")
        .body(page)
}

/// The same for a page that may load and run what this policy says.
pub(super) fn html_under(policy: &str, page: String) -> Result<HttpResponse, Error> {
    let policy = policy.parse().map_err(|_| Error::Internal {
        cause: "a content policy does not fit into a header".to_owned(),
    })?;
    let mut answer = html(StatusCode::OK, page);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(answer)
}

/// How pages look for whoever sent this request, and what they speak.
pub(super) async fn dress(state: &State, request: &HttpRequest) -> Result<Dress, Error> {
    let host = client(request, &state.trusted_proxies).host;
    Ok(dressed(&state.brand(&host).await?, request))
}

fn dressed(brand: &Brand, request: &HttpRequest) -> Dress {
    let mut dress = Dress::from(brand);
    if let Some(language) = language::of(request) {
        dress.language = language;
    }
    if let Some(here) = request.uri().path_and_query() {
        dress.here = here.to_string();
    }
    dress
}

/// `answer`, or a page that says what went wrong.
pub(super) async fn page_error(
    state: &State,
    request: &HttpRequest,
    arrival: Arrival,
    answer: Result<HttpResponse, Error>,
) -> HttpResponse {
    let error = match answer {
        Ok(answer) => return answer,
        Err(error) => error,
    };
    let id = arrival.name();
    error.log();
    let plain = error.error_response();
    if plain.status().is_redirection() {
        return plain;
    }
    let (heading, said) = words(&error, plain.status());
    // When not even the brand can be read, the page still has to say so.
    let dress = dress(state, request)
        .await
        .unwrap_or_else(|_| dressed(&Brand::fallback(), request));
    let message = Message {
        heading,
        text: said,
        request_id: Some(&id),
        link: Some(("/", text("Go to the start page"))),
    };
    match state.pages.message(&dress, &message) {
        Ok(page) => {
            let mut answer = html(plain.status(), page);
            if let Some(wait) = plain.headers().get(header::RETRY_AFTER) {
                let wait = wait.clone();
                answer.headers_mut().insert(header::RETRY_AFTER, wait);
            }
            answer
        }
        Err(error) => {
            tracing::error!(%error, "the page for an error cannot be made");
            plain
        }
    }
}

/// What a page says about an error.
fn words(error: &Error, status: StatusCode) -> (&'static str, &'static str) {
    if let Error::Unwritable { .. } = error {
        return (
            text("Please try again"),
            text("The server cannot store anything at the moment. Try again later."),
        );
    }
    if let Error::Guessed(_) = error {
        return (
            text("Too many attempts"),
            text(
                "Too many wrong passwords were typed for this account. Wait a while and try again.",
            ),
        );
    }
    match status {
        StatusCode::NOT_FOUND => (
            text("Page not found"),
            text("There is no page at this address."),
        ),
        StatusCode::FORBIDDEN => (
            text("Not allowed"),
            text("This request did not come from a page of this server. Go back and try again."),
        ),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => (
            text("Too much"),
            text("Your browser sent more than is accepted. Remove its cookies of this site."),
        ),
        StatusCode::URI_TOO_LONG => (
            text("Too much"),
            text("The address of this page is too long."),
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            text("Too much"),
            text("The form was larger than is accepted."),
        ),
        StatusCode::TOO_MANY_REQUESTS => (
            text("Too many attempts"),
            text("There were too many requests from your network. Wait a moment and try again."),
        ),
        StatusCode::SERVICE_UNAVAILABLE => (
            text("Please try again"),
            text(
                "The server has too much to do at the moment. Nothing was lost; reload this page.",
            ),
        ),
        _ => (
            text("Something went wrong"),
            text("That is our fault, not yours. Please try again later."),
        ),
    }
}
