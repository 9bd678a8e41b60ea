//! Whether a request was made by the visitor, or by another site in the visitor's name.

use actix_web::HttpRequest;
use actix_web::http::{Method, header};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use url::Url;

use crate::flow::client::Client;

/// The header in which a script returns the CSRF cookie.
pub const HEADER: &str = "X-authentik-CSRF";

/// Why a request is not believed to be the visitor's own. The texts are authentik's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another site made the browser send it.
    #[error("Origin checking failed.")]
    Origin,
    /// The token was not sent.
    #[error("CSRF token missing.")]
    Missing,
    /// The token is not the session's.
    #[error("CSRF token incorrect.")]
    Incorrect,
}

/// Whether a request with this method changes nothing by being made.
#[must_use]
pub fn is_safe(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE].contains(method)
}

/// Refuses what a page of another origin made the browser send.
///
/// A browser that says itself how the two are related is believed first: it knows under which
/// address the visitor sees us, also behind a proxy that does not tell. A client that is no
/// browser sends neither header and passes; it holds no cookie that another site could abuse.
pub fn check_origin(request: &HttpRequest, client: &Client) -> Result<(), Error> {
    let text = |name: &str| {
        let value = request.headers().get(name)?;
        Some(value.to_str().unwrap_or("null"))
    };
    let is_ours = match (text("sec-fetch-site"), text(header::ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => is_own(origin, client),
        (None, None) => true,
    };
    if is_ours { Ok(()) } else { Err(Error::Origin) }
}

/// Refuses what another site embeds in its own page: a picture or frame whose address is a flow
/// that logs out would do so. A link that the visitor follows is no embedding. A sibling under
/// the same domain is another site as well: it may be somebody else's.
pub fn check_embedding(request: &HttpRequest) -> Result<(), Error> {
    let is = |name: &str, wanted: &str| {
        let value = request.headers().get(name);
        value.is_some_and(|value| value.as_bytes() == wanted.as_bytes())
    };
    let is_foreign = is("sec-fetch-site", "cross-site") || is("sec-fetch-site", "same-site");
    if is_foreign && !is("sec-fetch-dest", "document") {
        Err(Error::Origin)
    } else {
        Ok(())
    }
}

/// Refuses a reading request that acts and that a page of another site made, links included.
pub fn check_origin_of_read(request: &HttpRequest) -> Result<(), Error> {
    let site = request.headers().get("sec-fetch-site");
    let is_ours = |site: &[u8]| matches!(site, b"same-origin" | b"none");
    if site.is_none_or(|site| is_ours(site.as_bytes())) {
        Ok(())
    } else {
        Err(Error::Origin)
    }
}

/// Whether this origin, or the origin of this address, is the one the visitor sees us under.
#[must_use]
pub fn is_own(address: &str, client: &Client) -> bool {
    let Ok(address) = Url::parse(address) else {
        return false;
    };
    Url::parse(&client.origin())
        .is_ok_and(|own| own.origin().is_tuple() && own.origin() == address.origin())
}

/// Compares the token that was sent with the session's, in constant time.
pub fn check_token(sent: Option<&str>, expected: &SecretString) -> Result<(), Error> {
    let sent = sent.filter(|sent| !sent.is_empty()).ok_or(Error::Missing)?;
    let same = sent
        .as_bytes()
        .ct_eq(expected.expose_secret().as_bytes())
        .into();
    if same { Ok(()) } else { Err(Error::Incorrect) }
}

/// The token in the request's header.
#[must_use]
pub fn from_header(request: &HttpRequest) -> Option<&str> {
    request.headers().get(HEADER)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn client(secure: bool) -> Client {
        Client {
            address: "192.0.2.1".parse().expect("a literal"),
            user_agent: String::new(),
            host: "login.example:8443".into(),
            secure,
            language: None,
            outpost: None,
            device: None,
            mfa: None,
        }
    }

    fn judged(name: &'static str, value: &'static str) -> Result<(), Error> {
        let request = TestRequest::post()
            .insert_header((name, value))
            .to_http_request();
        check_origin(&request, &client(true))
    }

    #[test]
    fn our_own_pages_and_programs_pass() {
        assert_eq!(judged("origin", "https://login.example:8443"), Ok(()));
        assert_eq!(judged("sec-fetch-site", "same-origin"), Ok(()));
        assert_eq!(judged("sec-fetch-site", "none"), Ok(()));
        assert_eq!(judged("accept", "*/*"), Ok(()));
    }

    #[test]
    fn other_sites_do_not() {
        for origin in [
            "https://evil.example",
            "http://login.example:8443",
            "https://login.example",
            "null",
            "",
        ] {
            assert_eq!(judged("origin", origin), Err(Error::Origin), "{origin}");
        }
        assert_eq!(judged("sec-fetch-site", "cross-site"), Err(Error::Origin));
        assert_eq!(judged("sec-fetch-site", "same-site"), Err(Error::Origin));
    }

    #[test]
    fn the_browsers_own_word_counts_before_the_origin() {
        for (site, origin, outcome) in [
            ("same-origin", "http://inside:9000", Ok(())),
            (
                "cross-site",
                "https://login.example:8443",
                Err(Error::Origin),
            ),
        ] {
            let request = TestRequest::post()
                .insert_header(("sec-fetch-site", site))
                .insert_header(("origin", origin))
                .to_http_request();
            assert_eq!(check_origin(&request, &client(true)), outcome, "{site}");
        }
    }

    #[test]
    fn what_a_site_embeds_is_refused_and_a_link_is_followed() {
        for (site, destination, outcome) in [
            ("cross-site", "image", Err(Error::Origin)),
            ("same-site", "image", Err(Error::Origin)),
            ("same-site", "iframe", Err(Error::Origin)),
            ("same-site", "document", Ok(())),
            ("same-origin", "empty", Ok(())),
        ] {
            let request = TestRequest::get()
                .insert_header(("sec-fetch-site", site))
                .insert_header(("sec-fetch-dest", destination))
                .to_http_request();
            assert_eq!(check_embedding(&request), outcome, "{site} {destination}");
        }
    }

    #[test]
    fn only_the_right_token_passes() {
        let expected = "right".to_owned().into();
        assert_eq!(check_token(Some("right"), &expected), Ok(()));
        assert_eq!(check_token(Some("wrong"), &expected), Err(Error::Incorrect));
        assert_eq!(check_token(Some(""), &expected), Err(Error::Missing));
        assert_eq!(check_token(None, &expected), Err(Error::Missing));
    }
}
