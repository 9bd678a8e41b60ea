//! The cookies: what is in them, and which attributes they carry. Looks nothing up.

use std::fmt;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, CookieBuilder, SameSite};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::device::DEVICE;
use super::mfa::MFA;

/// The cookie that says which session a request belongs to.
pub const SESSION: &str = "authentik_session";

/// The cookie that a script sends back as the header `X-authentik-CSRF`.
pub const CSRF: &str = "authentik_csrf";

/// The cookie in which a visitor's choice of a language is kept.
pub const LANGUAGE: &str = "authentik_language";

/// How long a browser keeps the CSRF cookie, and the choice of a language.
const YEAR: Duration = Duration::days(365);

/// Signs and reads the session cookie.
#[derive(Clone)]
pub struct Signer {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

/// What the session cookie says. Clients may read it; the server honours `sid` alone.
#[derive(Serialize)]
struct Claims<'a> {
    sid: &'a str,
    iss: &'static str,
    sub: &'a str,
    authenticated: bool,
    acr: &'static str,
}

/// The one claim that is honoured.
#[derive(Deserialize)]
struct Sid {
    sid: String,
}

impl Signer {
    /// A signer with this key, which must be the same on all nodes.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self {
            encoding: EncodingKey::from_secret(key),
            decoding: DecodingKey::from_secret(key),
        }
    }

    /// The value of the session cookie; `user` is the uid of whoever is logged in.
    ///
    /// # Panics
    /// Never: the claims are plain text and HS256 signs anything.
    #[must_use]
    pub fn sign(&self, sid: &SecretString, user: Option<&str>) -> SecretString {
        let claims = Claims {
            sid: sid.expose_secret(),
            iss: "authentik",
            sub: user.unwrap_or("anonymous"),
            authenticated: user.is_some(),
            acr: "goauthentik.io/core/default",
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .expect("plain claims can be signed")
            .into()
    }

    /// The session secret in a cookie's value; `None` unless this server signed it.
    #[must_use]
    pub fn read(&self, value: &str) -> Option<SecretString> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.required_spec_claims.clear();
        // The session itself says when it ends, and may be prolonged while the cookie stays.
        rules.validate_exp = false;
        rules.validate_aud = false;
        decode::<Sid>(value, &self.decoding, &rules)
            .ok()
            .map(|token| token.claims.sid.into())
    }
}

/// What all cookies of this server share.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The domain of which all hosts get the cookies; none means this host alone.
    pub domain: Option<String>,
}

impl Scope {
    /// The session cookie. `age` in seconds; without it the browser forgets it when it closes.
    #[must_use]
    pub fn session(&self, value: &SecretString, age: Option<i64>, secure: bool) -> Cookie<'static> {
        let same_site = if secure {
            SameSite::None
        } else {
            SameSite::Lax
        };
        let cookie = self
            .build(SESSION, value.expose_secret().to_owned(), secure)
            .http_only(true)
            .same_site(same_site);
        match age {
            Some(age) => cookie.max_age(Duration::seconds(age)),
            None => cookie,
        }
        .finish()
    }

    /// The CSRF cookie, which scripts must be able to read.
    #[must_use]
    pub fn csrf(&self, value: &SecretString, secure: bool) -> Cookie<'static> {
        self.build(CSRF, value.expose_secret().to_owned(), secure)
            .same_site(SameSite::Lax)
            .max_age(YEAR)
            .finish()
    }

    /// The cookie in which the choice of a language is kept. Scripts may read it.
    #[must_use]
    pub fn language(&self, code: &str, secure: bool) -> Cookie<'static> {
        self.build(LANGUAGE, code.to_owned(), secure)
            .same_site(SameSite::Lax)
            .max_age(YEAR)
            .finish()
    }

    /// The cookie by which a browser is known, for `age` seconds. Only this server reads it.
    #[must_use]
    pub fn device(&self, value: &SecretString, age: i64, secure: bool) -> Cookie<'static> {
        self.build(DEVICE, value.expose_secret().to_owned(), secure)
            .http_only(true)
            .same_site(SameSite::Lax)
            .max_age(Duration::seconds(age))
            .finish()
    }

    /// The cookie by which a second factor is not asked for again, for `age` seconds. Only this
    /// server reads it.
    #[must_use]
    pub fn factor(&self, value: &SecretString, age: i64, secure: bool) -> Cookie<'static> {
        self.build(MFA, value.expose_secret().to_owned(), secure)
            .http_only(true)
            .same_site(SameSite::Lax)
            .max_age(Duration::seconds(age))
            .finish()
    }

    fn build(&self, name: &'static str, value: String, secure: bool) -> CookieBuilder<'static> {
        let cookie = Cookie::build(name, value).path("/").secure(secure);
        match &self.domain {
            Some(domain) => cookie.domain(domain.clone()),
            None => cookie,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sid() -> SecretString {
        "a-session-secret".to_owned().into()
    }

    #[test]
    fn a_signed_cookie_is_read_back() {
        let signer = Signer::new(&[7; 32]);
        let value = signer.sign(&sid(), None);
        let read = signer.read(value.expose_secret()).expect("it was signed");
        assert_eq!(read.expose_secret(), "a-session-secret");
    }

    #[test]
    fn the_claims_are_the_ones_that_clients_read() {
        let signer = Signer::new(&[7; 32]);
        let claims = |user| {
            let value = signer.sign(&sid(), user);
            jsonwebtoken::dangerous::insecure_decode::<serde_json::Value>(value.expose_secret())
                .expect("it was signed")
                .claims
        };
        assert_eq!(
            claims(None),
            serde_json::json!({"sid": "a-session-secret", "iss": "authentik", "sub": "anonymous",
                "authenticated": false, "acr": "goauthentik.io/core/default"})
        );
        assert_eq!(claims(Some("abc"))["sub"], "abc");
        assert_eq!(claims(Some("abc"))["authenticated"], true);
    }

    #[test]
    fn a_cookie_signed_by_somebody_else_is_none() {
        let value = Signer::new(&[8; 32]).sign(&sid(), None);
        assert!(Signer::new(&[7; 32]).read(value.expose_secret()).is_none());
        assert!(Signer::new(&[7; 32]).read("x.y.z").is_none());
        // {"alg":"none"} and the same claims, unsigned.
        let unsigned = "eyJhbGciOiJub25lIn0.eyJzaWQiOiJhIn0.";
        assert!(Signer::new(&[7; 32]).read(unsigned).is_none());
    }

    #[test]
    fn over_tls_the_session_cookie_is_secure_and_none_else_lax() {
        let scope = Scope::default();
        let plain = scope.session(&sid(), None, false).to_string();
        assert_eq!(
            plain,
            "authentik_session=a-session-secret; HttpOnly; SameSite=Lax; Path=/"
        );
        let secure = scope.session(&sid(), Some(60), true).to_string();
        assert!(secure.contains("; Secure"), "{secure}");
        assert!(secure.contains("SameSite=None"), "{secure}");
        assert!(secure.contains("Max-Age=60"), "{secure}");
    }

    #[test]
    fn the_cookie_of_second_factors_is_for_the_server_alone() {
        let scope = Scope::default();
        let plain = scope.factor(&sid(), 60, false).to_string();
        assert_eq!(
            plain,
            "authentik_mfa=a-session-secret; HttpOnly; SameSite=Lax; Path=/; Max-Age=60"
        );
        let secure = scope.factor(&sid(), 60, true).to_string();
        assert!(secure.contains("; Secure"), "{secure}");
    }

    #[test]
    fn the_device_cookie_is_for_the_server_alone() {
        let scope = Scope::default();
        let plain = scope.device(&sid(), 60, false).to_string();
        assert_eq!(
            plain,
            "authentik_device=a-session-secret; HttpOnly; SameSite=Lax; Path=/; Max-Age=60"
        );
        let secure = scope.device(&sid(), 60, true).to_string();
        assert!(secure.contains("; Secure"), "{secure}");
    }

    #[test]
    fn the_csrf_cookie_can_be_read_by_scripts() {
        let scope = Scope {
            domain: Some("example.com".into()),
        };
        let cookie = scope.csrf(&"token".to_owned().into(), false).to_string();
        assert!(!cookie.contains("HttpOnly"), "{cookie}");
        assert!(cookie.contains("SameSite=Lax"), "{cookie}");
        assert!(cookie.contains("Domain=example.com"), "{cookie}");
    }
}
