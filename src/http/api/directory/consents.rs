//! `/core/user_consent/`: what people allowed applications. Everybody sees and takes back their own.
//!
//! Source: authentik `core/api/user_consent.py`.

use actix_web::HttpResponse;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::applications;
use super::super::call::Call;
use super::super::operation::{Answered, Content, Method, Operation};
use super::super::schema::{Components, reference, uuid};
use super::shown;
use crate::blueprint::edit::{Staged, ask};
use crate::catalog::Application;
use crate::directory::consent::consents_of;
use crate::directory::user::last_login;
use crate::directory::{User, UserConsent};
use crate::http::Error;
use crate::journal::object::{self, Versioned};

const NAME: &str = "UserConsent";
const VIEW: &str = "authentik_core.view_userconsent";
const DELETE: &str = "authentik_core.delete_userconsent";

/// The operations on consents.
pub(super) fn operations() -> Vec<Operation> {
    let number = || json!({ "type": "integer" });
    let one = "/core/user_consent/{id}/";
    let op = |name: &str| format!("core_user_consent_{name}");
    vec![
        Operation::new(Method::Get, "/core/user_consent/", &op("list"), all)
            .paged()
            .asks("application", uuid())
            .asks("user", number())
            .answers(200, Content::Page(NAME.to_owned())),
        Operation::new(Method::Get, one, &op("retrieve"), retrieve)
            .key("id", &number())
            .answers(200, Content::One(NAME.to_owned())),
        Operation::new(Method::Delete, one, &op("destroy"), destroy)
            .key("id", &number())
            .answers(204, Content::Nothing),
        Operation::new(
            Method::Get,
            "/core/user_consent/{id}/used_by/",
            &op("used_by_list"),
            used_by,
        )
        .key("id", &number())
        .answers(200, Content::List("UsedBy".to_owned())),
    ]
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    components.put(
        NAME,
        json!({
            "type": "object",
            "properties": {
                "pk": { "type": "integer", "readOnly": true },
                "expires": { "type": ["string", "null"], "format": "date-time" },
                "expiring": { "type": "boolean" },
                "user": reference("User"),
                "application": reference("Application"),
                "permissions": { "type": "string", "default": "" },
            },
            "required": ["application", "pk", "user"],
        }),
    );
}

/// The number that stands in for the identifier, where only numbers fit.
fn number(id: Uuid) -> u32 {
    let (high, _) = id.as_u64_pair();
    u32::try_from(high >> 33).expect("31 bits fit")
}

/// The consents that the caller may do this with, by their users' names.
async fn seen(call: &Call, permission: &str) -> Result<Vec<(Versioned<UserConsent>, User)>, Error> {
    let journal = &*call.state.journal;
    let caller = call.caller()?;
    let own = caller.user.value.uuid;
    let found: Vec<Versioned<UserConsent>> = if caller.granted.may_any(permission) {
        object::all(journal).await?
    } else {
        consents_of(journal, own).await?
    };
    let mut seen = Vec::new();
    for consent in found {
        let it = &consent.value;
        if it.user != own && !caller.granted.may_of(permission, number(it.id)) {
            continue;
        }
        let user: Option<Versioned<User>> = object::get(journal, it.user).await?;
        seen.extend(user.map(|user| (consent, user.value)));
    }
    seen.sort_by(|(a, one), (b, other)| {
        let by_user = one.username.cmp(&other.username);
        by_user.then(a.value.application.cmp(&b.value.application))
    });
    Ok(seen)
}

/// `GET /core/user_consent/`, also of what has ended.
async fn all(call: Call) -> Answered {
    let listing = call.listing();
    let mut found = seen(&call, VIEW).await?;
    found.retain(|(consent, user)| {
        let application = consent.value.application.as_str();
        let pk = user.pk.to_string();
        listing.filter("user").is_none_or(|it| it == pk)
            && listing.filter("application").is_none_or(|it| {
                it == application || it == applications::pk_of(application).to_string()
            })
            && listing.finds(&[&user.username, application])
    });
    let shown = listing
        .page(&found, async |(consent, user)| {
            show(&call, &consent.value, user).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(shown))
}

/// `GET /core/user_consent/{id}/`
async fn retrieve(call: Call) -> Answered {
    let (consent, user) = found(&call, VIEW).await?;
    Ok(HttpResponse::Ok().json(show(&call, &consent.value, &user).await?))
}

/// `GET /core/user_consent/{id}/used_by/`: nothing refers to a consent.
async fn used_by(call: Call) -> Answered {
    found(&call, VIEW).await?;
    Ok(HttpResponse::Ok().json(json!([])))
}

/// `DELETE /core/user_consent/{id}/`
async fn destroy(call: Call) -> Answered {
    found(&call, VIEW).await?;
    let Ok((consent, _)) = found(&call, DELETE).await else {
        return Err(Error::NotPermitted);
    };
    call.doer()?.revoke_consent(consent.value.id).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn found(call: &Call, permission: &str) -> Result<(Versioned<UserConsent>, User), Error> {
    let id = call.path("id");
    let seen = seen(call, permission).await?.into_iter();
    let mut fitting = seen.filter(|(consent, _)| number(consent.value.id).to_string() == id);
    fitting.next().ok_or(Error::Missing(NAME))
}

/// The application that has this key; of one that is not among ours there is only the key.
async fn application(call: &Call, key: &str) -> Result<Value, Error> {
    let pk = applications::pk_of(key);
    let found: Option<Versioned<Application>> = object::get(&*call.state.journal, pk).await?;
    if let Some(found) = found {
        return Ok(applications::shown(&found.value));
    }
    Ok(applications::unknown(&call.state.clock, key))
}

async fn show(call: &Call, consent: &UserConsent, user: &User) -> Result<Value, Error> {
    let (journal, now) = (&*call.state.journal, call.state.clock.now());
    let last = json!(last_login(journal, user.uuid, now).await?);
    let look = |staged: &Staged| shown::user(user, staged, &call.state, Some(&last), (true, true));
    let user = ask(&mut Staged::default(), journal, look).await?;
    Ok(json!({
        "pk": number(consent.id),
        "expires": consent.expires,
        "expiring": consent.expires.is_some(),
        "user": user,
        "application": application(call, &consent.application).await?,
        "permissions": consent.permissions,
    }))
}
