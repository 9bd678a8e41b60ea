//! What somebody allowed applications, and taking it back.

use actix_web::HttpResponse;
use uuid::Uuid;

use super::Owner;
use crate::directory::UserConsent;
use crate::directory::consent::consents_of;
use crate::http::Error;
use crate::journal::object::{Stored, Versioned};
use crate::journal::{StreamId, Version};
use crate::web::account::{Consent, Moment, Topic};

/// `GET /if/user/consents/`, by application.
pub(super) async fn list(owner: &Owner<'_>) -> Result<HttpResponse, Error> {
    let now = owner.state.clock.now();
    let mut found = all(owner).await?;
    found.sort_by(|one, other| one.value.application.cmp(&other.value.application));
    let mut shown = Vec::with_capacity(found.len());
    for Versioned { value: it, .. } in found {
        shown.push(Consent {
            since: since(owner, it.id).await?,
            permissions: it
                .permissions
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            expires: it.expires.map(|at| owner.moment(at)),
            is_over: it.is_expired(now),
            id: it.id,
            application: it.application,
        });
    }
    owner.page(&Topic::Consents(shown)).await
}

/// `POST /if/user/consents/<id>/revoke/`
pub(super) async fn revoke(owner: &Owner<'_>, id: &str) -> Result<HttpResponse, Error> {
    let id: Uuid = id.parse().map_err(|_| Error::NOT_FOUND)?;
    if !all(owner).await?.iter().any(|it| it.value.id == id) {
        return Err(Error::NOT_FOUND);
    }
    owner.doer().revoke_consent(id).await?;
    Ok(Owner::done("consents/", "revoked"))
}

async fn all(owner: &Owner<'_>) -> Result<Vec<Versioned<UserConsent>>, Error> {
    Ok(consents_of(owner.journal(), owner.user.value.uuid).await?)
}

/// When it was first given.
async fn since(owner: &Owner<'_>, consent: Uuid) -> Result<Option<Moment>, Error> {
    let stream = StreamId::new(UserConsent::KIND, consent);
    let records = owner.journal().read(stream, Version::NONE).await?;
    Ok(records.first().map(|record| owner.moment(record.at)))
}
