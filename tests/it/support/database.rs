//! A PostgreSQL of the tests' own: one server for all tests of a process, and a schema for each.
//!
//! The server lies in a temporary directory and listens on a socket there, and on no network. It is
//! started by whoever needs it first. It ends with this process, whatever ends that: it is started below a
//! shell that waits for the end of its input.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::skip;

/// A server that runs.
pub(crate) struct Server {
    directory: PathBuf,
}

/// The server of this process; `None`, and said, where PostgreSQL is not installed.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| programs().map(|programs| Server::start(&programs)));
    if server.is_none() {
        skip("PostgreSQL (initdb and postgres)");
    }
    server.as_ref()
}

/// The directory of PostgreSQL's programs. Debian keeps them out of the path.
fn programs() -> Option<PathBuf> {
    let found = Command::new("sh")
        .args(["-c", "dirname \"$(readlink -f \"$(command -v initdb)\")\" 2>/dev/null; ls -d /usr/lib/postgresql/*/bin 2>/dev/null"])
        .output()
        .ok()?;
    let found = String::from_utf8_lossy(&found.stdout).into_owned();
    found
        .lines()
        .map(PathBuf::from)
        .rfind(|path| path.join("initdb").exists() && path.join("postgres").exists())
}

/// Run as root, PostgreSQL refuses to start: then it runs as the user that its package made.
fn owner() -> Option<(u32, u32)> {
    let me = Command::new("id").arg("-u").output().expect("id runs");
    if me.stdout != b"0\n" {
        return None;
    }
    let number = |what: &str| -> u32 {
        let id = Command::new("id").args([what, "postgres"]).output();
        let id = String::from_utf8(id.expect("id runs").stdout).expect("a number");
        id.trim().parse().expect("there is a user postgres")
    };
    Some((number("-u"), number("-g")))
}

impl Server {
    fn start(programs: &Path) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("gatelog-pg-")
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir()
            .expect("a temporary directory")
            .keep();
        let owner = owner();
        if let Some((user, group)) = owner {
            chown(&directory, Some(user), Some(group)).expect("it can be given away");
        }
        let begin = format!(
            "set -e; cd '{dir}'; \
             '{bin}/initdb' -D data -U gatelog -A trust -E UTF8 --locale=C.UTF-8 -N >log 2>&1; \
             '{bin}/postgres' -D data -k '{dir}' -c listen_addresses= -c fsync=off \
             -c max_connections=400 >>log 2>&1 & \
             until '{bin}/pg_isready' -q -h '{dir}'; do sleep 0.05; done; \
             echo ready; cat >/dev/null || true; kill -QUIT $!; wait; cd /; rm -rf '{dir}'",
            dir = directory.display(),
            bin = programs.display(),
        );
        let mut command = if owner.is_some() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--", "sh"]);
            command
        } else {
            Command::new("sh")
        };
        command.args(["-c", &begin]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell can be started");
        let mut said = String::new();
        let out = child.stdout.take().expect("it is a pipe");
        BufReader::new(out)
            .read_line(&mut said)
            .expect("it says something");
        let log = || std::fs::read_to_string(directory.join("log")).unwrap_or_default();
        assert_eq!(said, "ready\n", "PostgreSQL did not start: {}", log());
        // The pipe closes with this process, and with it the server ends.
        std::mem::forget(child);
        Self { directory }
    }

    /// The address of an empty database within the server. It is never removed: the server is.
    pub(crate) fn address(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("CREATE SCHEMA {name}"));
        let socket = self.directory.display().to_string().replace('/', "%2F");
        format!(
            "postgres:///postgres?host={socket}&user=gatelog&application_name=gatelog-{name}\
             &options=-csearch_path%3D{name}"
        )
    }

    /// Runs statements as the server's owner.
    pub(crate) fn sql(&self, statements: &str) -> String {
        let done = Command::new("psql")
            .arg("-qAtX")
            .args(["-h", &self.directory.to_string_lossy()])
            .args(["-U", "gatelog", "-d", "postgres", "-c", statements])
            .output()
            .expect("psql runs");
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8(done.stdout)
            .expect("it is text")
            .trim()
            .to_owned()
    }
}
