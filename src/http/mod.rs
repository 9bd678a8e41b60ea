//! The server's face: thin handlers that read a request, call, and map the answer.
//!
//! Only this module and the command line know of status codes. Nothing here decides what a flow
//! does next, and nothing writes to the journal but the use and the end of sessions.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, ResponseError, guard, web};

mod account;
mod acts;
mod admin;
mod agent;
mod api;
pub mod binding;
pub mod bodies;
pub mod bounds;
mod browse;
pub mod client;
pub mod connections;
mod content_policy;
pub mod cookie;
pub mod csrf;
pub mod device;
mod erasing;
mod error;
mod executor;
mod files;
mod flow_page;
mod flows;
pub mod forward;
mod health;
mod interface;
mod language;
pub mod line;
mod location;
pub mod machine;
pub mod metrics;
pub mod mfa;
pub mod operator;
mod outpost;
mod page;
mod ready;
pub mod request;
mod scans;
pub mod session;
mod setup;
mod stage_cookie;
mod state;
mod status;
mod streams;
mod traced;
pub mod turned_away;
mod ways;

pub use error::Error;
pub use health::Probed;
pub use interface::Interface;
pub use scans::Scans;
pub use state::State;
pub use streams::Streams;

use crate::web::assets;
use request::Arrival;

/// Adds every route to an application. The application also has to hold the [`State`] and to
/// be wrapped in [`request::around`].
pub fn configure(app: &mut web::ServiceConfig) {
    let reads = || guard::Any(guard::Get()).or(guard::Head());
    // Paths are compared one after the other, so what is asked most comes first.
    app.service(
        web::scope("/api/v3")
            .route("/", web::route().guard(reads()).to(browse::show))
            .configure(api::configure)
            .service(
                web::resource("/flows/executor/{slug}/status/")
                    .route(web::route().guard(reads()).to(status::show))
                    .default_service(web::route().to(not_allowed)),
            ),
    )
    .route("/", web::route().guard(reads()).to(page::home))
    .service(
        web::resource("/if/flow/{slug}/")
            .route(web::route().guard(reads()).to(interface::show))
            .route(web::post().to(flow_page::answer)),
    )
    .service(
        web::resource("/if/user/{path:.*}")
            .route(web::route().guard(reads()).to(account::serve))
            .route(web::post().to(account::serve)),
    )
    .route(
        "/if/flow/{slug}/assets/{path:.*}",
        web::route().guard(reads()).to(files::assets_of_flow),
    )
    .route("/ws/client/", web::get().to(interface::socket::open))
    .route(
        "/flows/-/default/{designation}/",
        web::route().to(flows::default),
    )
    .route(
        "/flows/-/configure/{stage}/",
        web::route().to(flows::configure),
    )
    .route(
        "/flows/-/cancel/",
        web::route().guard(reads()).to(flows::cancel),
    )
    .route(
        "/language/{code}/",
        web::route().guard(reads()).to(language::choose),
    )
    .route("/setup", web::get().to(setup::begin))
    .route(
        "/if/admin/{tail:.*}",
        web::route().guard(reads()).to(admin::show),
    )
    .route(
        assets::BRAND_STYLE,
        web::route().guard(reads()).to(files::brand_style),
    )
    .route(
        "/static/{path:.*}",
        web::route().guard(reads()).to(files::get),
    )
    .route(health::LIVE, web::route().guard(reads()).to(health::live))
    .route(health::READY, web::route().guard(reads()).to(health::ready))
    .configure(forward::configure)
    .default_service(web::route().to(nothing));
}

/// Whatever has no route: JSON below `/api/`, a page elsewhere.
async fn nothing(request: HttpRequest, state: web::Data<State>, arrival: Arrival) -> HttpResponse {
    if request.path().starts_with("/api/") {
        return Error::NOT_FOUND.error_response();
    }
    page::page_error(&state, &request, arrival, Err(Error::NOT_FOUND)).await
}

/// A method that a resource of the API does not have.
async fn not_allowed(method: Method) -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .json(serde_json::json!({ "detail": format!("Method \"{method}\" not allowed.") }))
}

#[cfg(test)]
mod tests;
