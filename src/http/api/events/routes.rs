//! The routes of events: who calls, and what is answered.

use actix_web::{HttpRequest, HttpResponse, guard, web};
use uuid::Uuid;

use crate::directory::Author;
use crate::directory::change::Means;
use crate::http::api::body;
use crate::http::api::caller::{self, Caller};
use crate::http::request::Arrival;
use crate::http::{Error, State, not_allowed};

/// Adds them.
pub(in crate::http::api) fn configure(app: &mut web::ServiceConfig) {
    let reads = || guard::Any(guard::Get()).or(guard::Head());
    app.service(
        web::resource("/events/events/")
            .route(web::route().guard(reads()).to(list))
            .route(web::post().to(create))
            .default_service(web::route().to(not_allowed)),
    );
    for name in ["actions", "volume", "stats", "top_per_user"] {
        app.service(
            web::resource(format!("/events/events/{{what:{name}}}/"))
                .route(web::route().guard(reads()).to(counted))
                .default_service(web::route().to(not_allowed)),
        );
    }
    app.service(
        web::resource("/events/events/{id}/")
            .route(web::route().guard(reads()).to(retrieve))
            .route(web::put().to(replace))
            .route(web::patch().to(patch))
            .route(web::delete().to(destroy))
            .default_service(web::route().to(not_allowed)),
    );
}

type Answer = Result<HttpResponse, Error>;

async fn list(request: HttpRequest, state: web::Data<State>, arrival: Arrival) -> Answer {
    caller::superuser(&state, &request, arrival).await?;
    let listed = super::list(&state, request.query_string()).await?;
    Ok(HttpResponse::Ok().json(listed))
}

async fn counted(
    request: HttpRequest,
    what: web::Path<String>,
    state: web::Data<State>,
    arrival: Arrival,
) -> Answer {
    caller::superuser(&state, &request, arrival).await?;
    let query = request.query_string();
    let told = match what.as_str() {
        "volume" => super::volume(&state, query).await?,
        "stats" => super::stats(&state, query).await?,
        "top_per_user" => super::top_per_user(&state, query).await?,
        _ => super::actions(),
    };
    Ok(HttpResponse::Ok().json(told))
}

async fn retrieve(
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<State>,
    arrival: Arrival,
) -> Answer {
    caller::superuser(&state, &request, arrival).await?;
    let found = super::retrieve(&state, key(&id)?).await?;
    Ok(HttpResponse::Ok().json(found))
}

async fn create(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
    arrival: Arrival,
) -> Answer {
    let caller = caller::acting_superuser(&state, &request, arrival).await?;
    let body = body::read(&request, payload).await?;
    let author = author(&request, &caller);
    let made = super::create(&state, &body, &author, arrival.id).await?;
    Ok(HttpResponse::Created().json(made))
}

async fn replace(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
    arrival: Arrival,
) -> Answer {
    change(&request, &id, payload, &state, arrival, false).await
}

async fn patch(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<State>,
    arrival: Arrival,
) -> Answer {
    change(&request, &id, payload, &state, arrival, true).await
}

async fn change(
    request: &HttpRequest,
    id: &str,
    payload: web::Payload,
    state: &State,
    arrival: Arrival,
    partial: bool,
) -> Answer {
    let caller = caller::acting_superuser(state, request, arrival).await?;
    let body = body::read(request, payload).await?;
    let author = author(request, &caller);
    let changed = super::update(state, key(id)?, &body, partial, &author, arrival.id).await?;
    Ok(HttpResponse::Ok().json(changed))
}

async fn destroy(
    request: HttpRequest,
    id: web::Path<String>,
    state: web::Data<State>,
    arrival: Arrival,
) -> Answer {
    let caller = caller::acting_superuser(&state, &request, arrival).await?;
    let author = author(&request, &caller);
    super::destroy(&state, key(&id)?, &author, arrival.id).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn author(request: &HttpRequest, caller: &Caller) -> Author {
    Author {
        user: Some(caller.user.value.uuid),
        address: Some(caller.client.address),
        request: Some(format!("{} {}", request.method(), request.path())),
        ..Author::by(Means::Api)
    }
}

fn key(id: &str) -> Result<Uuid, Error> {
    id.parse().map_err(|_| Error::NOT_FOUND)
}
