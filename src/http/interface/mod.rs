//! authentik's own interface, for whoever wants to keep it: its built files from a folder, and the
//! page that starts it. Nothing of it is part of this program.

use std::path::Path;

use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

mod folder;
pub(super) mod socket;

use super::client::client;
use super::request::Arrival;
use super::{Error, State, api, content_policy, flow_page, page};
use crate::catalog::{Flow, Stage, flow_by_slug};
use crate::flow::challenge::{Presentation, flow_info};
use crate::flow::client::Client;
use crate::journal::Key;
use crate::journal::object::{self, Versioned};
use crate::web::{Shell, ShellPage};
use folder::{File, Folder};

/// What browsers too old for the interface call themselves, and what embeds one of them.
const OLD: [&str; 3] = ["MSIE ", "Trident/", "PKeyAuth"];

/// The last Edge that was no Chromium.
const OLD_EDGE: &str = "Edge/";

/// The interface in a folder.
#[derive(Debug)]
pub struct Interface {
    folder: Folder,
    shell: Shell,
}

impl Interface {
    /// The interface in this folder, which is authentik's `web/dist`.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn open(folder: &Path) -> std::io::Result<Self> {
        let folder = Folder::open(folder)?;
        let interface = Self {
            folder,
            shell: Shell::new(),
        };
        if !interface.is_whole() {
            let missing = "it holds no flow/FlowInterface-<version>.js";
            return Err(std::io::Error::new(std::io::ErrorKind::NotFound, missing));
        }
        Ok(interface)
    }

    /// Whether what starts it is there.
    fn is_whole(&self) -> bool {
        let start = self.folder.versioned("flow", "FlowInterface", "js");
        start.is_some()
    }

    /// The file under this path of the folder.
    pub(super) async fn file(&self, path: &str) -> Result<Option<File>, Error> {
        self.folder.find(path).await
    }

    /// The page that starts the interface on a flow.
    pub(super) async fn page(
        &self,
        state: &State,
        request: &HttpRequest,
        slug: &str,
    ) -> Result<HttpResponse, Error> {
        let found = flow_by_slug(&*state.journal, slug).await?;
        let flow = found.ok_or(Error::NOT_FOUND)?.value;
        let client = client(request, &state.trusted_proxies);
        let has = |name: &str| names(request.query_string(), name);
        let globals = self.globals(state, &client, &flow).await?;
        let simple = has("sfe") || is_old(&client.user_agent);
        let simple = simple && self.folder.has("sfe/index.js");
        let theme = globals["brand"]["ui_theme"].as_str().unwrap_or_default();
        let nonce = state.clock.random_text(32).expose_secret().to_owned();
        let page = ShellPage {
            slug,
            layout: flow.layout.as_str(),
            forces_light_dom: flow.compatibility_mode && !has("inspector"),
            nonce: &nonce,
            styles: self.styles(theme),
            scripts: self.scripts(simple),
            simple,
            globals: &globals,
        };
        let page = self.shell.page(&page).map_err(|error| Error::Internal {
            cause: format!("the page of the interface cannot be made: {error}"),
        })?;
        let policy = content_policy::for_interface(&nonce, &captchas(state).await?);
        page::html_under(&policy, page)
    }

    /// The style sheets that this version has.
    fn styles(&self, theme: &str) -> Vec<String> {
        let of = |stem: &str| {
            let found = self.folder.versioned("styles", stem, "css");
            found.map(|(address, _)| address)
        };
        // Those of flows alone, where there are any.
        let own = of("flow").or_else(|| of("interface"));
        let dark = if theme == "light" { None } else { of("dark") };
        let all = [of("static"), own, of("base"), dark];
        all.into_iter().flatten().collect()
    }

    /// The scripts that start it, in their order.
    fn scripts(&self, simple: bool) -> Vec<String> {
        if simple {
            let all = ["sfe/jquery.min.js", "sfe/index.js"].into_iter();
            let there = all.filter(|it| self.folder.has(it));
            return there.map(|it| format!("/static/dist/{it}")).collect();
        }
        [("", "poly"), ("flow", "FlowInterface")]
            .into_iter()
            .filter_map(|(folder, stem)| self.folder.versioned(folder, stem, "js"))
            .map(|(address, _)| address)
            .collect()
    }

    /// What the interface finds in `window.authentik`.
    async fn globals(&self, state: &State, client: &Client, flow: &Flow) -> Result<Value, Error> {
        let presentation = Presentation {
            title: &flow.title,
            background: &flow.background,
            layout: flow.layout.as_str(),
        };
        let shown = flow_info(&presentation, "", None);
        let version = self.folder.versioned("flow", "FlowInterface", "js");
        let version = version.map(|(_, version)| version).unwrap_or_default();
        let family: Vec<&str> = version.split('.').take(2).collect();
        Ok(json!({
            "locale": client.language.as_deref().unwrap_or("en"),
            "config": api::configuration(),
            "brand": api::current_brand(state, &client.host).await?,
            "versionFamily": family.join("."),
            "versionSubdomain": format!("version-{}", family.join("-")),
            "build": "",
            "api": { "base": format!("{}/", client.origin()), "relBase": "/" },
            "flow": {
                "layout": shown["layout"],
                "background": shown["background"],
                "title": shown["title"],
            },
        }))
    }
}

/// The scripts of every captcha that is set up: which of them a flow shows is not known before.
async fn captchas(state: &State) -> Result<Vec<String>, Error> {
    let captchas = Key::new("kind", "captcha");
    let captchas: Vec<Versioned<Stage>> = object::scan(&*state.journal, captchas).await?;
    let scripts = captchas
        .iter()
        .filter_map(|it| it.value.settings.get("js_url")?.as_str());
    Ok(scripts.map(str::to_owned).collect())
}

/// `GET /if/flow/<slug>/`: the page of the interface that is kept, else ours.
pub(super) async fn show(
    request: HttpRequest,
    slug: web::Path<String>,
    state: web::Data<State>,
    arrival: Arrival,
) -> HttpResponse {
    match &state.interface {
        None => flow_page::show(request, slug, state, arrival).await,
        // People have to be able to log in also when somebody empties the folder.
        Some(interface) if !interface.is_whole() => {
            tracing::error!(
                "the folder of web.dist lacks flow/FlowInterface; our own page is shown"
            );
            flow_page::show(request, slug, state, arrival).await
        }
        Some(interface) => {
            let answer = interface.page(&state, &request, &slug).await;
            page::page_error(&state, &request, arrival, answer).await
        }
    }
}

/// Whether a query has this name, with a value or without.
fn names(query: &str, name: &str) -> bool {
    let mut pairs = query.split('&');
    pairs.any(|pair| pair.split('=').next() == Some(name))
}

/// Whether authentik serves this browser its plain interface.
fn is_old(agent: &str) -> bool {
    let edge = agent.split_once(OLD_EDGE).map(|(_, rest)| rest);
    let edge = edge.and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    OLD.iter().any(|it| agent.contains(it)) || edge.is_some_and(|version| version <= 18)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_query_needs_no_value() {
        assert!(names("next=%2F&sfe", "sfe") && names("sfe=1", "sfe"));
        assert!(!names("", "sfe") && !names("next=sfe", "sfe"));
    }

    #[test]
    fn old_browsers_are_known_by_what_they_call_themselves() {
        for old in [
            "Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0) like Gecko",
            "Mozilla/5.0 Chrome/64.0 Safari/537.36 Edge/17.17134",
            "Teams PKeyAuth/1.0",
        ] {
            assert!(is_old(old), "{old}");
        }
        for new in [
            "Mozilla/5.0 Chrome/120.0 Safari/537.36 Edg/120.0",
            "",
            "Edge/x",
        ] {
            assert!(!is_old(new), "{new}");
        }
    }
}
