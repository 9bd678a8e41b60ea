//! `/schema/`: the description, as clients are generated from it.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};

use crate::flow::query::Query;
use crate::http::api::call::Call;
use crate::http::api::description;
use crate::http::api::operation::{Access, Answered, Content, Method, Operation};

/// The media types that it comes as; the first where nobody says. JSON is YAML too, so the text is
/// the same in all of them.
const MEDIA: [&str; 4] = [
    "application/vnd.oai.openapi",
    "application/yaml",
    "application/vnd.oai.openapi+json",
    "application/json",
];

/// The operation that shows it, for everybody.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(Method::Get, "/schema/", "schema_retrieve", show)
            .access(Access::Public)
            .asks("format", super::reference("FormatEnum"))
            .answers(200, Content::Several(&MEDIA)),
    ]
}

/// `GET /schema/?format=`
async fn show(call: Call) -> Answered {
    let query = Query::parse(call.request.query_string());
    let media = match query.get("format") {
        Some("json") => MEDIA[2],
        Some("yaml") => MEDIA[0],
        _ => accepted(&call.request),
    };
    Ok(HttpResponse::Ok()
        .content_type(media)
        .body(description().to_string()))
}

/// The first media type that the client wants and that there is.
fn accepted(request: &HttpRequest) -> &'static str {
    let wanted = request.headers().get_all(header::ACCEPT);
    let mut wanted = wanted
        .filter_map(|it| it.to_str().ok())
        .flat_map(|it| it.split(','))
        .filter_map(|it| it.split(';').next())
        .map(str::trim);
    let known = wanted.find_map(|it| MEDIA.into_iter().find(|media| *media == it));
    known.unwrap_or(MEDIA[0])
}
