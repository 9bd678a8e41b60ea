//! Where somebody is logged in, and the end of it.

use std::cmp::Reverse;

use actix_web::HttpResponse;
use uuid::Uuid;

use super::Owner;
use crate::directory::{Session, sessions_of};
use crate::http::{Error, agent};
use crate::journal::object::Versioned;
use crate::web::account::{Topic, Used};

/// Where the list is.
const LIST: &str = "sessions/";

/// `GET /if/user/sessions/`, this one first.
pub(super) async fn list(owner: &Owner<'_>) -> Result<HttpResponse, Error> {
    let mut found = all(owner).await?;
    found.sort_by_key(|it| (!is_current(owner, it), Reverse(it.value.last_used)));
    let shown = found.iter().map(|it| shown(owner, it)).collect();
    owner.page(&Topic::Sessions(shown)).await
}

/// `POST /if/user/sessions/<id>/end/`
pub(super) async fn end(owner: &Owner<'_>, id: &str) -> Result<HttpResponse, Error> {
    let id: Uuid = id.parse().map_err(|_| Error::NOT_FOUND)?;
    let mut found = all(owner).await?.into_iter();
    let found = found.find(|it| it.value.id == id);
    let found = found.ok_or(Error::NOT_FOUND)?;
    owner.doer().end_sessions(vec![found]).await?;
    Ok(Owner::done(LIST, "ended"))
}

/// `POST /if/user/sessions/end-others/`: all but this one.
pub(super) async fn end_others(owner: &Owner<'_>) -> Result<HttpResponse, Error> {
    let mut others = all(owner).await?;
    others.retain(|it| !is_current(owner, it));
    owner.doer().end_sessions(others).await?;
    Ok(Owner::done(LIST, "ended-others"))
}

/// The user's own that have not ended.
async fn all(owner: &Owner<'_>) -> Result<Vec<Versioned<Session>>, Error> {
    let now = owner.state.clock.now();
    let mut found = sessions_of(owner.journal(), owner.user.value.uuid).await?;
    found.retain(|it| !it.value.is_expired(now));
    Ok(found)
}

fn is_current(owner: &Owner<'_>, session: &Versioned<Session>) -> bool {
    session.value.id == owner.session.id
}

fn shown(owner: &Owner<'_>, session: &Versioned<Session>) -> Used {
    let it = &session.value;
    let (browser, system) = agent::names(&it.last_user_agent);
    Used {
        id: it.id,
        is_current: is_current(owner, session),
        browser,
        system,
        agent: it.last_user_agent.clone(),
        address: it.last_ip.to_canonical().to_string(),
        place: place(owner, it),
        started: owner.past(it.created),
        used: owner.past(it.last_used),
        expires: owner.moment(it.expires),
    }
}

/// Where a session was last used, as far as the databases say; else whose network that is.
fn place(owner: &Owner<'_>, session: &Session) -> Option<String> {
    let geoip = &owner.state.geoip;
    let city = geoip.city(session.last_ip).map(|it| {
        let parts = [Some(it.city), it.country];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts
    });
    let mut parts = city.unwrap_or_default();
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() {
        let network = geoip.network(session.last_ip);
        return network.map(|it| it.as_org).filter(|it| !it.is_empty());
    }
    Some(parts.join(", "))
}
