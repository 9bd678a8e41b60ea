//! What a server does badly is told: no waiting that goes uncounted, no failure that looks fast.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use gatelog::clock::Clock;

use super::{Fake, bench, count, number, report, step};

const OK: &str = "200 OK";

#[test]
fn all_that_was_due_while_a_server_stalled_is_late() {
    static AWAKE: OnceLock<Instant> = OnceLock::new();
    // Whoever comes within a second of the first waits until that second is over.
    let fake = Fake::start(|_| {
        let now = Clock::system().monotonic();
        let awake = *AWAKE.get_or_init(|| now + Duration::from_secs(1));
        std::thread::sleep(awake.saturating_duration_since(now));
        Some(OK)
    });
    let ran = bench(&[
        "first-get",
        "--url",
        &fake.url,
        "--visitors",
        "2",
        "--rate",
        "100",
        "--warm-up",
        "0s",
        "--duration",
        "2s",
    ]);
    ran.succeeds();
    let report = report(&ran);
    assert_eq!(report["loop"], "open");
    // Only two requests were under way meanwhile, but a hundred were due: half of all, and half of
    // those waited for more than half a second.
    assert_eq!(fake.asked(), 200);
    for told in [&report["conversations"], step(&report, "open")] {
        assert_eq!(count(told, "latency.count"), 200, "{report}");
        assert!(number(told, "latency.p90_ms") >= 500.0, "{report}");
        assert!(number(told, "latency.max_ms") >= 990.0, "{report}");
    }
    assert!(number(&report, "delay.latency.p90_ms") >= 500.0, "{report}");
}

#[test]
fn whoever_never_gets_an_answer_has_waited_for_it() {
    let fake = Fake::start(|_| None);
    let ran = bench(&[
        "first-get",
        "--url",
        &fake.url,
        "--visitors",
        "2",
        "--conversations",
        "4",
        "--timeout",
        "300ms",
    ]);
    ran.fails_with(1).says("no conversation came to its end");
    let report = report(&ran);
    assert_eq!(count(&report, "failures.timeout"), 4);
    assert_eq!(count(&report, "conversations.ended"), 0);
    assert_eq!(count(step(&report, "open"), "latency.count"), 4);
    assert!(
        number(&report, "conversations.latency.min_ms") >= 299.0,
        "{report}"
    );
}

#[test]
fn what_was_due_and_never_begun_is_told() {
    let fake = Fake::start(|_| None);
    let ran = bench(&[
        "first-get",
        "--url",
        &fake.url,
        "--visitors",
        "1",
        "--rate",
        "20",
        "--warm-up",
        "0s",
        "--duration",
        "500ms",
        "--timeout",
        "1s",
    ]);
    ran.fails_with(1);
    let report = report(&ran);
    let unbegun = count(&report, "delay.unbegun");
    assert!(unbegun >= 8, "{report}");
    assert_eq!(count(&report, "failures.unbegun"), unbegun);
    // All that were due are there, whatever became of them.
    assert_eq!(
        count(&report, "conversations.latency.count"),
        10,
        "{report}"
    );
    assert_eq!(count(&report, "conversations.failed"), 10, "{report}");
}

#[test]
fn whoever_is_sent_away_is_counted_apart_and_makes_nothing_look_fast() {
    let fake = || {
        Fake::start(|number| {
            Some(match number {
                0 => "503 Service Unavailable\r\nRetry-After: 7",
                1 => "429 Too Many Requests",
                _ => OK,
            })
        })
    };
    let bench = |url: &str, more: &[&str]| {
        let plan = [
            "first-get",
            "--url",
            url,
            "--visitors",
            "1",
            "--conversations",
            "5",
        ];
        bench(&plan.iter().chain(more).copied().collect::<Vec<_>>())
    };
    let ran = bench(&fake().url, &[]);
    ran.fails_with(1)
        .says("2 conversations failed: 1 status_429, 1 status_503");
    let report = report(&ran);
    assert_eq!(count(&report, "pushed_back.status_503"), 1);
    assert_eq!(count(&report, "pushed_back.status_429"), 1);
    assert_eq!(count(&report, "pushed_back.with_retry_after"), 1);
    assert_eq!(count(&report, "pushed_back.longest_retry_after_seconds"), 7);
    assert_eq!(count(&report, "conversations.ended"), 3);
    assert_eq!(count(&report, "conversations.latency.count"), 3);
    bench(&fake().url, &["--allow-busy"]).succeeds();
}

#[test]
fn another_machine_is_asked_only_by_who_means_it() {
    // Nobody has this address (RFC 5737), and nothing is sent there.
    let ran = bench(&["first-get", "--url", "http://192.0.2.1:9000"]);
    ran.fails_with(1).says("--elsewhere").says("192.0.2.1");
    assert_eq!(ran.stdout, "");
    let ran = bench(&["first-get", "--url", "https://127.0.0.1"]);
    ran.fails_with(1).says("only http://");
}

#[test]
fn nobody_there_is_told_at_once() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    let ran = bench(&["first-get", "--url", &url, "--duration", "1h"]);
    ran.fails_with(1).says("the first request failed (connect)");
}
