//! Where a request comes from, behind the proxies that are trusted to tell.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderValue};
use ipnet::IpNet;

use super::language;
use crate::flow::client::Client;

/// What stands for a peer without an address: the server's own Unix socket.
const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The longest user agent that is kept, in characters.
const USER_AGENT: usize = 512;

/// Reads the visitor's end of the line from the request.
///
/// `X-Forwarded-For`, `-Host` and `-Proto` count only when the peer is one of `trusted`, or the
/// server's own Unix socket, which only the server's own user can open.
#[must_use]
pub fn client(request: &HttpRequest, trusted: &[IpNet]) -> Client {
    let believed = is_believed(request, trusted);
    let forwarded = |name| believed.then(|| text(request, name)).flatten();
    let address = address(request, trusted);
    let host = forwarded("x-forwarded-host")
        .and_then(|hosts| hosts.split(',').next())
        .map(str::trim)
        .or_else(|| text(request, header::HOST.as_str()))
        .filter(|host| is_host(host))
        .unwrap_or("localhost");
    let secure = match forwarded("x-forwarded-proto") {
        Some(scheme) => scheme
            .split(',')
            .next()
            .is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https")),
        None => request.app_config().secure(),
    };
    Client {
        address,
        user_agent: text(request, header::USER_AGENT.as_str())
            .unwrap_or_default()
            .chars()
            .take(USER_AGENT)
            .collect(),
        host: host.to_ascii_lowercase(),
        secure,
        // Mails speak as the pages do that ask for them.
        language: language::chosen(request)
            .map(|it| it.code().to_owned())
            .or_else(|| text(request, header::ACCEPT_LANGUAGE.as_str()).and_then(first_language)),
        outpost: None,
        device: None,
        mfa: None,
    }
}

/// The visitor's address alone.
#[must_use]
pub fn address(request: &HttpRequest, trusted: &[IpNet]) -> IpAddr {
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
    if peer.is_none_or(|peer| is_trusted(peer, trusted)) {
        behind_proxies(request, peer.unwrap_or(LOCAL), trusted)
    } else {
        peer.unwrap_or(LOCAL)
    }
}

/// Whether the peer is believed in what it says about a request beside the request itself.
pub(super) fn is_believed(request: &HttpRequest, trusted: &[IpNet]) -> bool {
    let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
    peer.is_none_or(|peer| is_trusted(peer, trusted))
}

/// Whether this peer may say on whose behalf it asks.
pub(super) fn is_trusted(peer: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&peer))
}

/// The nearest address that is not a trusted proxy.
///
/// The list grows to the right, so whatever a visitor wrote into it stands left of what the
/// proxies added; it is read from the right and never past the first address not trusted.
fn behind_proxies(request: &HttpRequest, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let mut nearest = peer;
    let lists: Vec<&[u8]> = request
        .headers()
        .get_all("x-forwarded-for")
        .map(HeaderValue::as_bytes)
        .collect();
    // Bytes, not text: a letter that is none, put there by the visitor, must not take away what
    // the proxy wrote into the same line.
    let hops = lists
        .iter()
        .rev()
        .flat_map(|list| list.rsplit(|&byte| byte == b','));
    for hop in hops {
        let hop = std::str::from_utf8(hop).ok().map(str::trim);
        let Some(address) = hop.and_then(hop_address) else {
            break;
        };
        nearest = address;
        if !is_trusted(address, trusted) {
            break;
        }
    }
    nearest
}

/// An address as proxies write it: bare, or with a port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop.parse::<IpAddr>().ok();
    let with_port = || hop.parse::<std::net::SocketAddr>().ok().map(|at| at.ip());
    let bracketed = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    bare.or_else(with_port)
        .or_else(bracketed)
        .map(|address: IpAddr| address.to_canonical())
}

fn text<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// Whether this can stand in an address as host and port, and nothing more than that.
fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 255
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

/// The first tag of an `Accept-Language` list, such as `de-AT`.
fn first_language(list: &str) -> Option<String> {
    let tag = list.split(',').next()?.split(';').next()?.trim();
    let plain = !tag.is_empty()
        && tag.len() <= 35
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    plain.then(|| tag.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn trusted() -> Vec<IpNet> {
        vec!["127.0.0.0/8".parse().expect("a literal")]
    }

    fn from(peer: &str) -> TestRequest {
        TestRequest::get().peer_addr(format!("{peer}:4000").parse().expect("a literal"))
    }

    fn seen(request: TestRequest) -> Client {
        client(&request.to_http_request(), &trusted())
    }

    #[test]
    fn a_stranger_cannot_speak_for_somebody_else() {
        let client = seen(
            from("203.0.113.9")
                .insert_header(("x-forwarded-for", "198.51.100.1"))
                .insert_header(("x-forwarded-host", "evil.example"))
                .insert_header(("x-forwarded-proto", "https"))
                .insert_header(("host", "login.example")),
        );
        assert_eq!(client.address.to_string(), "203.0.113.9");
        assert_eq!(client.host, "login.example");
        assert!(!client.secure);
    }

    #[test]
    fn a_trusted_proxy_is_believed() {
        let client = seen(
            from("127.0.0.1")
                .insert_header(("x-forwarded-for", "198.51.100.1"))
                .insert_header(("x-forwarded-host", "Login.Example:8443"))
                .insert_header(("x-forwarded-proto", "https")),
        );
        assert_eq!(client.address.to_string(), "198.51.100.1");
        assert_eq!(client.host, "login.example:8443");
        assert!(client.secure);
    }

    #[test]
    fn what_a_visitor_wrote_before_the_proxy_does_not_count() {
        let client = seen(
            from("127.0.0.1")
                .insert_header(("x-forwarded-for", "192.0.2.1, 198.51.100.1, 127.0.0.2")),
        );
        assert_eq!(client.address.to_string(), "198.51.100.1");
    }

    #[test]
    fn bytes_that_are_no_text_do_not_hide_what_the_proxy_wrote() {
        let list = HeaderValue::from_bytes(b"\xff, 198.51.100.1").expect("a header takes it");
        let client = seen(from("127.0.0.1").insert_header(("x-forwarded-for", list)));
        assert_eq!(client.address.to_string(), "198.51.100.1");
    }

    #[test]
    fn addresses_with_ports_and_mapped_ones_are_understood() {
        for (hop, address) in [
            ("198.51.100.1:5123", "198.51.100.1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("::ffff:198.51.100.1", "198.51.100.1"),
        ] {
            let client = seen(from("127.0.0.1").insert_header(("x-forwarded-for", hop)));
            assert_eq!(client.address.to_string(), address, "{hop}");
        }
    }

    #[test]
    fn a_list_that_makes_no_sense_leaves_the_peer() {
        let client = seen(from("127.0.0.1").insert_header(("x-forwarded-for", "unknown")));
        assert_eq!(client.address.to_string(), "127.0.0.1");
    }

    #[test]
    fn a_host_that_is_none_is_not_taken() {
        let client = seen(from("203.0.113.9").insert_header(("host", "a/b<c>")));
        assert_eq!(client.host, "localhost");
    }

    #[test]
    fn the_most_wanted_language_is_kept() {
        let client =
            seen(from("203.0.113.9").insert_header(("accept-language", "de-AT;q=0.9, en")));
        assert_eq!(client.language.as_deref(), Some("de-AT"));
    }
}
