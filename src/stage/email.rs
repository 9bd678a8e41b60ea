//! Mails a link and waits until somebody confirms it. Source: authentik `stages/email`.
//!
//! The link leads back to this very execution, from any browser. For somebody who does not exist
//! everything is done alike, but nothing leaves the server.

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::duration::{Duration, after};
use super::{Entered, Error, Response, Stage, Turn, Verdict};
use crate::catalog::MailServer;
use crate::courier::letter::Person;
use crate::directory::mail_attempts::{MailAttempts, mail_attempts};
use crate::directory::user::User;
use crate::flow::context::{Value as Known, key};
use crate::flow::effect::Effect;
use crate::flow::event::{Errors, Event, NON_FIELD_ERRORS, errors};
use crate::flow::field::{Invalid, Problem};
use crate::flow::timer::Deadline;
use crate::journal::Version;
use crate::journal::object::{Versioned, put};
use crate::world::{Change, Letter, NewLink, Recipient, person};

/// The settings of an e-mail stage. Those of the server are read by whoever sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[schema(as = EmailStage)]
pub struct Email {
    /// The server that sends.
    #[serde(flatten)]
    #[schema(inline)]
    pub server: MailServer,
    /// How long a link is good.
    #[schema(value_type = String, min_length = 1)]
    pub token_expiry: Duration,
    /// The subject.
    #[schema(min_length = 1)]
    pub subject: String,
    /// The template.
    #[schema(min_length = 1)]
    pub template: String,
    /// Whether a user who confirms becomes an active one.
    pub activate_user_on_success: bool,
    /// How many mails the same address may ask for within the time below.
    pub recovery_max_attempts: u32,
    /// How long a mail counts.
    #[schema(value_type = String, min_length = 1)]
    pub recovery_cache_timeout: Duration,
    /// Whether an operator hands the link over, so that nothing is sent.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(ignore)]
    pub link_only: bool,
}

impl Default for Email {
    fn default() -> Self {
        Self {
            server: MailServer::default(),
            token_expiry: Duration::from_secs(30 * 60),
            subject: "authentik".to_owned(),
            template: "email/password_reset.html".to_owned(),
            activate_user_on_success: false,
            recovery_max_attempts: 5,
            recovery_cache_timeout: Duration::from_secs(5 * 60),
            link_only: false,
        }
    }
}

/// The message of every refusal here: it says nothing about the account.
const REFUSAL: &str = "Unknown error";

/// The entry of the context that says that the first mail was sent.
const EMAIL_SENT: &str = "email_sent";

/// The entry of the context that replaces the user's own address.
const EMAIL: &str = "email";

/// How much longer a link is good than the stage says. Source: authentik `stages/email/stage.py`.
const GRACE: SignedDuration = SignedDuration::from_mins(1);

/// The settings of the stage that waits for a link which an operator hands over.
pub(super) fn waits_for_link() -> Map<String, Value> {
    Map::from_iter([
        ("link_only".to_owned(), true.into()),
        ("activate_user_on_success".to_owned(), false.into()),
    ])
}

/// Whom a mail is for.
enum Addressee {
    User(Box<Versioned<User>>),
    Stranger(String),
}

impl Email {
    async fn addressee(&self, turn: &Turn<'_>) -> Result<Option<Addressee>, Error> {
        Ok(match turn.running.context.get(key::PENDING_USER) {
            Some(Known::Stranger { identifier }) => Some(Addressee::Stranger(identifier.clone())),
            Some(Known::User(id)) => {
                let user = turn.user(*id).await?;
                user.map(|user| Addressee::User(user.into()))
            }
            _ => None,
        })
    }

    /// Sends a link, unless too many went there already.
    ///
    /// # Errors
    /// The inner one is the operator's fault, in words.
    async fn send(
        &self,
        addressee: &Addressee,
        turn: &mut Turn<'_>,
    ) -> Result<Result<(), String>, Error> {
        let now = turn.world.now();
        let told = turn.running.context.text(EMAIL).map(str::to_owned);
        let (user, person) = match addressee {
            Addressee::User(user) => (Some(user.value.uuid), person(&user.value)),
            Addressee::Stranger(typed) => (None, stranger(typed)),
        };
        let address = told.filter(|told| !told.is_empty());
        let address = address.unwrap_or_else(|| person.email.clone());
        let Some(attempts) = self.due(&address, turn).await? else {
            return Ok(Ok(()));
        };
        let expires = after(now, self.token_expiry.span().saturating_add(GRACE));
        let link = turn.world.link(NewLink {
            slug: turn.running.slug.clone(),
            query: turn.query.without_link().encode(),
            expires,
        })?;
        let is_real = user.is_some() && !address.is_empty();
        let language = match addressee {
            Addressee::User(user) => language(&user.value),
            Addressee::Stranger(_) => None,
        };
        let posted = turn
            .world
            .post(Letter {
                template: self.template.clone(),
                subject: self.subject.clone(),
                to: is_real.then(|| Recipient {
                    name: person.name.clone(),
                    address,
                }),
                user: person,
                client: turn.client.clone(),
                brand: turn.brand().await?.branding_title,
                from: (!self.server.use_global_settings).then(|| self.server.from_address.clone()),
                server: (!self.server.use_global_settings).then_some(turn.stage.stage.id),
                language: turn.client.language.clone().or(language),
                link: Some(link),
                code: None,
                text: None,
                more: Map::new(),
                expires,
            })
            .await?;
        let mail = match posted {
            Ok(mail) => mail,
            Err(problem) => return Ok(Err(problem)),
        };
        // One that could not be written counts for nothing, or whoever makes that happen would keep
        // the user from getting any.
        self.count(attempts, turn);
        turn.learn(Event::LinkIssued {
            link,
            stage: Some(turn.stage.stage.id),
            user,
            expires,
        });
        turn.set_timer(expires, Deadline::Link { link })?;
        turn.learn(Event::EffectRequested {
            effect: mail,
            what: Effect::Mail {
                template: self.template.clone(),
            },
        });
        Ok(Ok(()))
    }

    /// What went to this address lately, if another mail may go there. The first one of every
    /// execution counts as well, or whoever begins many would fill somebody's mailbox.
    async fn due(
        &self,
        address: &str,
        turn: &mut Turn<'_>,
    ) -> Result<Option<Versioned<MailAttempts>>, Error> {
        let window = self.recovery_cache_timeout.span();
        let found = mail_attempts(turn.world.objects(), address).await?;
        let mut attempts = match found {
            Some(found) => found,
            None => Versioned {
                version: Version::NONE,
                value: MailAttempts::none(turn.world.draw()?, address),
            },
        };
        attempts.value.forget(turn.world.now(), window);
        let recent = attempts.value.at.len();
        let most = usize::try_from(self.recovery_max_attempts).unwrap_or(usize::MAX);
        // Besides those that are asked for there is the first one.
        if recent > most {
            turn.learn(Event::MailWithheld {
                recent: u32::try_from(recent).unwrap_or(u32::MAX),
            });
            return Ok(None);
        }
        Ok(Some(attempts))
    }

    fn count(&self, mut attempts: Versioned<MailAttempts>, turn: &mut Turn<'_>) {
        let window = self.recovery_cache_timeout.span();
        attempts.value.count(turn.world.now(), window);
        turn.world
            .change(Change::Write(put(&attempts.value, attempts.version)));
    }

    /// Makes a user who confirmed the link an active one, where the operator wants that.
    fn activate(&self, user: &Versioned<User>, turn: &mut Turn<'_>) {
        if !self.activate_user_on_success || user.value.is_active {
            return;
        }
        let mut active = turn
            .world
            .written(user.value.uuid)
            .unwrap_or_else(|| user.clone());
        active.value.is_active = true;
        active.value.last_updated = turn.world.now();
        let id = active.value.uuid;
        turn.world.change(Change::WriteUser(Box::new(active)));
        turn.learn(Event::UserIdentified {
            user: Some(id),
            active: true,
        });
        turn.learn(Event::UserWritten {
            user: id,
            created: false,
            fields: vec!["is_active".to_owned()],
            groups: Vec::new(),
        });
    }

    fn misconfigured(&self, problem: String, turn: &mut Turn<'_>) {
        turn.learn(Event::ConfigurationError {
            what: format!(
                "Exception occurred while rendering E-mail template {}",
                self.template
            ),
            problem,
        });
    }
}

/// What every answer gets: it means "send it again".
fn sent() -> Errors {
    errors(NON_FIELD_ERRORS, "email-sent", "email-sent")
}

/// The language that a user has set.
#[must_use]
pub fn language(user: &User) -> Option<String> {
    let settings = user.attributes.get("settings");
    let language = settings.and_then(|settings| settings["locale"].as_str());
    let language = language.filter(|language| !language.is_empty());
    language.map(str::to_owned)
}

fn stranger(typed: &str) -> Person {
    Person {
        username: typed.to_owned(),
        name: String::new(),
        email: typed.to_owned(),
    }
}

#[async_trait(?Send)]
impl Stage for Email {
    const COMPONENT: &'static str = "ak-stage-email";

    async fn enter(&self, turn: &mut Turn<'_>) -> Result<Entered, Error> {
        let Some(addressee) = self.addressee(turn).await? else {
            return Ok(Entered::Denied(REFUSAL.to_owned()));
        };
        let stage: Uuid = turn.stage.stage.id;
        if let Addressee::User(user) = &addressee
            && turn.running.is_confirmed(stage, user.value.uuid)
        {
            self.activate(user, turn);
            return Ok(Entered::Passed);
        }
        let is_sent = turn.running.context.get(EMAIL_SENT).is_some();
        if self.link_only || is_sent {
            return Ok(Entered::Asks);
        }
        if let Err(problem) = self.send(&addressee, turn).await? {
            self.misconfigured(problem, turn);
            return Ok(Entered::Denied(REFUSAL.to_owned()));
        }
        turn.set(EMAIL_SENT, Some(Known::Json(json!(true))));
        Ok(Entered::Asks)
    }

    async fn challenge(&self, _: &mut Turn<'_>) -> Result<Map<String, Value>, Error> {
        Ok(Map::new())
    }

    async fn judge(&self, _: Response, turn: &mut Turn<'_>) -> Result<Verdict, Error> {
        if self.link_only {
            return Ok(Verdict::Rejected(sent()));
        }
        if let Some(addressee) = self.addressee(turn).await?
            && let Err(problem) = self.send(&addressee, turn).await?
        {
            self.misconfigured(problem, turn);
            return Ok(Verdict::Denied(REFUSAL.to_owned()));
        }
        Ok(Verdict::Rejected(sent()))
    }

    fn problems(&self) -> Vec<Invalid> {
        let mut found = self.server.problems(&self.template);
        if self.token_expiry.span() <= SignedDuration::ZERO {
            let problem = "A link has to be good for some time.";
            found.push(Invalid::new("token_expiry", Problem::Other(problem)));
        }
        found
    }
}
