//! The unit of systemd: looked at by its own programs, which need no systemd that runs.

use std::process::{Command, Stdio};

use super::{are_settings, file, is_taken};
use crate::support::command::BINARY;
use crate::support::{skip, with_server};

/// Where the unit expects the program.
const PROGRAM: &str = "/usr/local/bin/gatelog";

fn is_missing() -> bool {
    let found = Command::new("systemd-analyze").arg("--version").output();
    if found.is_err() {
        skip("systemd-analyze");
    }
    found.is_err()
}

/// The unit as a file, with the program where it is here.
fn unit() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("gatelog.service");
    std::fs::write(&path, file("gatelog.service").replace(PROGRAM, BINARY)).expect("written");
    let path = path.display().to_string();
    (folder, path)
}

fn analyses(arguments: &[&str]) -> String {
    let ran = Command::new("systemd-analyze")
        .args(arguments)
        .env("SYSTEMD_PAGER", "cat")
        .output()
        .expect("it runs");
    let said = [ran.stdout, ran.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(ran.status.success(), "{arguments:?}: {said}");
    said
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit_and_little_exposed() {
    if is_missing() {
        return;
    }
    let (_folder, path) = unit();
    let said = analyses(&["verify", "--man=no", &path]);
    assert!(said.trim().is_empty(), "{said}");
    // In tenths: 2.0 of 10, where an unconfined service has 9.6.
    analyses(&["security", "--offline=true", "--threshold=20", &path]);
}

#[test]
fn the_unit_says_what_the_program_understands() {
    let unit = file("gatelog.service");
    let start = unit.lines().find_map(|it| it.strip_prefix("ExecStart="));
    let words: Vec<&str> = start.expect("a program").split_whitespace().collect();
    assert_eq!(words[0], PROGRAM);
    is_taken(&words[1..]);
    let set = unit
        .lines()
        .filter_map(|it| it.strip_prefix("Environment="));
    let set = set.filter_map(|it| it.split_once('='));
    let set: Vec<_> = set.map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
    let settings = are_settings(
        set.iter()
            .filter(|it| it.0 != "GATELOG_CONFIG")
            .cloned()
            .collect(),
    );
    let state = unit
        .lines()
        .find_map(|it| it.strip_prefix("StateDirectory="));
    let state = format!("/var/lib/{}", state.expect("a directory"));
    assert_eq!(settings.data, std::path::PathBuf::from(state));
    // The file that it names is the one beside it.
    let named = set.iter().find(|it| it.0 == "GATELOG_CONFIG");
    assert_eq!(named.expect("a file").1, "/etc/gatelog/gatelog.toml");
    // A stop is waited for at least as long as the server takes at most.
    let stop = unit
        .lines()
        .find_map(|it| it.strip_prefix("TimeoutStopSec="));
    let stop: u64 = stop.and_then(|it| it.parse().ok()).expect("seconds");
    assert!(stop > settings.web.shutdown_timeout.as_secs());
}

/// The names in a group of calls, those of the groups in it included.
fn group(name: &str) -> Vec<String> {
    let said = analyses(&["syscall-filter", name]);
    let names = said.lines().skip(1).map(str::trim);
    let names = names.filter(|it| !it.is_empty() && !it.starts_with('#'));
    names
        .flat_map(|it| {
            if it.starts_with('@') {
                group(it)
            } else {
                vec![it.to_owned()]
            }
        })
        .collect()
}

#[test]
fn the_server_makes_no_call_that_the_unit_refuses() {
    if is_missing() {
        return;
    }
    if Command::new("strace").arg("-V").output().is_err() {
        skip("strace");
        return;
    }
    let unit = file("gatelog.service");
    let filters = unit
        .lines()
        .filter_map(|it| it.strip_prefix("SystemCallFilter="));
    let (refused, allowed): (Vec<&str>, Vec<&str>) = filters.partition(|it| it.starts_with('~'));
    let refused: Vec<String> = refused.iter().flat_map(|it| group(&it[1..])).collect();
    let allowed: Vec<String> = allowed.iter().flat_map(|it| group(it)).collect();
    let folder = tempfile::tempdir().expect("a directory");
    let trace = folder.path().join("trace");
    with_server(async |server| {
        let mut watcher = Command::new("strace")
            .args([
                "-f",
                "-qq",
                "-e",
                "signal=none",
                "-p",
                &server.pid().to_string(),
                "-o",
            ])
            .arg(&trace)
            .stderr(Stdio::null())
            .spawn()
            .expect("strace runs");
        // A login that is asked what an expression says, and another one after a restart of its worker.
        let person = server.person();
        server.visitor().logs_in(&person).await;
        server.gatelog(&["journal", "verify"]).succeeds();
        server.stop().await;
        watcher.wait().expect("it ends with what it watches");
    });
    let trace = std::fs::read_to_string(&trace).expect("a trace");
    let mut calls: Vec<&str> = trace
        .lines()
        .filter_map(|it| it.split_whitespace().nth(1)?.split('(').next())
        .filter(|it| !it.is_empty() && it.chars().all(|it| it.is_ascii_alphanumeric() || it == '_'))
        .collect();
    calls.sort_unstable();
    calls.dedup();
    assert!(calls.contains(&"fdatasync"), "nothing was seen: {calls:?}");
    let is_fine =
        |call: &&str| allowed.iter().any(|it| it == call) && !refused.iter().any(|it| it == call);
    let bad: Vec<_> = calls.into_iter().filter(|call| !is_fine(call)).collect();
    assert!(bad.is_empty(), "the unit refuses {bad:?}");
}
