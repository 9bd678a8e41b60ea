//! One round: everything that may happen, one after the other, each with a look at what is left.

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::join;
use gatelog::clock::Clock;

use super::people::Ended;
use super::{HOUR, KEPT, Soak};
use crate::support::random_below;

impl Soak<'_> {
    /// Everything once.
    pub(super) async fn round(&mut self) {
        self.ordinary_use().await;
        self.abandoned().await;
        self.clock_jumps().await;
        self.killed_at_random().await;
        self.slow_disk().await;
        self.failing_sync().await;
        self.full_disk().await;
        self.forgets().await;
    }

    async fn ordinary_use(&mut self) {
        let size = self.size;
        self.people.all_log_in(size.logins, 0).await;
        self.people.all_log_in(size.logins / 4, 2).await;
        self.people
            .wait_for_mails(&self.server, self.sink, size.mails)
            .await;
        self.check("logins, wrong passwords and mails").await;
    }

    /// Pages that were opened and left run out of time, and others log in meanwhile.
    async fn abandoned(&mut self) {
        self.people.leave(self.size.abandoned).await;
        self.moves_clock(25 * HOUR);
        self.people.all_log_in(self.size.people, 0).await;
        self.nobody_is_left().await;
        self.check_if_long("abandoned executions").await;
    }

    /// Waits until all that ran out of time has been ended.
    async fn nobody_is_left(&self) {
        let clock = Clock::system();
        let deadline = clock.monotonic() + Duration::from_mins(5);
        loop {
            let arguments = ["execution", "list", "--json", "--state", "running,waiting"];
            let left = self.server.gatelog_at_length(&arguments);
            if left.succeeds().values().is_empty() {
                return;
            }
            assert!(clock.monotonic() < deadline, "they do not end: {left:?}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// A clock that is set back revives nothing and stops nobody.
    async fn clock_jumps(&mut self) {
        for jump in [-3 * HOUR, 2 * HOUR, -HOUR, 3 * HOUR] {
            self.moves_clock(jump);
            self.people.all_log_in(self.size.people, 0).await;
        }
        self.server.kill().await;
        self.people.all_log_in(self.size.people, 0).await;
        self.check_if_long("a clock that jumps").await;
    }

    async fn killed_at_random(&mut self) {
        let (kills, over) = (self.size.kills, Cell::new(false));
        let (server, people) = (&mut self.server, &self.people);
        let killing = async {
            for _ in 0..kills {
                tokio::time::sleep(Duration::from_millis(50 + random_below(900))).await;
                server.kill().await;
            }
            over.set(true);
        };
        join(killing, people.log_in_until(|| over.get())).await;
        self.check("killed at random").await;
    }

    async fn slow_disk(&mut self) {
        self.disk_does("slow 40");
        self.people.all_log_in(self.size.people, 0).await;
        self.disk_does("");
        self.check_if_long("a slow disk").await;
    }

    /// A sync that failed must not be repeated: the bytes may be gone although the next one succeeds. So
    /// nothing is acknowledged any more until somebody has started the server anew.
    async fn failing_sync(&mut self) {
        let (person, mut visitor) = self.people.somebody();
        assert_eq!(self.people.begins(&mut visitor).await, Ended::Done);
        let acknowledged = self.people.ledger.answers.get();
        self.disk_does("fail");
        let failed = self.people.goes_on(&mut visitor, person, 0).await;
        assert_eq!(failed, Ended::Refused(503));
        self.disk_does("");
        for ended in self.people.log_in(self.size.people, 0).await {
            assert_eq!(
                ended,
                Ended::Refused(503),
                "the disk is well again, and nobody knows"
            );
        }
        assert_eq!(self.people.ledger.answers.get(), acknowledged);
        let ready = visitor.gets("/-/health/ready/").await;
        ready.has_status(503).shows("the disk failed");
        let said = "the journal cannot be written any more";
        self.server.says(said).await;
        self.server.kill().await;
        self.people.all_log_in(self.size.people, 0).await;
        self.check("a sync that failed").await;
    }

    /// First nothing new is begun, and then nothing is written; both pass with the reason.
    async fn full_disk(&mut self) {
        let Some(volume) = self.volume else {
            return;
        };
        let (person, mut visitor) = self.people.somebody();
        assert_eq!(self.people.begins(&mut visitor).await, Ended::Done);
        volume.fill(40 << 20);
        for ended in self.people.log_in(self.size.people, 0).await {
            assert_eq!(ended, Ended::Refused(503), "little room is left");
        }
        let finished = self.people.goes_on(&mut visitor, person, 0).await;
        assert_eq!(finished, Ended::Done, "who had begun comes to the end");
        volume.fill(2 << 20);
        let (person, _) = self.people.somebody();
        let ended = self.people.log_in(self.size.people, 0).await;
        assert!(
            ended.iter().all(|it| *it == Ended::Refused(503)),
            "{ended:?}"
        );
        let ready = visitor.gets("/-/health/ready/").await;
        ready.has_status(503).shows("the disk is full");
        let said = "nothing is written until there is room again";
        self.server.says(said).await;
        volume.empty();
        let mut again = visitor.as_somebody_else();
        assert_eq!(
            self.people.begins(&mut again).await,
            Ended::Done,
            "without a restart"
        );
        assert_eq!(
            self.people.goes_on(&mut again, person, 0).await,
            Ended::Done
        );

        volume.fill(2 << 20);
        self.server.dies();
        volume.empty();
        self.server.begin().await;
        self.people.all_log_in(self.size.people, 0).await;
        self.check("a full disk").await;
    }

    /// What is older than it is kept goes.
    async fn forgets(&mut self) {
        // What is under way ends first, and is kept from then on.
        self.moves_clock(26 * HOUR);
        self.nobody_is_left().await;
        self.people.ledger.forgets();
        self.moves_clock(KEPT + 2 * HOUR);
        self.server.restart().await;
        self.people.all_log_in(self.size.people, 0).await;
        let clock = Clock::system();
        let deadline = clock.monotonic() + Duration::from_mins(3);
        loop {
            let left = self.people.ledger.check(&self.server);
            if left <= self.size.people {
                break;
            }
            assert!(
                clock.monotonic() < deadline,
                "{left} executions can still be read"
            );
            // What waited for its export was left for the next time, which is an hour later.
            self.moves_clock(HOUR);
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        self.check("what was kept long enough").await;
        self.bounds.check(&self.server);
    }
}
