//! `/core/users/service_account/`: an account for a program, with the password that it logs in with.
//!
//! Source: authentik `core/api/users.py`.

use actix_web::HttpResponse;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::super::body::{text, wrong};
use super::super::call::Call;
use super::super::operation::{Answered, Content, Method, Operation};
use super::super::schema::Components;
use super::guard::permit;
use super::{commit, contended};
use crate::directory::command::creation;
use crate::directory::token::Intent;
use crate::directory::user::UserType;
use crate::directory::{
    Group, NewUser, Token, group_by_name, install, token_by_identifier, user_by_username,
};
use crate::flow::field::{Invalid, Problem};
use crate::http::Error;
use crate::journal::Version;
use crate::journal::object::put;

/// Where such accounts are kept.
const PATH: &str = "goauthentik.io/service-accounts";

/// How long the password is good where nobody says.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 360);

/// The operation.
pub(super) fn operations() -> Vec<Operation> {
    let (path, id) = (
        "/core/users/service_account/",
        "core_users_service_account_create",
    );
    vec![
        Operation::new(Method::Post, path, id, create)
            .takes(Content::One("UserServiceAccountRequest".to_owned()))
            .answers(200, Content::One("UserServiceAccountResponse".to_owned())),
    ]
}

/// Its schemas.
pub(super) fn describe(components: &mut Components) {
    components.put(
        "UserServiceAccountRequest",
        json!({
            "type": "object",
            "properties": {
                "name": { "type": "string", "minLength": 1 },
                "create_group": { "type": "boolean", "default": false },
                "expiring": { "type": "boolean", "default": true },
                "expires": { "type": "string", "format": "date-time" },
            },
            "required": ["name"],
        }),
    );
    let text = json!({ "type": "string" });
    components.put(
        "UserServiceAccountResponse",
        json!({
            "type": "object",
            "properties": {
                "username": text,
                "token": text,
                "user_uid": text,
                "user_pk": { "type": "integer" },
                "group_pk": text,
            },
            "required": ["token", "user_pk", "user_uid", "username"],
        }),
    );
}

/// What is asked for.
struct Wanted {
    name: String,
    create_group: bool,
    expiring: bool,
    expires: Option<Timestamp>,
}

fn read(fields: &Map<String, Value>) -> Result<Wanted, Error> {
    let flag = |name: &'static str, usual: bool| match fields.get(name) {
        None => Ok(usual),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(wrong(name, "Must be a valid boolean.")),
    };
    let expires = match fields.get("expires") {
        None | Some(Value::Null) => None,
        Some(at) => {
            let read = at.as_str().and_then(|text| text.parse().ok());
            let problem = "Datetime has wrong format. Use one of these formats instead: \
                           YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
            Some(read.ok_or_else(|| wrong("expires", problem))?)
        }
    };
    Ok(Wanted {
        name: text(fields.get("name"), 150).map_err(|it| wrong("name", it))?,
        create_group: flag("create_group", false)?,
        expiring: flag("expiring", true)?,
        expires,
    })
}

/// `POST /core/users/service_account/`
async fn create(mut call: Call) -> Answered {
    let granted = call.caller()?.granted.clone();
    permit(granted.may("authentik_core.add_user") && granted.may("authentik_core.add_token"))?;
    let wanted = read(&call.fields().await?)?;
    permit(!wanted.create_group || granted.may("authentik_core.add_group"))?;
    let attempt = async || make(&call, &wanted).await;
    let made = call.state.turns.until(attempt).await?;
    made.ok_or_else(contended)
}

/// `None` when somebody else was faster.
async fn make(call: &Call, wanted: &Wanted) -> Result<Option<HttpResponse>, Error> {
    let (journal, clock) = (&*call.state.journal, &call.state.clock);
    let name = &wanted.name;
    let identifier: String = slug(&format!("service-account-{name}-password"));
    let is_there = user_by_username(journal, name).await?.is_some()
        || wanted.create_group && group_by_name(journal, name).await?.is_some()
        || token_by_identifier(journal, &identifier, Timestamp::MIN)
            .await?
            .is_some();
    if is_there {
        return Err(wrong("name", Problem::NotUnique.to_string()));
    }
    let install = install(journal).await?;
    let install = install.ok_or_else(|| Error::Internal {
        cause: "the data directory has not been set up".to_owned(),
    })?;
    let mut new = NewUser::named(name);
    name.clone_into(&mut new.name);
    new.user_type = UserType::ServiceAccount;
    PATH.clone_into(&mut new.path);
    let expiring = wanted.expiring.into();
    new.attributes
        .insert("goauthentik.io/user/token-expires".to_owned(), expiring);
    let group = wanted.create_group.then(|| Group::new(clock, name));
    new.groups.extend(group.as_ref().map(|group| group.pk));
    if let Some(Invalid { problem, .. }) = new.problems().first() {
        return Err(wrong("name", problem.to_string()));
    }
    let (user, mut writes) = creation(&install, clock, new);
    let identifier = identifier.parse();
    let identifier = identifier.map_err(|it: Problem| wrong("name", it.to_string()))?;
    let mut token = Token::new(clock, identifier, Intent::AppPassword, user.uuid);
    let usual = || clock.now().checked_add(LIFETIME).ok();
    token.expiring = wanted.expiring;
    token.expires = wanted.expires.or_else(usual).filter(|_| wanted.expiring);
    writes.extend(group.as_ref().map(|group| put(group, Version::NONE)));
    writes.push(put(&token, Version::NONE));
    if !commit(call, writes).await? {
        return Ok(None);
    }
    let mut shown = json!({
        "username": user.username,
        "token": token.key.expose_secret(),
        "user_uid": user.uid(call.state.install_id),
        "user_pk": user.pk,
    });
    if let Some(group) = group {
        shown["group_pk"] = group.pk.to_string().into();
    }
    Ok(Some(HttpResponse::Ok().json(shown)))
}

/// The name in the letters of a slug.
fn slug(name: &str) -> String {
    let words = name.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-").to_lowercase()
}
