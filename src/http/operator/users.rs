//! Accounts, for the operator.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Operator, Refusal};
use crate::catalog::Flow;
use crate::catalog::brand::default_brand;
use crate::directory::{self, NewUser, User, setup};
use crate::execution;
use crate::flow::client::Client;
use crate::journal::object::{self, Versioned};
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecoveryLink {
    seconds: i64,
    flow: Option<String>,
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

/// `POST /operator/users/{username}/recovery-link`
pub(super) async fn recovery_link(
    operator: Data<Operator>,
    username: Path<String>,
    body: Json<RecoveryLink>,
) -> Answer {
    let RecoveryLink { seconds, flow } = body.into_inner();
    if seconds <= 0 {
        let problem = "a link has to work for some time";
        return Err(Refusal::Invalid(problem.to_owned()));
    }
    let journal = &*operator.journal;
    let user = directory::user_by_username(journal, &username).await?;
    let user =
        user.ok_or_else(|| Refusal::NotFound(format!("there is no user {:?}", username.as_str())))?;
    if !user.value.is_active {
        let problem = format!(
            "the user {:?} is not active, so no flow would let them in",
            username.as_str()
        );
        return Err(Refusal::Invalid(problem));
    }
    let slug = match flow {
        Some(slug) => slug,
        None => recovery_flow(journal).await?,
    };
    let now = operator.clock.now();
    let until = now
        .checked_add(SignedDuration::from_secs(seconds))
        .map_err(|_| Refusal::Invalid("no link can work for so long".to_owned()))?;
    let correlation = operator.clock.opaque_id();
    let made = operator
        .executions
        .recovery_link(&slug, user.value.uuid, until, Client::nobody(), correlation)
        .await;
    let made = made.map_err(|error| match error {
        execution::Error::UnknownFlow => Refusal::NotFound(format!("there is no flow {slug:?}")),
        execution::Error::NotApplicable(_) => Refusal::Invalid(error.to_string()),
        execution::Error::Journal(error) => error.into(),
        execution::Error::Busy => Refusal::Busy,
        other => Refusal::Broken(other.to_string()),
    })?;
    let path = made.path.expose_secret();
    let public = operator.executions.public_url();
    Ok(HttpResponse::Created().json(json!({
        "path": path,
        "url": public.map(|origin| format!("{origin}{path}")),
        "expires": until,
        "execution": made.execution,
    })))
}

async fn recovery_flow(journal: &dyn Journal) -> Result<String, Refusal> {
    let missing = || {
        let problem = "no recovery flow is set: name one with --flow, or enable recovery";
        Refusal::NotFound(problem.to_owned())
    };
    let brand = default_brand(journal).await?;
    let flow = brand.and_then(|brand| brand.value.flow_recovery);
    let flow = flow.ok_or_else(missing)?;
    let flow: Option<Versioned<Flow>> = object::get(journal, flow).await?;
    let flow = flow.ok_or_else(missing)?;
    Ok(flow.value.slug.to_string())
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
