//! `/schema/`: the description, as clients are generated from it.

use actix_web::HttpResponse;

use crate::http::api::call::Call;
use crate::http::api::description;
use crate::http::api::operation::{Access, Answered, Content, Method, Operation};

/// What the description is called among media types.
const MEDIA: &str = "application/vnd.oai.openapi+json";

/// The operation that shows it, for everybody.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(Method::Get, "/schema/", "schema_retrieve", show)
            .access(Access::Public)
            .answers(200, Content::Media(MEDIA)),
    ]
}

/// `GET /schema/`
async fn show(_: Call) -> Answered {
    Ok(HttpResponse::Ok()
        .content_type(MEDIA)
        .body(description().to_string()))
}
