//! A server in this process, as the other tests start it.

use gatelog::app;
use gatelog::clock::Clock;
use gatelog::settings::{MetricsListen, Settings};
use jiff::Timestamp;

fn settings(directory: &tempfile::TempDir) -> Settings {
    let mut settings = Settings::in_directory(&directory.path().join("data"));
    settings.listen = "127.0.0.1:0".parse().expect("an address");
    settings.hash.threads = 1;
    settings.metrics.listen = MetricsListen::Off;
    settings
}

#[actix_web::test]
async fn a_server_that_was_stopped_can_be_started_again_in_the_same_process() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
    for _ in 0..3 {
        let running = app::run(settings(&directory), clock.clone())
            .await
            .expect("it starts");
        let address = running.address().expect("it listens");
        assert_ne!(address.port(), 0);
        let announced = running.announcement().join("\n");
        assert!(announced.contains(&format!("http://{address}/setup?token=")));
        running.stop().await.expect("it stops");
    }
}

#[actix_web::test]
async fn a_directory_that_is_held_says_so_within_the_process_too() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let running = app::run(settings(&directory), Clock::system())
        .await
        .expect("it starts");
    let error = app::run(settings(&directory), Clock::system())
        .await
        .err()
        .expect("it is held");
    assert!(error.to_string().contains("is held by a server"), "{error}");
    running.stop().await.expect("it stops");
}

/// How the executions stand that can still be read.
async fn readable(running: &app::Running) -> Vec<&'static str> {
    let journal = running.journal();
    let list = gatelog::replay::list(&*journal, None, 100);
    let list = list.await.expect("a list");
    let states = list.iter().map(|summary| summary.state);
    states
        .filter(|state| !["erased", "removed"].contains(state))
        .collect()
}

#[actix_web::test]
async fn executions_are_forgotten_when_they_were_kept_long_enough() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let clock = Clock::fixed("2026-01-01T00:00:00Z".parse().expect("a moment"));
    let mut settings = settings(&directory);
    let day = std::time::Duration::from_hours(24);
    settings.journal.retention.execution = Some(30 * day);
    settings.journal.retention.catalog = Some(30 * day);
    settings.journal.retention.session = Some(30 * day);

    let running = app::run(settings.clone(), clock.clone())
        .await
        .expect("it starts");
    let address = running.address().expect("it listens");
    let url = format!("http://{address}/api/v3/flows/executor/default-authentication-flow/");
    let visit = reqwest::get(url).await.expect("an answer");
    assert!(visit.status().is_success());
    assert_eq!(readable(&running).await, ["running"]);
    running.stop().await.expect("it stops");

    // Once to end the execution, which nobody came back to, and once to forget it.
    let none: &[&str] = &[];
    for (days, left) in [(2, &["expired"][..]), (40, none)] {
        clock.advance(days * day);
        let running = app::run(settings.clone(), clock.clone())
            .await
            .expect("it starts");
        let patience = clock.monotonic() + std::time::Duration::from_secs(20);
        while readable(&running).await != left && clock.monotonic() < patience {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(readable(&running).await, left, "after {days} more days");
        let journal = running.journal();
        let list = gatelog::replay::list(&*journal, None, 100);
        let list = list.await.expect("a list");
        let is_removed = list.iter().all(|it| it.state == "removed");
        assert!(
            is_removed || !left.is_empty(),
            "retention erased nobody: {list:?}"
        );
        let report = running.kept().verify(Vec::new()).await;
        let report = report.expect("the journal can be read");
        assert!(report.findings.is_empty(), "{:?}", report.findings);
        running.stop().await.expect("it stops");
    }
}
