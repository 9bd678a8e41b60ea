//! Invitations, for the operator.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Answer, Operator, Refusal};
use crate::catalog::Flow;
use crate::catalog::flow::flow_by_slug;
use crate::directory::invitation::{self, Invitation, later};
use crate::flow::model::Slug;
use crate::journal::object::{self, Versioned};
use crate::journal::{self, Version};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Creation {
    name: String,
    /// The slug of the only flow that it is for.
    flow: Option<String>,
    /// The moment at which it ends, or how long it is good, such as `3d`.
    expires: Option<String>,
    #[serde(default)]
    single_use: bool,
    #[serde(default)]
    data: Map<String, Value>,
}

/// `GET /operator/invitations`
pub(super) async fn list(operator: Data<Operator>) -> Answer {
    let mut shown = Vec::new();
    for invitation in invitation::invitations(&*operator.journal).await? {
        shown.push(show(&operator, &invitation.value).await?);
    }
    Ok(HttpResponse::Ok().json(json!({ "invitations": shown })))
}

/// `POST /operator/invitations`
pub(super) async fn create(operator: Data<Operator>, body: Json<Creation>) -> Answer {
    let Creation {
        name,
        flow,
        expires,
        single_use,
        data,
    } = body.into_inner();
    let name = Slug::try_from(name);
    let name = name.map_err(|problem| Refusal::Invalid(format!("name: {problem}")))?;
    let mut made = Invitation::new(&operator.clock, name);
    if let Some(slug) = flow {
        let found = flow_by_slug(&*operator.journal, &slug).await?;
        let found = found.ok_or_else(|| Refusal::NotFound(format!("there is no flow {slug:?}")))?;
        made.flow = Some(found.value.pk);
    }
    if let Some(text) = expires {
        made.expires = Some(end(&text, operator.clock.now())?);
    }
    made.single_use = single_use;
    made.fixed_data = data;
    let put = object::put(&made, Version::NONE);
    operator.commit(vec![put]).await?;
    Ok(HttpResponse::Created().json(show(&operator, &made).await?))
}

/// `POST /operator/invitations/{key}/delete`
pub(super) async fn delete(operator: Data<Operator>, key: Path<Uuid>) -> Answer {
    let found: Option<Versioned<Invitation>> = object::get(&*operator.journal, *key).await?;
    let found = found.ok_or_else(|| Refusal::NotFound(format!("there is no invitation {key}")))?;
    let shown = show(&operator, &found.value).await?;
    let gone = object::delete::<Invitation>(*key, found.version);
    operator.commit(vec![gone]).await?;
    Ok(HttpResponse::Ok().json(shown))
}

/// A moment, or a span from now on.
pub(super) fn end(text: &str, now: Timestamp) -> Result<Timestamp, Refusal> {
    let moment = text.parse::<Timestamp>().ok();
    let span = || {
        let span = text.parse::<SignedDuration>().ok().or_else(|| {
            // Days and weeks are no fixed spans to everybody, but they are to an invitation.
            let (number, hours) = match text.trim().strip_suffix('d') {
                Some(number) => (number, 24),
                None => (text.trim().strip_suffix('w')?, 7 * 24),
            };
            let number: i64 = number.trim().parse().ok()?;
            Some(SignedDuration::from_hours(number.checked_mul(hours)?))
        });
        later(now, span?)
    };
    let end = moment.or_else(span).filter(|end| *end > now);
    end.ok_or_else(|| {
        let text = "expires: a moment to come, such as 2030-01-31T12:00:00Z, or a time such as 3d";
        Refusal::Invalid(text.to_owned())
    })
}

/// The path is there only where the invitation says itself for which flow it is.
async fn show(operator: &Operator, invitation: &Invitation) -> journal::Result<Value> {
    let flow: Option<Versioned<Flow>> = match invitation.flow {
        Some(flow) => object::get(&*operator.journal, flow).await?,
        None => None,
    };
    let slug = flow.map(|flow| flow.value.slug.to_string());
    let now = operator.clock.now();
    let is_reserved = invitation.reserved.is_some_and(|it| now < it.until);
    Ok(json!({
        "pk": invitation.pk,
        "name": invitation.name,
        "expires": invitation.expires,
        "single_use": invitation.single_use,
        "flow": slug,
        "fixed_data": invitation.shown_data(),
        "is_expired": invitation.is_expired(now),
        "is_reserved": is_reserved,
        "path": slug.as_deref().map(|slug| invitation.path(slug)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_moment_or_a_time_from_now_and_always_to_come() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a moment");
        for (text, ends) in [
            ("2026-02-03T04:05:06Z", "2026-02-03T04:05:06Z"),
            ("3d", "2026-01-04T00:00:00Z"),
            ("2w", "2026-01-15T00:00:00Z"),
            ("90m", "2026-01-01T01:30:00Z"),
        ] {
            let ends: Timestamp = ends.parse().expect("a moment");
            assert_eq!(end(text, now).expect("an end"), ends, "{text}");
        }
        for text in [
            "",
            "d",
            "-1d",
            "2025-01-01T00:00:00Z",
            "tomorrow",
            "99999999999w",
        ] {
            assert!(end(text, now).is_err(), "{text}");
        }
    }
}
