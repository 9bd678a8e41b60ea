//! A PostgreSQL of the tests' own: one server for all tests of a process, and a schema for each.
//!
//! A server lies in a temporary directory and listens on a socket there, and on no network. This one is
//! started by whoever needs it first. It ends with this process, whatever ends that.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::skip;
use super::tethered::{Script, Tethered};

mod pair;

pub(crate) use pair::Pair;

/// A server that runs.
pub(crate) struct Server {
    directory: PathBuf,
    /// Where it listens on this machine's network, encrypted.
    port: Option<u16>,
    _running: Tethered,
}

/// The port that names the socket of a server that has none of its own.
const USUAL: u16 = 5432;

/// The certificate is for `localhost` and 127.0.0.1.
const CERTIFICATE: &str = include_str!("certificate/certificate.pem");
const KEY: &str = include_str!("certificate/key.pem");

/// The server of this process; `None`, and said, where PostgreSQL is not installed.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let start = |programs: PathBuf| Server::start(&programs, &Made::Anew, None);
    let server = SERVER.get_or_init(|| programs().map(start));
    if server.is_none() {
        skip("PostgreSQL (initdb and postgres)");
    }
    server.as_ref()
}

/// Another one, whose connections over the network are encrypted. Its certificate was made by the
/// authority of the tests.
pub(crate) fn encrypted() -> Option<Server> {
    let programs = programs();
    if programs.is_none() {
        skip("PostgreSQL (initdb and postgres)");
    }
    Some(Server::start(
        &programs?,
        &Made::Anew,
        Some(super::free_port()),
    ))
}

/// The directory of PostgreSQL's programs. Debian keeps them out of the path.
pub(crate) fn programs() -> Option<PathBuf> {
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

/// A shell of whoever may run PostgreSQL.
pub(crate) fn shell() -> Command {
    if owner().is_none() {
        return Command::new("sh");
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--", "sh"]);
    command
}

/// How a server comes to its data.
enum Made<'a> {
    /// There is none before.
    Anew,
    /// It follows another one under this name.
    Following(&'a Server, &'static str),
}

impl Made<'_> {
    /// The command that makes them.
    fn command(&self, programs: &Path) -> String {
        let programs = programs.display();
        match self {
            Self::Anew => {
                format!(
                    "'{programs}/initdb' -D data -U gatelog -A trust -E UTF8 --locale=C.UTF-8 -N"
                )
            }
            Self::Following(Server { directory, .. }, name) => format!(
                "'{programs}/pg_basebackup' -D data -R -N -X stream -c fast \
                 -d \"host={} user=gatelog application_name={name}\"",
                directory.display()
            ),
        }
    }
}

impl Server {
    fn start(programs: &Path, made: &Made<'_>, port: Option<u16>) -> Self {
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
        for (name, text) in [("certificate.pem", CERTIFICATE), ("key.pem", KEY)] {
            let path = directory.join(name);
            std::fs::write(&path, text).expect("it can be written");
            let own = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(&path, own).expect("it is ours");
            if let Some((user, group)) = owner {
                chown(&path, Some(user), Some(group)).expect("it can be given away");
            }
        }
        let (dir, bin) = (directory.display(), programs.display());
        let network = match port {
            None => "-c listen_addresses=".to_owned(),
            Some(port) => format!(
                "-c listen_addresses=127.0.0.1,127.0.0.2 -c port={port} -c ssl=on \
                 -c ssl_cert_file='{dir}/certificate.pem' -c ssl_key_file='{dir}/key.pem'"
            ),
        };
        let number = port.unwrap_or(USUAL);
        let running = Tethered::start(
            shell(),
            &Script {
                before: &format!("cd '{dir}' && {} >log 2>&1", made.command(programs)),
                program: &format!(
                    "'{bin}/postgres' -D data -k '{dir}' {network} \
                     -c max_connections=400 -c fsync=off -c dynamic_shared_memory_type=mmap >>log 2>&1"
                ),
                is_ready: &format!("'{bin}/pg_isready' -q -h '{dir}' -p {number}"),
                signal: "QUIT",
                // One that was killed has left the memory that it shared.
                after: &format!(
                    "test -e data/postmaster.pid && \
                     ipcrm -m $(awk 'NR == 7 {{ print $2 }}' data/postmaster.pid); cd /; rm -rf '{dir}'"
                ),
            },
        );
        let log = || std::fs::read_to_string(directory.join("log")).unwrap_or_default();
        let Ok(running) = running else {
            panic!("PostgreSQL did not start: {}", log());
        };
        Self {
            directory,
            port,
            _running: running,
        }
    }

    /// The address of an empty database within the server. It is never removed: the server is.
    pub(crate) fn address(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("CREATE SCHEMA {name}"));
        format!(
            "postgres:///postgres?host={}&user=gatelog&application_name=gatelog-{name}\
             &options=-csearch_path%3D{name}",
            self.host()
        )
    }

    /// Where it listens on the network, by the name of this host.
    pub(crate) fn at(&self, host: &str) -> String {
        let port = self.port.expect("it listens on the network");
        format!("postgres://gatelog@{host}:{port}/postgres?sslmode=require")
    }

    /// Runs statements where the tables of this address are.
    pub(crate) fn sql_at(&self, address: &str, statements: &str) -> String {
        let (_, schema) = address.rsplit_once("%3D").expect("it has a schema");
        self.sql(&format!("SET search_path = {schema}; {statements}"))
    }

    /// Ends all sessions of this address, in the middle of whatever they do.
    pub(crate) fn cut(&self, address: &str) {
        let (_, schema) = address.rsplit_once("%3D").expect("it has a schema");
        self.sql(&format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE application_name = 'gatelog-{schema}'"
        ));
    }

    /// Where it listens, as a part of an address.
    fn host(&self) -> String {
        self.directory.display().to_string().replace('/', "%2F")
    }

    /// Runs statements as the server's owner.
    pub(crate) fn sql(&self, statements: &str) -> String {
        let done = Command::new("psql")
            .arg("-qAtX")
            .args(["-h", &self.directory.to_string_lossy()])
            .args(["-p", &self.port.unwrap_or(USUAL).to_string()])
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
