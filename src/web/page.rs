//! The pages, made from templates that escape everything they are given.

use std::collections::BTreeSet;

use minijinja::value::{Serde, Value as Template};
use minijinja::{Environment, context};
use serde::Serialize;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::assets;
use super::language::{Language, text};
use crate::flow::challenge::DEFAULT_BACKGROUND;

pub(in crate::web) use prompt::LANGUAGES;

pub use dress::{Dress, Picture};

/// A page could not be made: a fault of a template, never of a visitor.
#[derive(Debug, thiserror::Error)]
#[error("the page {template} cannot be made: {source:#}")]
pub struct Error {
    template: &'static str,
    source: minijinja::Error,
}

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

/// What a form on a page has to send along.
#[derive(Clone, Debug, Default, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that the template shows or leaves out"
)]
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
    /// Whether whoever was refused was so because they are logged in.
    pub is_logged_in: bool,
    /// Where the flow is begun again, without the link that led here.
    pub again: String,
    /// By what an operator finds the execution.
    pub code: Option<String>,
    /// The user whose password is asked for, for password managers.
    pub username: Option<String>,
    /// Whether our script makes the page more comfortable; without it everything works as well.
    pub enhanced: bool,
    /// Where the script learns how the execution stands.
    pub status: String,
    /// Whether the page is only looked at: it runs nothing, and nothing on it can be used.
    pub inert: bool,
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
    /// Whether they may administrate anything.
    pub is_operator: bool,
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

/// The challenges with a secret that is to be kept: they are dressed without a brand's own rules.
const SECRET: [&str; 2] = [
    "ak-stage-authenticator-totp",
    "ak-stage-authenticator-static",
];

/// All pages.
#[derive(Debug)]
pub struct Pages {
    templates: [(Language, Environment<'static>); Language::ALL.len()],
    stylesheet: String,
    flow_script: String,
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
        Self {
            templates: Language::ALL.map(|language| (language, templates::compile(language))),
            stylesheet: assets::address(assets::STYLESHEET),
            flow_script: assets::address(assets::FLOW),
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
        let component = challenge["component"].as_str().unwrap_or_default();
        let (template, shown) = template(component);
        // Rules that match what a page holds can tell a server of pictures what that is.
        let dress = &Dress {
            style: dress.style.filter(|_| !SECRET.contains(&component)),
            ..dress.clone()
        };
        let background = background(flow, dress.theme);
        let layout = flow["layout"].as_str().unwrap_or("stacked");
        let frame = background
            .as_ref()
            .filter(|_| layout.ends_with("_frame_background") && !form.inert)
            .map(|background| background.light.as_str());
        let prompts = prompt::fields(challenge, &form.values);
        let script = |address: &str| (!form.inert).then(|| address.to_owned());
        self.render(
            "flow.html",
            dress,
            context! {
                challenge => Serde(challenge),
                template => template,
                title => flow["title"].as_str(),
                layout => layout,
                frame => frame,
                background => Serde(background),
                cancel => flow["cancel_url"].as_str(),
                general_errors => Serde(errors::general_errors(challenge, shown, form)),
                sent_again => errors::is_sent_again(challenge),
                sent_code => errors::is_code_sent(challenge, form),
                only_chose => errors::is_chosen(challenge, form),
                methods => Serde(methods::methods(challenge, &form.values)),
                duo_link => duo_link(challenge),
                names_user => prompt::names_user(&prompts),
                prompts => Serde(prompts),
                advice => Serde(advice::advice(challenge)),
                identifier_names => identifier_names(challenge),
                identifier_type => identifier_type(challenge),
                flow_script => self.flow_script.as_str(),
                captcha_script => script(&self.captcha_script),
                webauthn_script => script(&self.webauthn_script),
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

    /// The document of the operator's console, for the one of this name, who may do this.
    pub fn admin(&self, dress: &Dress, user: &str, may: &BTreeSet<&str>) -> Result<String, Error> {
        let folder = assets::folder_address(assets::ADMIN);
        self.render(
            "admin.html",
            dress,
            context! { folder => folder, user => user, may => Serde(may) },
        )
    }

    pub(in crate::web) fn render(
        &self,
        template: &'static str,
        dress: &Dress,
        page: Template,
    ) -> Result<String, Error> {
        let frame = context! {
            brand => Serde(dress),
            stylesheet => self.stylesheet.as_str(),
            languages => Serde(languages(dress)),
        };
        let mut all = self.templates.iter();
        let spoken = all.find(|(language, _)| *language == dress.language);
        let (_, templates) = spoken.unwrap_or(&self.templates[0]);
        templates
            .get_template(template)
            .and_then(|found| found.render(context! { ..page, ..frame }))
            .map_err(|source| Error { template, source })
    }
}

/// A language that a page may be shown in.
#[derive(Serialize)]
struct Spoken {
    code: &'static str,
    name: &'static str,
    /// Where it is chosen; nowhere where it is chosen already.
    choose: Option<String>,
}

fn languages(dress: &Dress) -> Vec<Spoken> {
    let spoken = |language: Language| {
        let next = || form_urlencoded::byte_serialize(dress.here.as_bytes()).collect::<String>();
        let choose = || format!("/language/{}/?next={}", language.code(), next());
        Spoken {
            code: language.code(),
            name: language.name(),
            choose: (language != dress.language).then(choose),
        }
    };
    Language::ALL.map(spoken).into()
}

/// The flow's own picture, where it has one.
fn background(flow: &Value, theme: Option<&str>) -> Option<Picture> {
    let own = flow["background"]
        .as_str()
        .filter(|own| !own.is_empty() && *own != DEFAULT_BACKGROUND)?;
    let themed = &flow["background_themed_urls"];
    let of = |theme: &str| themed[theme].as_str().map(str::to_owned);
    Some(Picture {
        light: of(theme.unwrap_or("light")).unwrap_or_else(|| own.to_owned()),
        dark: if theme.is_none() { of("dark") } else { None },
    })
}

/// The link that opens Duo's app. Nothing but that and a page is ever linked to.
fn duo_link(challenge: &Value) -> Option<&str> {
    let link = challenge["activation_code"].as_str()?;
    let is_link = link.starts_with("duo://") || link.starts_with("https://");
    is_link.then_some(link)
}

/// What may be typed into the identification, such as email and username.
fn identifier_names(challenge: &Value) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = fields(challenge)
        .map(|field| match field {
            "email" => text("Email"),
            "upn" => text("UPN"),
            _ => text("Username"),
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
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

mod advice;
mod dress;
mod errors;
mod methods;
mod prompt;
mod templates;
#[cfg(test)]
mod tests;
