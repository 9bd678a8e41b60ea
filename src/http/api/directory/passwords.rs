//! `/core/users/{id}/set_password/` and `set_password_hash/`.
//!
//! Source: authentik `core/api/users.py`.

use actix_web::HttpResponse;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::body::{NULL, REQUIRED, wrong};
use super::super::call::Call;
use super::super::operation::{Answered, Content, Method, Operation};
use super::super::resource::found;
use super::super::schema::Components;
use super::guard::{may_act_on, permit};
use super::users::USERS;
use super::{TRIES, commit, contended};
use crate::blueprint::edit::{Object, Staged};
use crate::directory::command::termination;
use crate::directory::install::Setup;
use crate::directory::password::{self, Busy};
use crate::directory::password_history::replaced;
use crate::directory::{Session, User, install, sessions_of, setup};
use crate::http::Error;
use crate::http::session::renewed;
use crate::journal::Write;
use crate::journal::object::{self, Versioned, put};
use crate::policy::unique_password;

/// The most characters of a password that are looked at.
const LONGEST: usize = 4096;

/// The operations.
pub(super) fn operations() -> Vec<Operation> {
    let number = || json!({ "type": "integer" });
    let (path, id) = (
        "/core/users/{id}/set_password/",
        "core_users_set_password_create",
    );
    let typed = Operation::new(Method::Post, path, id, set_password)
        .key("id", &number())
        .takes(Content::One("UserPasswordSetRequest".to_owned()))
        .answers(204, Content::Nothing);
    let (path, id) = (
        "/core/users/{id}/set_password_hash/",
        "core_users_set_password_hash_create",
    );
    let encoded = Operation::new(Method::Post, path, id, set_password_hash)
        .key("id", &number())
        .takes(Content::One("UserPasswordHashSetRequest".to_owned()))
        .answers(204, Content::Nothing);
    vec![typed, encoded]
}

/// Their schemas.
pub(super) fn describe(components: &mut Components) {
    for name in ["UserPasswordSetRequest", "UserPasswordHashSetRequest"] {
        components.put(
            name,
            json!({
                "type": "object",
                "properties": { "password": { "type": "string", "minLength": 1 } },
                "required": ["password"],
            }),
        );
    }
}

/// `POST /core/users/{id}/set_password/`
async fn set_password(mut call: Call) -> Answered {
    let user = target(&call).await?;
    let typed = given(&mut call).await?;
    let busy = |busy: Busy| Error::Unavailable {
        cause: busy.to_string(),
    };
    let encoded = call.state.hashes.hash(typed).await.map_err(busy)?;
    set(&call, user, encoded).await
}

/// `POST /core/users/{id}/set_password_hash/`
async fn set_password_hash(mut call: Call) -> Answered {
    let user = target(&call).await?;
    let encoded = given(&mut call).await?;
    if !password::is_acceptable(encoded.expose_secret()) {
        let problem = "Invalid password hash format. Must be a valid Django password hash.";
        return Err(wrong("password", problem));
    }
    set(&call, user, encoded).await
}

/// The user whose password the caller may set.
pub(super) async fn target(call: &Call) -> Result<Uuid, Error> {
    let object = found(&USERS, call, &mut Staged::default()).await?;
    let Object::User(user) = &object else {
        return Err(Error::Missing("User"));
    };
    let granted = &call.caller()?.granted;
    permit(granted.may_of("authentik_core.reset_user_password", user.pk))?;
    may_act_on(call, user).await?;
    Ok(user.uuid)
}

/// The password as it was typed, blanks included: it is compared as it is at a login.
async fn given(call: &mut Call) -> Result<SecretString, Error> {
    let mut fields = call.fields().await?;
    let problem = match fields.remove("password") {
        Some(Value::String(typed)) if typed.is_empty() => "This field may not be blank.",
        Some(Value::String(typed)) if typed.contains('\0') => "Null characters are not allowed.",
        Some(Value::String(typed)) if typed.chars().count() > LONGEST => {
            "Ensure this field has no more than 4096 characters."
        }
        Some(Value::String(typed)) => return Ok(typed.into()),
        Some(Value::Null) => NULL,
        Some(_) => "Not a valid string.",
        None => REQUIRED,
    };
    Err(wrong("password", problem))
}

/// Sets the password, and ends the user's sessions: whoever knew the former one may have them. The
/// caller's own goes on under new secrets.
async fn set(call: &Call, user: Uuid, encoded: SecretString) -> Answered {
    let (journal, clock) = (&*call.state.journal, &call.state.clock);
    let own = call.caller()?.session;
    for _ in 0..TRIES {
        let found: Option<Versioned<User>> = object::get(journal, user).await?;
        let mut found = found.ok_or(Error::Missing("User"))?;
        let now = clock.now();
        let keeping = unique_password::keeping(journal).await?;
        let history = replaced(journal, keeping, &found.value, now).await?;
        let mut writes: Vec<Write> = history.into_iter().collect();
        found.value.set_password(encoded.clone(), now);
        writes.push(put(&found.value, found.version));
        let (kept, ended): (Vec<_>, Vec<Versioned<Session>>) = sessions_of(journal, user)
            .await?
            .into_iter()
            .partition(|session| Some(session.value.id) == own);
        writes.extend(termination(&ended));
        let mut answer = HttpResponse::NoContent().finish();
        for mut session in kept {
            let (sid, csrf) = (clock.random_text(32), clock.random_text(32));
            session.value.rotate(sid, csrf, now);
            // Nobody else may go on with what they took from the session before.
            session.value.previous = None;
            writes.push(put(&session.value, session.version));
            let secure = call.caller()?.client.secure;
            renewed(
                &call.state,
                &session.value,
                &found.value,
                secure,
                &mut answer,
            )?;
        }
        let waiting = install(journal).await?;
        if let Some(mut waiting) = waiting.filter(|it| !it.value.is_set_up())
            && setup::sets_up(&found.value)
        {
            waiting.value.setup = Setup::Done;
            writes.push(put(&waiting.value, waiting.version));
        }
        if commit(call, writes).await? {
            return Ok(answer);
        }
    }
    Err(contended())
}
