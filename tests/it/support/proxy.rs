//! nginx in front of several servers, set up as the handbook says.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::tethered::{Script, Tethered};
use super::{free_port, skip};

/// A proxy that runs as long as this lives.
pub(crate) struct Proxy {
    base: String,
    _running: Tethered,
    _directory: TempDir,
}

/// Where a proxy will listen.
pub(crate) struct Place(u16);

impl Place {
    /// A place that nobody has.
    pub(crate) fn new() -> Self {
        Self(free_port())
    }

    /// The address for a browser, without a slash at its end.
    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.0)
    }
}

impl Proxy {
    /// The program; `None`, and said, where nginx is not installed.
    pub(crate) fn program() -> Option<&'static str> {
        // Debian has it where only root looks.
        let names = ["nginx", "/usr/sbin/nginx"];
        // It tells its version and ends.
        let found = names
            .into_iter()
            .find(|it| Command::new(it).arg("-v").output().is_ok());
        if found.is_none() {
            skip("nginx");
        }
        found
    }

    /// Starts it there, in front of these addresses.
    pub(crate) fn start<'a>(
        program: &str,
        place: &Place,
        servers: impl Iterator<Item = &'a str>,
    ) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let hosts = servers.map(|base| base.trim_start_matches("http://"));
        let servers = hosts.map(|host| format!("server {host} max_fails=1 fail_timeout=1s;\n"));
        let servers = servers.collect::<Vec<_>>().concat();
        let settings = settings(directory.path(), place.0, &servers);
        let file = directory.path().join("nginx.conf");
        std::fs::write(&file, settings).expect("it can be written");
        let (file, log) = (file.display(), directory.path().join("log"));
        let running = Tethered::start(
            Command::new("sh"),
            &Script {
                before: "true",
                program: &format!(
                    "{program} -c '{file}' -e '{}' >/dev/null 2>&1",
                    log.display()
                ),
                is_ready: &format!("test -s '{}/pid'", directory.path().display()),
                signal: "TERM",
                after: "true",
            },
        );
        let Ok(running) = running else {
            let log = std::fs::read_to_string(log).unwrap_or_default();
            panic!("nginx did not start: {log}");
        };
        Self {
            base: place.base(),
            _running: running,
            _directory: directory,
        }
    }

    /// The address for a browser, without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }
}

/// As in `docs/operations/two-nodes.md`, without TLS, and with all files where the test is.
fn settings(directory: &Path, port: u16, servers: &str) -> String {
    let directory = directory.display();
    format!(
        r"daemon off;
master_process off;
pid {directory}/pid;
error_log {directory}/log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    client_max_body_size 512k;
    upstream gatelog {{
{servers}        keepalive 64;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://gatelog;
            proxy_connect_timeout 2s;
            proxy_next_upstream error timeout http_503;
            proxy_http_version 1.1;
            proxy_set_header Connection '';
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
        }}
    }}
}}
"
    )
}
