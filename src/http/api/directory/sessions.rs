//! `/core/authenticated_sessions/`: where people are logged in. Everybody sees and ends their own.
//!
//! Source: authentik `core/api/authenticated_sessions.py`.

use actix_web::HttpResponse;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::call::Call;
use super::super::operation::{Answered, Content, Method, Operation};
use super::super::schema::{Components, uuid};
use crate::directory::{Session, User, sessions_of, user_by_pk};
use crate::flow::query::Query;
use crate::geoip::Geoip;
use crate::http::{Error, agent};
use crate::journal::object::{self, Versioned};

const NAME: &str = "AuthenticatedSession";
const VIEW: &str = "authentik_core.view_authenticatedsession";
const DELETE: &str = "authentik_core.delete_authenticatedsession";

/// The operations on sessions.
pub(super) fn operations() -> Vec<Operation> {
    let list = "/core/authenticated_sessions/";
    let one = "/core/authenticated_sessions/{uuid}/";
    let text = json!({ "type": "string" });
    let numbers = json!({ "type": "array", "items": { "type": "integer" } });
    let op = |name: &str| format!("core_authenticated_sessions_{name}");
    vec![
        Operation::new(Method::Get, list, &op("list"), all)
            .paged()
            .asks("session__last_ip", text.clone())
            .asks("session__last_user_agent", text.clone())
            .asks("user__username", text)
            .answers(200, Content::Page(NAME.to_owned())),
        Operation::new(Method::Get, one, &op("retrieve"), retrieve)
            .key("uuid", &uuid())
            .answers(200, Content::One(NAME.to_owned())),
        Operation::new(Method::Delete, one, &op("destroy"), destroy)
            .key("uuid", &uuid())
            .answers(204, Content::Nothing),
        Operation::new(
            Method::Get,
            "/core/authenticated_sessions/{uuid}/used_by/",
            &op("used_by_list"),
            used_by,
        )
        .key("uuid", &uuid())
        .answers(200, Content::List("UsedBy".to_owned())),
        Operation::new(
            Method::Delete,
            "/core/authenticated_sessions/bulk_delete/",
            &op("bulk_delete_destroy"),
            bulk_delete,
        )
        .asks("user_pks", numbers)
        .answers(200, Content::One("BulkDeleteSessionResponse".to_owned())),
    ]
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    let text = || json!({ "type": "string" });
    let maybe = |kind: &str| json!({ "type": [kind, "null"] });
    let all = |names: &[&str]| {
        let properties = names.iter().map(|name| ((*name).to_owned(), text()));
        json!({
            "type": "object",
            "properties": properties.collect::<serde_json::Map<_, _>>(),
            "required": names,
        })
    };
    components.put(
        NAME,
        json!({
            "type": "object",
            "properties": {
                "uuid": uuid(),
                "current": { "type": "boolean", "readOnly": true },
                "user_agent": {
                    "type": "object",
                    "properties": {
                        "device": all(&["brand", "family", "model"]),
                        "os": all(&["family", "major", "minor", "patch", "patch_minor"]),
                        "user_agent": all(&["family", "major", "minor", "patch"]),
                        "string": text(),
                    },
                    "required": ["device", "os", "string", "user_agent"],
                    "readOnly": true,
                },
                "geo_ip": {
                    "type": ["object", "null"],
                    "properties": {
                        "continent": maybe("string"),
                        "country": maybe("string"),
                        "lat": maybe("number"),
                        "long": maybe("number"),
                        "city": text(),
                    },
                    "required": ["city", "continent", "country", "lat", "long"],
                    "readOnly": true,
                },
                "asn": {
                    "type": ["object", "null"],
                    "properties": {
                        "asn": maybe("integer"),
                        "as_org": maybe("string"),
                        "network": maybe("string"),
                    },
                    "required": ["as_org", "asn", "network"],
                    "readOnly": true,
                },
                "user": { "type": "integer" },
                "last_ip": { "type": "string", "readOnly": true },
                "last_user_agent": { "type": "string", "readOnly": true },
                "last_used": { "type": "string", "format": "date-time", "readOnly": true },
                "expires": { "type": "string", "format": "date-time", "readOnly": true },
            },
            "required": ["asn", "current", "expires", "geo_ip", "last_ip", "last_used",
                "last_user_agent", "user", "user_agent"],
        }),
    );
    components.put(
        "BulkDeleteSessionResponse",
        json!({
            "type": "object",
            "properties": { "deleted": { "type": "integer" } },
            "required": ["deleted"],
        }),
    );
}

/// A session in which somebody is logged in, and who.
struct Used {
    session: Versioned<Session>,
    user: User,
}

/// `GET /core/authenticated_sessions/`
async fn all(call: Call) -> Answered {
    let journal = &*call.state.journal;
    let caller = call.caller()?;
    let now = call.state.clock.now();
    let found: Vec<Versioned<Session>> = if caller.granted.may_any(VIEW) {
        object::all(journal).await?
    } else {
        sessions_of(journal, caller.user.value.uuid).await?
    };
    let listing = call.listing();
    let mut seen: Vec<Used> = Vec::new();
    for session in found {
        let Some(used) = used(&call, session, now).await? else {
            continue;
        };
        let it = &used.session.value;
        let ip = it.last_ip.to_string();
        let name = &used.user.username;
        let is = |field: &str, value: &str| listing.filter(field).is_none_or(|it| it == value);
        if may(&call, VIEW, &used)?
            && is("session__last_ip", &ip)
            && is("session__last_user_agent", &it.last_user_agent)
            && is("user__username", name)
            && listing.finds(&[name, &ip, &it.last_user_agent])
        {
            seen.push(used);
        }
    }
    seen.sort_by(|a, b| {
        let by_name = a.user.username.cmp(&b.user.username);
        by_name.then(a.session.value.id.cmp(&b.session.value.id))
    });
    for (field, downwards) in listing.ordering().into_iter().rev() {
        seen.sort_by(|a, b| {
            let (one, other) = (&a.session.value, &b.session.value);
            let order = match field {
                "user__username" => a.user.username.cmp(&b.user.username),
                "session__last_ip" | "last_ip" => one.last_ip.cmp(&other.last_ip),
                "session__expires" | "expires" => one.expires.cmp(&other.expires),
                "session__last_used" | "last_used" => one.last_used.cmp(&other.last_used),
                _ => std::cmp::Ordering::Equal,
            };
            if downwards { order.reverse() } else { order }
        });
    }
    let shown = listing
        .page(&seen, async |used| Ok(show(&call, used)?))
        .await?;
    Ok(HttpResponse::Ok().json(shown))
}

/// `GET /core/authenticated_sessions/{uuid}/`
async fn retrieve(call: Call) -> Answered {
    let used = found(&call).await?;
    Ok(HttpResponse::Ok().json(show(&call, &used)?))
}

/// `GET /core/authenticated_sessions/{uuid}/used_by/`: nothing refers to a session.
async fn used_by(call: Call) -> Answered {
    found(&call).await?;
    Ok(HttpResponse::Ok().json(json!([])))
}

/// `DELETE /core/authenticated_sessions/{uuid}/`
async fn destroy(call: Call) -> Answered {
    let used = found(&call).await?;
    if !may(&call, DELETE, &used)? {
        return Err(Error::NotPermitted);
    }
    call.doer()?.end_sessions(vec![used.session]).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `DELETE /core/authenticated_sessions/bulk_delete/`
async fn bulk_delete(call: Call) -> Answered {
    if !call.caller()?.granted.may(DELETE) {
        return Err(Error::NotPermitted);
    }
    let query = Query::parse(call.request.query_string());
    let journal = &*call.state.journal;
    let mut sessions = Vec::new();
    let given = query.all("user_pks").flat_map(|it| it.split(','));
    for pk in given.filter(|it| !it.is_empty()) {
        let number: Result<i64, _> = pk.trim().parse();
        let wrong = |_| super::super::body::wrong("user_pks", "A valid integer is required.");
        if let Some(user) = user_by_pk(journal, number.map_err(wrong)?).await? {
            sessions.extend(sessions_of(journal, user.value.uuid).await?);
        }
    }
    sessions.sort_by_key(|session| session.value.id);
    sessions.dedup_by_key(|session| session.value.id);
    let deleted = sessions.len();
    call.doer()?.end_sessions(sessions).await?;
    Ok(HttpResponse::Ok().json(json!({ "deleted": deleted })))
}

/// The session, if somebody is logged in there who may be.
async fn used(
    call: &Call,
    session: Versioned<Session>,
    now: Timestamp,
) -> Result<Option<Used>, Error> {
    let Some(user) = session
        .value
        .user
        .filter(|_| !session.value.is_expired(now))
    else {
        return Ok(None);
    };
    let user: Option<Versioned<User>> = object::get(&*call.state.journal, user).await?;
    Ok(user.map(|user| Used {
        session,
        user: user.value,
    }))
}

async fn found(call: &Call) -> Result<Used, Error> {
    let missing = Error::Missing(NAME);
    let Ok(id) = call.path("uuid").parse::<Uuid>() else {
        return Err(missing);
    };
    let session: Option<Versioned<Session>> = object::get(&*call.state.journal, id).await?;
    let Some(session) = session else {
        return Err(missing);
    };
    match used(call, session, call.state.clock.now()).await? {
        Some(used) if may(call, VIEW, &used)? => Ok(used),
        _ => Err(missing),
    }
}

fn may(call: &Call, permission: &str, used: &Used) -> Result<bool, Error> {
    let caller = call.caller()?;
    let is_own = caller.user.value.uuid == used.user.uuid;
    Ok(is_own || caller.granted.may_of(permission, used.session.value.id))
}

fn show(call: &Call, used: &Used) -> Result<Value, Error> {
    let session = &used.session.value;
    let geoip: &Geoip = &call.state.geoip;
    Ok(json!({
        "uuid": session.id,
        "current": call.caller()?.session == Some(session.id),
        "user_agent": agent::parts(&session.last_user_agent),
        "geo_ip": geoip.city(session.last_ip),
        "asn": geoip.network(session.last_ip),
        "user": used.user.pk,
        "last_ip": session.last_ip,
        "last_user_agent": session.last_user_agent,
        "last_used": session.last_used,
        "expires": session.expires,
    }))
}
