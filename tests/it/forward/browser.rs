//! A browser that knows two sorts of domains: that of the login, and those of applications, behind a
//! proxy that asks about each request. Each domain has cookies of its own.

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Person, TestServer, Visitor};

/// What comes before the paths that a proxy passes on.
pub(super) const OUTPOST: &str = "/outpost.goauthentik.io";

/// What a browser accepts where it would show a page.
const PAGE: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

/// The browser at the domain of the login.
pub(super) struct Browser {
    pub(super) login: Visitor,
}

/// The same browser at an application.
pub(super) struct AtApplication {
    visitor: Visitor,
    host: String,
    base: String,
}

impl Browser {
    /// A browser that comes for the first time.
    pub(super) fn new(server: &TestServer) -> Self {
        Self {
            login: server.visitor(),
        }
    }

    /// Opens an application for the first time.
    pub(super) fn at(&self, server: &TestServer, host: &str) -> AtApplication {
        AtApplication {
            visitor: self.login.as_somebody_else(),
            host: host.to_owned(),
            base: server.base().to_owned(),
        }
    }

    /// Goes to the application's login and back, once somebody is logged in.
    pub(super) async fn is_let_in(&mut self, application: &AtApplication, path: &str) -> Answer {
        let asked = application.is_sent_away(path).await;
        let granted = self.login.gets(&asked).await;
        application.follows(&granted).await
    }

    /// Logs in by the flow to which an application leads, and comes back.
    pub(super) async fn logs_in(
        &mut self,
        application: &AtApplication,
        path: &str,
        person: &Person,
    ) -> Answer {
        let asked = application.is_sent_away(path).await;
        self.begins_login(&asked)
            .await
            .sees("ak-stage-identification");
        let who = json!({ "uid_field": person.username });
        self.login.answers(who).await.sees("ak-stage-password");
        let what = json!({ "password": person.password });
        let end = self.login.answers(what).await;
        end.is_redirected_to(&asked);
        let granted = self.login.gets(&asked).await;
        application.follows(&granted).await
    }

    /// Opens the flow to which the login leads whoever is not logged in.
    pub(super) async fn begins_login(&mut self, asked: &str) -> Answer {
        let sent = self.login.gets(asked).await;
        let to = sent.has_status(302).header("location").to_owned();
        let (slug, query) = flow_of(&to);
        self.login.opens_with(&slug, &query).await
    }
}

impl AtApplication {
    /// The cookies that the browser has at this domain, and its requests there.
    pub(super) fn visitor(&self) -> &Visitor {
        &self.visitor
    }

    /// The same browser at another domain, with the cookies of this one.
    pub(super) fn with_cookies_of(&self, host: &str) -> Self {
        Self {
            visitor: self.visitor.clone(),
            host: host.to_owned(),
            base: self.base.clone(),
        }
    }

    /// Asks as Caddy and Traefik do, on behalf of a browser that wants to see a page.
    pub(super) async fn asks(&self, path: &str) -> Answer {
        self.asks_with(path, &[PAGE]).await
    }

    /// The same with these headers of the browser.
    pub(super) async fn asks_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", self.host.as_str()),
            ("x-forwarded-uri", path),
            ("x-forwarded-method", "GET"),
        ];
        all.extend_from_slice(headers);
        let ask = format!("{OUTPOST}/auth/caddy");
        self.visitor.sends(Method::GET, &ask, &all, "").await
    }

    /// Asks as nginx does.
    pub(super) async fn asks_as_nginx(&self, path: &str) -> Answer {
        let url = format!("https://{}{path}", self.host);
        let headers = [("x-original-url", url.as_str())];
        let ask = format!("{OUTPOST}/auth/nginx");
        self.visitor.sends(Method::GET, &ask, &headers, "").await
    }

    /// Opens a path that the proxy passes on.
    pub(super) async fn opens(&self, path: &str) -> Answer {
        self.opens_with(path, &[]).await
    }

    /// The same with other headers.
    pub(super) async fn opens_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut all = vec![
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", self.host.as_str()),
        ];
        all.extend_from_slice(headers);
        let path = format!("{OUTPOST}{path}");
        self.visitor.sends(Method::GET, &path, &all, "").await
    }

    /// Wants a page for which it has to log in; the path of the login's domain to which that leads.
    pub(super) async fn is_sent_away(&self, path: &str) -> String {
        let sent = self.asks(path).await;
        let start = sent.has_status(302).header("location").to_owned();
        let own = format!("https://{}{OUTPOST}", self.host);
        let start = start.strip_prefix(&own).expect("it is on the own domain");
        let sent = self.opens(start).await;
        let to = sent.has_status(302).header("location").to_owned();
        let path = to.strip_prefix(&self.base);
        path.unwrap_or_else(|| panic!("not the login: {to}"))
            .to_owned()
    }

    /// Follows the login's answer back to the application.
    pub(super) async fn follows(&self, granted: &Answer) -> Answer {
        let back = granted.has_status(302).header("location");
        self.opens(&self.own(back)).await
    }

    /// What of an address on this domain the proxy passes on.
    pub(super) fn own(&self, address: &str) -> String {
        let own = format!("https://{}{OUTPOST}", self.host);
        let path = address.strip_prefix(&own);
        path.unwrap_or_else(|| panic!("not here: {address}"))
            .to_owned()
    }

    /// The browser is let in, as this person.
    #[track_caller]
    pub(super) fn is_let_in(answer: &Answer, person: &Person) {
        answer.has_status(200);
        assert_eq!(answer.header("x-authentik-username"), person.username);
    }
}

/// The slug and the query string of the address of a flow's page.
fn flow_of(address: &str) -> (String, String) {
    let path = address.strip_prefix("/if/flow/").expect("a flow's page");
    let (slug, query) = path.split_once("/?").expect("a query string");
    (slug.to_owned(), query.to_owned())
}

/// Somebody who is logged in to the application `wiki`, whose `forward_auth` has these members besides
/// where it lives: `wiki.example`.
pub(super) async fn at_wiki(
    server: &TestServer,
    more: &serde_json::Value,
) -> (Browser, AtApplication, Person) {
    has_wiki(server, more);
    let person = server.person();
    let mut browser = Browser::new(server);
    let wiki = browser.at(server, "wiki.example");
    browser.logs_in(&wiki, "/", &person).await;
    AtApplication::is_let_in(&wiki.asks("/").await, &person);
    (browser, wiki, person)
}

/// Makes the application `wiki` at `wiki.example`, with these members besides.
#[track_caller]
pub(super) fn has_wiki(server: &TestServer, more: &serde_json::Value) {
    let mut forward = json!({ "hosts": ["https://wiki.example"] });
    for (name, value) in more.as_object().into_iter().flatten() {
        forward[name] = value.clone();
    }
    server.apply(&application("wiki", &forward));
}

/// A blueprint of an application with these members of `forward_auth`.
pub(super) fn application(slug: &str, forward: &serde_json::Value) -> String {
    let name = format!("The {slug}");
    let attrs = json!({ "name": name, "forward_auth": forward });
    format!(
        "version: 1\nentries:\n- model: authentik_core.application\n  id: app\n  identifiers: \
         {{slug: {slug}}}\n  attrs: {attrs}\n"
    )
}

/// The same for whoever is in a group only.
pub(super) fn for_group(slug: &str, forward: &serde_json::Value, group: &str) -> String {
    format!(
        "{}- model: authentik_policies.policybinding\n  identifiers: {{target: !KeyOf app, order: 0, \
         group: !Find [authentik_core.group, [name, {group}]]}}\n",
        application(slug, forward)
    )
}
