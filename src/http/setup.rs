//! The first run: whoever holds the link from the console sets the administrator's password.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::page::{dress, html, page_error, read};
use super::request::Arrival;
use super::{Error, State, client::client, csrf};
use crate::directory::setup::{ADMINISTRATOR, finish};
use crate::directory::{Install, install};
use crate::policy::unique_password;
use crate::web::Message;

/// The shortest password that is taken, in characters.
const SHORTEST: usize = 8;

/// What the form says.
struct Fields {
    token: SecretString,
    password: SecretString,
    repeat: SecretString,
}

/// `GET /setup?token=...`.
pub(super) async fn show(
    request: HttpRequest,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let page = async {
        let token = field(request.query_string().as_bytes(), "token");
        match closed(&state, &request, &token).await? {
            Some(page) => Ok(page),
            None => form(&state, &request, &token, &json!({}), StatusCode::OK).await,
        }
    };
    let answer = page.await;
    page_error(&state, &request, arrival, answer).await
}

/// `POST /setup`.
pub(super) async fn answer(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let answer = take(&request, payload, &state).await;
    page_error(&state, &request, arrival, answer).await
}

/// Sets the password, unless the link or the password is no good.
async fn take(
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
) -> Result<HttpResponse, Error> {
    let client = client(request, &state.trusted_proxies);
    let peer = request.peer_addr().map(|peer| peer.ip());
    state
        .admit(peer, client.address)
        .map_err(Error::Throttled)?;
    csrf::check_origin(request, &client)?;
    let body = read(payload).await?;
    let fields = Fields {
        token: field(&body, "token"),
        password: field(&body, "password"),
        repeat: field(&body, "repeat"),
    };
    if let Some(page) = closed(state, request, &fields.token).await? {
        return Ok(page);
    }
    let errors = problems(&fields);
    if errors != json!({}) {
        return form(state, request, &fields.token, &errors, StatusCode::OK).await;
    }
    let hash = state.hashes.hash(fields.password);
    let encoded = hash.await.map_err(|busy| Error::Unavailable {
        cause: busy.to_string(),
    })?;
    let keeping = unique_password::keeping(&*state.journal).await?;
    let token = &fields.token;
    let done = finish(&*state.journal, &state.clock, token, &encoded, keeping).await?;
    if done.is_none() {
        // Somebody else with the same link was faster.
        let page = closed(state, request, &fields.token).await?;
        return page.ok_or(Error::NOT_FOUND);
    }
    tracing::info!(user = ADMINISTRATOR, "the administrator's password was set");
    let said = Message {
        heading: "Done",
        text: "The password is set, and the link works no more. You can log in now as akadmin.",
        request_id: None,
        link: Some(("/flows/-/default/authentication/?next=%2F", "Log in")),
    };
    message(state, request, StatusCode::OK, &said).await
}

/// The page for a link that is wrong or was used, or nothing when the link is good.
async fn closed(
    state: &State,
    request: &HttpRequest,
    token: &SecretString,
) -> Result<Option<HttpResponse>, Error> {
    let install = install(&*state.journal).await?;
    let install = install.as_ref().map(|install| &install.value);
    if install.is_some_and(|install| install.setup_token_is(token)) {
        return Ok(None);
    }
    let said = if install.is_some_and(Install::is_set_up) {
        Message {
            heading: "Set up already",
            text: "This link was used, or another one was: the administrator has a password. \
                   If it is lost, run `gatelog user set-password akadmin` on the server.",
            request_id: None,
            link: Some(("/", "Go to the start page")),
        }
    } else if token.expose_secret().is_empty() {
        Message {
            heading: "Not set up yet",
            text: "Open the link that the server printed when it was started; it leads to the \
                   page that sets the administrator's password. If the link is lost, start the \
                   server again, or run `gatelog user set-password akadmin` beside it.",
            ..Message::default()
        }
    } else {
        Message {
            heading: "This link is not valid",
            text: "Open the whole link that the server printed when it was last started.",
            ..Message::default()
        }
    };
    let page = message(state, request, StatusCode::FORBIDDEN, &said).await?;
    Ok(Some(page))
}

/// What is wrong with the password, in the shape of a challenge's errors.
fn problems(fields: &Fields) -> Value {
    let password = fields.password.expose_secret();
    let error = |text: String| json!([{ "string": text, "code": "invalid" }]);
    if password.chars().count() < SHORTEST {
        return json!({ "password": error(format!("Use at least {SHORTEST} characters.")) });
    }
    if password != fields.repeat.expose_secret() {
        return json!({ "repeat": error("The two passwords are not the same.".to_owned()) });
    }
    json!({})
}

fn field(form: &[u8], name: &str) -> SecretString {
    let mut fields = form_urlencoded::parse(form);
    let found = fields.find(|(key, _)| key == name);
    found
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
        .into()
}

async fn form(
    state: &State,
    request: &HttpRequest,
    token: &SecretString,
    errors: &Value,
    status: StatusCode,
) -> Result<HttpResponse, Error> {
    let client = client(request, &state.trusted_proxies);
    let dress = dress(state, &client).await?;
    let page = state.pages.setup(
        &dress,
        ADMINISTRATOR,
        token.expose_secret(),
        SHORTEST,
        errors,
    )?;
    Ok(html(status, page))
}

async fn message(
    state: &State,
    request: &HttpRequest,
    status: StatusCode,
    said: &Message<'_>,
) -> Result<HttpResponse, Error> {
    let client = client(request, &state.trusted_proxies);
    let dress = dress(state, &client).await?;
    Ok(html(status, state.pages.message(&dress, said)?))
}
