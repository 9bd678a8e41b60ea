//! Policies: what decides who may use a flow and which stages a plan holds.
//!
//! One file per kind: settings and judgement. A policy sees the world through its [`Request`]
//! and reaches for nothing else, so that an evaluation can be recorded and run again. What it
//! wants to change it asks for; the engine sees to it that nothing stays of an evaluation that
//! fails.
//!
//! Semantics are those of authentik's `policies/engine.py` and `policies/process.py`.

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::catalog;
use crate::expression;
use crate::flow::event::Errors;
use crate::flow::event::Event;
use crate::flow::field::Invalid;
use crate::flow::verdict::Logged;
use crate::world;

pub mod context;
pub mod dummy;
pub mod engine;
mod evaluation;
pub mod event_matcher;
pub mod expression_policy;
pub mod geoip;
mod host;
pub mod mapping;
pub mod password;
pub mod password_expiry;
pub mod question;
pub mod reputation;
pub mod request;
pub mod unique_password;

pub use engine::{Decision, decide};
pub use mapping::Mapping;
pub use question::{Asker, Question};
pub use request::{Request, Scope, Subject, Visit};

/// Why a policy has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The world did not answer; the command is not carried out at all.
    #[error(transparent)]
    World(#[from] world::Error),
    /// The evaluation failed; the binding says what counts instead.
    #[error("{message}")]
    Failed {
        /// What went wrong, in a sentence.
        message: String,
        /// Where in an expression.
        traceback: Option<String>,
        /// What it logged until then.
        log: Vec<Logged>,
    },
    /// The evaluation was ended from outside; running it again may come to something else.
    #[error(transparent)]
    Interrupted(#[from] world::Interrupted),
}

impl Error {
    /// A failure without a place.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed {
            message: message.into(),
            traceback: None,
            log: Vec::new(),
        }
    }
}

impl From<crate::journal::Error> for Error {
    fn from(error: crate::journal::Error) -> Self {
        Self::World(error.into())
    }
}

/// What a policy said.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// Whether it passes.
    pub passing: bool,
    /// What the visitor may read.
    pub messages: Vec<String>,
    /// What it logged.
    pub log: Vec<Logged>,
    /// What an expression returned; `None` of other kinds.
    pub value: Option<expression::Value>,
    /// What it changed in the context and in the plan's.
    pub changes: Vec<expression::Change>,
    /// What else it asks for.
    pub effects: Vec<Effect>,
}

impl Judged {
    /// An answer without a message.
    #[must_use]
    pub fn new(passing: bool) -> Self {
        Self {
            passing,
            ..Self::default()
        }
    }

    /// The answer with one more message.
    #[must_use]
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.messages.push(message.into());
        self
    }
}

/// Something that a policy asks for, besides changes of the context.
#[derive(Clone, Debug)]
pub enum Effect {
    /// This is to be noted, and folded into the execution.
    Learn(Event),
    /// This is to be written together with the events.
    Change(world::Change),
    /// This is to be sent.
    Post(Box<world::Letter>),
}

/// The behaviour of one kind of policy; its settings are the type itself.
#[async_trait(?Send)]
pub trait Policy {
    /// Answers a request.
    async fn judge(&self, request: &Request<'_>) -> Result<Judged, Error>;

    /// What is wrong with the settings, beyond what their types say.
    fn problems(&self) -> Vec<Invalid> {
        Vec::new()
    }
}

/// The one list of policy kinds: module, type, name, blueprint model, names for people.
macro_rules! policies {
    ($($module:ident :: $Type:ident, $name:literal, $model:literal, $title:literal;)+) => {
        /// A policy with its settings.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Configured {
            $(#[doc = concat!("`", $title, "`")] $Type($module::$Type),)+
        }

        catalog::kind::kinds! {
            /// A kind of policy.
            $($Type, $name, $model, $title;)+
        }

        impl Kind {
            /// The settings with every default filled in.
            ///
            /// # Errors
            /// The problems, by field.
            pub fn validate(
                self,
                settings: &Map<String, Value>,
            ) -> Result<Map<String, Value>, Errors> {
                match self {
                    $(Self::$Type => catalog::settings::validate(
                        settings,
                        <$module::$Type as Policy>::problems,
                    ),)+
                }
            }

            /// The settings, as the description of the API has them.
            #[must_use]
            pub fn described(self) -> catalog::schema::Described {
                match self {
                    $(Self::$Type => catalog::schema::Described::of::<$module::$Type>(),)+
                }
            }

            /// Reads settings that were validated before.
            ///
            /// # Errors
            /// [`Error::Failed`] names what cannot be read.
            pub fn configure(self, settings: &Map<String, Value>) -> Result<Configured, Error> {
                match self {
                    $(Self::$Type => catalog::settings::read(settings)
                        .map(Configured::$Type)
                        .map_err(Error::failed),)+
                }
            }
        }

        impl Configured {
            /// Answers a request.
            async fn judge(&self, request: &Request<'_>) -> Result<Judged, Error> {
                match self { $(Self::$Type(policy) => policy.judge(request).await),+ }
            }
        }
    };
}

policies! {
    dummy::Dummy, "dummy", "authentik_policies_dummy.dummypolicy", "Dummy Policy";
    event_matcher::EventMatcher, "event_matcher", "authentik_policies_event_matcher.eventmatcherpolicy", "Event Matcher Policy";
    expression_policy::ExpressionPolicy, "expression", "authentik_policies_expression.expressionpolicy", "Expression Policy";
    password::PasswordPolicy, "password", "authentik_policies_password.passwordpolicy", "Password Policy";
    password_expiry::PasswordExpiryPolicy, "password_expiry", "authentik_policies_expiry.passwordexpirypolicy", "Password Expiry Policy";
    unique_password::UniquePasswordPolicy, "unique_password", "authentik_policies_unique_password.uniquepasswordpolicy", "Password Uniqueness Policy";
    geoip::GeoIp, "geoip", "authentik_policies_geoip.geoippolicy", "GeoIP Policy";
    reputation::Reputation, "reputation", "authentik_policies_reputation.reputationpolicy", "Reputation Policy";
}

/// The policy with its settings.
///
/// # Errors
/// [`Error::Failed`] when this version has no such kind, or its settings cannot be read.
fn configured(policy: &catalog::Policy) -> Result<Configured, Error> {
    let kind = Kind::from_name(&policy.kind).ok_or_else(|| {
        let kind = &policy.kind;
        Error::failed(format!("this version has no policies of the kind {kind}"))
    })?;
    kind.configure(&policy.settings)
}
