//! What a stage wants to have sent, linked to, or asked of others.

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::captcha;
use crate::courier::letter::Person;
use crate::directory::user::User;
use crate::duo::{Account, Push};
use crate::flow::client::Client;
use crate::flow::effect::Effect;
use crate::sms;

/// A link that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLink {
    /// The slug of the flow at whose address it is.
    pub slug: String,
    /// What else is in its query string; never a secret.
    pub query: String,
    /// When it ends.
    pub expires: Timestamp,
}

/// A mail that is about to be written.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The template, such as `email/password_reset.html`.
    pub template: String,
    /// The subject; translated where it is one of ours.
    pub subject: String,
    /// To whom. One to nobody is written like any other and never sent, so that the time that it
    /// takes does not tell who exists.
    pub to: Option<Recipient>,
    /// Who is spoken to.
    pub user: Person,
    /// Who asked for it.
    pub client: Client,
    /// What the whole is called.
    pub brand: String,
    /// From whom; `None` is the server's own address.
    pub from: Option<String>,
    /// The stage whose own server it is sent by; `None` is the global one.
    pub server: Option<Uuid>,
    /// The language, such as `de`.
    pub language: Option<String>,
    /// The link in it, which this very command made.
    pub link: Option<Uuid>,
    /// The code in it.
    pub code: Option<SecretString>,
    /// What it says in place of the template: plain text.
    pub text: Option<String>,
    /// What the template may use besides.
    pub more: Map<String, Value>,
    /// When the link or the code ends. The mail is not tried any more afterwards.
    pub expires: Timestamp,
}

/// A user as a letter speaks to them.
#[must_use]
pub fn person(user: &User) -> Person {
    Person {
        username: user.username.clone(),
        name: user.name.clone(),
        email: user.email.clone(),
    }
}

/// Where a mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The display name; may be empty.
    pub name: String,
    /// The address.
    pub address: String,
}

/// Something that is asked of another server, once the command is in the journal.
#[derive(Clone, Debug)]
pub enum Call {
    /// Whether an answer to a captcha is good.
    Captcha(captcha::Question),
    /// To send a text message.
    Sms(Box<sms::Message>),
    /// That a push is sent to a device.
    DuoPush {
        /// The device.
        device: Uuid,
        /// The push. Where its user logs in is put in by whoever carries it out.
        push: Box<Push>,
        /// Who asks for it.
        client: Box<Client>,
    },
    /// What became of a push.
    DuoPushStatus {
        /// The stage whose account is used.
        stage: Uuid,
        /// The account.
        account: Account,
        /// What Duo calls the push.
        transaction: String,
    },
    /// That a user is enrolled at Duo. The codes with which that is done go into the vault.
    DuoEnrolment {
        /// The stage whose account is used.
        stage: Uuid,
        /// The account.
        account: Account,
        /// By which name the user logs in.
        username: String,
    },
    /// Whether a user has finished enrolling.
    DuoEnrolmentStatus {
        /// The stage whose account is used.
        stage: Uuid,
        /// The account.
        account: Account,
        /// What Duo calls the user.
        user_id: String,
        /// The code with which they enrol.
        activation_code: SecretString,
    },
    /// Nothing; but time is to pass, until the timer of the effect fires.
    Pause,
}

impl Call {
    /// What the trail keeps of it.
    #[must_use]
    pub fn effect(&self) -> Effect {
        match self {
            Self::Captcha(question) => Effect::Captcha {
                url: question.url.clone(),
            },
            Self::Sms(message) => Effect::Sms {
                provider: message.host(),
            },
            Self::DuoPush { device, .. } => Effect::Push { device: *device },
            Self::DuoPushStatus {
                stage, transaction, ..
            } => Effect::PushStatus {
                stage: *stage,
                transaction: transaction.clone(),
            },
            Self::DuoEnrolment { stage, .. } => Effect::DuoEnrolment { stage: *stage },
            Self::DuoEnrolmentStatus { stage, .. } => Effect::DuoEnrolmentStatus { stage: *stage },
            Self::Pause => Effect::Pause,
        }
    }
}
