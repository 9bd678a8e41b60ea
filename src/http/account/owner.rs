//! Somebody who is logged in and looks at what is theirs.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::{Form, PATH};
use crate::directory::change::Means;
use crate::directory::{Author, Session, User};
use crate::flow::query::{self, Query};
use crate::http::acts::Doer;
use crate::http::flow_page::OUT_OF_DATE;
use crate::http::location::redirect;
use crate::http::page::{dress, html, person};
use crate::http::request::Arrival;
use crate::http::session::Visitor;
use crate::http::{Error, State, csrf, location};
use crate::journal::Journal;
use crate::journal::object::Versioned;
use crate::web::account::{Frame, Moment, Topic};

/// Somebody who is logged in.
pub(super) struct Owner<'a> {
    /// What every handler needs.
    pub(super) state: &'a State,
    /// The request.
    pub(super) request: &'a HttpRequest,
    /// When it came, and its id.
    pub(super) arrival: Arrival,
    /// Who it is.
    pub(super) user: Versioned<User>,
    /// The session in which they are logged in.
    pub(super) session: Session,
    /// Their end of the line.
    pub(super) visitor: Visitor,
    /// What is said above the page.
    notice: Option<String>,
    status: StatusCode,
}

impl<'a> Owner<'a> {
    /// Whoever is logged in.
    ///
    /// # Errors
    /// [`Error::LoggedOut`] when nobody is.
    pub(super) async fn of(
        state: &'a State,
        request: &'a HttpRequest,
        arrival: Arrival,
    ) -> Result<Self, Error> {
        let visitor = Visitor::of(state, request, arrival.id).await?;
        // A former secret may have been planted, and no page has the token for the present one.
        let (Some(user), Some(session), false) = (&visitor.user, &visitor.session, visitor.is_late)
        else {
            return Err(Error::LoggedOut {
                next: location::of(request),
            });
        };
        Ok(Self {
            state,
            request,
            arrival,
            user: user.clone(),
            session: session.value.clone(),
            visitor,
            notice: None,
            status: StatusCode::OK,
        })
    }

    /// Whether a form comes from a page of this session.
    pub(super) fn admits(&self, form: &Form) -> bool {
        csrf::check_token(form.get("csrf"), &self.session.csrf).is_ok()
    }

    /// Says on the page that the form was not taken.
    pub(super) fn refuse(&mut self) {
        self.status = StatusCode::FORBIDDEN;
        self.notice = Some(OUT_OF_DATE.to_owned());
    }

    /// Says something above the page.
    pub(super) fn say(&mut self, notice: impl Into<String>) {
        self.notice = Some(notice.into());
    }

    pub(super) fn journal(&self) -> &'a dyn Journal {
        &*self.state.journal
    }

    /// A moment as the page shows it.
    pub(super) fn moment(&self, at: Timestamp) -> Moment {
        Moment::of(at, self.state.clock.now())
    }

    /// The moment of something that has happened, as the page shows it.
    pub(super) fn past(&self, at: Timestamp) -> Moment {
        Moment::past(at, self.state.clock.now())
    }

    /// Themselves as somebody who does something.
    pub(super) fn doer(&self) -> Doer<'_> {
        Doer {
            state: self.state,
            author: Author {
                user: Some(self.user.value.uuid),
                address: Some(self.visitor.client.address),
                request: Some(format!("{} {}", self.request.method(), self.request.path())),
                ..Author::by(Means::Page)
            },
            client: &self.visitor.client,
            arrival: self.arrival,
        }
    }

    /// The page of a topic.
    pub(super) async fn page(&self, topic: &Topic) -> Result<HttpResponse, Error> {
        let query = Query::parse(self.request.query_string());
        let frame = Frame {
            person: person(self.state, &self.user.value).await?,
            csrf: self.session.csrf.expose_secret().to_owned(),
            done: query.get("done").map(str::to_owned),
            notice: self.notice.clone(),
        };
        let dress = dress(self.state, self.request).await?;
        let page = self.state.pages.account(&dress, &frame, topic)?;
        Ok(html(self.status, page))
    }

    /// Goes on to the page at `path` below ours, which says what was done.
    pub(super) fn done(path: &str, what: &str) -> HttpResponse {
        redirect(StatusCode::SEE_OTHER, &format!("{PATH}{path}?done={what}"))
    }
}

/// An address that comes back to the page at `path` below ours.
pub(super) fn coming_back(address: &str, path: &str) -> String {
    format!("{address}?{}", next(path))
}

/// The query string that leads back there.
pub(super) fn next(path: &str) -> String {
    format!("next={}", query::encode(&format!("{PATH}{path}")))
}
