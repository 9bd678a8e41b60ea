//! Two servers of PostgreSQL: one that takes writes, and a standby that has everything that was acknowledged
//! and takes over when the first one is gone.

use std::process::Command;
use std::time::Duration;

use gatelog::clock::Clock;

use super::{Made, Server, programs};
use crate::support::skip;

/// The name under which the standby follows.
const STANDBY: &str = "db2";

/// How long the standby may take to be there.
const PATIENCE: Duration = Duration::from_mins(1);

/// Both of them.
pub(crate) struct Pair {
    primary: Server,
    standby: Server,
}

impl Pair {
    /// Starts both; `None`, and said, where PostgreSQL is not installed.
    pub(crate) async fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            skip("PostgreSQL (initdb and postgres)");
            return None;
        };
        let primary = Server::start(&programs, &Made::Anew, None);
        let standby = Server::start(&programs, &Made::Following(&primary, STANDBY), None);
        // From now on nothing is acknowledged that the standby does not have.
        let names = format!("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 ({STANDBY})'");
        primary.sql(&names);
        primary.sql("SELECT pg_reload_conf()");
        let state = "SELECT string_agg(sync_state, ' ') FROM pg_stat_replication";
        let clock = Clock::system();
        let deadline = clock.monotonic() + PATIENCE;
        while primary.sql(state) != "quorum" {
            assert!(clock.monotonic() < deadline, "the standby does not follow");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(Self { primary, standby })
    }

    /// The address that names both.
    pub(crate) fn address(&self) -> String {
        let (one, other) = (self.primary.host(), self.standby.host());
        format!("postgres://gatelog@{one},{other}/postgres")
    }

    /// Ends the first one with SIGKILL, in the middle of whatever it does.
    pub(crate) fn loses_the_first(&self) {
        let path = self.primary.directory.join("data/postmaster.pid");
        let said = std::fs::read_to_string(path).expect("the first one runs");
        let id = said.lines().next().expect("its process").trim().to_owned();
        let killed = Command::new("sh")
            .args(["-c", &format!("kill -KILL {id}")])
            .status();
        assert!(killed.expect("a shell").success(), "it was not killed");
    }

    /// Has the standby take over.
    pub(crate) fn promotes(&self) {
        assert_eq!(self.standby.sql("SELECT pg_promote()"), "t");
    }
}
