//! The pages, made from templates that escape everything they are given.

use minijinja::value::{Serde, Value as Template};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{assets, markup, picture};
use crate::catalog::Brand;
use crate::flow::challenge::DEFAULT_BACKGROUND;
use crate::flow::event::EMPTY_RESPONSE;

/// A page could not be made: a fault of a template, never of a visitor.
#[derive(Debug, thiserror::Error)]
#[error("the page {template} cannot be made: {source:#}")]
pub struct Error {
    template: &'static str,
    source: minijinja::Error,
}

/// Every template and its name.
macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("templates/", $name)))),+]
    };
}

const TEMPLATES: [(&str, &str); 27] = templates![
    "base.html",
    "admin.html",
    "api.html",
    "form.html",
    "flow.html",
    "challenge/identification.html",
    "challenge/password.html",
    "challenge/user_login.html",
    "challenge/prompt.html",
    "challenge/captcha.html",
    "challenge/authenticator_duo.html",
    "challenge/authenticator_email.html",
    "challenge/authenticator_sms.html",
    "challenge/authenticator_static.html",
    "challenge/authenticator_totp.html",
    "challenge/authenticator_validate.html",
    "challenge/authenticator_webauthn.html",
    "challenge/consent.html",
    "challenge/email.html",
    "challenge/dummy.html",
    "challenge/denied.html",
    "challenge/error.html",
    "challenge/session_end.html",
    "challenge/unsupported.html",
    "leave.html",
    "home.html",
    "message.html",
];

/// The template of a component, and the fields of which it shows the errors itself.
fn template(component: &str) -> (&'static str, &'static [&'static str]) {
    match component {
        "ak-stage-identification" => ("challenge/identification.html", &["uid_field", "password"]),
        "ak-stage-password" => ("challenge/password.html", &["password"]),
        "ak-stage-user-login" => ("challenge/user_login.html", &["remember_me"]),
        "ak-stage-prompt" => ("challenge/prompt.html", &[]),
        "ak-stage-captcha" => ("challenge/captcha.html", &["token"]),
        "ak-stage-authenticator-validate" => (
            "challenge/authenticator_validate.html",
            &[
                "code",
                "webauthn",
                "duo",
                "selected_challenge",
                "selected_stage",
            ],
        ),
        "ak-stage-authenticator-totp" => ("challenge/authenticator_totp.html", &["code"]),
        "ak-stage-authenticator-static" => ("challenge/authenticator_static.html", &[]),
        "ak-stage-authenticator-sms" => (
            "challenge/authenticator_sms.html",
            &["code", "phone_number"],
        ),
        "ak-stage-authenticator-email" => {
            ("challenge/authenticator_email.html", &["code", "email"])
        }
        "ak-stage-authenticator-duo" => ("challenge/authenticator_duo.html", &[]),
        "ak-stage-authenticator-webauthn" => {
            ("challenge/authenticator_webauthn.html", &["response"])
        }
        "ak-stage-consent" => ("challenge/consent.html", &["token"]),
        "ak-stage-dummy" => ("challenge/dummy.html", &[]),
        "ak-stage-email" => ("challenge/email.html", &[]),
        "ak-stage-access-denied" => ("challenge/denied.html", &[]),
        "ak-stage-flow-error" => ("challenge/error.html", &[]),
        "ak-stage-session-end" => ("challenge/session_end.html", &[]),
        _ => ("challenge/unsupported.html", &[]),
    }
}

/// How a page is dressed for the host under which it was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Dress {
    /// The name of the whole.
    pub title: String,
    /// The picture above the form.
    pub logo: String,
    /// The picture in the browser's tab.
    pub favicon: String,
    /// The picture behind everything that has none of its own.
    pub background: String,
    /// `light` or `dark`; without it the browser decides.
    pub theme: Option<&'static str>,
    /// Where the brand's own style rules are, if it has any.
    pub style: Option<&'static str>,
}

impl From<&Brand> for Dress {
    fn from(brand: &Brand) -> Self {
        // A plain page cannot know which theme the browser shows, so it takes the light one.
        let light = |picture: &str| picture.replace("%(theme)s", "light");
        let theme = brand
            .attributes
            .get("settings")
            .and_then(|settings| settings["theme"]["base"].as_str());
        Self {
            title: brand.branding_title.clone(),
            logo: light(&brand.branding_logo),
            favicon: light(&brand.branding_favicon),
            background: light(&brand.branding_default_flow_background),
            theme: match theme {
                Some("light") => Some("light"),
                Some("dark") => Some("dark"),
                _ => None,
            },
            style: (!brand.branding_custom_css.is_empty()).then_some(assets::BRAND_STYLE),
        }
    }
}

/// What a form on a page has to send along.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Form {
    /// Where it is posted to.
    pub action: String,
    /// The challenge that is shown.
    pub challenge: Option<String>,
    /// The session's CSRF token, where there is a session.
    pub csrf: Option<String>,
    /// What was typed before and may be shown again.
    pub values: Map<String, Value>,
    /// Whether the visitor's answer waits for something that is not theirs: the page looks again.
    pub waits: bool,
    /// Where whoever has to log in first does so and comes back.
    pub login: Option<String>,
    /// Where whoever cannot show what is asked for logs in in the usual way.
    pub instead: Option<String>,
}

/// Somebody who is logged in.
#[derive(Clone, Debug, Serialize)]
pub struct Person {
    /// What they log in with.
    pub username: String,
    /// What they are called; may be empty.
    pub name: String,
    /// Their address; may be empty.
    pub email: String,
    /// Their picture.
    pub avatar: String,
}

/// A page that says one thing.
#[derive(Clone, Debug, Default)]
pub struct Message<'a> {
    /// In a word.
    pub heading: &'a str,
    /// What happened and what to do.
    pub text: &'a str,
    /// The request's id, for whoever asks the operator.
    pub request_id: Option<&'a str>,
    /// Where to go from here: address and name.
    pub link: Option<(&'a str, &'a str)>,
}

/// All pages.
#[derive(Debug)]
pub struct Pages {
    templates: Environment<'static>,
    stylesheet: String,
    captcha_script: String,
    webauthn_script: String,
}

impl Default for Pages {
    fn default() -> Self {
        Self::new()
    }
}

impl Pages {
    /// Reads the templates.
    ///
    /// # Panics
    /// When a template has a syntax error, which a test would have found.
    #[must_use]
    pub fn new() -> Self {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Chainable);
        templates.set_auto_escape_callback(|_| AutoEscape::Html);
        templates.add_filter("markup", |text: &str| {
            Template::from_safe_string(markup::safe(text))
        });
        // Text like any other: it is escaped where it stands.
        templates.add_filter("json", |value: Template| {
            serde_json::to_string(&value).map_err(|error| {
                let kind = minijinja::ErrorKind::BadSerialization;
                minijinja::Error::new(kind, "cannot be written as JSON").with_source(error)
            })
        });
        templates.add_filter("picture", |text: &str| {
            Template::from(Serde(picture::of(text)))
        });
        templates.add_filter("key", picture::key);
        for (name, source) in TEMPLATES {
            templates
                .add_template(name, source)
                .expect("the templates have no syntax errors");
        }
        Self {
            templates,
            stylesheet: assets::address(assets::STYLESHEET),
            captcha_script: assets::address(assets::CAPTCHA),
            webauthn_script: assets::address(assets::WEBAUTHN),
        }
    }

    /// A challenge of a flow as a form. `notice` is said above it.
    pub fn challenge(
        &self,
        dress: &Dress,
        challenge: &Value,
        form: &Form,
        notice: Option<&str>,
    ) -> Result<String, Error> {
        let flow = &challenge["flow_info"];
        let (template, shown) = template(challenge["component"].as_str().unwrap_or_default());
        let background = flow["background"]
            .as_str()
            .filter(|background| !background.is_empty() && *background != DEFAULT_BACKGROUND);
        self.render(
            "flow.html",
            dress,
            context! {
                challenge => Serde(challenge),
                template => template,
                title => flow["title"].as_str(),
                layout => flow["layout"].as_str().unwrap_or("stacked"),
                background => background,
                cancel => flow["cancel_url"].as_str(),
                general_errors => Serde(general_errors(challenge, shown, form)),
                sent_again => is_sent_again(challenge),
                sent_code => is_code_sent(challenge, form),
                only_chose => is_chosen(challenge, form),
                methods => Serde(methods::methods(challenge, &form.values)),
                duo_link => duo_link(challenge),
                prompts => Serde(prompt::fields(challenge, &form.values)),
                identifier_label => identifier_label(challenge),
                identifier_type => identifier_type(challenge),
                captcha_script => self.captcha_script.as_str(),
                webauthn_script => self.webauthn_script.as_str(),
                form => Serde(form),
                notice => notice,
            },
        )
    }

    /// A page that sends the browser to another server, or nowhere when there is no address
    /// that a browser may be sent to.
    pub fn leave(&self, dress: &Dress, target: Option<&str>) -> Result<String, Error> {
        self.render("leave.html", dress, context! { target => target })
    }

    /// Who is logged in.
    pub fn home(&self, dress: &Dress, person: &Person) -> Result<String, Error> {
        self.render("home.html", dress, context! { person => Serde(person) })
    }

    /// A page that says one thing.
    pub fn message(&self, dress: &Dress, message: &Message<'_>) -> Result<String, Error> {
        let link = message
            .link
            .map(|(href, name)| context! { href => href, name => name });
        self.render(
            "message.html",
            dress,
            context! {
                heading => message.heading,
                text => message.text,
                request_id => message.request_id,
                link => link,
            },
        )
    }

    /// The page that shows the description of the API, which is under this address.
    pub fn api(&self, dress: &Dress, description: &str) -> Result<String, Error> {
        self.render(
            "api.html",
            dress,
            context! {
                description => description,
                script => assets::address(assets::API),
                style => assets::address(assets::API_STYLE),
            },
        )
    }

    /// The document of the operator's console, for the one of this name.
    pub fn admin(&self, dress: &Dress, user: &str) -> Result<String, Error> {
        let folder = assets::folder_address(assets::ADMIN);
        self.render(
            "admin.html",
            dress,
            context! { folder => folder, user => user },
        )
    }

    fn render(
        &self,
        template: &'static str,
        dress: &Dress,
        page: Template,
    ) -> Result<String, Error> {
        let frame = context! {
            brand => Serde(dress),
            stylesheet => self.stylesheet.as_str(),
            default_background => dress.background.as_str(),
        };
        self.templates
            .get_template(template)
            .and_then(|found| found.render(context! { ..page, ..frame }))
            .map_err(|source| Error { template, source })
    }
}

/// The errors that the page shows above everything else. Whoever only chose what to show has made no
/// mistake.
fn general_errors(challenge: &Value, shown: &[&str], form: &Form) -> Vec<Value> {
    if is_chosen(challenge, form) {
        return Vec::new();
    }
    errors_besides(challenge, shown)
}

/// Whether all that the visitor did was to choose what they show. What clients are told then is an
/// error that says nothing.
fn is_chosen(challenge: &Value, form: &Form) -> bool {
    let chose = form.values.get("chooses") == Some(&Value::Bool(true));
    let errors = challenge["response_errors"].as_object();
    let says_nothing = |errors: &Map<String, Value>| {
        let is_empty = |it: &Value| it["string"] == EMPTY_RESPONSE;
        let general = errors.get("non_field_errors").and_then(Value::as_array);
        let only = general.is_none_or(|all| all.iter().all(is_empty));
        only && errors.keys().all(|field| field == "non_field_errors")
    };
    chose && errors.is_some_and(says_nothing)
}

/// Whether a code is on its way because the visitor asked for it.
fn is_code_sent(challenge: &Value, form: &Form) -> bool {
    let method = form.values.get("method").and_then(Value::as_str);
    is_chosen(challenge, form) && matches!(method, Some("sms" | "email"))
}

/// The link that opens Duo's app. Nothing but that and a page is ever linked to.
fn duo_link(challenge: &Value) -> Option<&str> {
    let link = challenge["activation_code"].as_str()?;
    let is_link = link.starts_with("duo://") || link.starts_with("https://");
    is_link.then_some(link)
}

/// The errors that no field of the page shows.
fn errors_besides(challenge: &Value, shown: &[&str]) -> Vec<Value> {
    let errors = challenge["response_errors"].as_object();
    let prompts = prompt::keys(challenge);
    errors
        .into_iter()
        .flatten()
        .filter(|(field, _)| !shown.contains(&field.as_str()) && !prompts.contains(&field.as_str()))
        .filter_map(|(_, errors)| errors.as_array())
        .flatten()
        .filter(|error| error["code"] != SENT_AGAIN)
        .cloned()
        .collect()
}

/// What stands in the place of an error once a mail was sent again: nothing is wrong.
const SENT_AGAIN: &str = "email-sent";

fn is_sent_again(challenge: &Value) -> bool {
    let errors = challenge["response_errors"]["non_field_errors"].as_array();
    errors.is_some_and(|errors| errors.iter().any(|error| error["code"] == SENT_AGAIN))
}

/// What may be typed into the identification, such as `Email or Username`.
fn identifier_label(challenge: &Value) -> String {
    let mut names: Vec<&str> = fields(challenge)
        .map(|field| match field {
            "email" => "Email",
            "upn" => "UPN",
            _ => "Username",
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join(" or ")
}

/// Only where nothing but an address fits may the browser insist on one.
fn identifier_type(challenge: &Value) -> &'static str {
    if fields(challenge).eq(["email"]) {
        "email"
    } else {
        "text"
    }
}

fn fields(challenge: &Value) -> impl Iterator<Item = &str> {
    let fields = challenge["user_fields"].as_array();
    fields.into_iter().flatten().filter_map(Value::as_str)
}

mod methods;
mod prompt;
#[cfg(test)]
mod tests;
