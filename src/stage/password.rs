//! Asks for the pending user's password. Source: authentik `stages/password`.

use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::field::{Field, Shape};
use super::{Error, Response, Stage, Turn, Verdict};
use crate::catalog::Flow;
use crate::directory::token;
use crate::directory::user::User;
use crate::flow::context::{self, key};
use crate::flow::event::errors;
use crate::flow::event::{Event, PasswordProblem};
use crate::journal::object::{self, Versioned};
use crate::world::PasswordAnswer;

/// The settings of a password stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PasswordStage)]
pub struct Password {
    /// What a password is checked against, in this order.
    pub backends: Vec<Backend>,
    /// The flow by which users change their password.
    #[serde(default)]
    pub configure_flow: Option<Uuid>,
    /// How many wrong passwords end the execution; zero or less means the first.
    #[serde(default = "five")]
    pub failed_attempts_before_cancel: i32,
    /// Whether the field may be shown in clear.
    #[serde(default)]
    pub allow_show_password: bool,
}

fn five() -> i32 {
    5
}

/// Something that a password is checked against, by authentik's dotted path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = BackendsEnum)]
pub enum Backend {
    /// The password of the directory.
    #[serde(
        rename = "authentik.core.auth.InbuiltBackend",
        alias = "django.contrib.auth.backends.ModelBackend"
    )]
    Inbuilt,
    /// App passwords: tokens that stand for a password.
    #[serde(rename = "authentik.core.auth.TokenBackend")]
    Token,
    /// LDAP sources; there are none in this version, so it accepts nobody.
    #[serde(rename = "authentik.sources.ldap.auth.LDAPBackend")]
    Ldap,
    /// Kerberos sources; there are none in this version, so it accepts nobody.
    #[serde(rename = "authentik.sources.kerberos.auth.KerberosBackend")]
    Kerberos,
}

impl Backend {
    /// Its dotted path.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Inbuilt => "authentik.core.auth.InbuiltBackend",
            Self::Token => "authentik.core.auth.TokenBackend",
            Self::Ldap => "authentik.sources.ldap.auth.LDAPBackend",
            Self::Kerberos => "authentik.sources.kerberos.auth.KerberosBackend",
        }
    }
}

impl Password {
    /// Checks a password and notes the outcome; one that is refused counts against the user's
    /// name, or against the name that was typed where nobody has it.
    pub(super) async fn authenticate(
        &self,
        turn: &mut Turn<'_>,
        user: Option<&Versioned<User>>,
        typed: &str,
        password: &SecretString,
    ) -> Result<bool, Error> {
        let accepted = self.check(turn, user, password).await?;
        if !accepted {
            turn.count(user.map_or(typed, |user| &user.value.username), -1);
        }
        Ok(accepted)
    }

    /// An unknown user, an inactive one, one without a password and a wrong password all take as
    /// long and all end the same way, whatever the back ends are.
    async fn check(
        &self,
        turn: &mut Turn<'_>,
        user: Option<&Versioned<User>>,
        password: &SecretString,
    ) -> Result<bool, Error> {
        let Some(user) = user else {
            turn.world.burn_password().await?;
            turn.learn(rejected(None, PasswordProblem::UnknownUser));
            return Ok(false);
        };
        let id = user.value.uuid;
        let mut problem = PasswordProblem::Unusable;
        let hashes = self.backends.contains(&Backend::Inbuilt);
        for backend in &self.backends {
            let (method, args) = match backend {
                Backend::Inbuilt => match turn.world.verify_password(user, password).await? {
                    PasswordAnswer::Accepted | PasswordAnswer::Upgraded => ("password", None),
                    PasswordAnswer::Rejected => {
                        problem = PasswordProblem::Wrong;
                        continue;
                    }
                    PasswordAnswer::Unusable => continue,
                },
                Backend::Token => match app_password(turn, id, password).await? {
                    Some(reference) => ("token", Some(json!({ "token": reference }))),
                    None => continue,
                },
                Backend::Ldap | Backend::Kerberos => continue,
            };
            if !user.value.is_active {
                if !hashes {
                    turn.world.burn_password().await?;
                }
                turn.learn(rejected(Some(id), PasswordProblem::InactiveUser));
                return Ok(false);
            }
            turn.learn(Event::PasswordVerified {
                user: id,
                backend: backend.path().to_owned(),
                set: Some(user.value.password_change_date),
            });
            turn.set(
                key::USER_BACKEND,
                Some(context::Value::text(backend.path())),
            );
            turn.set(key::AUTH_METHOD, Some(context::Value::text(method)));
            turn.set(
                key::AUTH_METHOD_ARGS,
                Some(context::Value::Json(args.unwrap_or(json!({})))),
            );
            return Ok(true);
        }
        if !hashes {
            turn.world.burn_password().await?;
        }
        turn.learn(rejected(Some(id), problem));
        Ok(false)
    }

    /// Whether one more wrong password ends the execution.
    pub(super) fn is_last_attempt(&self, turn: &Turn<'_>) -> bool {
        let failures = i64::from(turn.running.password_failures) + 1;
        failures >= i64::from(self.failed_attempts_before_cancel)
    }
}

fn rejected(user: Option<Uuid>, reason: PasswordProblem) -> Event {
    Event::PasswordRejected { user, reason }
}

/// The reference of the app password that was typed.
///
/// Looking a token up by its key would write the key down, so the user's tokens are gone through.
async fn app_password(
    turn: &Turn<'_>,
    user: Uuid,
    typed: &SecretString,
) -> Result<Option<Value>, Error> {
    let now = turn.world.now();
    for token in token::tokens_of(turn.world.objects(), user).await? {
        let token = token.value;
        let usable = token.intent == token::Intent::AppPassword && !token.is_expired(now);
        if usable && turn.world.is_secret(typed, &token.key)? {
            return Ok(Some(json!({
                "app": "authentik_core",
                "model_name": "token",
                "pk": token.token_uuid.simple().to_string(),
                "name": token.reference(),
            })));
        }
    }
    Ok(None)
}

#[async_trait(?Send)]
impl Stage for Password {
    const COMPONENT: &'static str = "ak-stage-password";

    const FIELDS: &'static [Field] = &[Field {
        name: "password",
        shape: Shape::RequiredText,
        secret: true,
    }];

    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        let (user, avatar) = turn.shown_user().await?;
        let mut fields = Map::from_iter([
            ("pending_user".to_owned(), user.into()),
            ("pending_user_avatar".to_owned(), avatar.into()),
            (
                "allow_show_password".to_owned(),
                self.allow_show_password.into(),
            ),
        ]);
        if let Some(flow) = turn.brand().await?.flow_recovery {
            let flow: Option<Versioned<Flow>> = object::get(turn.world.objects(), flow).await?;
            if let Some(flow) = flow {
                let url = format!("{}/if/flow/{}/", turn.client.origin(), flow.value.slug);
                fields.insert("recovery_url".to_owned(), url.into());
            }
        }
        Ok(fields)
    }

    async fn judge(&self, response: Response, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        if turn.running.context.get(key::PENDING_USER).is_none() {
            return Ok(Verdict::Denied(String::new()));
        }
        let Some(password) = response.text("password") else {
            return Ok(Verdict::Rejected(errors(
                "password",
                "Invalid password",
                "invalid",
            )));
        };
        let user = turn.pending_user().await?;
        let typed = match turn.running.context.get(key::PENDING_USER) {
            Some(context::Value::Stranger { identifier }) => identifier.clone(),
            _ => String::new(),
        };
        let user = user.as_ref();
        if self.authenticate(turn, user, &typed, password).await? {
            return Ok(Verdict::Passed);
        }
        if self.is_last_attempt(turn) {
            return Ok(Verdict::Denied("Invalid password".to_owned()));
        }
        Ok(Verdict::Rejected(errors(
            "password",
            "Invalid password",
            "invalid",
        )))
    }
}

#[cfg(test)]
mod tests;
