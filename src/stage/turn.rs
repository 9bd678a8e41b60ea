//! What a stage may see, and where it puts what it learnt.

use jiff::Timestamp;
use uuid::Uuid;

use crate::catalog::Flow;
use crate::catalog::brand::{self, Brand};
use crate::directory::avatar;
use crate::directory::session::Session;
use crate::directory::user::User;
use crate::flow::challenge::DEFAULT_AVATAR;
use crate::flow::client::Client;
use crate::flow::context::{Value, key};
use crate::flow::effect::Effect;
use crate::flow::event::Event;
use crate::flow::execution::Running;
use crate::flow::plan::PlannedStage;
use crate::flow::query::Query;
use crate::flow::timer::{self, Deadline};
use crate::journal::object::{self, Versioned};
use crate::world::{self, Attempt, Call, Change, World};

use super::Error;

/// One stage's turn.
pub struct Turn<'a> {
    /// Everything outside the execution.
    pub world: &'a dyn World,
    /// Where the execution stands.
    pub running: &'a Running,
    /// The flow, in the revision that the execution is pinned to.
    pub flow: &'a Flow,
    /// The stage's own place in the plan.
    pub stage: &'a PlannedStage,
    /// Who sent the request.
    pub client: &'a Client,
    /// The browser's query string.
    pub query: &'a Query,
    /// What was waited for, where what came of it is being judged.
    pub took_up: Option<Effect>,
    pub(super) learnt: Vec<Event>,
    /// Fields of the challenge that the trail must not have.
    pub(super) shown: serde_json::Map<String, serde_json::Value>,
    /// Whether this command has logged the browser out, which the directory does not know yet.
    pub(super) logged_out: bool,
}

impl Turn<'_> {
    /// Notes something that was learnt.
    pub fn learn(&mut self, event: Event) {
        self.learnt.push(event);
    }

    /// Notes why the visitor is refused, who does not read it. Nothing that was typed is in it.
    pub fn refuse(&mut self, why: impl Into<String>) {
        self.learn(Event::Refused { why: why.into() });
    }

    /// Puts, replaces or removes an entry of the context.
    pub fn set(&mut self, key: &str, value: Option<Value>) {
        let value = match value {
            Some(value) if key == key::PROMPT_DATA => Some(super::invitation::held(self, value)),
            value => value,
        };
        let by = self.stage.name.clone();
        self.learn(Event::ContextChanged {
            key: key.to_owned(),
            value,
            by,
        });
    }

    /// Counts an attempt for or against a name and the client's address. Nothing is counted for
    /// nobody: of a user who was deleted meanwhile, no name is known any more.
    pub fn count(&mut self, identifier: &str, amount: i64) {
        if identifier.is_empty() {
            return;
        }
        self.world.change(Change::Reputation(Attempt {
            identifier: identifier.to_owned(),
            address: self.client.address,
            amount,
        }));
        self.learn(Event::ReputationChanged {
            identifier: identifier.to_owned(),
            amount,
        });
    }

    /// Asks something of another server, once this command is in the journal; the answer that the
    /// stage judges may wait for it, see [`super::Verdict::Waits`].
    pub fn request(&mut self, call: Call) -> Result<Uuid, Error> {
        let what = call.effect();
        let effect = self.world.request(call)?;
        self.learn(Event::EffectRequested { effect, what });
        Ok(effect)
    }

    /// The same for something that has to come to its end until `due`; else it is over then.
    pub fn request_until(&mut self, call: Call, due: Timestamp) -> Result<Uuid, Error> {
        let effect = self.request(call)?;
        self.set_timer(due, Deadline::Effect { effect })?;
        Ok(effect)
    }

    /// Sets the moment at which something is over.
    pub fn set_timer(&mut self, due: Timestamp, of: Deadline) -> Result<(), Error> {
        let timer = timer::id(due, self.world.draw()?);
        self.learn(Event::TimerSet { timer, due, of });
        Ok(())
    }

    /// Shows the visitor a field of the challenge as it is, while the trail keeps what the stage
    /// returns for it: what is shown may be a secret.
    pub fn show(&mut self, field: &str, value: serde_json::Value) {
        self.shown.insert(field.to_owned(), value);
    }

    /// The user who is going through the flow, as the directory has them now.
    pub async fn pending_user(&self) -> Result<Option<Versioned<User>>, Error> {
        match self.running.context.pending_user() {
            Some(id) => self.user(id).await,
            None => Ok(None),
        }
    }

    /// The user with this id.
    pub async fn user(&self, id: Uuid) -> Result<Option<Versioned<User>>, Error> {
        Ok(world::user(self.world, id).await?)
    }

    /// The browser's session, unless this very command makes it.
    pub async fn session(&self) -> Result<Option<Versioned<Session>>, Error> {
        let session: Option<Versioned<Session>> =
            object::get(self.world.objects(), self.running.session).await?;
        Ok(session.filter(|session| !session.value.is_expired(self.world.now())))
    }

    /// Who is logged in already.
    pub async fn session_user(&self) -> Result<Option<Versioned<User>>, Error> {
        if self.logged_out {
            return Ok(None);
        }
        let session = self.session().await?;
        match session.and_then(|session| session.value.user) {
            Some(id) => Ok(self.user(id).await?.filter(|user| user.value.is_active)),
            None => Ok(None),
        }
    }

    /// The brand of the host that was asked for.
    pub async fn brand(&self) -> Result<Brand, Error> {
        let brands = brand::brands(self.world.objects()).await?;
        Ok(brand::select(&brands, &self.client.host).value)
    }

    /// The name and the picture that a challenge shows for the visitor; both say nothing when
    /// nobody is known. Source: authentik `flows/stage.py`, `get_pending_user`.
    pub async fn shown_user(&self) -> Result<(String, String), Error> {
        if let Some(typed) = self.running.context.text(key::PENDING_USER_IDENTIFIER) {
            return Ok((typed.to_owned(), avatar::initials(typed)));
        }
        let user = match self.running.context.get(key::PENDING_USER) {
            Some(Value::Stranger { identifier }) => {
                return Ok((identifier.clone(), avatar::initials(identifier)));
            }
            Some(Value::User(id)) => self.user(*id).await?,
            _ => self.session_user().await?,
        };
        Ok(match user {
            Some(user) => {
                let User { username, name, .. } = &user.value;
                let shown = if name.trim().is_empty() {
                    username
                } else {
                    name
                };
                (username.clone(), avatar::initials(shown))
            }
            None => (String::new(), DEFAULT_AVATAR.to_owned()),
        })
    }
}
