//! Real proxies, set up by the files in `docs/deploy/` as they stand: only domains, addresses, ports and the places
//! of files are others, and there is no TLS.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::deploy::file;
use crate::support::tethered::{Script, Tethered};
use crate::support::{Proxy, free_port, skip};

/// Which proxy.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Nginx,
    Caddy,
}

/// An application as a proxy knows it.
pub(super) struct Site<'a> {
    /// Its host, without the port.
    pub(super) host: &'a str,
    /// Where it listens.
    pub(super) address: String,
}

/// A proxy that runs as long as this lives.
pub(super) struct Front {
    _running: Tethered,
    _folder: TempDir,
}

impl Kind {
    /// The program; `None`, and said, where it is not installed.
    pub(super) fn program(self) -> Option<&'static str> {
        match self {
            Self::Nginx => Proxy::program(),
            Self::Caddy => {
                let is_there = Command::new("caddy").arg("version").output().is_ok();
                if !is_there {
                    skip("caddy");
                }
                is_there.then_some("caddy")
            }
        }
    }

    /// Starts it on a port, in front of a server and applications.
    pub(super) fn start(self, program: &str, port: u16, server: &str, sites: &[Site<'_>]) -> Front {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("settings");
        let settings = match self {
            Self::Nginx => nginx(folder.path(), port, server, sites),
            Self::Caddy => caddy(port, server, sites),
        };
        std::fs::write(&path, settings).expect("written");
        let (path, log) = (path.display(), folder.path().join("log"));
        let log = log.display();
        let line = match self {
            Self::Nginx => format!("{program} -c '{path}' -e '{log}' >'{log}' 2>&1"),
            // It would write into the home of whoever runs this.
            Self::Caddy => format!(
                "env HOME='{0}' XDG_CONFIG_HOME='{0}' XDG_DATA_HOME='{0}' {program} run --adapter caddyfile \
                 --config '{path}' >'{log}' 2>&1",
                folder.path().display()
            ),
        };
        let running = Tethered::start(
            Command::new("bash"),
            &Script {
                before: "true",
                program: &format!("exec {line}"),
                is_ready: &format!("(: </dev/tcp/127.0.0.1/{port}) 2>/dev/null"),
                signal: "TERM",
                after: "true",
            },
        );
        let Ok(running) = running else {
            let log = std::fs::read_to_string(folder.path().join("log"));
            panic!("{self:?} did not start: {}", log.unwrap_or_default());
        };
        Front {
            _running: running,
            _folder: folder,
        }
    }
}

/// A port for a proxy.
pub(super) fn port() -> u16 {
    free_port()
}

/// What stands between two lines that begin so, these included.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let start = text.find(from).unwrap_or_else(|| panic!("no {from}"));
    let end = text[start..].find(to).unwrap_or_else(|| panic!("no {to}"));
    &text[start..start + end + to.len()]
}

/// A file of nginx's without TLS, and without the server that leads there.
fn without_tls(text: &str, port: u16) -> String {
    let redirects = between(text, "server {\n    listen 80;", "\n}\n");
    let text = text.replace(redirects, "");
    let mut lines = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("ssl_") || trimmed == "listen [::]:443 ssl;" {
            continue;
        }
        match trimmed {
            "listen 443 ssl;" => lines.push(format!("    listen 127.0.0.1:{port};")),
            _ => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

fn nginx(folder: &Path, port: u16, server: &str, sites: &[Site<'_>]) -> String {
    let folder = folder.display();
    let login = without_tls(&file("nginx.conf"), port)
        .replace("login.example.org", "login.localhost")
        .replace("127.0.0.1:9000", server);
    let documented = without_tls(&file("nginx-application.conf"), port);
    let mut applications = String::new();
    for (number, site) in sites.iter().enumerate() {
        let text = documented
            .replace(
                "set $application app.example.org;",
                &format!("set $application {}:{port};", site.host),
            )
            .replace("app.example.org", site.host)
            .replace("127.0.0.1:9000", server)
            .replace("127.0.0.1:8000", &site.address)
            .replace(
                "/var/cache/nginx/gatelog",
                &format!("{folder}/cache{number}"),
            )
            .replace("keys_zone=gatelog:", &format!("keys_zone=gatelog{number}:"))
            .replace("$nobody", &format!("$nobody{number}"))
            .replace(
                "proxy_cache gatelog;",
                &format!("proxy_cache gatelog{number};"),
            );
        applications.push_str(&text);
        applications.push('\n');
    }
    format!(
        r"daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{login}
{applications}
}}
"
    )
}

fn caddy(port: u16, server: &str, sites: &[Site<'_>]) -> String {
    let text = file("Caddyfile");
    let login = between(&text, "login.example.org {", "\n}\n").replace(
        "login.example.org",
        &format!("http://login.localhost:{port}"),
    );
    let documented = between(&text, "app.example.org {", "\n}\n");
    let mut all = format!("{{\n\tadmin off\n\tauto_https off\n}}\n\n{login}\n");
    for site in sites {
        let host = format!("http://{}:{port}", site.host);
        let text = documented
            .replace("app.example.org", &host)
            .replace("127.0.0.1:8000", &site.address);
        all.push_str(&text);
        all.push('\n');
    }
    all.replace("127.0.0.1:9000", server)
}

#[test]
fn the_documented_files_are_understood_by_the_programs_themselves() {
    let sites = [Site {
        host: "app.localhost",
        address: "127.0.0.1:8000".to_owned(),
    }];
    let folder = tempfile::tempdir().expect("a directory");
    if let Some(program) = Kind::Nginx.program() {
        let path = folder.path().join("nginx");
        let settings = nginx(folder.path(), port(), "127.0.0.1:9000", &sites);
        std::fs::write(&path, &settings).expect("written");
        is_understood(Command::new(program).arg("-t").arg("-c").arg(&path));
        // The one of the cluster too, which is a piece of a file.
        let cluster = file("compose-nginx.conf").replace("listen 80;", "listen 127.0.0.1:1;");
        let start = settings.find("server {").expect("a server");
        let whole = format!("{}{cluster}}}\n", &settings[..start]);
        std::fs::write(&path, whole).expect("written");
        is_understood(Command::new(program).arg("-t").arg("-c").arg(&path));
    }
    if let Some(program) = Kind::Caddy.program() {
        // As it stands, TLS included.
        let path = crate::deploy::path("Caddyfile");
        let mut command = Command::new(program);
        command.args(["adapt", "--adapter", "caddyfile", "--validate", "--config"]);
        command.arg(&path).env("HOME", folder.path());
        is_understood(&mut command);
    }
}

#[track_caller]
fn is_understood(command: &mut Command) {
    let ran = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{command:?}: {said}");
}
