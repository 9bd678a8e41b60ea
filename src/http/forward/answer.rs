//! What a proxy is answered.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::asked::Style;
use super::{Ready, SIGN_OUT, START, is_navigation};
use crate::flow::query;
use crate::forward::Original;
use crate::http::Error;
use crate::http::location::redirect;
use crate::web::escaped;

/// The header in which a proxy tells the method of the request that it asks about.
const METHOD: &str = "x-forwarded-method";

impl Ready {
    /// The answer that names somebody by these headers, and may be believed for so many seconds.
    ///
    /// # Errors
    /// When a value does not fit into a header, which none does that was made for it.
    pub(super) fn new(named: [(&'static str, String); 8], seconds: u32) -> Result<Self, Error> {
        let unfit = |name: &str| Error::Internal {
            cause: format!("the header {name} cannot be made"),
        };
        let mut headers = Vec::with_capacity(named.len() + 2);
        for (name, value) in named {
            let value = HeaderValue::from_str(&value).map_err(|_| unfit(name))?;
            headers.push((HeaderName::from_static(name), value));
        }
        let believed = format!("private, max-age={seconds}");
        let believed = HeaderValue::from_str(&believed).map_err(|_| unfit("cache-control"))?;
        headers.push((header::CACHE_CONTROL, believed));
        let vary = HeaderValue::from_static("Cookie, Authorization");
        headers.push((header::VARY, vary));
        Ok(Self(headers))
    }
}

/// Lets somebody pass.
pub(super) fn granted(ready: &Ready) -> HttpResponse {
    let mut answer = HttpResponse::Ok().finish();
    let headers = answer.headers_mut();
    headers.reserve(ready.0.len());
    for (name, value) in &ready.0 {
        headers.insert(name.clone(), value.clone());
    }
    answer
}

/// Lets anybody pass, to this one path: nobody may believe it of another.
pub(super) fn skipped() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// Nobody is known: sends a browser to the login, and tells anybody else.
pub(super) fn stranger(
    style: Style,
    original: &Original<'_>,
    headers: &HeaderMap,
    showed: bool,
) -> HttpResponse {
    let method = headers.get(METHOD).and_then(|it| it.to_str().ok());
    if style != Style::Nginx && !showed && is_navigation(method, headers) {
        let url = original.url();
        let back = query::encode(&url);
        let mut answer = redirect(
            StatusCode::FOUND,
            &format!("{}{START}?rd={back}", original.origin),
        );
        no_store(&mut answer);
        return answer;
    }
    let mut answer = HttpResponse::Unauthorized();
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    if showed {
        answer.insert_header((header::WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#));
    }
    answer.finish()
}

/// Somebody is known and may not pass.
pub(super) fn denied(application: &str, username: &str, messages: &[String]) -> HttpResponse {
    let mut text = format!("You are logged in as {username}, who may not use {application}.");
    for message in messages {
        text.push(' ');
        text.push_str(message);
    }
    small(
        StatusCode::FORBIDDEN,
        "Access denied",
        &text,
        Some((SIGN_OUT, "Log out")),
    )
}

/// No application lives there.
pub(super) fn nowhere() -> HttpResponse {
    small(
        StatusCode::FORBIDDEN,
        "Access denied",
        "No application is known at this address.",
        None,
    )
}

fn no_store(answer: &mut HttpResponse) {
    let value = HeaderValue::from_static("no-store");
    answer.headers_mut().insert(header::CACHE_CONTROL, value);
}

/// A page on the domain of an application, where nothing else of this server is to be had, such as its
/// style sheet.
pub(super) fn small(
    status: StatusCode,
    heading: &str,
    text: &str,
    link: Option<(&str, &str)>,
) -> HttpResponse {
    let link = link.map_or_else(String::new, |(to, name)| {
        format!("<p><a href=\"{}\">{}</a></p>", escaped(to), escaped(name))
    });
    let (heading, text) = (escaped(heading), escaped(text));
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{heading}</title>\n</head>\n\
         <body>\n<main>\n<h1>{heading}</h1>\n<p>{text}</p>\n{link}\n</main>\n</body>\n</html>\n"
    );
    let mut answer = crate::http::page::html(status, page);
    no_store(&mut answer);
    answer
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    #[actix_web::test]
    async fn a_small_page_runs_nothing_that_somebody_is_called() {
        let answer = denied("A & B", "<script>x</script>", &["\"why\"".to_owned()]);
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        let body = to_bytes(answer.into_body()).await.expect("a short body");
        let body = String::from_utf8(body.to_vec()).expect("text");
        assert!(body.contains("&lt;script&gt;x&lt;/script&gt;"), "{body}");
        assert!(body.contains("A &amp; B"), "{body}");
        assert!(!body.contains("<script"), "{body}");
    }
}
