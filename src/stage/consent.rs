//! Asks whether an application may have what it wants. Source: authentik `stages/consent`.

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::duration::{Duration, after};
use super::field::{Field, Shape};
use super::{Entered, Error, Response, Stage, Turn, Verdict};
use crate::directory::consent::{UserConsent, consent_to};
use crate::flow::context::{Value as Known, key};
use crate::flow::event::{Event, errors};
use crate::journal::Version;
use crate::journal::object::put;
use crate::world::Change;

/// The settings of a consent stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = ConsentStage)]
pub struct Consent {
    /// Whether the answer is remembered.
    pub mode: Mode,
    /// For how long, where it does not last for ever.
    #[schema(value_type = String, min_length = 1)]
    pub consent_expire_in: Duration,
}

impl Default for Consent {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            consent_expire_in: Duration::weeks(4),
        }
    }
}

/// Whether the answer is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConsentModeEnum)]
pub enum Mode {
    /// No: it is asked every time.
    AlwaysRequire,
    /// For ever.
    Permanent,
    /// For some time.
    #[default]
    Expiring,
}

/// The entries of the context that this stage reads and writes.
const CONSENT: &str = "consent";
const HEADER: &str = "consent_header";
const PERMISSIONS: &str = "consent_permissions";
const ADDITIONAL: &str = "consent_additional_permissions";
const TOKEN: &str = "goauthentik.io/stages/consent/token";

/// Something that an application wants to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Permission {
    #[serde(default)]
    name: String,
    id: String,
}

/// The permissions in an entry of the context; what is none is left out.
fn permissions(turn: &Turn<'_>, key: &str) -> Vec<Permission> {
    let Some(Known::Json(Value::Array(items))) = turn.running.context.get(key) else {
        return Vec::new();
    };
    let read = |item: &Value| serde_json::from_value(item.clone()).ok();
    items.iter().filter_map(read).collect()
}

/// All that is wanted: also what was set apart as additional before, or a flow that begins again
/// with what it learnt would ask for the rest only, and find it granted.
fn wanted(turn: &Turn<'_>) -> Vec<Permission> {
    let mut all = permissions(turn, PERMISSIONS);
    for more in permissions(turn, ADDITIONAL) {
        if !all.iter().any(|known| known.id == more.id) {
            all.push(more);
        }
    }
    all
}

fn json_of(permissions: &[Permission]) -> Known {
    Known::Json(json!(permissions))
}

/// The key of the application that wants something.
fn application(turn: &Turn<'_>) -> Option<String> {
    match turn.running.context.get(key::APPLICATION)? {
        Known::Object { id, .. } => Some(id.clone()),
        Known::Json(application) => match &application["pk"] {
            Value::String(pk) if !pk.is_empty() => Some(pk.clone()),
            Value::Number(pk) => Some(pk.to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// Who agrees: whoever goes through the flow, else whoever is logged in.
async fn subject(turn: &Turn<'_>) -> Result<Option<Uuid>, Error> {
    let user = match turn.running.context.get(key::PENDING_USER) {
        Some(Known::User(_)) => turn.pending_user().await?,
        Some(Known::Stranger { .. }) => None,
        _ => turn.session_user().await?,
    };
    Ok(user.map(|user| user.value.uuid))
}

impl Consent {
    /// Whose consent to which application is remembered; nobody's where it is asked every time.
    /// A stage that something else put in the way is about no application.
    async fn remembers(&self, turn: &Turn<'_>) -> Result<Option<(Uuid, String)>, Error> {
        if turn.stage.settings.is_some() || self.mode == Mode::AlwaysRequire {
            return Ok(None);
        }
        let Some(application) = application(turn) else {
            return Ok(None);
        };
        Ok(subject(turn).await?.map(|user| (user, application)))
    }

    fn expires(&self, now: Timestamp) -> Option<Timestamp> {
        let span = self.consent_expire_in.span();
        (self.mode == Mode::Expiring).then(|| after(now, span))
    }

    /// Whether the user agreed to all of it before. What they did not agree to is set apart.
    async fn is_known(&self, turn: &mut Turn<'_>) -> Result<bool, Error> {
        let Some((user, application)) = self.remembers(turn).await? else {
            return Ok(false);
        };
        let found = consent_to(turn.world.objects(), user, &application).await?;
        let now = turn.world.now();
        let Some(found) = found.filter(|it| !it.value.is_expired(now)) else {
            return Ok(false);
        };
        let granted = found.value.permissions.clone();
        let shown = json!({ "permissions": granted, "expires": found.value.expires });
        turn.set(CONSENT, Some(Known::Json(shown)));
        let granted: Vec<&str> = granted.split_whitespace().collect();
        let all = wanted(turn);
        let (known, new): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|wanted| granted.contains(&wanted.id.as_str()));
        let is_same =
            new.is_empty() && granted.iter().all(|id| known.iter().any(|it| it.id == *id));
        if !is_same {
            turn.set(PERMISSIONS, Some(json_of(&known)));
            turn.set(ADDITIONAL, Some(json_of(&new)));
        }
        Ok(is_same)
    }

    /// Another question has another token, the same one shown again has the same.
    fn ask(turn: &mut Turn<'_>) -> Result<(), Error> {
        let token = turn.world.draw()?;
        turn.set(TOKEN, Some(Known::text(token.to_string())));
        Ok(())
    }

    async fn grant(&self, turn: &mut Turn<'_>) -> Result<(), Error> {
        let permissions: Vec<String> = wanted(turn).into_iter().map(|it| it.id).collect();
        let expires = self.expires(turn.world.now());
        let remembers = self.remembers(turn).await?;
        let stored = remembers.is_some();
        if let Some((user, application)) = remembers {
            let found = consent_to(turn.world.objects(), user, &application).await?;
            let (id, version) = match found {
                Some(found) => (found.value.id, found.version),
                None => (turn.world.draw()?, Version::NONE),
            };
            let value = UserConsent {
                id,
                user,
                application,
                permissions: permissions.join(" "),
                expires,
            };
            turn.world.change(Change::Write(put(&value, version)));
        }
        turn.learn(Event::ConsentGranted {
            application: application(turn),
            permissions,
            stored,
            expires: expires.filter(|_| stored),
        });
        Ok(())
    }
}

#[async_trait(?Send)]
impl Stage for Consent {
    const COMPONENT: &'static str = "ak-stage-consent";

    const FIELDS: &'static [Field] = &[Field {
        name: "token",
        shape: Shape::RequiredText,
        secret: false,
    }];

    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        if self.is_known(turn).await? {
            return Ok(Entered::Passed);
        }
        Self::ask(turn)?;
        Ok(Entered::Asks)
    }

    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        let (user, avatar) = turn.shown_user().await?;
        let context = &turn.running.context;
        let mut fields = Map::from_iter([
            ("pending_user".to_owned(), user.into()),
            ("pending_user_avatar".to_owned(), avatar.into()),
            (
                "permissions".to_owned(),
                json!(permissions(turn, PERMISSIONS)),
            ),
            (
                "additional_permissions".to_owned(),
                json!(permissions(turn, ADDITIONAL)),
            ),
            (
                "token".to_owned(),
                context.text(TOKEN).unwrap_or_default().into(),
            ),
        ]);
        if let Some(header) = context.text(HEADER) {
            fields.insert("header_text".to_owned(), header.into());
        }
        Ok(fields)
    }

    async fn judge(&self, response: Response, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        let asked = turn.running.context.text(TOKEN).unwrap_or_default();
        let asked = SecretString::from(asked.to_owned());
        let typed = response.text("token").cloned().unwrap_or_default();
        if !turn.world.is_secret(&typed, &asked)? {
            Self::ask(turn)?;
            return Ok(Verdict::Rejected(errors(
                "token",
                "Invalid consent token, re-showing prompt",
                "invalid",
            )));
        }
        self.grant(turn).await?;
        Ok(Verdict::Passed)
    }
}
