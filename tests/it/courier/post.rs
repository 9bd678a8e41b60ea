//! A courier in this process, over a journal in memory and a clock that stands still.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatelog::clock::Clock;
use gatelog::courier::outbox::{self, Mail, State};
use gatelog::courier::{Courier, Outcome, Report, Reporter};
use gatelog::journal::memory::MemoryJournal;
use gatelog::journal::object::{self, Versioned};
use gatelog::journal::{Commit, Durability, Journal, Version, Write};
use gatelog::settings::Settings;
use uuid::Uuid;

use crate::support::MailSink;

/// A courier, and what is around it.
pub(super) struct Post {
    pub(super) journal: MemoryJournal,
    pub(super) clock: Clock,
    pub(super) settings: Settings,
    pub(super) courier: Courier,
    pub(super) reports: Arc<Mutex<Vec<Report>>>,
    /// How many reports are not taken.
    pub(super) refused: Arc<Mutex<usize>>,
    pub(super) directory: tempfile::TempDir,
}

impl Post {
    pub(super) fn to(sink: &MailSink) -> Self {
        Self::with(Some(sink.port()))
    }

    pub(super) fn with(port: Option<u16>) -> Self {
        let clock = Clock::fixed("2026-11-26T15:00:00Z".parse().expect("a moment"));
        let journal = MemoryJournal::new(clock.clone());
        let directory = tempfile::tempdir().expect("a directory");
        let mut settings = Settings::in_directory(directory.path());
        settings.email.host = port.map(|_| "127.0.0.1".to_owned());
        settings.email.port = port.unwrap_or(25);
        settings.email.timeout = Duration::from_secs(1);
        let courier = courier(&journal, &clock, &settings);
        Self {
            journal,
            clock,
            settings,
            courier,
            reports: Arc::default(),
            refused: Arc::default(),
            directory,
        }
    }

    pub(super) fn reporter(&self) -> Reporter {
        let (reports, refused) = (Arc::clone(&self.reports), Arc::clone(&self.refused));
        Arc::new(move |report| {
            reports.lock().expect("not poisoned").push(report);
            let mut refused = refused.lock().expect("not poisoned");
            let taken = if *refused == 0 {
                Ok(())
            } else {
                *refused -= 1;
                Err("not now".into())
            };
            Box::pin(async { taken })
        })
    }

    pub(super) fn starts(&self) {
        self.courier.start(self.reporter());
    }

    /// Another run of the program over the same journal.
    pub(super) async fn starts_anew(&mut self) {
        self.courier.stop().await;
        self.courier = courier(&self.journal, &self.clock, &self.settings);
        self.starts();
    }

    pub(super) async fn commits(&self, writes: Vec<Write>) {
        let commit = Commit {
            writes,
            durability: Durability::Durable,
            fence: None,
            at: self.clock.now(),
            correlation: Uuid::nil(),
        };
        self.journal.commit(commit).await.expect("it is written");
    }

    pub(super) async fn posts(&self, mail: &Mail) {
        self.commits(outbox::enqueue(mail)).await;
        self.courier.wake([mail.into()]);
    }

    pub(super) async fn found(&self, mail: &Mail) -> Option<Versioned<Mail>> {
        object::get(&self.journal, mail.id).await.expect("it reads")
    }

    /// Lets time pass, which nobody but a clock notices.
    pub(super) fn waits(&self, span: Duration) {
        self.clock.advance(span);
        self.courier.wake([]);
    }

    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        let reports = self.reports.lock().expect("not poisoned");
        reports.iter().map(|it| it.outcome.clone()).collect()
    }

    pub(super) async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let clock = Clock::system();
        let deadline = clock.monotonic() + Duration::from_secs(30);
        while !is_so().await {
            assert!(
                clock.monotonic() < deadline,
                "never: {what}; {:?}",
                self.outcomes()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) async fn hears(&self, count: usize) -> Vec<Outcome> {
        self.until("that many reports", async || self.outcomes().len() >= count)
            .await;
        self.outcomes()
    }

    /// The mail was tried in vain this often and waits.
    pub(super) async fn waits_after(&self, mail: &Mail, attempts: u32) {
        self.until("that many attempts", async || {
            let found = self.found(mail).await.expect("it is there").value;
            found.attempts == attempts && found.state == State::Waiting
        })
        .await;
    }

    /// Nothing of the mail can be read any more, not even what was written at first.
    pub(super) async fn forgets(&self, mail: &Mail) {
        self.until("it is removed", async || self.found(mail).await.is_none())
            .await;
        let stream = object::stream::<Mail>(mail.id);
        let revisions = self
            .journal
            .read(stream, Version::NONE)
            .await
            .expect("it reads");
        assert!(revisions.len() >= 2 && revisions.iter().all(|it| it.body.is_none()));
    }
}

pub(super) fn courier(journal: &MemoryJournal, clock: &Clock, settings: &Settings) -> Courier {
    Courier::new(
        Arc::new(journal.clone()),
        clock.clone(),
        settings.email.clone(),
    )
}
