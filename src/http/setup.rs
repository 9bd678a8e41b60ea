//! The first run: whoever holds the link from the console is led into the flow that sets the
//! administrator's password.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use url::form_urlencoded;

use super::location::redirect;
use super::page::{dress, html, page_error};
use super::request::Arrival;
use super::session::{Visitor, set_cookies};
use super::{Error, State, csrf};
use crate::directory::{Install, install};
use crate::execution::{self, Presence, Request};
use crate::flow::Context;
use crate::flow::context::Value as Known;
use crate::flow::query::flow_url;
use crate::web::Message;
use crate::web::language::text;

/// The flow in which the first administrator sets a password.
const FLOW: &str = "initial-setup";

/// What the flow's policy looks for in the context, so that nobody gets in by its address. Source:
/// authentik `core/setup`.
const STARTED_BY: (&str, &str) = ("goauthentik.io/core/setup/started-by", "setup");

/// `GET /setup?token=...`.
pub(super) async fn begin(
    request: HttpRequest,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let answer = enter(&request, &state, arrival).await;
    page_error(&state, &request, arrival, answer).await
}

/// Begins the flow, unless the link is no good.
async fn enter(
    request: &HttpRequest,
    state: &State,
    arrival: Arrival,
) -> Result<HttpResponse, Error> {
    csrf::check_embedding(request)?;
    let visitor = Visitor::unknown(state, request);
    let token = token(request.query_string());
    let install = install(&*state.journal).await?;
    let install = install.map(|install| install.value);
    if !install.as_ref().is_some_and(|it| it.setup_token_is(&token)) {
        let said = closed(install.as_ref(), &token);
        return message(state, request, StatusCode::FORBIDDEN, &said).await;
    }
    let (key, value) = STARTED_BY;
    let mut context = Context::default();
    context.set(key, Some(Known::Json(json!(value))));
    let question = Request {
        // Somebody may have planted the cookie that this browser has.
        session: None,
        slug: FLOW.to_owned(),
        query: String::new(),
        sid: None,
        client: visitor.client.clone(),
        challenge: None,
        received: arrival.at,
        correlation: arrival.id,
        trace: arrival.trace,
        presence: Presence::default(),
    };
    let begun = match state.executions.begin_anew(question, context).await {
        Err(execution::Error::UnknownFlow) => None,
        begun => begun?,
    };
    let Some(reply) = begun else {
        return message(state, request, StatusCode::FORBIDDEN, &NO_FLOW).await;
    };
    let mut answer = redirect(StatusCode::FOUND, &flow_url(FLOW, ""));
    set_cookies(state, &visitor, &reply, &mut answer).await?;
    Ok(answer)
}

/// What somebody reads whom the flow does not let in, or who finds none.
const NO_FLOW: Message<'_> = Message {
    heading: text("This cannot be set up here"),
    text: text(
        "The flow initial-setup is gone, or its policies let nobody in: perhaps the \
           administrator has a password already. Run `gatelog user set-password akadmin` on the \
           server.",
    ),
    request_id: None,
    link: Some(("/", text("Go to the start page"))),
};

/// What somebody reads whose link is wrong or was used.
fn closed(install: Option<&Install>, token: &SecretString) -> Message<'static> {
    if install.is_some_and(Install::is_set_up) {
        Message {
            heading: text("Set up already"),
            text: text(
                "This link was used, or another one was: the administrator has a password. \
                   If it is lost, run `gatelog user set-password akadmin` on the server.",
            ),
            request_id: None,
            link: Some(("/", text("Go to the start page"))),
        }
    } else if token.expose_secret().is_empty() {
        Message {
            heading: text("Not set up yet"),
            text: text(
                "Open the link that the server printed when it was started; it leads to the \
                   page that sets the administrator's password. If the link is lost, start the \
                   server again, or run `gatelog user set-password akadmin` beside it.",
            ),
            ..Message::default()
        }
    } else {
        Message {
            heading: text("This link is not valid"),
            text: text("Open the whole link that the server printed when it was last started."),
            ..Message::default()
        }
    }
}

fn token(query: &str) -> SecretString {
    let mut fields = form_urlencoded::parse(query.as_bytes());
    let found = fields.find(|(key, _)| key == "token");
    found
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
        .into()
}

async fn message(
    state: &State,
    request: &HttpRequest,
    status: StatusCode,
    said: &Message<'_>,
) -> Result<HttpResponse, Error> {
    let dress = dress(state, request).await?;
    Ok(html(status, state.pages.message(&dress, said)?))
}
