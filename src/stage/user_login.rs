//! Logs the pending user in. Source: authentik `stages/user_login`.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::duration::{Duration, after};
use super::field::{Field, Shape};
use super::reply::object;
use super::{Entered, Error, Response, Stage, Turn, Verdict};
use crate::directory::session::{self, GeoipBinding, NetworkBinding};
use crate::directory::{User, install};
use crate::flow::context::{self, key};
use crate::flow::event::{Event, Remembered};
use crate::world::{Change, StartSession};

/// How long a session whose cookie ends with the browser lives on the server.
const BROWSER_SESSION: SignedDuration = SignedDuration::from_hours(24);

/// The settings of a login stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = UserLoginStage)]
pub struct UserLogin {
    /// How long the session lasts; nothing means until the browser is closed.
    #[schema(value_type = String, min_length = 1)]
    pub session_duration: Duration,
    /// How much longer it lasts when the visitor wants to be remembered; nothing means that
    /// they are not asked.
    #[schema(value_type = String, min_length = 1)]
    pub remember_me_offset: Duration,
    /// How long the device counts as known afterwards.
    #[schema(value_type = String, min_length = 1)]
    pub remember_device: Duration,
    /// What of the network the session is bound to.
    pub network_binding: NetworkBinding,
    /// What of the place the session is bound to.
    pub geoip_binding: GeoipBinding,
    /// Whether the user's other sessions end.
    pub terminate_other_sessions: bool,
}

impl Default for UserLogin {
    fn default() -> Self {
        Self {
            session_duration: Duration::from_secs(0),
            remember_me_offset: Duration::from_secs(0),
            remember_device: Duration::from_secs(30 * 86_400),
            network_binding: NetworkBinding::default(),
            geoip_binding: GeoipBinding::default(),
            terminate_other_sessions: false,
        }
    }
}

/// The message of every refusal here: it says nothing about the account.
const REFUSAL: &str = "Unknown error";

impl UserLogin {
    fn asks(&self) -> bool {
        self.remember_me_offset.span() > SignedDuration::ZERO
    }

    /// What the browser is known by from now on. Whoever was asked and does not want to be
    /// remembered on this device is not.
    fn remembered(&self, turn: &Turn<'_>, remember: Option<bool>) -> Option<Remembered> {
        let span = self.remember_device.span();
        let wanted = remember != Some(false) && span >= SignedDuration::from_secs(1);
        let until = turn.world.now().checked_add(span);
        wanted.then(|| Remembered {
            stage: turn.stage.stage.id,
            until: until.unwrap_or(Timestamp::MAX),
        })
    }

    /// Logs in; `remember` is what the visitor answered, if they were asked. `Some` is the message
    /// of a refusal.
    async fn log_in(
        &self,
        turn: &mut Turn<'_>,
        remember: Option<bool>,
    ) -> Result<Option<&'static str>, Error> {
        let Some(user) = turn.pending_user().await? else {
            return Ok(Some(REFUSAL));
        };
        if !user.value.is_active {
            return Ok(Some(REFUSAL));
        }
        let now = turn.world.now();
        let mut lasts = self.session_duration.span();
        if remember == Some(true) {
            let longer = lasts.checked_add(self.remember_me_offset.span());
            lasts = longer.unwrap_or(SignedDuration::MAX);
        }
        let persistent = lasts > SignedDuration::ZERO;
        let span = if persistent { lasts } else { BROWSER_SESSION };
        let expires = after(now, span);
        let others = self.other_sessions(turn, &user.value).await?;
        let User { uuid, username, .. } = user.value;
        let (session, user) = (turn.running.session, uuid);
        turn.world.change(Change::StartSession(StartSession {
            session,
            user,
            expires,
            persistent,
            network_binding: self.network_binding,
            geoip_binding: self.geoip_binding,
        }));
        let terminated: Vec<Uuid> = if self.terminate_other_sessions {
            others
        } else {
            Vec::new()
        };
        if !terminated.is_empty() {
            turn.world.change(Change::TerminateSessions {
                sessions: terminated.clone(),
            });
        }
        let before = turn.session_user().await?.map(|before| before.value.uuid);
        let replaced = before.filter(|before| *before != user);
        turn.learn(Event::SessionStarted {
            session,
            user,
            expires,
            persistent,
            terminated,
            replaced,
            device: self.remembered(turn, remember),
        });
        turn.count(&username, 1);
        Ok(None)
    }

    /// The user's other sessions. Looking at them also tells whether the device is known.
    async fn other_sessions(&self, turn: &mut Turn<'_>, user: &User) -> Result<Vec<Uuid>, Error> {
        let now = turn.world.now();
        let mut sessions = session::sessions_of(turn.world.objects(), user.uuid).await?;
        sessions.retain(|session| !session.value.is_expired(now));
        let known = sessions
            .iter()
            .any(|it| it.value.last_ip == turn.client.address)
            || is_device_of(turn, user).await?;
        let mut args = match turn.running.context.get(key::AUTH_METHOD_ARGS) {
            Some(context::Value::Json(Value::Object(args))) => args.clone(),
            _ => Map::new(),
        };
        args.entry("known_device").or_insert(known.into());
        turn.set(
            key::AUTH_METHOD_ARGS,
            Some(context::Value::Json(Value::Object(args))),
        );
        let own = turn.running.session;
        let others: BTreeSet<_> = sessions.iter().map(|it| it.value.id).collect();
        Ok(others.into_iter().filter(|id| *id != own).collect())
    }
}

/// Whether this very stage logged the user in with the same browser before.
async fn is_device_of(turn: &Turn<'_>, user: &User) -> Result<bool, Error> {
    let stage = turn.stage.stage.id;
    let device = turn.client.device.as_ref();
    let Some(device) = device.filter(|device| device.stage == stage) else {
        return Ok(false);
    };
    let install = install(turn.world.objects()).await?;
    Ok(install.is_some_and(|it| user.uid(it.value.install_id) == device.user))
}

#[async_trait(?Send)]
impl Stage for UserLogin {
    const COMPONENT: &'static str = "ak-stage-user-login";

    const FIELDS: &'static [Field] = &[Field {
        name: "remember_me",
        shape: Shape::RequiredFlag,
        secret: false,
    }];

    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        if self.asks() {
            return Ok(Entered::Asks);
        }
        Ok(match self.log_in(turn, None).await? {
            None => Entered::Passed,
            Some(message) => Entered::Denied(message.to_owned()),
        })
    }

    async fn challenge(&self, turn: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        let (user, avatar) = turn.shown_user().await?;
        let fields = json!({ "pending_user": user, "pending_user_avatar": avatar });
        Ok(object(fields))
    }

    async fn judge(&self, response: Response, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        let remember = response.flag("remember_me");
        Ok(match self.log_in(turn, Some(remember)).await? {
            None => Verdict::Passed,
            Some(message) => Verdict::Denied(message.to_owned()),
        })
    }
}
