//! Keys with which programs call the API, for the operator.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::invitations::end;
use super::{Answer, Operator, Refusal};
use crate::directory::token::{Intent, Token, token_by_name};
use crate::directory::{User, user_by_username};
use crate::flow::model::Slug;
use crate::journal::object::{self, Versioned};
use crate::journal::{self, Version};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Creation {
    username: String,
    /// What it is called.
    name: String,
    /// The moment at which it ends, or how long it is good, such as `30d`; never without it.
    expires: Option<String>,
}

/// `GET /operator/tokens`
pub(super) async fn list(operator: Data<Operator>) -> Answer {
    let mut all: Vec<Versioned<Token>> = object::all(&*operator.journal).await?;
    all.sort_by(|one, other| {
        one.value
            .identifier
            .as_str()
            .cmp(other.value.identifier.as_str())
    });
    let mut shown = Vec::new();
    for token in all {
        shown.push(show(&operator, &token.value).await?);
    }
    Ok(HttpResponse::Ok().json(json!({ "tokens": shown })))
}

/// `POST /operator/tokens`: the only answer that holds the key.
pub(super) async fn create(operator: Data<Operator>, body: Json<Creation>) -> Answer {
    let Creation {
        username,
        name,
        expires,
    } = body.into_inner();
    let name = Slug::try_from(name);
    let name = name.map_err(|problem| Refusal::Invalid(format!("name: {problem}")))?;
    let owner = user_by_username(&*operator.journal, &username).await?;
    let owner = owner.ok_or_else(|| Refusal::NotFound(format!("there is no user {username:?}")))?;
    let mut made = Token::new(&operator.clock, name, Intent::Api, owner.value.uuid);
    made.expiring = expires.is_some();
    made.expires = match expires {
        Some(text) => Some(end(&text, operator.clock.now())?),
        None => None,
    };
    let write = object::put(&made, Version::NONE);
    match operator.commit(vec![write]).await {
        Err(Refusal::Journal(journal::Error::Taken { .. })) => {
            let text = format!("there is a token called {} already", made.identifier);
            return Err(Refusal::Invalid(text));
        }
        committed => committed?,
    }
    let mut shown = show(&operator, &made).await?;
    shown["key"] = made.key.expose_secret().into();
    Ok(HttpResponse::Created().json(shown))
}

/// `POST /operator/tokens/{name}/delete`
pub(super) async fn delete(operator: Data<Operator>, name: Path<String>) -> Answer {
    let found = token_by_name(&*operator.journal, &name).await?;
    let found =
        found.ok_or_else(|| Refusal::NotFound(format!("there is no token {:?}", name.as_str())))?;
    let shown = show(&operator, &found.value).await?;
    let gone = object::delete::<Token>(found.value.token_uuid, found.version);
    operator.commit(vec![gone]).await?;
    Ok(HttpResponse::Ok().json(shown))
}

async fn show(operator: &Operator, token: &Token) -> journal::Result<Value> {
    let owner: Option<Versioned<User>> = object::get(&*operator.journal, token.user).await?;
    Ok(json!({
        "name": token.identifier,
        "intent": token.intent,
        "username": owner.map(|it| it.value.username),
        "expires": token.expires.filter(|_| token.expiring),
        "is_expired": token.is_expired(operator.clock.now()),
    }))
}
