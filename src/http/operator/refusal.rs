//! Why an operator's request was not carried out. The operator may read everything.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError};
use serde_json::json;

use crate::directory::password::Busy;
use crate::{directory, journal};

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The caller is another user of the machine.
    #[error("only the user who runs the server, or root, may do this")]
    Stranger,
    /// What was asked for does not exist.
    #[error("{0}")]
    NotFound(String),
    /// What was asked for was there, and nobody can read it any more.
    #[error("{0}")]
    Erased(String),
    /// The request's body is not what it should be.
    #[error("the request cannot be read: {0}")]
    Malformed(String),
    /// A field has a value that cannot be stored.
    #[error("{0}")]
    Invalid(String),
    /// A blueprint cannot be applied; each problem names its place.
    #[error("the blueprint has {} problems", .0.len())]
    Blueprint(Vec<String>),
    /// There is too much to do.
    #[error("the server has too much to do at the moment; try again")]
    Busy,
    /// A fault of the program.
    #[error("{0}")]
    Broken(String),
    /// The journal failed.
    #[error("{0}")]
    Journal(#[from] journal::Error),
}

impl Refusal {
    /// What programs read; `cli` chooses the exit code by it.
    fn code(&self) -> &'static str {
        match self {
            Self::Stranger => "forbidden",
            Self::NotFound(_) => "not_found",
            Self::Erased(_) => "erased",
            Self::Malformed(_) => "malformed",
            Self::Invalid(_) => "invalid",
            Self::Blueprint(_) => "blueprint",
            Self::Busy => "busy",
            Self::Broken(_) => "broken",
            Self::Journal(error) => match error {
                journal::Error::Corrupt { .. } | journal::Error::Damaged { .. } => {
                    "journal_corrupt"
                }
                journal::Error::Newer { .. } => "journal_newer",
                journal::Error::Unavailable(_)
                | journal::Error::Full { .. }
                | journal::Error::Io { .. } => "journal_unavailable",
                _ => "journal",
            },
        }
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Stranger => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Erased(_) => StatusCode::GONE,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Invalid(_) | Self::Blueprint(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken(_) | Self::Journal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let problems = match self {
            Self::Blueprint(problems) => problems.clone(),
            Self::Journal(error) => vec![error.to_string()],
            _ => Vec::new(),
        };
        HttpResponse::build(self.status_code()).json(json!({
            "code": self.code(),
            "message": self.to_string(),
            "problems": problems,
        }))
    }
}

impl Responder for Refusal {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.error_response()
    }
}

impl From<directory::Error> for Refusal {
    fn from(error: directory::Error) -> Self {
        match error {
            directory::Error::NoSuchUser(_) => Self::NotFound(error.to_string()),
            directory::Error::Contended => Self::Busy,
            directory::Error::Journal(error) => Self::Journal(error),
            _ => Self::Invalid(error.to_string()),
        }
    }
}

impl From<Busy> for Refusal {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}
