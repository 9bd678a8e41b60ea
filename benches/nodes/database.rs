//! A PostgreSQL for a bench: on the disk, which it waits for, and on a socket and no network.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

#[path = "../../tests/it/support/tethered.rs"]
mod tethered;

use tethered::{Script, Tethered};

/// Where it lies: not in memory on most machines, and others may come there.
const DISK: &str = "/var/tmp";

/// A server that runs as long as this lives.
pub(super) struct Database {
    programs: PathBuf,
    directory: PathBuf,
    _running: Tethered,
}

impl Database {
    /// Starts one; `None` where PostgreSQL is not installed.
    pub(super) fn start() -> Option<Self> {
        let programs = programs()?;
        let directory = tempfile::Builder::new()
            .prefix("gatelog-bench-pg-")
            .permissions(std::fs::Permissions::from_mode(0o755))
            .tempdir_in(DISK)
            .expect("a directory on the disk")
            .keep();
        // Run as root it refuses to start.
        let owner = owner();
        let command = match owner {
            Some((user, group)) => {
                chown(&directory, Some(user), Some(group)).expect("it can be given away");
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--", "sh"]);
                command
            }
            None => Command::new("sh"),
        };
        let (dir, bin) = (directory.display(), programs.display());
        let running = Tethered::start(
            command,
            &Script {
                before: &format!(
                    "cd '{dir}' && \
                     '{bin}/initdb' -D data -U gatelog -A trust -E UTF8 --locale=C.UTF-8 >log 2>&1"
                ),
                program: &format!(
                    "'{bin}/postgres' -D data -k '{dir}' -c listen_addresses= -c max_connections=400 \
                     -c shared_buffers=256MB -c max_wal_size=4GB >>log 2>&1"
                ),
                is_ready: &format!("'{bin}/pg_isready' -q -h '{dir}'"),
                signal: "QUIT",
                after: &format!("cd /; rm -rf '{dir}'"),
            },
        );
        let log = || std::fs::read_to_string(directory.join("log")).unwrap_or_default();
        let Ok(running) = running else {
            panic!("PostgreSQL did not start: {}", log());
        };
        Some(Self {
            programs,
            directory,
            _running: running,
        })
    }

    /// The address of the tables of this name, which are none at first.
    pub(super) fn address(&self, name: &str) -> String {
        self.sql(&format!("CREATE SCHEMA IF NOT EXISTS {name}"));
        let host = self.directory.display().to_string().replace('/', "%2F");
        format!("postgres:///postgres?host={host}&user=gatelog&options=-csearch_path%3D{name}")
    }

    /// Runs statements.
    pub(super) fn sql(&self, statements: &str) -> String {
        self.runs(
            "psql",
            &["-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statements],
        )
    }

    /// Runs one of PostgreSQL's programs here, and gives what it prints.
    pub(super) fn runs(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(self.programs.join(program));
        command.args(["-h", &self.directory.to_string_lossy(), "-U", "gatelog"]);
        let done = command.args(arguments).arg("postgres").output();
        let Output {
            status,
            stdout,
            stderr,
        } = done.expect("it runs");
        let said = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "{program}: {said}");
        let printed = String::from_utf8(stdout).expect("it is text");
        printed.trim().to_owned()
    }
}

/// The directory of all programs that are needed. Debian keeps them out of the path.
fn programs() -> Option<PathBuf> {
    let looks = "dirname \"$(readlink -f \"$(command -v initdb)\")\" 2>/dev/null; \
                 ls -d /usr/lib/postgresql/*/bin 2>/dev/null";
    let found = Command::new("sh").args(["-c", looks]).output().ok()?;
    let found = String::from_utf8_lossy(&found.stdout).into_owned();
    let has_all = |path: &Path| {
        ["initdb", "postgres", "pg_isready", "psql", "pgbench"]
            .iter()
            .all(|it| path.join(it).exists())
    };
    found.lines().map(PathBuf::from).rfind(|path| has_all(path))
}

/// The user that PostgreSQL's package made, where this process is root.
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
