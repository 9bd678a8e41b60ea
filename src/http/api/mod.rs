//! The part of the management API that the flow interface and the users' own settings need.

use actix_web::{guard, web};

mod authenticators;
mod body;
mod brands;
mod caller;
mod countries;
mod duo;
mod events;
mod feed;
mod history;
mod listing;
mod policies;
mod root;
mod stages;
mod users;

pub use feed::Readers;

use super::not_allowed;

/// Adds the routes below `/api/v3`.
pub(super) fn configure(app: &mut web::ServiceConfig) {
    let reads = || guard::Any(guard::Get()).or(guard::Head());
    app.service(
        web::resource("/core/users/me/")
            .route(web::route().guard(reads()).to(users::me))
            .default_service(web::route().to(not_allowed)),
    )
    .service(
        web::resource("/core/brands/current/")
            .route(web::route().guard(reads()).to(brands::current))
            .default_service(web::route().to(not_allowed)),
    )
    .service(
        web::resource("/policies/all/{id}/test/")
            .route(web::post().to(policies::test))
            .default_service(web::route().to(not_allowed)),
    )
    .service(
        web::resource("/stages/all/user_settings/")
            .route(web::route().guard(reads()).to(stages::user_settings))
            .default_service(web::route().to(not_allowed)),
    )
    .service(
        web::resource("/gatelog/feed/")
            .route(web::route().guard(reads()).to(feed::show))
            .default_service(web::route().to(not_allowed)),
    )
    .service(
        web::resource("/gatelog/history/{kind}/{id}/")
            .route(web::route().guard(reads()).to(history::show))
            .default_service(web::route().to(not_allowed)),
    )
    .service(
        web::resource("/root/config/")
            .route(web::route().guard(reads()).to(root::config))
            .default_service(web::route().to(not_allowed)),
    )
    .service(
        web::resource("/policies/geoip_iso3166/")
            .route(web::route().guard(reads()).to(countries::list))
            .default_service(web::route().to(not_allowed)),
    )
    .service(
        web::resource("/stages/authenticator/duo/{id}/enrollment_status/")
            .route(web::post().to(duo::enrollment_status))
            .default_service(web::route().to(not_allowed)),
    )
    .service(
        web::resource("/stages/authenticator/duo/{id}/import_device_manual/")
            .route(web::post().to(duo::import_manually))
            .default_service(web::route().to(not_allowed)),
    )
    .service(
        web::resource("/stages/authenticator/duo/{id}/import_devices_automatic/")
            .route(web::post().to(duo::import_automatically))
            .default_service(web::route().to(not_allowed)),
    )
    .configure(events::configure)
    .configure(authenticators::configure);
}
