//! The management API. Every route is one of the [`operation::Operation`]s of a table, from which
//! the description comes as well.

use std::sync::OnceLock;

use actix_web::http::Method as Verb;
use actix_web::{guard, web};
use serde_json::Value;

mod authenticators;
mod blueprints;
mod body;
mod brands;
mod call;
mod caller;
mod countries;
mod directory;
mod duo;
mod flow_actions;
mod flows;
mod form;
mod listing;
mod operation;
mod policies;
mod resource;
mod root;
mod schema;
mod stage_base;
mod stages;

use super::not_allowed;
use operation::{Method, Operation};

/// Every operation. Paths without parameters come before those with, since the first that fits
/// serves.
pub(super) fn operations() -> &'static [Operation] {
    static ALL: OnceLock<Vec<Operation>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all = flows::operations();
        all.extend(flow_actions::operations());
        all.extend(blueprints::operations());
        all.extend(directory::operations());
        all.extend(brands::operations());
        all.extend(schema::operations());
        all.sort_by_key(|it| (it.path.contains('{'), it.path.clone(), it.method));
        all
    })
}

/// The description of every operation.
pub(super) fn description() -> &'static Value {
    static MADE: OnceLock<Value> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut components = schema::Components::default();
        flows::describe(&mut components);
        flow_actions::describe(&mut components);
        blueprints::describe(&mut components);
        directory::describe(&mut components);
        brands::describe(&mut components);
        schema::document(operations(), components)
    })
}

/// Adds the routes of the table, one resource for each path.
fn serve(app: &mut web::ServiceConfig) {
    for same in operations().chunk_by(|one, other| one.path == other.path) {
        let mut resource = web::resource(same[0].path.as_str());
        for operation in same {
            let route = match operation.method {
                Method::Get => web::route().guard(guard::Any(guard::Get()).or(guard::Head())),
                Method::Post => web::post(),
                Method::Put => web::put(),
                Method::Patch => web::method(Verb::PATCH),
                Method::Delete => web::delete(),
            };
            let serve = move |request, payload, state, arrival| {
                operation.clone().serve(request, payload, state, arrival)
            };
            resource = resource.route(route.to(serve));
        }
        app.service(resource.default_service(web::route().to(not_allowed)));
    }
}

/// What a key of any sort is as a text.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Adds the routes below `/api/v3`.
pub(super) fn configure(app: &mut web::ServiceConfig) {
    serve(app);
    let reads = || guard::Any(guard::Get()).or(guard::Head());
    app.service(
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
    .configure(authenticators::configure);
}
