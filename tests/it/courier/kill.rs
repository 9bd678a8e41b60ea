//! The real binary, killed while it hands mails over: each mail arrives once, or nobody knows, and
//! never twice.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use gatelog::app::lock::Role;
use gatelog::app::{self, lock};
use gatelog::clock::Clock;
use gatelog::courier::outbox::{self, Mail};
use gatelog::journal::{Commit, Durability, object};
use gatelog::settings::Settings;
use uuid::Uuid;

use super::mail;
use crate::support::{At, MailSink, Options, Plan, TestServer, block_on, random_below};

/// What is said of a mail that is neither sent nor not sent.
const UNKNOWN: &str = "a mail may have been sent";

/// Looks into the journal of a server that is down.
fn inside<T: Send + 'static>(
    server: &TestServer,
    work: impl AsyncFnOnce(&app::Running) -> T + Send + 'static,
) -> T {
    let data: PathBuf = server.data();
    let looked = std::thread::spawn(move || {
        actix::System::new().block_on(async {
            let clock = Clock::system();
            let lock = lock::take(&data, Role::Command, &clock).expect("nobody has it");
            let running = app::operate(lock, Settings::in_directory(&data), clock);
            let running = running.await.expect("it starts");
            let result = work(&running).await;
            running.stop().await.expect("it stops");
            result
        })
    });
    looked.join().expect("it does not panic")
}

/// Puts mails into the outbox of a server that is down.
fn has(server: &TestServer, count: usize) {
    let canaries = server.canaries();
    let mails: Vec<Mail> = (0..count)
        .map(|number| Mail {
            execution: None,
            ..mail(&Clock::system(), &format!("recipient-{number}@mail.test"))
        })
        .collect();
    for mail in &mails {
        canaries.personal("a recipient", &mail.to_address);
    }
    canaries.secret("a mail's link", "https://login.test/?token=abc");
    inside(server, async move |running| {
        let commit = Commit {
            writes: mails.iter().flat_map(outbox::enqueue).collect(),
            durability: Durability::Durable,
            fence: None,
            at: Clock::system().now(),
            correlation: Uuid::nil(),
        };
        running
            .journal()
            .commit(commit)
            .await
            .expect("it is written");
    });
}

/// How many mails are in the outbox of a server that is down.
fn left(server: &TestServer) -> usize {
    inside(server, async |running| {
        let mails: Vec<object::Versioned<Mail>> = object::all(&*running.journal())
            .await
            .expect("they can be read");
        mails.len()
    })
}

/// The mails of which the server says this, each once however often it was told.
fn told(server: &TestServer, what: &str) -> BTreeSet<String> {
    let output = server.output();
    let lines = output.lines().filter(|line| line.contains(what));
    let mails = lines.filter_map(|line| line.split("mail=").nth(1));
    mails.map(|rest| rest.chars().take(36).collect()).collect()
}

async fn server_for(sink: &MailSink) -> TestServer {
    let options = sink.serves(Options::default());
    let mut server = TestServer::start(options.with("GATELOG_EMAIL__TIMEOUT", "1 minute")).await;
    server.stop().await;
    server
}

#[test]
fn a_mail_that_no_server_had_is_sent_after_a_kill() {
    block_on(async {
        let sink = MailSink::start();
        let mut server = server_for(&sink).await;
        has(&server, 1);
        let places = [At::Greeting, At::Hello, At::Sender, At::Recipient, At::Data];
        sink.plans(places.map(Plan::Stall));
        for stalls in 1..=places.len() {
            server.begin().await;
            sink.wait_for_stalls(stalls).await;
            server.dies();
            assert!(sink.taken().is_empty());
        }
        server.begin().await;
        sink.wait_for(1).await;
        server.says("a mail was sent").await;
        server.stop().await;
        assert_eq!((left(&server), sink.taken().len()), (0, 1));
        server.finish().await;
    });
}

#[test]
fn a_mail_that_a_server_may_have_is_not_sent_after_a_kill() {
    block_on(async {
        let sink = MailSink::start();
        let mut server = server_for(&sink).await;
        has(&server, 1);
        sink.plans([Plan::Stall(At::Message)]);
        server.begin().await;
        sink.wait_for_stalls(1).await;
        server.dies();
        server.begin().await;
        server.says(UNKNOWN).await;
        server.stop().await;
        assert_eq!((left(&server), sink.connections()), (0, 1));
        server.finish().await;
    });
}

#[test]
fn mails_arrive_at_most_once_however_often_the_server_is_killed() {
    const MAILS: usize = 40;
    block_on(async {
        let sink = MailSink::start();
        let mut server = server_for(&sink).await;
        has(&server, MAILS);
        for _ in 0..8 {
            server.begin().await;
            tokio::time::sleep(Duration::from_millis(random_below(60))).await;
            server.dies();
        }
        server.begin().await;
        let clock = Clock::system();
        let deadline = clock.monotonic() + Duration::from_mins(1);
        while told(&server, "a mail was sent").len() + told(&server, UNKNOWN).len() < MAILS {
            assert!(clock.monotonic() < deadline, "some mails are lost");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server.stop().await;
        assert_eq!(left(&server), 0);
        let taken = sink.taken();
        let ids: BTreeSet<String> = taken
            .iter()
            .map(|it| it.letter().header("Message-ID"))
            .collect();
        assert_eq!(ids.len(), taken.len(), "a mail arrived twice");
        let unknown = told(&server, UNKNOWN).len();
        assert!(
            ids.len() + unknown >= MAILS,
            "{} arrived, {unknown} unknown",
            ids.len()
        );
        server.finish().await;
    });
}
