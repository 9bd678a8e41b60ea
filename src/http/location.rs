//! Where an answer sends a browser.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::Url;

use crate::flow::client::Client;
use crate::flow::query::{self, LINK, Query};

/// The page where somebody logs in who has to.
const LOGIN: &str = "/flows/-/default/authentication/";

/// What may not stand in a header, or not in an address, as it is.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The path and the query string of a request, without the secret of a link: it is to be kept
/// somewhere, and nobody comes back by a link after a login.
#[must_use]
pub(super) fn of(request: &HttpRequest) -> String {
    let path = request.path();
    let query = request.query_string();
    if Query::parse(query).get(LINK).is_none() {
        let whole = request.uri().path_and_query();
        return whole.map_or_else(|| "/".to_owned(), ToString::to_string);
    }
    let query = Query::parse(query).without_link().encode();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// Where an address leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// To a page of ours.
    Here(String),
    /// To another server.
    Away(String),
    /// Nowhere that a browser may be sent: `javascript:` and the like.
    Nowhere,
}

impl Target {
    /// Reads an address as the visitor's browser would.
    #[must_use]
    pub(super) fn of(to: &str, client: &Client) -> Self {
        let Ok(own) = Url::parse(&client.origin()) else {
            return Self::Nowhere;
        };
        match own.join(to) {
            Ok(url) if url.origin() == own.origin() => Self::Here(to.to_owned()),
            Ok(url) if matches!(url.scheme(), "http" | "https") => Self::Away(url.into()),
            _ => Self::Nowhere,
        }
    }
}

/// An answer that sends the browser to `to` with GET: 302 from a GET, 303 from a POST.
#[must_use]
pub(super) fn redirect(status: StatusCode, to: &str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::LOCATION, escape(to)))
        .finish()
}

/// The address as it may stand in a header.
#[must_use]
pub(super) fn escape(to: &str) -> String {
    utf8_percent_encode(to, ESCAPED).to_string()
}

/// The page where somebody logs in and then goes on to `next`, a path of ours.
#[must_use]
pub(super) fn login(next: &str) -> String {
    format!("{LOGIN}?next={}", query::encode(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_told_apart_as_a_browser_would() {
        let client = Client {
            address: "192.0.2.1".parse().expect("a literal"),
            user_agent: String::new(),
            host: "id.example:9000".into(),
            secure: false,
            language: None,
            outpost: None,
            device: None,
            mfa: None,
        };
        for (to, target) in [
            ("/", Target::Here("/".into())),
            ("/a?b=c", Target::Here("/a?b=c".into())),
            (
                "http://id.example:9000/x",
                Target::Here("http://id.example:9000/x".into()),
            ),
            (
                "https://app.example/x",
                Target::Away("https://app.example/x".into()),
            ),
            (
                "//app.example/x",
                Target::Away("http://app.example/x".into()),
            ),
            ("javascript:alert(1)", Target::Nowhere),
            ("data:text/html,x", Target::Nowhere),
        ] {
            assert_eq!(Target::of(to, &client), target, "{to}");
        }
    }

    #[test]
    fn an_address_fits_into_a_header() {
        assert_eq!(escape("/a b/å?c=%20\n"), "/a%20b/%C3%A5?c=%20%0A");
    }

    #[test]
    fn the_login_page_is_told_where_to_go_on() {
        assert_eq!(
            login("/a/?b=c"),
            "/flows/-/default/authentication/?next=%2Fa%2F%3Fb%3Dc"
        );
    }
}
