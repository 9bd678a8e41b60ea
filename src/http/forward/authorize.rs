//! `/application/authorize/`: the login says to an application who somebody is, once they are logged
//! in and its policies let them in. This is on the login's own domain, where its session is.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::ask::may_use;
use super::start::short;
use super::{AUTHORIZE, CALLBACK, away};
use crate::catalog::{Application, Origin};
use crate::clock::later;
use crate::directory::{Session, User};
use crate::execution::{Presence, Request};
use crate::flow::Context;
use crate::flow::context::{Value as Known, key};
use crate::flow::model::Designation;
use crate::flow::query::{self, Query};
use crate::forward::Protected;
use crate::forward::seal::{Asked, Code, Login};
use crate::http::flows::{named, of_host};
use crate::http::location::redirect;
use crate::http::page::{dress, html, page_error, person};
use crate::http::request::Arrival;
use crate::http::session::{Visitor, set_cookies};
use crate::http::{Error, State, csrf};
use crate::journal::object::{self, Versioned};
use crate::web::language::text;
use crate::web::{Message, applications::Refused};

/// How long a code is good.
const PATIENCE: Duration = Duration::from_mins(1);

/// Logs the visitor in, refuses them, or sends them back with a code.
pub(super) async fn serve(
    request: HttpRequest,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let answer = answer(&request, &state, arrival).await;
    page_error(&state, &request, arrival, answer).await
}

async fn answer(
    request: &HttpRequest,
    state: &State,
    arrival: Arrival,
) -> Result<HttpResponse, Error> {
    csrf::check_embedding(request)?;
    let query = Query::parse(request.query_string());
    let signed = query.get("request").unwrap_or_default();
    let Some(asked) = state.forward.seal.read::<Asked>(signed) else {
        return unknown(state, request).await;
    };
    let found: Option<Versioned<Application>> =
        object::get(&*state.journal, asked.application).await?;
    let origin = Origin::split_off(&asked.origin).map(|(origin, _)| origin);
    let protected = found.and_then(Protected::new);
    let (Some(protected), Some(origin)) = (protected, origin) else {
        return unknown(state, request).await;
    };
    if !protected.application.is_at(&origin) {
        return unknown(state, request).await;
    }
    if asked.until <= state.clock.now() {
        // Whoever took so long begins again, at the application that asked.
        return away(state, request, &format!("{origin}/")).await;
    }
    let visitor = Visitor::of(state, request, arrival.id).await?;
    let (Some(user), Some(session), false) = (&visitor.user, &visitor.session, visitor.is_late)
    else {
        let next = format!("{AUTHORIZE}?request={signed}");
        return log_in(state, request, arrival, &visitor, &protected, &next).await;
    };
    let mut client = visitor.client.clone();
    origin.host().clone_into(&mut client.host);
    client.secure = origin.is_secure();
    let application = &protected.application;
    let decision = may_use(state, application, &client, user.clone()).await?;
    if !decision.passing {
        return refuse(state, request, application, &user.value, decision.messages).await;
    }
    let code = code(state, &asked, &session.value, &user.value, arrival);
    let code = state.forward.seal.sign(&code);
    let which = short(&asked.state);
    let to = format!("{origin}{CALLBACK}?code={code}&state={which}");
    away(state, request, &to).await
}

fn code(state: &State, asked: &Asked, session: &Session, user: &User, arrival: Arrival) -> Code {
    Code {
        id: arrival.id,
        application: asked.application,
        origin: asked.origin.clone(),
        state: asked.state.clone(),
        login: Login {
            session: session.id,
            generation: session.generation,
            user: user.uuid,
        },
        until: later(state.clock.now(), PATIENCE),
    }
}

/// Sends the visitor to the flow that logs in, which knows for which application that is.
async fn log_in(
    state: &State,
    request: &HttpRequest,
    arrival: Arrival,
    visitor: &Visitor,
    protected: &Protected,
    next: &str,
) -> Result<HttpResponse, Error> {
    let own = named(state, protected.forward.authentication_flow).await?;
    let flow = if let Some(own) = own {
        own
    } else {
        let asked = Query::parse(request.query_string());
        of_host(state, request, Designation::Authentication, visitor, &asked).await?
    };
    let query = format!("next={}", query::encode(next));
    let mut context = Context::default();
    let application = Known::Object {
        class: "Application".to_owned(),
        id: protected.application.pk.to_string(),
    };
    context.set(key::APPLICATION, Some(application));
    let question = Request {
        session: visitor.session_id(),
        sid: visitor.sid.clone(),
        slug: flow.slug.to_string(),
        query: query.clone(),
        client: visitor.client.clone(),
        challenge: None,
        received: arrival.at,
        correlation: arrival.id,
        trace: arrival.trace,
        presence: Presence::default(),
    };
    // A flow that does not wait for the visitor says why when they look at it.
    let begun = state.executions.begin_anew(question, context).await?;
    let page = query::flow_url(flow.slug.as_str(), &query);
    let mut answer = redirect(StatusCode::FOUND, &page);
    if let Some(reply) = begun {
        set_cookies(state, visitor, &reply, &mut answer).await?;
    }
    Ok(answer)
}

/// Says that the application is not for whoever is logged in.
async fn refuse(
    state: &State,
    request: &HttpRequest,
    application: &Application,
    user: &User,
    messages: Vec<String>,
) -> Result<HttpResponse, Error> {
    let person = person(state, user).await?;
    let dress = dress(state, request).await?;
    let refused = Refused {
        application: application.name.clone(),
        messages,
    };
    let page = state.pages.refused(&dress, &person, &refused)?;
    Ok(html(StatusCode::FORBIDDEN, page))
}

/// The address was not made here, or for what is not there any more.
async fn unknown(state: &State, request: &HttpRequest) -> Result<HttpResponse, Error> {
    let dress = dress(state, request).await?;
    let message = Message {
        heading: text("This link is not good any more"),
        text: text("Open the application again to log in to it."),
        request_id: None,
        link: Some(("/", text("Go to the start page"))),
    };
    let page = state.pages.message(&dress, &message)?;
    Ok(html(StatusCode::BAD_REQUEST, page))
}
