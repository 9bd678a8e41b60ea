//! What an answer says when a request cannot be served, and with which status.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;

use super::{csrf, location};
use crate::blueprint::edit::Refusal;
use crate::{directory, execution, journal, web};

/// Why a request was not served. What is shown to the visitor holds nothing secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing.
    #[error("{0}")]
    NotFound(&'static str),
    /// There is no such object, or the caller may not see it.
    #[error("No {0} matches the given query.")]
    Missing(&'static str),
    /// It was there, and nobody can read it any more.
    #[error("{0}")]
    Gone(String),
    /// Nobody is logged in.
    #[error("Authentication credentials were not provided.")]
    NotAuthenticated,
    /// The token is unknown, has ended, or belongs to somebody who is not active.
    #[error("Token invalid/expired")]
    BadToken,
    /// The caller may not do this. The text is authentik's.
    #[error("You do not have permission to perform this action.")]
    NotPermitted,
    /// The fields of the body that are wrong, with a complaint each.
    #[error("The body has fields that are wrong.")]
    Fields(BTreeMap<&'static str, String>),
    /// The fields of the object that are wrong, with their complaints.
    #[error("The object has fields that are wrong.")]
    Invalid(Vec<(String, String)>),
    /// The body is not JSON.
    #[error("JSON parse error - {0}")]
    NotJson(String),
    /// The body is of a kind that is not read.
    #[error("Unsupported media type \"{0}\" in request.")]
    MediaType(String),
    /// The request was not made by the visitor.
    #[error("CSRF Failed: {0}")]
    Csrf(#[from] csrf::Error),
    /// The body has more bytes than are read.
    #[error("The body is larger than {0} bytes.")]
    TooLarge(usize),
    /// The query string has more bytes than a flow takes.
    #[error("The address is too long.")]
    LongAddress,
    /// The head of the request has more bytes than are read.
    #[error("The head of the request is too long.")]
    LongHead,
    /// The body did not arrive whole.
    #[error("The body could not be read.")]
    Unread,
    /// This address asked too often.
    #[error("Request was throttled. Expected available in {} seconds.", seconds(*.0))]
    Throttled(Duration),
    /// An account got too many wrong passwords. Programs read what they know.
    #[error("Request was throttled. Expected available in {} seconds.", seconds(*.0))]
    Guessed(Duration),
    /// The session was bound to a network or a place that the client has left; it has to log in
    /// again.
    #[error("The session has ended because it was used from elsewhere.")]
    BindingBroken {
        /// Where the client wanted to go.
        next: String,
    },
    /// A page is only for whoever is logged in.
    #[error("Nobody is logged in.")]
    LoggedOut {
        /// Where the client wanted to go.
        next: String,
    },
    /// Something that is needed is out of order or has too much to do.
    #[error("The server cannot do this at the moment. Please try again.")]
    Unavailable {
        /// What it was; for the log.
        cause: String,
    },
    /// The bodies of other requests take all the memory that there is for them.
    #[error("The server cannot do this at the moment. Please try again.")]
    Crowded,
    /// The journal takes no writes, such as when the disk is full.
    #[error("The server cannot store anything at the moment. Please try again.")]
    Unwritable {
        /// What it was; for the log.
        cause: String,
    },
    /// A fault of the server's.
    #[error("Something went wrong. The log of the server has more.")]
    Internal {
        /// What it was; for the log.
        cause: String,
    },
}

impl Error {
    /// There is no such page or resource.
    pub const NOT_FOUND: Self = Self::NotFound("Not found.");

    /// There is no such flow. The text is authentik's.
    pub const NO_FLOW: Self = Self::NotFound("No Flow matches the given query.");

    /// There is no such policy. The text is authentik's.
    pub const NO_POLICY: Self = Self::NotFound("No Policy matches the given query.");

    /// Writes what a visitor is not told into the log.
    pub fn log(&self) {
        match self {
            Self::Unavailable { cause } | Self::Unwritable { cause } => {
                tracing::warn!(cause, "cannot serve a request");
            }
            Self::Internal { cause } => tracing::error!(cause, "cannot serve a request"),
            Self::Csrf(csrf::Error::Origin) => tracing::warn!(
                "refused a request of another origin; if it was ours, the proxy before this \
                 server has to be named in web.trusted_proxies and send X-Forwarded-Proto"
            ),
            _ => tracing::debug!(reason = %self, "refused a request"),
        }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound(_) | Self::Missing(_) => StatusCode::NOT_FOUND,
            Self::Gone(_) => StatusCode::GONE,
            Self::NotAuthenticated | Self::BadToken | Self::NotPermitted | Self::Csrf(_) => {
                StatusCode::FORBIDDEN
            }
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::LongAddress => StatusCode::URI_TOO_LONG,
            Self::LongHead => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Unread | Self::Fields(_) | Self::Invalid(_) | Self::NotJson(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Throttled(_) | Self::Guessed(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::BindingBroken { .. } | Self::LoggedOut { .. } => StatusCode::FOUND,
            Self::Unavailable { .. } | Self::Unwritable { .. } | Self::Crowded => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        match self {
            Self::BindingBroken { next } | Self::LoggedOut { next } => {
                return location::redirect(StatusCode::FOUND, &location::login(next));
            }
            Self::Fields(wrong) => {
                let listed = wrong.iter().map(|(field, text)| (*field, [text]));
                return answer.json(listed.collect::<BTreeMap<_, _>>());
            }
            Self::Invalid(wrong) => {
                let mut listed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
                for (field, text) in wrong {
                    listed.entry(field).or_default().push(text);
                }
                return answer.json(listed);
            }
            Self::Throttled(wait) | Self::Guessed(wait) => {
                answer.insert_header((header::RETRY_AFTER, seconds(*wait)));
            }
            Self::Unavailable { .. } | Self::Unwritable { .. } | Self::Crowded => {
                answer.insert_header((header::RETRY_AFTER, 1));
            }
            _ => {}
        }
        answer.json(json!({ "detail": self.to_string() }))
    }
}

impl From<journal::Error> for Error {
    fn from(error: journal::Error) -> Self {
        let cause = error.to_string();
        match error {
            journal::Error::Unavailable(_) | journal::Error::Full { .. } => {
                Self::Unwritable { cause }
            }
            // Another node may be able to.
            journal::Error::Conflict { .. }
            | journal::Error::LeaseLost { .. }
            | journal::Error::Newer { .. } => Self::Unavailable { cause },
            journal::Error::TooLarge { limit, .. } => Self::TooLarge(limit),
            _ => Self::Internal { cause },
        }
    }
}

impl From<directory::Error> for Error {
    fn from(error: directory::Error) -> Self {
        match error {
            directory::Error::Journal(error) => error.into(),
            directory::Error::Contended => Self::Unavailable {
                cause: error.to_string(),
            },
            _ => Self::Internal {
                cause: error.to_string(),
            },
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Fields(fields) => Self::Invalid(fields),
            Refusal::Journal(error) => error.into(),
            error @ (Refusal::Busy(_) | Refusal::Unchecked(_)) => Self::Unavailable {
                cause: error.to_string(),
            },
        }
    }
}

impl From<execution::Error> for Error {
    fn from(error: execution::Error) -> Self {
        match error {
            execution::Error::UnknownFlow => Self::NO_FLOW,
            execution::Error::Throttled(wait) => Self::Throttled(wait),
            execution::Error::Guessed(wait) => Self::Guessed(wait),
            execution::Error::Journal(error) => error.into(),
            execution::Error::Busy
            | execution::Error::Over
            | execution::Error::Superseded
            | execution::Error::InTheWay(_) => Self::Unavailable {
                cause: error.to_string(),
            },
            // Only an operator can ask for what leads to it, and is told so by their own route.
            execution::Error::NotApplicable(_) => Self::Internal {
                cause: error.to_string(),
            },
            execution::Error::Broken(cause) => Self::Internal { cause },
        }
    }
}

impl From<web::Error> for Error {
    fn from(error: web::Error) -> Self {
        Self::Internal {
            cause: error.to_string(),
        }
    }
}

/// Whole seconds, at least one.
fn seconds(wait: Duration) -> u64 {
    let whole = wait.as_secs();
    let begun = u64::from(wait.subsec_nanos() > 0);
    whole.saturating_add(begun).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::to_bytes;

    async fn shown(error: Error) -> (u16, String) {
        let answer = error.error_response();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body()).await.expect("a short body");
        (status, String::from_utf8(body.to_vec()).expect("JSON"))
    }

    #[actix_web::test]
    async fn errors_have_the_texts_that_clients_know() {
        for (error, status, body) in [
            (
                Error::NO_FLOW,
                404,
                r#"{"detail":"No Flow matches the given query."}"#,
            ),
            (
                Error::NotAuthenticated,
                403,
                r#"{"detail":"Authentication credentials were not provided."}"#,
            ),
            (
                Error::BadToken,
                403,
                r#"{"detail":"Token invalid/expired"}"#,
            ),
            (
                Error::Csrf(csrf::Error::Missing),
                403,
                r#"{"detail":"CSRF Failed: CSRF token missing."}"#,
            ),
            (
                Error::Throttled(Duration::from_millis(40)),
                429,
                r#"{"detail":"Request was throttled. Expected available in 1 seconds."}"#,
            ),
        ] {
            assert_eq!(shown(error).await, (status, body.to_owned()));
        }
    }

    #[actix_web::test]
    async fn the_cause_of_a_fault_stays_in_the_log() {
        let (status, body) = shown(Error::Internal {
            cause: "/var/lib/secret".into(),
        })
        .await;
        assert_eq!(status, 500);
        assert!(!body.contains("secret"), "{body}");
    }
}
