//! The pages for a browser: flows as plain forms, who is logged in, and what went wrong.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentEncoding};
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use serde_json::{Map, Value};

use super::client::client;
use super::executor::{CHALLENGE, LIMIT};
use super::line::presence;
use super::location::{Target, login, redirect};
use super::request::Arrival;
use super::session::{Visitor, set_cookies};
use super::{Error, State, content_policy, csrf, language, ways};
use crate::catalog::Brand;
use crate::directory::{avatar, install};
use crate::execution::{self, Presence, Reply, Request};
use crate::flow::query;
use crate::web::form::{self, Posted};
use crate::web::{Dress, Form, Message, Person};

/// Said when a form was posted that belongs to no session, or to one before a login.
pub(super) const OUT_OF_DATE: &str = "This page was out of date. Please try again.";

/// Said when the browser has no session although a form was posted.
const NO_COOKIE: &str =
    "Your session has ended, or your browser does not accept cookies. Please try again.";

/// How long a form may take to arrive.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// `GET /if/flow/<slug>/`.
pub(super) async fn show(
    request: HttpRequest,
    slug: web::Path<String>,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let page = async {
        let visitor = Visitor::of(&state, &request, arrival.id).await?;
        let page = FlowPage::new(&state, &request, &slug, arrival, &visitor)?;
        csrf::check_embedding(&request)?;
        let reply = state.executions.visit(page.question(None)).await?;
        page.render(reply, StatusCode::FOUND, Map::new(), None)
            .await
    };
    let answer = page.await;
    page_error(&state, &request, arrival, answer).await
}

/// `POST /if/flow/<slug>/`.
pub(super) async fn answer(
    request: HttpRequest,
    slug: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let page = async {
        let visitor = Visitor::of(&state, &request, arrival.id).await?;
        let page = FlowPage::new(&state, &request, &slug, arrival, &visitor)?;
        page.answer(&request, payload).await
    };
    let answer = page.await;
    page_error(&state, &request, arrival, answer).await
}

/// `/`: who is logged in.
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
        let user = &user.value;
        let person = Person {
            username: user.username.clone(),
            name: user.name.clone(),
            email: user.email.clone(),
            avatar: avatar::of(user),
        };
        let dress = dress(&state, &request).await?;
        Ok(html(StatusCode::OK, state.pages.home(&dress, &person)?))
    };
    let answer = page.await;
    page_error(&state, &request, arrival, answer).await
}

/// One request for the page of a flow.
struct FlowPage<'a> {
    state: &'a State,
    request: &'a HttpRequest,
    visitor: &'a Visitor,
    slug: &'a str,
    query: &'a str,
    arrival: Arrival,
    presence: Presence,
}

impl<'a> FlowPage<'a> {
    fn new(
        state: &'a State,
        request: &'a HttpRequest,
        slug: &'a str,
        arrival: Arrival,
        visitor: &'a Visitor,
    ) -> Result<Self, Error> {
        let query = request.query_string();
        if query.len() > query::MAX_LENGTH {
            return Err(Error::LongAddress);
        }
        Ok(Self {
            state,
            request,
            visitor,
            slug,
            query,
            arrival,
            presence: presence(request),
        })
    }

    /// The address of this page.
    fn address(&self) -> String {
        match self.query {
            "" => format!("/if/flow/{}/", self.slug),
            query => format!("/if/flow/{}/?{query}", self.slug),
        }
    }

    fn question(&self, challenge: Option<String>) -> Request {
        Request {
            session: self.visitor.session_id(),
            sid: self.visitor.sid.clone(),
            slug: self.slug.to_owned(),
            query: self.query.to_owned(),
            client: self.visitor.client.clone(),
            challenge,
            received: self.arrival.at,
            correlation: self.arrival.id,
            presence: self.presence.clone(),
        }
    }

    /// Takes a posted form.
    async fn answer(
        &self,
        request: &HttpRequest,
        payload: web::Payload,
    ) -> Result<HttpResponse, Error> {
        let peer = request.peer_addr().map(|peer| peer.ip());
        let wait = self.state.admit(peer, self.visitor.client.address);
        wait.map_err(Error::Throttled)?;
        csrf::check_origin(request, &self.visitor.client)?;
        let posted = form::read(&read(payload).await?);
        if let Some(notice) = self.refusal(&posted) {
            let reply = self.state.executions.visit(self.question(None)).await?;
            return self
                .render(reply, StatusCode::SEE_OTHER, posted.values, Some(notice))
                .await;
        }
        let question = self.question(posted.challenge);
        let reply = self
            .state
            .executions
            .answer(question, posted.answer)
            .await?;
        let ends_here = matches!(
            reply.body["component"].as_str(),
            Some("ak-stage-access-denied" | "ak-stage-flow-error" | "xak-flow-redirect")
        );
        if ends_here || reply.body.get("response_errors").is_some() {
            return self
                .render(reply, StatusCode::SEE_OTHER, posted.values, None)
                .await;
        }
        // The next challenge is shown by a GET, so that reloading it posts nothing again.
        let mut answer = redirect(StatusCode::SEE_OTHER, &self.address());
        set_cookies(self.state, self.visitor, &reply, &mut answer).await?;
        Ok(answer)
    }

    /// Why a form of our own is not taken, if it is not.
    ///
    /// Unlike a program, a page always knows its session's token, so it is always asked for.
    fn refusal(&self, posted: &Posted) -> Option<&'static str> {
        match &self.visitor.session {
            None => posted.challenge.is_some().then_some(NO_COOKIE),
            // A late form was sent before the login, with the token of then.
            Some(_) if self.visitor.is_late => None,
            Some(session) => csrf::check_token(posted.csrf.as_deref(), &session.value.csrf)
                .is_err()
                .then_some(OUT_OF_DATE),
        }
    }

    /// Whether what the visitor answered to a challenge waits for something that is not theirs.
    async fn waits(&self, challenge: &Value) -> Result<bool, Error> {
        let component = challenge["component"].as_str().unwrap_or_default();
        if !component.starts_with("ak-stage-authenticator-") {
            return Ok(false);
        }
        let mut watching = self.state.executions.watch(self.question(None)).await?;
        Ok(watching.look().await?.state == execution::State::Waits)
    }

    /// Shows a challenge, or follows it where it leads with the status `follow`.
    async fn render(
        &self,
        reply: Reply,
        follow: StatusCode,
        values: Map<String, Value>,
        notice: Option<&str>,
    ) -> Result<HttpResponse, Error> {
        let (state, client) = (self.state, &self.visitor.client);
        // The page needs the token of the session as it is now, so the cookies come first.
        let mut cookies = HttpResponse::Ok().finish();
        let session = set_cookies(state, self.visitor, &reply, &mut cookies).await?;
        let dress = dress(state, self.request).await?;
        let target = (reply.body["component"] == "xak-flow-redirect")
            .then(|| Target::of(reply.body["to"].as_str().unwrap_or("/"), client));
        let mut answer = match target {
            Some(Target::Here(to)) => redirect(follow, &to),
            // Not a redirect: a browser that was posting a form would refuse to follow it to
            // another server (`form-action`).
            Some(Target::Away(to)) => html(StatusCode::OK, state.pages.leave(&dress, Some(&to))?),
            Some(Target::Nowhere) => html(StatusCode::OK, state.pages.leave(&dress, None)?),
            None => {
                let action = self.address();
                let (visitor, slug) = (self.visitor, self.slug);
                let ways = ways::of(state, visitor, slug, &action, &reply.body).await?;
                let form = Form {
                    waits: self.waits(&reply.body).await?,
                    login: ways.login,
                    instead: ways.instead,
                    action,
                    challenge: reply.challenge.clone(),
                    csrf: session.map(|session| exposed(&session.csrf)),
                    values,
                };
                let page = state.pages.challenge(&dress, &reply.body, &form, notice)?;
                let mut answer = html(StatusCode::OK, page);
                let captcha = captcha_script(&reply.body);
                let policy = captcha.map(content_policy::with_captcha);
                let ours = || asks_a_device(&reply.body).then(content_policy::with_script);
                if let Some(policy) = policy.or_else(ours) {
                    let policy = policy.parse().map_err(|_| Error::Internal {
                        cause: "a content policy does not fit into a header".to_owned(),
                    })?;
                    let headers = answer.headers_mut();
                    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
                }
                answer
            }
        };
        for (name, value) in cookies.headers() {
            if name == header::SET_COOKIE {
                answer.headers_mut().append(name.clone(), value.clone());
            }
        }
        if let Some(Ok(id)) = reply.challenge.as_deref().map(str::parse) {
            answer.headers_mut().insert(CHALLENGE, id);
        }
        Ok(answer)
    }
}

/// The script of the captcha that a challenge shows, alone or beside other questions.
fn captcha_script(challenge: &Value) -> Option<&str> {
    let captcha = match challenge["component"].as_str() {
        Some("ak-stage-captcha") => challenge,
        _ => &challenge["captcha_stage"],
    };
    captcha["js_url"].as_str()
}

/// Whether our script has the browser ask a security key or a passkey.
fn asks_a_device(challenge: &Value) -> bool {
    match challenge["component"].as_str() {
        Some("ak-stage-authenticator-webauthn") => true,
        Some("ak-stage-authenticator-validate") => {
            let offers = challenge["device_challenges"].as_array();
            let mut offers = offers.into_iter().flatten();
            offers.any(|offer| offer["device_class"] == "webauthn")
        }
        Some("ak-stage-identification") => challenge["passkey_challenge"].is_object(),
        _ => false,
    }
}

/// The token for a page; showing it to the visitor is what it is for.
fn exposed(token: &secrecy::SecretString) -> String {
    secrecy::ExposeSecret::expose_secret(token).to_owned()
}

/// Reads a posted form.
pub(super) async fn read(payload: web::Payload) -> Result<web::Bytes, Error> {
    tokio::time::timeout(PATIENCE, payload.to_bytes_limited(LIMIT))
        .await
        .map_err(|_| Error::Unread)?
        .map_err(|_| Error::TooLarge(LIMIT))?
        .map_err(|_| Error::Unread)
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
    error.log(&id);
    let plain = error.error_response();
    if plain.status().is_redirection() {
        return plain;
    }
    let (heading, text) = words(plain.status());
    // When not even the brand can be read, the page still has to say so.
    let dress = dress(state, request)
        .await
        .unwrap_or_else(|_| dressed(&Brand::fallback(), request));
    let message = Message {
        heading,
        text,
        request_id: Some(&id),
        link: Some(("/", "Go to the start page")),
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
            tracing::error!(id, %error, "the page for an error cannot be made");
            plain
        }
    }
}

/// What a page says about a status.
fn words(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND => ("Page not found", "There is no page at this address."),
        StatusCode::FORBIDDEN => (
            "Not allowed",
            "This request did not come from a page of this server. Go back and try again.",
        ),
        StatusCode::URI_TOO_LONG => ("Too much", "The address of this page is too long."),
        StatusCode::PAYLOAD_TOO_LARGE => ("Too much", "The form was larger than is accepted."),
        StatusCode::TOO_MANY_REQUESTS => (
            "Too many attempts",
            "There were too many requests from your network. Wait a moment and try again.",
        ),
        StatusCode::SERVICE_UNAVAILABLE => (
            "Please try again",
            "The server has too much to do at the moment. Nothing was lost; reload this page.",
        ),
        _ => (
            "Something went wrong",
            "That is our fault, not yours. Please try again later.",
        ),
    }
}
