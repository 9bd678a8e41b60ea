//! The user's page: what is known of somebody, and what is theirs. One page for each topic.

use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;
use uuid::Uuid;

use super::language::Language;
use super::page::LANGUAGES;
use super::{Dress, Error, Pages, Person, assets};
use crate::directory::DeviceClass;

mod moment;

pub use moment::Moment;

/// What all topics share.
#[derive(Clone, Debug, Serialize)]
pub struct Frame {
    /// Whose page it is.
    pub person: Person,
    /// The session's CSRF token.
    pub csrf: String,
    /// What was just done, in a word that the template knows.
    pub done: Option<String>,
    /// What went wrong, for whoever reads the page.
    pub notice: Option<String>,
}

/// A topic with what the page shows of it.
#[derive(Clone, Debug)]
pub enum Topic {
    /// What is known of the person.
    Profile(Profile),
    /// The password.
    Password(Password),
    /// The second factors.
    Devices(Devices),
    /// One of them, whose name is changed.
    Rename(Rename),
    /// One of them that is about to go.
    Removal(Removal),
    /// Where they are logged in.
    Sessions(Vec<Used>),
    /// What they allowed applications.
    Consents(Vec<Consent>),
}

/// What is known of the person, and how it is changed.
#[derive(Clone, Debug, Serialize)]
pub struct Profile {
    /// In the order of the page.
    pub fields: Vec<Field>,
    /// Whether the page is a form.
    pub is_form: bool,
    /// What is wrong and belongs to no field.
    pub errors: Vec<String>,
    /// Where the details are changed if not here.
    pub elsewhere: Option<String>,
}

/// A field of the profile.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// Its name: `username`, `name`, `email` or `language`.
    pub name: &'static str,
    /// What is known, or was typed.
    pub value: String,
    /// Whether the person may change it.
    pub may_change: bool,
    /// The choices, where there are some.
    pub choices: Vec<(String, String)>,
    /// What is wrong with what was typed.
    pub errors: Vec<String>,
}

/// The password.
#[derive(Clone, Debug, Serialize)]
pub struct Password {
    /// When it was last changed; none where there is none that anybody could type.
    pub changed: Option<Moment>,
    /// Where it is changed.
    pub change: Option<String>,
}

/// The second factors.
#[derive(Clone, Debug, Serialize)]
pub struct Devices {
    /// Those that there are.
    pub devices: Vec<Device>,
    /// What can be set up.
    pub offers: Vec<Offer>,
}

/// A second factor.
#[derive(Clone, Debug, Serialize)]
pub struct Device {
    /// Its identifier.
    pub id: Uuid,
    /// Its class.
    pub class: DeviceClass,
    /// What its owner calls it.
    pub name: String,
    /// More of it: the model, the number, the address.
    pub detail: Option<String>,
    /// How many codes are left.
    pub codes: Option<usize>,
    /// When it was set up.
    pub created: Moment,
    /// When it was last used.
    pub used: Option<Moment>,
}

/// A second factor that can be set up.
#[derive(Clone, Debug, Serialize)]
pub struct Offer {
    /// Its class.
    pub class: String,
    /// The operator's name of it, where there are several of the class.
    pub name: Option<String>,
    /// Where it is set up.
    pub address: String,
}

/// A device whose name is changed.
#[derive(Clone, Debug, Serialize)]
pub struct Rename {
    /// Which.
    pub device: Device,
    /// What was typed, or the name that it has.
    pub name: String,
    /// How long it may be.
    pub longest: usize,
    /// What is wrong with what was typed.
    pub errors: Vec<String>,
}

/// A device that is about to go.
#[derive(Clone, Debug, Serialize)]
pub struct Removal {
    /// Which.
    pub device: Device,
    /// Whether no other is left then.
    pub is_last: bool,
    /// Whether nothing but codes on paper is left then.
    pub leaves_codes: bool,
}

/// A session.
#[derive(Clone, Debug, Serialize)]
pub struct Used {
    /// Its identifier.
    pub id: Uuid,
    /// Whether the page is shown in it.
    pub is_current: bool,
    /// The browser, where it is a common one.
    pub browser: Option<&'static str>,
    /// What it runs on, where that is common.
    pub system: Option<&'static str>,
    /// What the program calls itself.
    pub agent: String,
    /// From where it was last used.
    pub address: String,
    /// Where that is, or whose it is.
    pub place: Option<String>,
    /// When it began.
    pub started: Moment,
    /// When it was last used.
    pub used: Moment,
    /// When it ends unless it is used.
    pub expires: Moment,
}

/// What an application was allowed.
#[derive(Clone, Debug, Serialize)]
pub struct Consent {
    /// The consent's identifier.
    pub id: Uuid,
    /// The application's key.
    pub application: String,
    /// What was allowed.
    pub permissions: Vec<String>,
    /// When.
    pub since: Option<Moment>,
    /// When it ends.
    pub expires: Option<Moment>,
    /// Whether it has ended.
    pub is_over: bool,
}

/// Whether pages speak the language with this word, such as `de` or `de_AT`.
fn is_spoken(word: &str) -> bool {
    let code = word.split(['_', '-']).next().unwrap_or(word);
    Language::ALL.iter().any(|it| it.code() == code)
}

/// The languages that somebody may choose, with the word and the name of each; also the one that
/// was chosen, if it is none of these.
#[must_use]
pub fn locales(chosen: &str) -> Vec<(String, String)> {
    let other = LANGUAGES.iter().all(|(word, _)| *word != chosen);
    let other = other.then_some((chosen, chosen));
    let mut all: Vec<_> = LANGUAGES.into_iter().chain(other).collect();
    // Those that pages speak come first.
    all.sort_by_key(|(word, _)| !(word.is_empty() || is_spoken(word)));
    let all = all.into_iter();
    all.map(|(word, name)| (word.to_owned(), name.to_owned()))
        .collect()
}

impl Pages {
    /// A page of the user's.
    ///
    /// # Errors
    /// When a template is at fault.
    pub fn account(&self, dress: &Dress, frame: &Frame, topic: &Topic) -> Result<String, Error> {
        let (topic, template, about) = match topic {
            Topic::Profile(it) => (
                "profile",
                "account/profile.html",
                context! { it => Serde(it) },
            ),
            Topic::Password(it) => (
                "password",
                "account/password.html",
                context! { it => Serde(it) },
            ),
            Topic::Devices(it) => (
                "devices",
                "account/devices.html",
                context! { it => Serde(it) },
            ),
            Topic::Rename(it) => (
                "devices",
                "account/rename.html",
                context! { it => Serde(it) },
            ),
            Topic::Removal(it) => (
                "devices",
                "account/removal.html",
                context! { it => Serde(it) },
            ),
            Topic::Sessions(it) => (
                "sessions",
                "account/sessions.html",
                context! { sessions => Serde(it) },
            ),
            Topic::Consents(it) => (
                "consents",
                "account/consents.html",
                context! { consents => Serde(it) },
            ),
        };
        let shared = context! {
            topic => topic,
            frame => Serde(frame),
            account_stylesheet => assets::address(assets::ACCOUNT_STYLE),
        };
        self.render(template, dress, context! { ..about, ..shared })
    }
}
