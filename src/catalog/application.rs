//! An application: what a login is for. It has a name and a link on the users' page; and it may be
//! protected by forward authentication, where a proxy in front of it asks this server about each
//! request.
//!
//! Source: authentik `core/models.py`, `Application`. How it is protected is our own.

use regex::{RegexSet, RegexSetBuilder};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::origin::{self, Origin};
use crate::clock::Clock;
use crate::flow::field::{Invalid, Problem, text};
use crate::flow::model::{PolicyEngineMode, Slug};
use crate::journal::object::{self, Stored, Versioned};
use crate::journal::{Key, Kind, Objects, Result};

/// The most characters of a name.
const LONGEST: usize = 1024;

/// How long the cookie of an application lasts at most where nobody says: a day.
const SESSION: u32 = 86_400;

/// The longest that it may last: a year.
const LONGEST_SESSION: u32 = 31_536_000;

/// How long a decision may be believed where nobody says.
const CACHE: u32 = 5;

/// The longest that it may be believed: whoever is locked out must not stay for longer.
const LONGEST_CACHE: u32 = 60;

/// How many origins, and how many expressions, one application has at most.
const MOST: usize = 100;

/// The memory that the expressions of one application may take when they are compiled, in bytes.
const EXPRESSIONS: usize = 1 << 20;

/// An application as an operator configured it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Its identifier, also as something that policies are bound to.
    pub pk: Uuid,
    /// What users call it.
    pub name: String,
    /// What addresses and headers call it; unique.
    pub slug: Slug,
    /// Under which heading it stands on the users' page.
    pub group: String,
    /// Where a user begins to use it; empty means its first origin.
    pub meta_launch_url: String,
    /// Its picture: a path or an address; empty means none.
    pub meta_icon: String,
    /// What it is, for users.
    pub meta_description: String,
    /// Who made it, for users.
    pub meta_publisher: String,
    /// Whether it is left out of the users' page.
    pub meta_hide: bool,
    /// Whether its link opens another tab.
    pub open_in_new_tab: bool,
    /// How the results of its policies become one.
    pub policy_engine_mode: PolicyEngineMode,
    /// How it is protected by forward authentication; `None` where it is not.
    pub forward_auth: Option<ForwardAuth>,
}

/// How an application is protected by forward authentication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardAuth {
    /// Where it lives: origins such as `https://app.example`. Each is one application's only.
    pub hosts: Vec<String>,
    /// Expressions of the paths that need no login; one has to fit the whole of a path.
    #[serde(default)]
    pub skip_paths: Vec<String>,
    /// The flow that logs in; the brand's where there is none.
    #[serde(default)]
    pub authentication_flow: Option<Uuid>,
    /// The flow that logs out; the brand's where there is none.
    #[serde(default)]
    pub invalidation_flow: Option<Uuid>,
    /// How long the application's own cookie lasts at most, in seconds.
    #[serde(default = "session")]
    pub session_seconds: u32,
    /// How long a decision may be believed, in seconds.
    #[serde(default = "cache")]
    pub cache_seconds: u32,
}

const fn session() -> u32 {
    SESSION
}

const fn cache() -> u32 {
    CACHE
}

impl Application {
    /// An application with every default that is not protected, called by its slug until it gets
    /// another name.
    #[must_use]
    pub fn new(clock: &Clock, slug: Slug) -> Self {
        Self {
            pk: clock.opaque_id(),
            name: slug.to_string(),
            slug,
            group: String::new(),
            meta_launch_url: String::new(),
            meta_icon: String::new(),
            meta_description: String::new(),
            meta_publisher: String::new(),
            meta_hide: false,
            open_in_new_tab: false,
            policy_engine_mode: PolicyEngineMode::default(),
            forward_auth: None,
        }
    }

    /// Where a user begins to use it; `None` where nobody says. Nothing but a page is linked to.
    #[must_use]
    pub fn launch_url(&self) -> Option<&str> {
        if !self.meta_launch_url.is_empty() {
            return Some(self.meta_launch_url.as_str()).filter(|it| is_page(it));
        }
        let forward = self.forward_auth.as_ref()?;
        let mut hosts = forward.hosts.iter().map(String::as_str);
        hosts.find(|host| !host.contains('*'))
    }

    /// Its picture, where it is one that a page can show.
    #[must_use]
    pub fn icon_url(&self) -> Option<&str> {
        let icon = self.meta_icon.as_str();
        (is_page(icon) || icon.starts_with("data:image/")).then_some(icon)
    }

    /// Whether it lives at this origin, and is protected there.
    #[must_use]
    pub fn is_at(&self, origin: &Origin) -> bool {
        let Some(forward) = &self.forward_auth else {
            return false;
        };
        let wildcard = origin.wildcard();
        let is_it = |host: &String| host == origin.as_str() || Some(host) == wildcard.as_ref();
        forward.hosts.iter().any(is_it)
    }

    /// What is wrong with it, field by field; nothing is when it may be stored.
    #[must_use]
    pub fn problems(&self) -> Vec<Invalid> {
        let mut found = Vec::new();
        if let Err(problem) = text(&self.name, LONGEST) {
            found.push(Invalid::new("name", problem));
        }
        if !self.meta_launch_url.is_empty() && !is_page(&self.meta_launch_url) {
            let problem = Problem::Other("Enter a valid URL.");
            found.push(Invalid::new("meta_launch_url", problem));
        }
        if let Some(Err(problem)) = self.forward_auth.as_ref().map(ForwardAuth::check) {
            found.push(Invalid::new("forward_auth", Problem::Other(problem)));
        }
        found
    }
}

impl ForwardAuth {
    /// The same with its origins in the spelling by which they are compared, each once.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn spelt(mut self) -> std::result::Result<Self, &'static str> {
        let mut hosts: Vec<String> = Vec::with_capacity(self.hosts.len());
        for host in &self.hosts {
            let host = origin::configured(host)?;
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        self.hosts = hosts;
        Ok(self)
    }

    fn check(&self) -> std::result::Result<(), &'static str> {
        if self.hosts.is_empty() {
            return Err("hosts: at least one origin is needed, such as https://app.example.");
        }
        if self.hosts.len() > MOST || self.skip_paths.len() > MOST {
            return Err("No more than 100 hosts and 100 skip_paths are taken.");
        }
        for host in &self.hosts {
            if origin::configured(host).as_ref() != Ok(host) {
                return Err("hosts: expected are origins such as https://app.example.");
            }
        }
        if self.session_seconds == 0 || self.session_seconds > LONGEST_SESSION {
            return Err("session_seconds: expected are 1 to 31536000 seconds.");
        }
        if self.cache_seconds > LONGEST_CACHE {
            return Err("cache_seconds: expected are 0 to 60 seconds.");
        }
        self.skipped().map(drop)
    }

    /// What its paths without a login fit: each expression the whole of a path.
    ///
    /// # Errors
    /// Which of them cannot be used, in a sentence.
    pub fn skipped(&self) -> std::result::Result<RegexSet, &'static str> {
        // One that is whole by itself: brackets that are not closed would else close ours.
        let alone = |it: &String| regex::Regex::new(it).is_ok();
        if !self.skip_paths.iter().all(alone) {
            return Err("skip_paths: one of them is no regular expression.");
        }
        let whole = self.skip_paths.iter().map(|it| format!(r"\A(?:{it})\z"));
        RegexSetBuilder::new(whole)
            .size_limit(EXPRESSIONS)
            .build()
            .map_err(|_| "skip_paths: an expression cannot be used, or all are too large together.")
    }
}

/// Whether this is a path of this server, or the address of a page elsewhere.
fn is_page(address: &str) -> bool {
    let is_path = address.starts_with('/') && !address.starts_with("//");
    let is_address = ["https://", "http://"]
        .iter()
        .any(|it| address.starts_with(it));
    let is_plain = !address.chars().any(|it| it.is_control() || it == '\\');
    is_plain && (is_path || is_address)
}

impl Stored for Application {
    const KIND: Kind = Kind::new("application");

    fn id(&self) -> Uuid {
        self.pk
    }

    fn unique(&self) -> Vec<Key> {
        let forward = self.forward_auth.iter();
        let hosts = forward.flat_map(|it| &it.hosts);
        std::iter::once(Key::new("slug", self.slug.as_str()))
            .chain(hosts.map(|host| Key::new("host", host)))
            .collect()
    }
}

/// The application with this slug.
pub async fn application_by_slug(
    objects: &(impl Objects + ?Sized),
    slug: &str,
) -> Result<Option<Versioned<Application>>> {
    object::find(objects, Key::new("slug", slug)).await
}

/// The application that lives at this origin: the one that names it, else the one whose wildcard
/// stands for it.
pub async fn application_at(
    objects: &(impl Objects + ?Sized),
    origin: &Origin,
) -> Result<Option<Versioned<Application>>> {
    let found = object::find(objects, Key::new("host", origin.as_str())).await?;
    match origin.wildcard() {
        Some(wildcard) if found.is_none() => {
            object::find(objects, Key::new("host", wildcard)).await
        }
        _ => Ok(found),
    }
}

/// All applications, by group and name.
pub async fn applications(
    objects: &(impl Objects + ?Sized),
) -> Result<Vec<Versioned<Application>>> {
    let mut all: Vec<Versioned<Application>> = object::all(objects).await?;
    all.sort_by(|a, b| (&a.value.group, &a.value.name).cmp(&(&b.value.group, &b.value.name)));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application(hosts: &[&str], skip_paths: &[&str]) -> Application {
        let slug = "app".parse().expect("a slug");
        let all = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect();
        Application {
            forward_auth: Some(ForwardAuth {
                hosts: all(hosts),
                skip_paths: all(skip_paths),
                authentication_flow: None,
                invalidation_flow: None,
                session_seconds: SESSION,
                cache_seconds: CACHE,
            }),
            ..Application::new(&Clock::system(), slug)
        }
    }

    #[test]
    fn an_application_is_at_its_origins_and_nowhere_else() {
        let it = application(&["https://app.example", "https://*.example.org"], &[]);
        let at = |secure, host| it.is_at(&Origin::of_host(secure, host).expect(host));
        assert!(at(true, "app.example"));
        assert!(at(true, "a.example.org"));
        assert!(!at(false, "app.example"));
        assert!(!at(true, "app.example:8443"));
        assert!(!at(true, "a.b.example.org"));
        assert!(!at(true, "example.org"));
        assert!(!at(true, "b.app.example"));
    }

    #[test]
    fn what_cannot_work_is_not_stored() {
        assert!(
            application(&["https://app.example"], &["/public/.*"])
                .problems()
                .is_empty()
        );
        for (hosts, paths) in [
            (&[][..], &[][..]),
            (&["https://App.example"], &[]),
            (&["app.example"], &[]),
            (&["https://app.example"], &["("]),
            (&["https://app.example"], &["a)|(b"]),
            (&["https://app.example"], &["(?:x{1000}){1000}"]),
        ] {
            let found = application(hosts, paths).problems();
            assert_eq!(found.len(), 1, "{hosts:?} {paths:?}");
            assert_eq!(found[0].field, "forward_auth");
        }
        let mut it = application(&["https://app.example"], &[]);
        it.meta_launch_url = "javascript:alert(1)".to_owned();
        assert_eq!(it.problems()[0].field, "meta_launch_url");
    }

    #[test]
    fn a_link_leads_to_the_first_origin_where_nobody_says() {
        let mut it = application(&["https://*.example.org", "https://app.example"], &[]);
        assert_eq!(it.launch_url(), Some("https://app.example"));
        it.meta_launch_url = "https://app.example/start".to_owned();
        assert_eq!(it.launch_url(), Some("https://app.example/start"));
        it.meta_launch_url.clear();
        it.forward_auth = None;
        assert_eq!(it.launch_url(), None);
    }

    #[test]
    fn an_expression_fits_the_whole_of_a_path() {
        let it = application(&["https://app.example"], &["/public/.*", "/a|/b"]);
        let forward = it.forward_auth.expect("it is protected");
        let skipped = forward.skipped().expect("they are expressions");
        for (path, fits) in [
            ("/public/x", true),
            ("/x/public/x", false),
            ("/a", true),
            ("/b", true),
            ("/bc", false),
            ("/xb", false),
        ] {
            assert_eq!(skipped.is_match(path), fits, "{path}");
        }
    }
}
