//! Which language a page speaks, and how a visitor chooses another one.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{AcceptLanguage, Header as _, Preference};
use actix_web::{HttpResponse, web};

use super::client::client;
use super::cookie::LANGUAGE;
use super::location::redirect;
use super::page::page_error;
use super::request::Arrival;
use super::{Error, State, csrf};
use crate::flow::next::is_safe;
use crate::flow::query::Query;
use crate::web::Language;

/// What the visitor chose, else the first of the languages that their browser asks for which we
/// speak; none when they say neither.
pub(super) fn of(request: &HttpRequest) -> Option<Language> {
    chosen(request).or_else(|| wanted(request))
}

/// What the visitor chose.
pub(super) fn chosen(request: &HttpRequest) -> Option<Language> {
    Language::of(request.cookie(LANGUAGE)?.value())
}

fn wanted(request: &HttpRequest) -> Option<Language> {
    let accepted = AcceptLanguage::parse(request).ok()?;
    let ranked = accepted.ranked();
    let mut tags = ranked.iter().filter_map(|it| match it {
        Preference::Specific(tag) => Some(tag.as_str()),
        Preference::Any => None,
    });
    tags.find_map(Language::of)
}

/// `GET /language/<code>/?next=<path>`: remembers the language in a cookie, and goes back.
pub(super) async fn choose(
    request: HttpRequest,
    code: web::Path<String>,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let answer = remember(&request, &code, &state);
    page_error(&state, &request, arrival, answer).await
}

fn remember(request: &HttpRequest, code: &str, state: &State) -> Result<HttpResponse, Error> {
    csrf::check_embedding(request)?;
    let mut all = Language::ALL.into_iter();
    let language = all.find(|it| it.code() == code).ok_or(Error::NOT_FOUND)?;
    let query = Query::parse(request.query_string());
    let next = query.next().filter(|next| is_safe(next)).unwrap_or("/");
    let mut answer = redirect(StatusCode::SEE_OTHER, next);
    let secure = client(request, &state.trusted_proxies).secure;
    let cookie = state.cookies.language(language.code(), secure);
    answer
        .add_cookie(&cookie)
        .map_err(|error| Error::Internal {
            cause: format!("the cookie {LANGUAGE} cannot be sent: {error}"),
        })?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::cookie::Cookie;
    use actix_web::test::TestRequest;

    #[test]
    fn the_cookie_counts_before_the_browsers_wish() {
        for (cookie, accepted, language) in [
            (None, None, None),
            (
                None,
                Some("fr, de-AT;q=0.5, en;q=0.3"),
                Some(Language::German),
            ),
            (None, Some("de;q=0.2, en-GB"), Some(Language::English)),
            (None, Some("fr, *"), None),
            (Some("de"), Some("en"), Some(Language::German)),
            (Some("zh-Hans"), Some("de"), Some(Language::German)),
            (Some("en"), Some("de"), Some(Language::English)),
        ] {
            let mut request = TestRequest::get();
            if let Some(cookie) = cookie {
                request = request.cookie(Cookie::new(LANGUAGE, cookie));
            }
            if let Some(accepted) = accepted {
                request = request.insert_header(("accept-language", accepted));
            }
            assert_eq!(
                of(&request.to_http_request()),
                language,
                "{cookie:?} {accepted:?}"
            );
        }
    }
}
