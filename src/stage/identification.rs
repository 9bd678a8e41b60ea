//! Asks who the visitor is. Source: authentik `stages/identification`.
//!
//! Never tells whether somebody exists: with a password stage of its own, a stranger is asked
//! for a password like anybody else.

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

mod held;
mod links;
mod passkey;

use super::captcha::Captcha;
use super::field::{Field, Shape};
use super::password::Password;
use super::reply::object;
use super::{Entered, Error, Kind, Response, Stage, Turn, Verdict, stage_of};
use crate::directory::user::{LookupField, User, users_matching};
use crate::flow::context::{self, key};
use crate::flow::effect::Outcome;
use crate::flow::event::{Event, NON_FIELD_ERRORS, errors};
use crate::flow::field::{Invalid, Problem};
use crate::flow::model::Designation;
use crate::journal::object::Versioned;

/// The settings of an identification stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the settings on the wire"
)]
#[schema(as = IdentificationStage)]
pub struct Identification {
    /// What an identifier is compared with.
    pub user_fields: Vec<LookupField>,
    /// The password stage whose question is asked on the same page.
    pub password_stage: Option<Uuid>,
    /// The captcha stage whose question is asked on the same page, and judged first.
    pub captcha_stage: Option<Uuid>,
    /// The stage whose passkeys the browser offers on the same page.
    pub webauthn_stage: Option<Uuid>,
    /// Whether upper and lower case are the same.
    pub case_insensitive_matching: bool,
    /// Whether the next pages show whom the identifier belongs to.
    pub show_matched_user: bool,
    /// Whether a stranger is let on, to be refused later.
    pub pretend_user_exists: bool,
    /// Whether the browser offers to remember the identifier.
    pub enable_remember_me: bool,
    /// The flow for whoever has no account.
    pub enrollment_flow: Option<Uuid>,
    /// The flow for whoever forgot something.
    pub recovery_flow: Option<Uuid>,
    /// The flow for whoever has a passkey.
    pub passwordless_flow: Option<Uuid>,
    /// Other places to log in at.
    pub sources: Vec<Uuid>,
    /// Whether those are shown with their names.
    pub show_source_labels: bool,
}

impl Default for Identification {
    fn default() -> Self {
        Self {
            user_fields: Vec::new(),
            password_stage: None,
            captcha_stage: None,
            webauthn_stage: None,
            case_insensitive_matching: true,
            show_matched_user: true,
            pretend_user_exists: true,
            enable_remember_me: false,
            enrollment_flow: None,
            recovery_flow: None,
            passwordless_flow: None,
            sources: Vec::new(),
            show_source_labels: false,
        }
    }
}

const FAILED: &str = "Failed to authenticate.";

/// A stage whose question is asked on the same page.
async fn beside<T: DeserializeOwned>(
    turn: &Turn<'_>,
    stage: Option<Uuid>,
    kind: Kind,
) -> Result<Option<T>, Error> {
    let Some(id) = stage else {
        return Ok(None);
    };
    // Without the stage nobody would be asked its question, so it must not be skipped.
    let (_, settings) = stage_of(turn, id, kind).await?.ok_or_else(|| {
        let kind = kind.name();
        Error::Failed(format!("the {kind} stage {id} does not exist"))
    })?;
    Ok(Some(settings))
}

fn refused(text: &str) -> Verdict {
    Verdict::Rejected(errors(NON_FIELD_ERRORS, text, "invalid"))
}

impl Identification {
    /// The password stage on the same page.
    async fn password(&self, turn: &Turn<'_>) -> Result<Option<Password>, Error> {
        beside(turn, self.password_stage, Kind::Password).await
    }

    /// The captcha stage on the same page.
    async fn captcha(&self, turn: &Turn<'_>) -> Result<Option<Captcha>, Error> {
        beside(turn, self.captcha_stage, Kind::Captcha).await
    }

    /// Judges who the visitor is, once it is known that they are a person.
    async fn judge_identity(
        &self,
        turn: &mut Turn<'_>,
        identifier: &str,
        password: Option<&SecretString>,
    ) -> Result<Verdict, Error> {
        let verdict = self.identify(turn, identifier, password).await?;
        // A refused password has been counted already.
        if self.password_stage.is_none() && matches!(verdict, Verdict::Rejected(_)) {
            turn.count(identifier, -1);
        }
        Ok(verdict)
    }

    /// Finds out whom the identifier belongs to and, on the same page, whether it is them.
    async fn identify(
        &self,
        turn: &mut Turn<'_>,
        identifier: &str,
        typed: Option<&SecretString>,
    ) -> Result<Verdict, Error> {
        let found = users_matching(
            turn.world.objects(),
            &self.user_fields,
            identifier,
            self.case_insensitive_matching,
        )
        .await?;
        let user = found.into_iter().next();
        let id = user.as_ref().map(|user| user.value.uuid);
        let active = user.as_ref().is_some_and(|user| user.value.is_active);
        let password = self.password(turn).await?;
        turn.learn(Event::UserIdentified { user: id, active });
        if let Some(stage) = password {
            let empty = SecretString::default();
            let typed = typed.unwrap_or(&empty);
            if !stage
                .authenticate(turn, user.as_ref(), identifier, typed)
                .await?
            {
                let last = stage.is_last_attempt(turn);
                return Ok(if last {
                    Verdict::Denied(FAILED.to_owned())
                } else {
                    refused(FAILED)
                });
            }
        } else if user.is_none() && !self.pretend_user_exists {
            // Policies get to know who it was meant to be, also after the flow began again.
            self.accept(turn, None, identifier);
            return Ok(refused(FAILED));
        }
        self.accept(turn, user.as_ref(), identifier);
        Ok(Verdict::Passed)
    }

    fn accept(&self, turn: &mut Turn<'_>, user: Option<&Versioned<User>>, identifier: &str) {
        let pending = match user {
            Some(user) => context::Value::User(user.value.uuid),
            None => context::Value::Stranger {
                identifier: identifier.to_owned(),
            },
        };
        turn.set(key::PENDING_USER, Some(pending));
        let shown = (!self.show_matched_user).then(|| context::Value::text(identifier));
        if shown.is_some()
            || turn
                .running
                .context
                .get(key::PENDING_USER_IDENTIFIER)
                .is_some()
        {
            turn.set(key::PENDING_USER_IDENTIFIER, shown);
        }
    }
}

#[async_trait(?Send)]
impl Stage for Identification {
    const COMPONENT: &'static str = "ak-stage-identification";

    const FIELDS: &'static [Field] = &[
        Field {
            name: "uid_field",
            shape: Shape::OptionalText,
            secret: false,
        },
        Field {
            name: "password",
            shape: Shape::OptionalText,
            secret: true,
        },
        Field {
            name: "captcha_token",
            shape: Shape::OptionalToken,
            secret: true,
        },
        Field {
            name: "passkey",
            shape: Shape::OptionalObject,
            secret: true,
        },
    ];

    /// An identifier that is known already is not asked for again.
    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        let hinted = turn
            .running
            .context
            .text(key::PENDING_USER_IDENTIFIER)
            .map(str::to_owned);
        let asks_more = self.password_stage.or(self.captcha_stage);
        let asks_more = asks_more.or(self.webauthn_stage);
        if let (Some(identifier), None) = (hinted, asks_more) {
            match self.identify(turn, &identifier, None).await? {
                Verdict::Passed => return Ok(Entered::Passed),
                // A hint that names nobody would only be in the way.
                _ => turn.set(key::PENDING_USER_IDENTIFIER, None),
            }
        }
        self.begin_passkey(turn)?;
        Ok(Entered::Asks)
    }

    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        let password = self.password(turn).await?;
        let passkey = self.passkey_challenge(turn).await?;
        let identifier = turn.running.context.text(key::PENDING_USER_IDENTIFIER);
        let login = turn.flow.designation == Designation::Authentication;
        let captcha = self.captcha(turn).await?;
        let sources = links::sources(turn, &self.sources).await?;
        let mut fields = json!({
            "user_fields": self.user_fields,
            "pending_user_identifier": identifier,
            "password_fields": password.is_some(),
            "allow_show_password": password.is_some_and(|stage| stage.allow_show_password),
            "flow_designation": turn.flow.designation,
            "captcha_stage": captcha.map(|stage| stage.beside()),
            "primary_action": if login { "Log in" } else { "Continue" },
            "sources": sources,
            "show_source_labels": self.show_source_labels,
            "enable_remember_me": self.enable_remember_me,
            "passkey_challenge": passkey,
        });
        let links = [
            ("enroll_url", self.enrollment_flow),
            ("recovery_url", self.recovery_flow),
            ("passwordless_url", self.passwordless_flow),
        ];
        for (name, flow) in links {
            if let Some(url) = links::to_flow(turn, flow).await? {
                fields[name] = url;
            }
        }
        if let Some((name, url)) = links::application(turn).await? {
            fields["application_pre"] = name.into();
            fields["application_pre_launch"] = url.into();
        }
        Ok(object(fields))
    }

    async fn judge(&self, response: Response, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        if let Some(answer) = response.object("passkey") {
            return self.judge_passkey(turn, answer).await;
        }
        let Some(identifier) = response.text("uid_field") else {
            return Ok(refused("No identification data provided."));
        };
        let identifier = identifier.expose_secret();
        let password = response.text("password");
        let Some(captcha) = self.captcha(turn).await? else {
            return self.judge_identity(turn, identifier, password).await;
        };
        // Before anybody is looked for: neither what the provider is asked nor how long it takes
        // may tell who exists.
        held::keep(turn, identifier, password)?;
        let effect = captcha.ask(turn, response.text("captcha_token")).await?;
        Ok(Verdict::Waits(effect))
    }

    async fn conclude(&self, outcome: &Outcome, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        let held = held::take(turn).await?;
        let (Some(captcha), Some((identifier, password))) = (self.captcha(turn).await?, held)
        else {
            return Ok(refused(FAILED));
        };
        match captcha.assess(turn, outcome) {
            Ok(_) => {
                let password = password.as_ref();
                self.judge_identity(turn, &identifier, password).await
            }
            Err(_) => Ok(refused(FAILED)),
        }
    }

    fn problems(&self) -> Vec<Invalid> {
        let mut found = Vec::new();
        let mut problem = |field, text| found.push(Invalid::new(field, Problem::Other(text)));
        if self.user_fields.is_empty() && self.sources.is_empty() {
            let text = "When no user fields are selected, at least one source must be selected";
            problem(Invalid::ALL_FIELDS, text);
        }
        found
    }
}
