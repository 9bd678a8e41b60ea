//! Two applications and Gatelog behind one proxy, each under its own domain, and what somebody without a browser
//! asks of them.

use super::application::Application;
use super::front::{Front, Kind, Site};
use crate::support::TestServer;

/// Where everything is.
pub(super) struct Place {
    pub(super) wiki: Application,
    pub(super) vault: Application,
    port: u16,
    /// Kept until the end.
    front: Option<Front>,
}

/// A blueprint of both applications: everybody may use the wiki, and only the group `keepers` the vault.
const APPLICATIONS: &str = r"
version: 1
entries:
- model: authentik_core.group
  id: keepers
  identifiers: {name: keepers}
- model: authentik_core.application
  identifiers: {slug: wiki}
  attrs:
    name: The wiki
    meta_launch_url: WIKI/
    forward_auth:
      hosts: [WIKI]
      skip_paths: ['^/public/.*']
- model: authentik_core.application
  id: vault
  identifiers: {slug: vault}
  attrs:
    name: The vault
    meta_launch_url: VAULT/
    forward_auth:
      hosts: [VAULT]
- model: authentik_policies.policybinding
  identifiers: {target: !KeyOf vault, group: !KeyOf keepers, order: 0}
";

/// The origin of the login behind a proxy at this port.
pub(super) fn login(port: u16) -> String {
    format!("http://login.localhost:{port}")
}

impl Place {
    /// Starts the applications, tells the server of them, and puts a proxy in front of all.
    pub(super) async fn open(port: u16, kind: Kind, program: &str, server: &TestServer) -> Self {
        let mut place = Self {
            wiki: Application::start().await,
            vault: Application::start().await,
            port,
            front: None,
        };
        let text = APPLICATIONS.replace("WIKI", &place.at_wiki(""));
        server.apply(&text.replace("VAULT", &place.at_vault("")));
        let host = server.base().trim_start_matches("http://");
        let site = |host, application: &Application| Site {
            host,
            address: application.address(),
        };
        let sites = [
            site("wiki.localhost", &place.wiki),
            site("vault.localhost", &place.vault),
        ];
        place.front = Some(kind.start(program, port, host, &sites));
        place
    }

    /// The origin of the login.
    pub(super) fn login(&self) -> String {
        login(self.port)
    }

    /// A page of the wiki.
    pub(super) fn at_wiki(&self, path: &str) -> String {
        format!("http://wiki.localhost:{}{path}", self.port)
    }

    /// A page of the vault.
    pub(super) fn at_vault(&self, path: &str) -> String {
        format!("http://vault.localhost:{}{path}", self.port)
    }

    /// Asks the proxy as a program does, with these headers.
    pub(super) async fn asks(
        &self,
        server: &TestServer,
        address: &str,
        headers: &[(&str, &str)],
    ) -> reqwest::Response {
        let url = url::Url::parse(address).expect("an address");
        let path = &url[url::Position::BeforePath..];
        let host = format!("{}:{}", url.host_str().expect("a host"), self.port);
        let mut request = server
            .line()
            .get(format!("http://127.0.0.1:{}{path}", self.port))
            .header("Host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("the proxy answers")
    }
}
