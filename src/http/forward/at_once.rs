//! The short way: a question whose answer is known already is answered before anything else is done
//! with the request, as there is one for each request that anybody sends to an application.

use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, HttpResponse};

use super::asked::{Style, original};
use super::{OUTPOST, answer};
use crate::forward::Name;
use crate::forward::shown::COOKIE;
use crate::http::State;
use crate::http::client::is_believed;

/// What a proxy is answered, where that is known without anybody being asked.
pub(in crate::http) fn at_once(state: &State, request: &HttpRequest) -> Option<HttpResponse> {
    let style = Style::of(request.path().strip_prefix(OUTPOST)?)?;
    if !is_believed(request, &state.trusted_proxies) {
        return None;
    }
    let asked = original(style, request)?;
    let (journal, now) = (&*state.journal, state.clock.monotonic());
    let forward = &state.forward;
    let protected = forward.known.at_hand(journal, now, &asked.origin)?;
    if protected.skips(asked.path()) {
        return Some(answer::skipped());
    }
    let headers = request.headers();
    let name = |shown: &[u8]| Name::of(protected.application.pk, &asked.origin, shown);
    let kept = match only_cookie(headers)? {
        Some(cookie) => forward
            .kept
            .at_hand(journal, now, &name(&shown_as(b'c', cookie)))?,
        None => match headers.get(header::AUTHORIZATION) {
            Some(header) => {
                let name = name(&shown_as(b'a', header.as_bytes()));
                forward.kept.at_hand(journal, now, &name)?
            }
            None => return Some(answer::stranger(style, &asked, headers, false)),
        },
    };
    Some(answer::granted(&kept.answer))
}

/// What is shown, by its sort: a cookie is not the same as a header of the same letters.
pub(super) fn shown_as(sort: u8, value: &[u8]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(value.len() + 1);
    shown.push(sort);
    shown.extend_from_slice(value);
    shown
}

/// The cookie of the application; `None` where there are several, of which somebody has to find out
/// which is good.
#[expect(clippy::option_option, reason = "several are not as good as none")]
fn only_cookie(headers: &HeaderMap) -> Option<Option<&[u8]>> {
    let mut found = cookies(headers);
    let first = found.next();
    match found.next() {
        Some(_) => None,
        None => Some(first),
    }
}

/// The values of all cookies of the application's name.
pub(super) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let all = headers.get_all(header::COOKIE);
    let pairs = all.flat_map(|it| it.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(|pair| {
        let pair = pair.trim_ascii();
        pair.strip_prefix(COOKIE.as_bytes())?.strip_prefix(b"=")
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let found = |cookie: &str| {
            let request = TestRequest::get().insert_header(("cookie", cookie));
            let request = request.to_http_request();
            let all = cookies(request.headers());
            all.map(|it| String::from_utf8_lossy(it).into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(found("gatelog_app=x"), ["x"]);
        assert_eq!(found("a=b; gatelog_app=x; gatelog_apple=y"), ["x"]);
        assert_eq!(found("gatelog_app=x;gatelog_app=y"), ["x", "y"]);
        assert_eq!(found("xgatelog_app=x"), Vec::<String>::new());
    }
}
