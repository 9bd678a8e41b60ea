//! What a server answered, and what a test says about it.

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use serde_json::Value;

/// One answer, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// What was asked, for messages.
    pub(crate) to: String,
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The component of a challenge.
    #[track_caller]
    pub(crate) fn component(&self) -> String {
        let body = self.json();
        body["component"]
            .as_str()
            .unwrap_or_else(|| panic!("no challenge: {self:?}"))
            .to_owned()
    }

    /// The answer has this status.
    #[track_caller]
    pub(crate) fn has_status(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}: {self:?}", self.to);
        self
    }

    /// It is a challenge with this component.
    #[track_caller]
    pub(crate) fn sees(&self, component: &str) -> &Self {
        self.has_status(200);
        assert_eq!(self.component(), component, "{self:?}");
        self
    }

    /// The challenge has this entry.
    #[track_caller]
    pub(crate) fn with(&self, key: &str, value: impl Into<Value>) -> &Self {
        let value = value.into();
        assert_eq!(self.json()[key], value, "{key} of {self:?}");
        self
    }

    /// The first error of this field has this code.
    #[track_caller]
    pub(crate) fn with_error(&self, field: &str, code: &str) -> &Self {
        let found = &self.json()["response_errors"][field][0]["code"];
        assert_eq!(found, code, "{self:?}");
        self
    }

    /// The challenge complains of nothing.
    #[track_caller]
    pub(crate) fn without_errors(&self) -> &Self {
        let body = self.json();
        assert!(body.get("response_errors").is_none(), "{self:?}");
        self
    }

    /// The flow is over and leads here.
    #[track_caller]
    pub(crate) fn is_redirected_to(&self, path: &str) -> &Self {
        self.sees("xak-flow-redirect").with("to", path)
    }

    /// The flow ended with a refusal in these words.
    #[track_caller]
    pub(crate) fn is_denied(&self, message: &str) -> &Self {
        self.sees("ak-stage-access-denied")
            .with("error_message", message)
    }

    /// The browser is sent here, by HTTP.
    #[track_caller]
    pub(crate) fn leads_to(&self, location: &str) -> &Self {
        assert!(self.status.is_redirection(), "{self:?}");
        assert_eq!(self.header(LOCATION.as_str()), location, "{self:?}");
        self
    }

    /// A header's value; nothing where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|it| it.to_str().ok());
        value.unwrap_or_default()
    }

    /// The whole `Set-Cookie` of this cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let all = self.headers.get_all(SET_COOKIE).iter();
        all.filter_map(|header| header.to_str().ok())
            .find(|header| header.starts_with(&format!("{name}=")))
    }

    /// The body holds this text.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "no {text:?} in {self:?}");
        self
    }

    /// The body does not hold this text.
    #[track_caller]
    pub(crate) fn hides(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{text:?} in {self:?}");
        self
    }
}
