//! `/policies/geoip_iso3166/`: the countries that a policy may allow.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use crate::policy::geoip::countries::COUNTRIES;

/// `GET /policies/geoip_iso3166/`, for everybody.
pub(super) async fn list() -> HttpResponse {
    let countries = COUNTRIES.iter();
    let countries: Vec<Value> = countries
        .map(|(code, name)| json!({ "code": code, "name": name }))
        .collect();
    HttpResponse::Ok().json(countries)
}
