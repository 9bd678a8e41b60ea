//! The cookies of one visitor, as far as a flow needs them: names and values, of one server.

use hyper::header::{HeaderMap, HeaderValue, SET_COOKIE};

/// The cookie whose value goes back as a header with each answer.
const CSRF: &str = "authentik_csrf";

#[derive(Debug, Default)]
pub(super) struct Jar {
    cookies: Vec<(String, String)>,
    /// The cookies as they are sent, made when one of them changes.
    header: Option<HeaderValue>,
}

impl Jar {
    /// Keeps what an answer sets, and forgets what it takes back.
    pub(super) fn take(&mut self, headers: &HeaderMap) {
        let mut is_changed = false;
        for cookie in headers.get_all(SET_COOKIE) {
            let Some((name, value)) = cookie.to_str().ok().and_then(parse) else {
                continue;
            };
            let known = self.cookies.iter_mut().find(|(known, _)| known == name);
            match known {
                Some((_, known)) if known == value => continue,
                Some((_, known)) => value.clone_into(known),
                None => self.cookies.push((name.to_owned(), value.to_owned())),
            }
            is_changed = true;
        }
        if is_changed {
            self.cookies.retain(|(_, value)| !value.is_empty());
            let all = self.cookies.iter();
            let all = all.map(|(name, value)| format!("{name}={value}"));
            let all = all.collect::<Vec<_>>().join("; ");
            self.header = HeaderValue::from_str(&all).ok();
        }
    }

    /// The header `Cookie`.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        self.header.clone().filter(|header| !header.is_empty())
    }

    /// The value of the token against forged requests.
    pub(super) fn csrf(&self) -> Option<HeaderValue> {
        let found = self.cookies.iter().find(|(name, _)| name == CSRF);
        HeaderValue::from_str(&found?.1).ok()
    }
}

/// The name and the value; an empty value where the cookie is taken back.
fn parse(cookie: &str) -> Option<(&str, &str)> {
    let mut parts = cookie.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let is_over = parts.any(|part| part.trim().eq_ignore_ascii_case("max-age=0"));
    Some((name.trim(), if is_over { "" } else { value.trim() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(jar: &mut Jar, cookie: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(SET_COOKIE, HeaderValue::from_static(cookie));
        jar.take(&headers);
        let header = jar.header().map(|it| it.to_str().expect("text").to_owned());
        header.unwrap_or_default()
    }

    #[test]
    fn cookies_are_kept_replaced_and_taken_back() {
        let mut jar = Jar::default();
        assert_eq!(told(&mut jar, "a=1; Path=/; HttpOnly"), "a=1");
        assert_eq!(told(&mut jar, "authentik_csrf=x"), "a=1; authentik_csrf=x");
        assert_eq!(jar.csrf().expect("a token"), "x");
        assert_eq!(told(&mut jar, "a=2"), "a=2; authentik_csrf=x");
        assert_eq!(told(&mut jar, "a=3; Max-Age=0"), "authentik_csrf=x");
        assert_eq!(told(&mut jar, "authentik_csrf="), "");
        assert!(jar.csrf().is_none());
    }
}
