//! A server in this process, as the other tests start it.

use gatelog::app;
use gatelog::clock::Clock;
use gatelog::settings::Settings;
use jiff::Timestamp;

fn settings(directory: &tempfile::TempDir) -> Settings {
    let mut settings = Settings::in_directory(&directory.path().join("data"));
    settings.listen = "127.0.0.1:0".parse().expect("an address");
    settings.hash.threads = 1;
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
