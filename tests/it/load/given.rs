//! A server that is there already, with its own limits and accounts.

use std::io::Write as _;

use super::{bench, count, number, report, step};
use crate::support::{Options, TestServer, with_server, with_server_of};

/// A file with one person in it.
fn people(name: &str, password: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    writeln!(file, "{name}\t{password}").expect("it is written");
    file
}

/// Few conversations by few visitors, who are at different addresses: limits are at work here.
fn few<'a>(server: &'a TestServer, profile: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let plan = [
        profile,
        "--url",
        server.base(),
        "--visitors",
        "3",
        "--conversations",
        "9",
        "--forwarded",
    ];
    plan.iter().chain(more).copied().collect()
}

#[test]
fn people_of_a_list_log_in() {
    with_server(async |server| {
        let person = server.person();
        let file = people(&person.username, &person.password);
        let path = file.path().to_str().expect("a plain path");
        let ran = bench(&few(server, "login", &["--users", path]));
        ran.succeeds();
        let report = report(&ran);
        assert_eq!(report["version"], 1);
        assert_eq!(report["profile"], "login");
        assert_eq!(report["loop"], "closed");
        assert_eq!(report["target"], server.base());
        assert_eq!(count(&report, "conversations.ended"), 9);
        assert_eq!(count(&report, "conversations.latency.count"), 9);
        assert_eq!(count(&report, "requests.sent"), 27);
        for name in ["open", "identification", "password"] {
            let step = step(&report, name);
            assert_eq!(count(step, "latency.count"), 9);
            assert!(number(step, "latency.p50_ms") > 0.0);
        }
        assert!(report["server"].is_null());
        let ran = bench(&few(server, "login", &[]));
        ran.fails_with(1).says("who logs in?");
    });
}

#[test]
fn a_password_that_is_wrong_fails_a_login_and_is_what_wrong_passwords_are_about() {
    // One account gets more of them than anybody may type by default.
    let many = Options::default().with("GATELOG_EXECUTION__WRONG_PASSWORDS_AT_ONCE", "100");
    with_server_of(many, async |server| {
        let person = server.person();
        let file = people(&person.username, "not the password");
        let path = file.path().to_str().expect("a plain path");
        let ran = bench(&few(server, "login", &["--users", path]));
        ran.fails_with(1);
        assert_eq!(count(&report(&ran), "failures.refused"), 9);
        let ran = bench(&few(server, "wrong-passwords", &["--users", path]));
        ran.succeeds();
        let report = report(&ran);
        assert_eq!(count(&report, "conversations.ended"), 9);
        assert_eq!(count(&report, "requests.refusals"), 27);
    });
}

#[test]
fn a_name_and_a_number_are_enough_for_many_people() {
    with_server(async |server| {
        let person = server.person();
        let (prefix, password) = (format!("{}-", person.username), person.password.clone());
        for number in ["0", "1"] {
            let name = format!("{prefix}{number}");
            let create = ["user", "create", &name, "--password-stdin"];
            server.gatelog_reading(&create, &password).succeeds();
        }
        let named = [
            "--user-prefix",
            &prefix,
            "--user-count",
            "2",
            "--password-stdin",
        ];
        let mut all = vec!["bench", "--json"];
        all.extend(few(server, "login", &named));
        let ran = server.gatelog_reading(&all, &password);
        ran.succeeds();
        assert_eq!(count(&report(&ran), "conversations.ended"), 9);
    });
}

#[test]
fn a_challenge_is_looked_at_again_by_who_has_opened_it() {
    with_server(async |server| {
        let ran = bench(&few(server, "challenge", &[]));
        ran.succeeds();
        let looked = report(&ran);
        assert_eq!(count(step(&looked, "look"), "latency.count"), 9);
        assert_eq!(looked["steps"].as_array().expect("steps").len(), 1);
        // Three have opened it, and nobody else.
        let listed = server.gatelog(&["execution", "list", "--json"]);
        assert_eq!(listed.values().len(), 3, "{listed:?}");
        let ran = bench(&few(server, "first-get", &["--reconnect"]));
        ran.succeeds();
        let opened = report(&ran);
        assert_eq!(count(&opened, "requests.connections"), 9);
        let listed = server.gatelog(&["execution", "list", "--json"]);
        assert_eq!(listed.values().len(), 12, "{listed:?}");
    });
}

#[test]
fn a_flow_that_does_not_exist_is_a_failure() {
    with_server(async |server| {
        let ran = bench(&few(server, "first-get", &["--flow", "no-such-flow"]));
        ran.fails_with(1);
        let report = report(&ran);
        assert_eq!(count(&report, "failures.status_404"), 9, "{report}");
    });
}
