//! Accounts, for the operator.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Operator, Refusal};
use crate::directory::{self, NewUser, User, setup};
use crate::journal::{self, Journal};
use crate::policy::unique_password;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Creation {
    username: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    superuser: bool,
    password: Option<SecretString>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Password {
    password: SecretString,
}

/// `GET /operator/users`
pub(super) async fn list(operator: Data<Operator>) -> Answer {
    let mut shown = Vec::new();
    for user in directory::user::users(&*operator.journal).await? {
        shown.push(show(&operator, &user.value).await?);
    }
    Ok(HttpResponse::Ok().json(json!({ "users": shown })))
}

/// `POST /operator/users`
pub(super) async fn create(operator: Data<Operator>, body: Json<Creation>) -> Answer {
    let Creation {
        username,
        name,
        email,
        superuser,
        password,
    } = body.into_inner();
    let mut new = NewUser::named(&username);
    new.name = name;
    new.email = email;
    if superuser {
        new.groups = vec![superusers(&*operator.journal).await?];
    }
    if let Some(password) = password {
        new.password = Some(hash(&operator, password).await?);
    }
    let user = directory::create_user(&*operator.journal, &operator.clock, new).await?;
    Ok(HttpResponse::Created().json(show(&operator, &user).await?))
}

/// `POST /operator/users/{username}/password`
pub(super) async fn set_password(
    operator: Data<Operator>,
    username: Path<String>,
    body: Json<Password>,
) -> Answer {
    let encoded = hash(&operator, body.into_inner().password).await?;
    let (journal, clock) = (&*operator.journal, &operator.clock);
    let keeping = unique_password::keeping(journal).await?;
    let user = setup::set_password(journal, clock, &username, &encoded, keeping).await?;
    Ok(HttpResponse::Ok().json(show(&operator, &user).await?))
}

async fn hash(operator: &Operator, password: SecretString) -> Result<SecretString, Refusal> {
    if password.expose_secret().is_empty() {
        return Err(Refusal::Invalid("the password is empty".to_owned()));
    }
    Ok(operator.hashes.hash(password).await?)
}

async fn superusers(objects: &dyn Journal) -> Result<uuid::Uuid, Refusal> {
    let group = directory::group_by_name(objects, setup::ADMINISTRATORS).await?;
    let group = group.filter(|group| group.value.is_superuser);
    group.map(|group| group.value.pk).ok_or_else(|| {
        Refusal::NotFound(format!(
            "there is no group {:?} of superusers any more",
            setup::ADMINISTRATORS
        ))
    })
}

async fn show(operator: &Operator, user: &User) -> journal::Result<Value> {
    let journal = &*operator.journal;
    let now = operator.clock.now();
    Ok(json!({
        "pk": user.pk,
        "uuid": user.uuid,
        "username": user.username,
        "name": user.name,
        "email": user.email,
        "is_active": user.is_active,
        "is_superuser": directory::is_superuser(journal, user).await?,
        "has_password": directory::user::has_usable_password(user),
        "last_login": directory::user::last_login(journal, user.uuid, now).await?,
    }))
}
