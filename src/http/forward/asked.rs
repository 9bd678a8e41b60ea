//! What a proxy asks about, by the conventions of each. Only reads headers.
//!
//! What two headers say has to agree: whichever of them the proxy does not write itself comes from the
//! visitor.

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::forward::Original;

/// How a proxy asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// nginx, `auth_request`: the address is in `X-Original-URL`, and any answer but 2xx, 401 and 403
    /// is an error to it.
    Nginx,
    /// Caddy's `forward_auth` and Traefik's `ForwardAuth`: the parts of the address are in
    /// `X-Forwarded-…`, and the visitor gets whatever is answered.
    Forwarded,
    /// Envoy's `ext_authz` over HTTP: host and path are those of the request itself, behind a prefix.
    Envoy,
}

/// Where each style asks, below [`super::OUTPOST`].
const NGINX: &str = "auth/nginx";
const CADDY: &str = "auth/caddy";
const TRAEFIK: &str = "auth/traefik";
const ENVOY: &str = "auth/envoy";

impl Style {
    /// The style of a path, as it stands behind [`super::OUTPOST`].
    pub(super) fn of(path: &str) -> Option<Self> {
        match path.trim_end_matches('/') {
            NGINX => Some(Self::Nginx),
            CADDY | TRAEFIK => Some(Self::Forwarded),
            _ => {
                let rest = path.strip_prefix(ENVOY)?;
                (rest.is_empty() || rest.starts_with('/')).then_some(Self::Envoy)
            }
        }
    }
}

/// The request that a proxy asks about; `None` where it does not say, or says two things.
pub(super) fn original(style: Style, request: &HttpRequest) -> Option<Original<'_>> {
    match style {
        Style::Nginx => match one(request, "x-original-url")? {
            Some(url) => Original::of_url(url).filter(|it| agrees(request, it)),
            None => forwarded(request),
        },
        Style::Forwarded => forwarded(request),
        Style::Envoy => {
            let whole = request.uri().path_and_query()?.as_str();
            let address = whole.strip_prefix(super::OUTPOST)?.strip_prefix(ENVOY)?;
            let address = if address.is_empty() { "/" } else { address };
            let host = one(request, header::HOST.as_str())?;
            let host = host.or_else(|| Some(request.uri().authority()?.as_str()))?;
            Original::of_parts(secure(request)?, host, address)
        }
    }
}

/// What `X-Forwarded-…` says.
fn forwarded(request: &HttpRequest) -> Option<Original<'_>> {
    let host = one(request, "x-forwarded-host")??;
    let address = one(request, "x-forwarded-uri")??;
    Original::of_parts(secure(request)?, host, address)
}

/// Whether `X-Forwarded-…`, where it is there as well, says the same.
fn agrees(request: &HttpRequest, original: &Original<'_>) -> bool {
    let address = match one(request, "x-forwarded-uri") {
        Some(Some(address)) => address == original.address,
        Some(None) => true,
        None => false,
    };
    let host = match one(request, "x-forwarded-host") {
        Some(Some(host)) => {
            let there = Original::of_parts(original.origin.is_secure(), host, "/");
            there.is_some_and(|it| it.origin == original.origin)
        }
        Some(None) => true,
        None => false,
    };
    address && host
}

/// Whether the visitor came over TLS. Traefik names the protocol of sockets.
fn secure(request: &HttpRequest) -> Option<bool> {
    match one(request, "x-forwarded-proto")? {
        None => Some(request.app_config().secure()),
        Some(told) => match told.trim().to_ascii_lowercase().as_str() {
            "https" | "wss" => Some(true),
            "http" | "ws" => Some(false),
            _ => None,
        },
    }
}

/// The value of a header; `None` where there are several, or one that is no text.
#[expect(clippy::option_option, reason = "two values are not as good as none")]
fn one<'r>(request: &'r HttpRequest, name: &str) -> Option<Option<&'r str>> {
    let mut all = request.headers().get_all(name);
    let Some(first) = all.next() else {
        return Some(None);
    };
    if all.next().is_some() {
        return None;
    }
    first.to_str().ok().map(Some)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn asked(style: Style, path: &str, headers: &[(&str, &str)]) -> Option<String> {
        let mut request = TestRequest::get().uri(path);
        for header in headers {
            request = request.append_header(*header);
        }
        let request = request.to_http_request();
        original(style, &request).map(|it| it.url())
    }

    #[test]
    fn each_proxy_is_understood_by_its_conventions() {
        let forwarded = [
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "app.example"),
            ("x-forwarded-uri", "/a?b=c"),
        ];
        let expected = Some("https://app.example/a?b=c".to_owned());
        let url = [("x-original-url", "https://app.example/a?b=c")];
        let at = "/outpost.goauthentik.io/auth/nginx";
        assert_eq!(asked(Style::Nginx, at, &url), expected);
        assert_eq!(asked(Style::Nginx, at, &forwarded), expected);
        assert_eq!(asked(Style::Forwarded, at, &forwarded), expected);
        let envoy = [("x-forwarded-proto", "https"), ("host", "app.example")];
        let at = "/outpost.goauthentik.io/auth/envoy/a?b=c";
        assert_eq!(asked(Style::Envoy, at, &envoy), expected);
        let root = Some("https://app.example/".to_owned());
        let at = "/outpost.goauthentik.io/auth/envoy";
        assert_eq!(asked(Style::Envoy, at, &envoy), root);
    }

    #[test]
    fn what_a_visitor_adds_is_not_believed() {
        let at = "/outpost.goauthentik.io/auth/nginx";
        let url = ("x-original-url", "https://app.example/admin");
        let forged = ("x-original-url", "https://app.example/public/");
        for headers in [
            &[url, forged][..],
            &[url, ("x-forwarded-host", "evil.example")],
            &[
                forged,
                ("x-forwarded-uri", "/admin"),
                ("x-forwarded-host", "app.example"),
            ],
            &[("x-original-url", "/admin")],
            &[("x-original-url", "https://app.example?x")],
            &[("x-original-url", "https://app.example@evil.example/")],
        ] {
            assert_eq!(asked(Style::Nginx, at, headers), None, "{headers:?}");
        }
        let whole = [
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "app.example"),
            ("x-forwarded-uri", "/admin"),
        ];
        for more in [
            ("x-forwarded-uri", "/public/"),
            ("x-forwarded-host", "other.example"),
            ("x-forwarded-proto", "http"),
        ] {
            let mut headers = whole.to_vec();
            headers.push(more);
            assert_eq!(asked(Style::Forwarded, at, &headers), None, "{more:?}");
        }
        for (name, value) in [
            ("x-forwarded-uri", "admin"),
            ("x-forwarded-uri", "https://app.example/admin"),
            ("x-forwarded-host", "app.example, evil.example"),
            ("x-forwarded-host", "app.example/x"),
            ("x-forwarded-proto", "https, http"),
            ("x-forwarded-proto", "gopher"),
        ] {
            let headers = whole.map(|(known, usual)| {
                let value = if known == name { value } else { usual };
                (known, value)
            });
            assert_eq!(
                asked(Style::Forwarded, at, &headers),
                None,
                "{name}: {value}"
            );
        }
        // Whatever else is sent, these two look at their own headers only.
        let with = [whole[0], whole[1], whole[2], forged];
        let admin = Some("https://app.example/admin".to_owned());
        assert_eq!(asked(Style::Forwarded, at, &with), admin);
    }

    #[test]
    fn a_style_is_named_by_its_path() {
        for (path, style) in [
            ("auth/nginx", Some(Style::Nginx)),
            ("auth/caddy", Some(Style::Forwarded)),
            ("auth/traefik", Some(Style::Forwarded)),
            ("auth/traefik/", Some(Style::Forwarded)),
            ("auth/envoy", Some(Style::Envoy)),
            ("auth/envoy/a/b", Some(Style::Envoy)),
            ("auth/envoyx", None),
            ("auth/nginxx", None),
            ("auth/", None),
            ("start", None),
        ] {
            assert_eq!(Style::of(path), style, "{path}");
        }
    }
}
