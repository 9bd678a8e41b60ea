//! Letters from templates: those built in, and the operator's own, which win. Sends nothing.
//!
//! Templates are in the syntax of Jinja. Values are escaped in HTML and left as they are in text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

use super::letter::{Person, Values};
use super::phrases::Language;

/// How deep the operator's folder is searched: a link may lead back up.
const DEEPEST: usize = 8;

/// The templates that a stage may name, with what they are called.
const LABELS: [(&str, &str); 5] = [
    ("email/password_reset.html", "Password Reset"),
    ("email/account_confirmation.html", "Account Confirmation"),
    ("email/email_otp.html", "Email OTP"),
    ("email/event_notification.html", "Event Notification"),
    ("email/invitation.html", "Invitation"),
];

/// Every template built in, and its name.
macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("templates/", $name)))),+]
    };
}

const BUILT_IN: [(&str, &str); 12] = built_in![
    "email/base.html",
    "email/base.txt",
    "email/password_reset.html",
    "email/password_reset.txt",
    "email/account_confirmation.html",
    "email/account_confirmation.txt",
    "email/email_otp.html",
    "email/email_otp.txt",
    "email/event_notification.html",
    "email/event_notification.txt",
    "email/invitation.html",
    "email/invitation.txt",
];

/// Why there is no letter. It names the template and says nothing of what the letter would say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The operator's folder cannot be read.
    #[error("the folder of templates {} cannot be read: {problem}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the operating system said.
        problem: String,
    },
    /// There is no such template.
    #[error("there is no template {0}")]
    Missing(String),
    /// A template is wrong.
    #[error("{template}, line {line}: {problem}")]
    Broken {
        /// The template that is wrong: the one asked for, or one that it uses.
        template: String,
        /// The line, from 1; 0 where the whole of it is meant.
        line: usize,
        /// What is wrong.
        problem: String,
    },
}

/// A letter, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The subject, in the language of the letter where it is a known one.
    pub subject: String,
    /// The letter as HTML.
    pub html: String,
    /// The letter as text; empty where the template has no text beside it.
    pub text: String,
}

/// Letters hold links that open accounts.
impl std::fmt::Debug for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendered").finish_non_exhaustive()
    }
}

/// All templates. They are read once, at the start.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    /// The operator's HTML files.
    custom: BTreeSet<String>,
    /// The operator's files that cannot be read as templates.
    broken: BTreeMap<String, Error>,
    /// The templates that can be read, but of which no letter comes.
    failing: BTreeMap<String, Error>,
}

impl Templates {
    /// The templates built in, and every `.html` and `.txt` file below `folder`. A file that cannot
    /// be read is left out; one with a mistake is an error when a letter needs it.
    ///
    /// # Errors
    /// When the folder itself cannot be read.
    ///
    /// # Panics
    /// When a template built in has a syntax error, which a test would have found.
    pub fn load(folder: Option<&Path>) -> Result<Self, Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        let lines = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build();
        environment.set_syntax(lines.expect("the delimiters are the usual ones"));
        environment.set_auto_escape_callback(|name| {
            if is_html(name) {
                AutoEscape::Html
            } else {
                AutoEscape::None
            }
        });
        for (name, source) in BUILT_IN {
            environment
                .add_template(name, source)
                .expect("the templates have no syntax errors");
        }
        let mut templates = Self {
            environment,
            custom: BTreeSet::new(),
            broken: BTreeMap::new(),
            failing: BTreeMap::new(),
        };
        if let Some(folder) = folder {
            std::fs::read_dir(folder).map_err(|error| Error::Folder {
                folder: folder.to_owned(),
                problem: error.to_string(),
            })?;
            templates.add(folder, "", 0);
            templates.try_all();
        }
        Ok(templates)
    }

    /// Adds what is in `folder`, whose templates begin with `prefix`.
    fn add(&mut self, folder: &Path, prefix: &str, depth: usize) {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(file) = entry.file_name().into_string() else {
                continue;
            };
            let name = format!("{prefix}{file}");
            if path.is_dir() {
                if depth < DEEPEST {
                    self.add(&path, &format!("{name}/"), depth + 1);
                }
            } else if is_html(&name) || is_text(&name) {
                match std::fs::read_to_string(&path) {
                    Ok(source) => self.add_one(name, source),
                    Err(error) => {
                        tracing::warn!(template = name, %error, "a template was left out");
                    }
                }
            }
        }
    }

    fn add_one(&mut self, name: String, source: String) {
        if is_html(&name) {
            self.custom.insert(name.clone());
        }
        let added = self.environment.add_template_owned(name.clone(), source);
        if let Err(error) = added {
            // The one built in says something else, so it is no substitute.
            self.environment.remove_template(&name);
            let error = told(&name, &error);
            tracing::warn!("{error}; letters that need this template are not sent");
            self.broken.insert(name, error);
        }
    }

    /// Writes a letter of each template for nobody: an unknown filter, or a template that another
    /// needs and that is not there, shows only then. Also of those built in, which may need one of
    /// the operator's.
    fn try_all(&mut self) {
        let values = sample();
        for (name, _) in self.names() {
            if self.problem(&name).is_some() {
                continue;
            }
            let tried = ["en", "de"]
                .into_iter()
                .try_for_each(|it| self.render(&name, "", Some(it), &values).map(drop));
            if let Err(error) = tried {
                tracing::warn!("{error}; no letter comes of the template {name}");
                self.failing.insert(name, error);
            }
        }
    }

    /// The templates that a stage may name, and what each is called.
    pub fn names(&self) -> Vec<(String, String)> {
        let built_in = LABELS.iter();
        let built_in = built_in.map(|(name, label)| ((*name).to_owned(), (*label).to_owned()));
        let is_known = |name: &str| LABELS.iter().any(|(known, _)| *known == name);
        let custom = self.custom.iter().filter(|name| !is_known(name));
        let custom = custom.map(|name| (name.clone(), format!("Custom Template: {name}")));
        built_in.chain(custom).collect()
    }

    /// What is wrong with a template, or with its text, as far as a letter with made-up values shows
    /// it.
    pub fn problem(&self, name: &str) -> Option<&Error> {
        let text = name.strip_suffix(".html").map(|stem| format!("{stem}.txt"));
        let of = |name: &str| self.broken.get(name);
        let unread = of(name).or_else(|| of(&text?));
        unread.or_else(|| self.failing.get(name))
    }

    /// Writes a letter. `language` is what the reader understands, such as `de` or `en-GB`.
    ///
    /// # Errors
    /// When there is no such template, or it has a mistake.
    pub fn render(
        &self,
        template: &str,
        subject: &str,
        language: Option<&str>,
        values: &Values,
    ) -> Result<Rendered, Error> {
        let language = Language::of(language);
        let html = self.fill(template, language, values)?;
        let text = match template.strip_suffix(".html") {
            // The operator's letter does not go out with the words of another.
            Some(stem) if self.is_of_one_hand(template, &format!("{stem}.txt")) => {
                self.fill(&format!("{stem}.txt"), language, values)?
            }
            _ => String::new(),
        };
        Ok(Rendered {
            subject: language.subject(subject).into_owned(),
            html,
            text,
        })
    }

    /// Whether the text exists, and is not the one built in beside the operator's own HTML.
    fn is_of_one_hand(&self, html: &str, text: &str) -> bool {
        let Ok(found) = self.environment.get_template(text) else {
            return self.broken.contains_key(text);
        };
        let is_built_in = BUILT_IN
            .iter()
            .any(|(name, source)| *name == text && *source == found.source());
        !(is_built_in && self.custom.contains(html))
    }

    fn fill(&self, name: &str, language: Language, values: &Values) -> Result<String, Error> {
        if let Some(error) = self.broken.get(name) {
            return Err(error.clone());
        }
        let template = self.environment.get_template(name);
        let template = template.map_err(|_| Error::Missing(name.to_owned()))?;
        let lasts = values
            .expires
            .zip(values.now)
            .and_then(|(expires, now)| Duration::try_from(expires.duration_since(now)).ok());
        let more = context! {
            language => language.code(),
            validity => lasts.map(|lasts| language.span(lasts)),
            until => values.expires.map(|expires| language.moment(expires)),
        };
        let values = Value::from(Serde(values));
        let filled = template.render(context! { ..more, ..values });
        filled.map_err(|error| told(name, &error))
    }
}

/// What a letter for nobody says.
fn sample() -> Values {
    let now = Timestamp::UNIX_EPOCH;
    let text = |text: &str| Some(text.to_owned());
    Values {
        url: text("https://login.example.org/if/flow/sample/"),
        expires: now.checked_add(SignedDuration::from_mins(30)).ok(),
        now: Some(now),
        user: Some(Person {
            username: "sample".to_owned(),
            name: "A Sample".to_owned(),
            email: "sample@example.org".to_owned(),
        }),
        token: text("123456"),
        host: text("login.example.org"),
        title: text("A sample"),
        body: text("Nothing happened."),
        facts: vec![("sample".to_owned(), "yes".to_owned())],
        brand: "Sample".to_owned(),
        more: serde_json::Map::new(),
    }
}

fn is_html(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|it| it == "html")
}

fn is_text(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|it| it == "txt")
}

/// The innermost error that names a line: it is in the template that has to be changed.
fn told(name: &str, error: &minijinja::Error) -> Error {
    let mut at = error;
    let mut next: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(source) = next {
        if let Some(inner) = source.downcast_ref::<minijinja::Error>()
            && inner.line().is_some()
        {
            at = inner;
        }
        next = source.source();
    }
    let detail = at.detail().map(|detail| format!(": {detail}"));
    Error::Broken {
        template: at.name().unwrap_or(name).to_owned(),
        line: at.line().unwrap_or(0),
        problem: format!("{}{}", at.kind(), detail.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests;
