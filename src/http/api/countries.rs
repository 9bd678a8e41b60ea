//! `/policies/geoip_iso3166/`: the countries that a policy may allow.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::call::Call;
use super::operation::{Access, Answered, Content, Method, Operation};
use crate::policy::geoip::countries::COUNTRIES;

/// The operation.
pub(super) fn operations() -> Vec<Operation> {
    let path = "/policies/geoip_iso3166/";
    vec![
        Operation::new(Method::Get, path, "policies_geoip_iso3166_list", list)
            .access(Access::Public)
            .answers(200, Content::List("DetailedCountry".to_owned())),
    ]
}

/// `GET /policies/geoip_iso3166/`, for everybody.
async fn list(_: Call) -> Answered {
    let countries = COUNTRIES.iter();
    let countries: Vec<Value> = countries
        .map(|(code, name)| json!({ "code": code, "name": name }))
        .collect();
    Ok(HttpResponse::Ok().json(countries))
}
