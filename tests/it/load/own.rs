//! A server of its own: what an empty machine measures, and that nothing is left of it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use super::{bench, count, number, report};
use crate::support::command::{command, run};

/// A place for the server's directory, on a disk and with a short path.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/var/tmp").expect("a directory")
}

fn is_empty(directory: &Path) -> bool {
    let mut inside = std::fs::read_dir(directory).expect("a directory");
    inside.next().is_none()
}

/// Measures a profile on a small server of its own.
#[track_caller]
fn measured(profile: &str, more: &[&str]) -> Value {
    let scratch = scratch();
    let path = scratch.path().to_str().expect("a plain path");
    let plan = [
        profile,
        "--scratch",
        path,
        "--people",
        "5",
        "--flows",
        "3",
        "--visitors",
        "3",
    ];
    let ran = bench(&plan.iter().chain(more).copied().collect::<Vec<_>>());
    ran.succeeds();
    assert!(is_empty(scratch.path()), "the server has left something");
    report(&ran)
}

/// The steps and how often each was taken.
fn steps(report: &Value) -> Vec<(String, u64)> {
    let steps = report["steps"].as_array().expect("steps").iter();
    let steps = steps.map(|step| {
        let name = step["name"].as_str().expect("a name").to_owned();
        (name, count(step, "latency.count"))
    });
    steps.collect()
}

#[track_caller]
fn takes(profile: &str, expected: &[(&str, u64)]) {
    let report = measured(profile, &["--unhashed", "--conversations", "6"]);
    assert_eq!(count(&report, "conversations.ended"), 6, "{report}");
    assert_eq!(count(&report, "conversations.failed"), 0, "{report}");
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect();
    assert_eq!(steps(&report), expected);
    assert!(number(&report, "conversations.per_second") > 0.0);
    assert!(number(&report, "server.memory_after") > 1e6, "{report}");
    assert!(
        number(&report, "generator.processor_seconds") > 0.0,
        "{report}"
    );
}

#[test]
fn logins() {
    takes(
        "login",
        &[("open", 6), ("identification", 6), ("password", 6)],
    );
}

#[test]
fn wrong_passwords() {
    takes(
        "wrong-passwords",
        &[("open", 6), ("identification", 6), ("password", 18)],
    );
}

#[test]
fn looks_at_a_challenge() {
    takes("challenge", &[("look", 6)]);
}

#[test]
fn first_looks() {
    takes("first-get", &[("open", 6)]);
}

#[test]
fn enrolments() {
    takes("enrolment", &[("open", 6), ("prompt", 6)]);
}

#[test]
fn waits_for_a_link() {
    takes("waits", &[("open", 6), ("identification", 6)]);
}

#[test]
fn many_flows_at_once() {
    takes(
        "flows",
        &[("open", 18), ("identification", 18), ("password", 18)],
    );
}

#[test]
fn a_login_with_the_hash_costs_the_server_more_than_the_visitors() {
    let report = measured("login", &["--conversations", "6"]);
    assert_eq!(count(&report, "conversations.ended"), 6);
    let server = number(&report, "server.processor_seconds");
    let generator = number(&report, "generator.processor_seconds");
    assert!(server > generator, "{report}");
}

#[test]
fn time_ends_it_where_no_number_does() {
    let plan = ["--unhashed", "--warm-up", "100ms", "--duration", "3s"];
    let report = measured("first-get", &plan);
    assert!(count(&report, "conversations.ended") > 0, "{report}");
    assert!(number(&report, "seconds") >= 2.9, "{report}");
}

#[test]
fn people_get_a_table() {
    let scratch = scratch();
    let path = scratch.path().to_str().expect("a plain path");
    let ran = run(
        &[
            "bench",
            "login",
            "--unhashed",
            "--scratch",
            path,
            "--people",
            "2",
            "--flows",
            "1",
            "--visitors",
            "2",
            "--conversations",
            "4",
        ],
        &[],
        "",
    );
    ran.succeeds()
        .says("Starting a server of its own")
        .prints("whole conversation")
        .prints("4 conversations ended, 0 failed; 12 requests")
        .prints("of one core");
}

#[test]
fn a_bench_that_is_killed_leaves_no_server_and_no_directory() {
    let scratch = scratch();
    let path = scratch.path().to_str().expect("a plain path");
    let mut bench = command(&[])
        .args([
            "bench",
            "first-get",
            "--unhashed",
            "--scratch",
            path,
            "--people",
            "1",
        ])
        .args(["--duration", "1h"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let wait_until = |what: &str, is_so: &dyn Fn() -> bool| {
        for _ in 0..1200 {
            if is_so() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("not within two minutes: {what}");
    };
    let has_socket = || {
        let inside = std::fs::read_dir(scratch.path()).expect("a directory");
        inside
            .flatten()
            .any(|it| it.path().join("gatelog.sock").exists())
    };
    wait_until("the server listens", &has_socket);
    bench.kill().expect("it is killed");
    bench.wait().expect("it ends");
    wait_until("the directory is gone", &|| is_empty(scratch.path()));
}

#[test]
fn nobody_can_serve_users_without_the_hash() {
    let scratch = scratch();
    let data = scratch.path().to_str().expect("a plain path");
    let serve = |arguments: &[&str]| {
        let all = ["bench-server", "--unhashed", "--data", data];
        let all: Vec<&str> = all.iter().chain(arguments).copied().collect();
        run(&all, &[], "")
    };
    serve(&[]).fails_with(1).says("makes its own directory");
    assert!(is_empty(scratch.path()), "nothing was made in it");
    serve(&["--listen", "0.0.0.0:0"])
        .fails_with(1)
        .says("listens on this machine alone");
}
