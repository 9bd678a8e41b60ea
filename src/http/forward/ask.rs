//! `/outpost.goauthentik.io/auth/…`: a proxy asks whether a request may pass.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};

use super::asked::{Style, original};
use super::at_once::{cookies, shown_as};
use super::{OUTPOST, Ready, answer};
use crate::catalog::{Application, conditions_of};
use crate::directory::User;
use crate::directory::session::{GeoipBinding, NetworkBinding};
use crate::flow::client::Client;
use crate::flow::query::Query;
use crate::forward::kept::revisions;
use crate::forward::{
    self, Bearer, By, Decision, Fresh, Ground, Name, Original, Protected, Verdict, identity, shown,
};
use crate::http::binding::check;
use crate::http::client::{client, is_believed};
use crate::http::request::Arrival;
use crate::http::session::note_use_elsewhere;
use crate::http::{Error, State};
use crate::journal::object::Versioned;
use crate::policy::{self, Asker};

/// So many cookies of the application's name are looked at; others may have set some as well.
const COOKIES: usize = 4;

/// Answers a proxy.
pub(super) async fn serve(
    request: HttpRequest,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    let path = request.path().strip_prefix(OUTPOST);
    let Some(style) = path.and_then(Style::of) else {
        return Error::NOT_FOUND.error_response();
    };
    match judge(&state, &request, style, arrival).await {
        Ok(answer) => answer,
        Err(error) => {
            error.log();
            error.error_response()
        }
    }
}

async fn judge(
    state: &State,
    request: &HttpRequest,
    style: Style,
    arrival: Arrival,
) -> Result<HttpResponse, Error> {
    if !is_believed(request, &state.trusted_proxies) {
        warn_once();
        return Ok(answer::nowhere());
    }
    let Some(asked) = original(style, request) else {
        tracing::debug!("a proxy does not say what it asks about, or says two things");
        return Ok(answer::nowhere());
    };
    let now = state.clock.monotonic();
    let known = &state.forward.known;
    let Some(protected) = known.at(&*state.journal, now, &asked.origin).await? else {
        return Ok(answer::nowhere());
    };
    let question = Question {
        state,
        request,
        asked: &asked,
        protected: &protected,
        arrival,
    };
    Ok(match question.verdict(style).await? {
        Verdict::Granted(decision) => answer::granted(&decision.answer),
        Verdict::Skipped => answer::skipped(),
        Verdict::Denied { user, messages } => {
            answer::denied(&protected.application.name, &user.username, &messages)
        }
        Verdict::Stranger { showed } => answer::stranger(style, &asked, request.headers(), showed),
        Verdict::Nowhere => answer::nowhere(),
    })
}

/// Says what is wrong where a proxy is not trusted. Once: whoever is not trusted could ask for it all
/// the time.
fn warn_once() {
    static WARNED: AtomicBool = AtomicBool::new(false);
    if !WARNED.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            "somebody asks for forward authentication who is not among web.trusted_proxies, and is \
             refused; if it is your proxy, name its address there"
        );
    }
}

/// A question of a proxy.
struct Question<'a> {
    state: &'a State,
    request: &'a HttpRequest,
    asked: &'a Original<'a>,
    protected: &'a Arc<Protected>,
    arrival: Arrival,
}

type Answered = Verdict<Arc<Decision<Ready>>>;

impl Question<'_> {
    /// The cookie comes first: where there is a good one, the header `Authorization` is the
    /// application's own affair.
    async fn verdict(&self, style: Style) -> Result<Answered, Error> {
        if self.protected.skips(self.asked.path()) {
            return Ok(Verdict::Skipped);
        }
        let headers = self.request.headers();
        let mut client = client(self.request, &self.state.trusted_proxies);
        // Policies see the application's domain, however the proxy reaches this server.
        self.asked.origin.host().clone_into(&mut client.host);
        client.secure = self.asked.origin.is_secure();
        for cookie in cookies(headers).take(COOKIES) {
            if let Some(verdict) = self.by_cookie(cookie, &client).await? {
                return Ok(verdict);
            }
        }
        match headers.get(header::AUTHORIZATION) {
            Some(header) => {
                self.by_authorization(header.as_bytes(), &client, style)
                    .await
            }
            None => Ok(Verdict::Stranger { showed: false }),
        }
    }

    async fn by_cookie(&self, cookie: &[u8], client: &Client) -> Result<Option<Answered>, Error> {
        let name = self.name(&shown_as(b'c', cookie));
        if let Some(known) = self.known(&name).await? {
            return Ok(Some(Verdict::Granted(known)));
        }
        let Ok(cookie) = std::str::from_utf8(cookie) else {
            return Ok(None);
        };
        let State {
            journal, forward, ..
        } = self.state;
        let fresh = self.fresh();
        let place = (self.protected.application.pk, &self.asked.origin);
        let now = self.state.clock.now();
        let found = shown::by_cookie(&**journal, &forward.seal, place, cookie, now).await?;
        let Some(bearer) = found.filter(|it| self.is_bound_here(it, client)) else {
            return Ok(None);
        };
        Ok(Some(self.decide(name, bearer, client, fresh).await?))
    }

    async fn by_authorization(
        &self,
        header: &[u8],
        client: &Client,
        style: Style,
    ) -> Result<Answered, Error> {
        let name = self.name(&shown_as(b'a', header));
        if let Some(known) = self.known(&name).await? {
            return Ok(Verdict::Granted(known));
        }
        let (limiter, at) = (&self.state.limiter, self.state.clock.monotonic());
        // Whoever guessed too often is not told whether this one was right.
        if let Err(wait) = limiter.look(client.address, at) {
            return match style {
                // It would make an error of any other status.
                Style::Nginx => Ok(Verdict::Stranger { showed: true }),
                _ => Err(Error::Throttled(wait)),
            };
        }
        let fresh = self.fresh();
        let journal = &*self.state.journal;
        let found = match std::str::from_utf8(header) {
            Ok(header) => shown::by_authorization(journal, header, self.state.clock.now()).await?,
            Err(_) => None,
        };
        let Some(bearer) = found else {
            let peer = self.request.peer_addr().map(|peer| peer.ip());
            // Whether there were too many counts the next time.
            let _counted = self.state.admit(peer, client.address);
            return Ok(Verdict::Stranger { showed: true });
        };
        self.decide(name, bearer, client, fresh).await
    }

    fn name(&self, shown: &[u8]) -> Name {
        Name::of(self.protected.application.pk, &self.asked.origin, shown)
    }

    fn fresh(&self) -> Fresh {
        Fresh::now(&*self.state.journal, self.state.clock.monotonic())
    }

    /// A decision that was made a moment ago, if all that it depended on is as it was.
    async fn known(&self, name: &Name) -> Result<Option<Arc<Decision<Ready>>>, Error> {
        let State {
            journal,
            forward,
            clock,
            ..
        } = self.state;
        let Some(decision) = forward.kept.recent(clock.monotonic(), name) else {
            return Ok(None);
        };
        let fresh = self.fresh();
        let ground = &decision.ground;
        if ground
            .holds(&**journal, self.protected, clock.now())
            .await?
        {
            forward.kept.keep(*name, Arc::clone(&decision), fresh);
            return Ok(Some(decision));
        }
        forward.kept.forget(name);
        Ok(None)
    }

    /// Whether a login may be used from where it is used now.
    fn is_bound_here(&self, bearer: &Bearer, client: &Client) -> bool {
        let By::Cookie(_, session) = &bearer.by else {
            return true;
        };
        let session = &session.value;
        let bindings = (session.network_binding, session.geoip_binding);
        check(&self.state.geoip, bindings, session.last_ip, client.address).is_ok()
    }

    /// Asks the policies, and keeps what they say for as long as it may be believed.
    async fn decide(
        &self,
        name: Name,
        bearer: Bearer,
        client: &Client,
        fresh: Fresh,
    ) -> Result<Answered, Error> {
        let (state, journal) = (self.state, &*self.state.journal);
        let application = &self.protected.application;
        let user = &bearer.user;
        let bound = conditions_of(journal, application.pk).await?;
        let (conditions, asker) = (revisions(&bound), asker(client, user.clone()));
        let decision = state.executions.may_use(application, bound, asker).await?;
        if !decision.passing {
            return Ok(Verdict::Denied {
                user: Box::new(bearer.user.value),
                messages: decision.messages,
            });
        }
        let groups = forward::groups(journal, &user.value).await?;
        let named = identity::headers(&user.value, &groups, application, state.install_id);
        let seconds = self.believed(&bearer);
        let (login, token) = match &bearer.by {
            By::Cookie(pass, session) => {
                note_use_elsewhere(state, session, self.arrival.id).await?;
                (Some(pass.login), None)
            }
            By::Token(token) => (None, Some((token.value.token_uuid, token.version))),
        };
        let decision = Arc::new(Decision {
            answer: Ready::new(named, seconds)?,
            ground: Ground {
                login,
                token,
                user: (user.value.uuid, user.version),
                application: (application.pk, self.protected.version),
                conditions,
                ends: bearer.ends,
            },
            until: state.clock.monotonic() + Duration::from_secs(seconds.into()),
        });
        if seconds > 0 {
            let kept = Arc::clone(&decision);
            state.forward.kept.keep(name, kept, fresh);
        }
        Ok(Verdict::Granted(decision))
    }

    /// How many seconds a decision may be believed: none where it depends on where a request comes
    /// from, and no more than what was shown is good for.
    fn believed(&self, bearer: &Bearer) -> u32 {
        let is_bound = match &bearer.by {
            By::Cookie(_, session) => {
                session.value.network_binding != NetworkBinding::NoBinding
                    || session.value.geoip_binding != GeoipBinding::NoBinding
            }
            By::Token(_) => false,
        };
        let left = bearer.ends.duration_since(self.state.clock.now()).as_secs();
        let left = u32::try_from(left.max(0)).unwrap_or(u32::MAX);
        if is_bound {
            0
        } else {
            self.protected.forward.cache_seconds.min(left)
        }
    }
}

/// Whoever asks, as policies see them. The path is always the same: a decision is kept for others.
fn asker(client: &Client, user: Versioned<User>) -> Asker<'_> {
    static NOTHING: LazyLock<Query> = LazyLock::new(Query::default);
    Asker {
        client,
        query: &NOTHING,
        path: "/".to_owned(),
        is_answer: false,
        user: Some(user),
    }
}

/// Whether somebody may use an application, asked from its own domain or from that of the login.
///
/// # Errors
/// When the journal cannot be read, or too much is going on.
pub(in crate::http) async fn may_use(
    state: &State,
    application: &Application,
    client: &Client,
    user: Versioned<User>,
) -> Result<policy::Decision, Error> {
    let bound = conditions_of(&*state.journal, application.pk).await?;
    let asker = asker(client, user);
    Ok(state.executions.may_use(application, bound, asker).await?)
}
