//! `/if/flow/<slug>/`: a flow as documents and forms, which need no script.

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::executor::CHALLENGE;
use super::line::presence;
use super::location::{Target, redirect};
use super::page::{dress, html, html_under, page_error};
use super::request::Arrival;
use super::session::{Visitor, set_cookies};
use super::{Error, State, content_policy, csrf, ways};
use crate::directory::User;
use crate::execution::{self, Pending, Presence, Reply, Request};
use crate::flow::code;
use crate::flow::query::{self, Query};
use crate::journal::object::{self, Versioned};
use crate::web::Form;
use crate::web::form::{self, Posted};
use crate::web::language::text;

/// Said when a form was posted that belongs to no session, or to one before a login.
pub(super) const OUT_OF_DATE: &str = text("This page was out of date. Please try again.");

/// Said when the browser has no session although a form was posted.
const NO_COOKIE: &str =
    text("Your session has ended, or your browser does not accept cookies. Please try again.");

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
            trace: self.arrival.trace,
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
        let posted = form::read(&self.state.collect(request, payload).await?);
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

    /// The same address without the link that led here: whoever follows it begins again.
    fn again(&self) -> String {
        match Query::parse(self.query).without_link().encode().as_str() {
            "" => format!("/if/flow/{}/", self.slug),
            query => format!("/if/flow/{}/?{query}", self.slug),
        }
    }

    /// What the page sends along, and what it says besides the challenge.
    async fn form(
        &self,
        reply: &Reply,
        csrf: Option<SecretString>,
        values: Map<String, Value>,
    ) -> Result<Form, Error> {
        let (state, visitor, slug) = (self.state, self.visitor, self.slug);
        let action = self.address();
        let ways = ways::of(state, visitor, slug, &action, &reply.body).await?;
        let query = query::encode(self.query);
        Ok(Form {
            waits: self.waits(&reply.body).await?,
            login: ways.login,
            instead: ways.instead,
            is_logged_in: ways.is_logged_in,
            again: self.again(),
            code: Some(code(reply.execution).to_string()),
            username: self.username(reply).await?,
            enhanced: ways.enhanced,
            status: format!("/api/v3/flows/executor/{slug}/status/?query={query}"),
            action,
            challenge: reply.challenge.clone(),
            // Showing it to the visitor is what it is for.
            csrf: csrf.map(|token| token.expose_secret().to_owned()),
            values,
            inert: false,
        })
    }

    /// Whose password a prompt asks for, if it asks for one.
    async fn username(&self, reply: &Reply) -> Result<Option<String>, Error> {
        let fields = reply.body["fields"].as_array();
        let asks = |field: &Value| field["type"] == "password";
        if !fields.is_some_and(|fields| fields.iter().any(asks)) {
            return Ok(None);
        }
        let user = match &reply.pending {
            Some(Pending::Named(name)) => return Ok(Some(name.clone())),
            Some(Pending::User(id)) => {
                let found: Option<Versioned<User>> = object::get(&*self.state.journal, *id).await?;
                found.map(|user| user.value.username)
            }
            None => self
                .visitor
                .user
                .as_ref()
                .map(|user| user.value.username.clone()),
        };
        Ok(user)
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
                let form = self.form(&reply, session.map(|it| it.csrf), values).await?;
                let page = state.pages.challenge(&dress, &reply.body, &form, notice)?;
                html_under(&policy(&reply.body, form.enhanced), page)?
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

/// What the page of a challenge may load and run.
fn policy(challenge: &Value, enhanced: bool) -> String {
    let layout = challenge["flow_info"]["layout"].as_str();
    let is_framed = layout.is_some_and(|layout| layout.ends_with("_frame_background"));
    let background = challenge["flow_info"]["background"].as_str();
    content_policy::of(&content_policy::Needs {
        script: asks_a_device(challenge),
        reading_script: enhanced,
        captcha: captcha_script(challenge),
        frame: background.filter(|_| is_framed),
    })
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
