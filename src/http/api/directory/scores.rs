//! `/policies/reputation/scores/`: how often names failed or succeeded from addresses.
//!
//! Source: authentik `policies/reputation/api.py`.

use actix_web::HttpResponse;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::body::wrong;
use super::super::call::Call;
use super::super::operation::{Answered, Content, Method, Operation};
use super::super::schema::{Components, uuid};
use super::guard::permit;
use super::{commit, contended};
use crate::directory::Reputation;
use crate::flow::query::Query;
use crate::http::Error;
use crate::journal::object::{self, Versioned, delete};

const NAME: &str = "Reputation";
const VIEW: &str = "authentik_policies_reputation.view_reputation";
const DELETE: &str = "authentik_policies_reputation.delete_reputation";

/// The operations on scores.
pub(super) fn operations() -> Vec<Operation> {
    let text = || json!({ "type": "string" });
    let one = "/policies/reputation/scores/{reputation_uuid}/";
    let op = |name: &str| format!("policies_reputation_scores_{name}");
    vec![
        Operation::new(
            Method::Get,
            "/policies/reputation/scores/",
            &op("list"),
            all,
        )
        .paged()
        .asks("identifier", text())
        .asks("identifier_in", json!({ "type": "array", "items": text() }))
        .asks("ip", text())
        .asks("score", json!({ "type": "integer" }))
        .answers(200, Content::Page(NAME.to_owned())),
        Operation::new(Method::Get, one, &op("retrieve"), retrieve)
            .key("reputation_uuid", &uuid())
            .answers(200, Content::One(NAME.to_owned())),
        Operation::new(Method::Delete, one, &op("destroy"), destroy)
            .key("reputation_uuid", &uuid())
            .answers(204, Content::Nothing),
        Operation::new(
            Method::Get,
            "/policies/reputation/scores/{reputation_uuid}/used_by/",
            &op("used_by_list"),
            used_by,
        )
        .key("reputation_uuid", &uuid())
        .answers(200, Content::List("UsedBy".to_owned())),
    ]
}

/// Their schema.
pub(super) fn describe(components: &mut Components) {
    let some = json!({ "type": "object", "additionalProperties": {} });
    components.put(
        NAME,
        json!({
            "type": "object",
            "properties": {
                "pk": uuid(),
                "identifier": { "type": "string" },
                "ip": { "type": "string" },
                "ip_geo_data": some,
                "ip_asn_data": some,
                "score": { "type": "integer", "format": "int64" },
                "updated": { "type": "string", "format": "date-time", "readOnly": true },
            },
            "required": ["identifier", "ip", "updated"],
        }),
    );
}

/// A row and what was counted in it.
struct Counted {
    row: Versioned<Reputation>,
    score: i64,
}

/// `GET /policies/reputation/scores/`
async fn all(call: Call) -> Answered {
    let granted = &call.caller()?.granted;
    let (journal, now) = (&*call.state.journal, call.state.clock.now());
    let listing = call.listing();
    let query = Query::parse(call.request.query_string());
    let names: Vec<&str> = query
        .all("identifier_in")
        .flat_map(|it| it.split(','))
        .filter(|it| !it.is_empty())
        .collect();
    let score: Option<i64> = match listing.filter("score") {
        Some(text) => Some(
            text.parse()
                .map_err(|_| wrong("score", "Enter a number."))?,
        ),
        None => None,
    };
    let mut seen: Vec<Counted> = Vec::new();
    let mut any = false;
    for row in object::all::<Reputation>(journal).await? {
        let it = &row.value;
        if it.is_expired(now) || !granted.may_of(VIEW, it.id) {
            continue;
        }
        any = true;
        let ip = it.ip.to_string();
        let is = |field: &str, value: &str| listing.filter(field).is_none_or(|it| it == value);
        let fits = is("identifier", &it.identifier)
            && is("ip", &ip)
            && (names.is_empty() || names.contains(&it.identifier.as_str()))
            && listing.finds(&[&it.identifier, &ip]);
        if fits {
            let counted = counted(&call, row).await?;
            if score.is_none_or(|score| score == counted.score) {
                seen.push(counted);
            }
        }
    }
    permit(any || granted.may(VIEW))?;
    seen.sort_by_key(|it| it.row.value.id);
    for (field, downwards) in listing.ordering().into_iter().rev() {
        seen.sort_by(|a, b| {
            let (one, other) = (&a.row.value, &b.row.value);
            let order = match field {
                "identifier" => one.identifier.cmp(&other.identifier),
                "ip" => one.ip.cmp(&other.ip),
                "score" => a.score.cmp(&b.score),
                "updated" => one.created.cmp(&other.created),
                _ => std::cmp::Ordering::Equal,
            };
            if downwards { order.reverse() } else { order }
        });
    }
    let shown = listing.page(&seen, async |it| Ok(show(it))).await?;
    Ok(HttpResponse::Ok().json(shown))
}

/// `GET /policies/reputation/scores/{reputation_uuid}/`
async fn retrieve(call: Call) -> Answered {
    let row = found(&call).await?;
    Ok(HttpResponse::Ok().json(show(&counted(&call, row).await?)))
}

/// `GET /policies/reputation/scores/{reputation_uuid}/used_by/`: nothing refers to a score.
async fn used_by(call: Call) -> Answered {
    found(&call).await?;
    Ok(HttpResponse::Ok().json(json!([])))
}

/// `DELETE /policies/reputation/scores/{reputation_uuid}/`: counting begins again.
async fn destroy(call: Call) -> Answered {
    let row = found(&call).await?;
    permit(call.caller()?.granted.may_of(DELETE, row.value.id))?;
    let gone = delete::<Reputation>(row.value.id, row.version);
    if commit(&call, vec![gone]).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(contended())
    }
}

async fn found(call: &Call) -> Result<Versioned<Reputation>, Error> {
    let missing = Error::Missing(NAME);
    let Ok(id) = call.path("reputation_uuid").parse::<Uuid>() else {
        return Err(missing);
    };
    let now = call.state.clock.now();
    let row: Option<Versioned<Reputation>> = object::get(&*call.state.journal, id).await?;
    let granted = &call.caller()?.granted;
    let row = row.filter(|row| !row.value.is_expired(now) && granted.may_of(VIEW, id));
    row.ok_or(missing)
}

async fn counted(call: &Call, row: Versioned<Reputation>) -> Result<Counted, Error> {
    let now = call.state.clock.now();
    let score = call
        .state
        .journal
        .counter(&row.value.counter(), now)
        .await?;
    Ok(Counted { row, score })
}

fn show(counted: &Counted) -> Value {
    let row = &counted.row.value;
    json!({
        "pk": row.id,
        "identifier": row.identifier,
        "ip": row.ip,
        "ip_geo_data": row.geo.clone().unwrap_or_else(|| json!({})),
        "ip_asn_data": row.asn.clone().unwrap_or_else(|| json!({})),
        "score": counted.score,
        "updated": row.created,
    })
}
