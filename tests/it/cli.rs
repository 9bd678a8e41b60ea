//! The real binary: starting, stopping, and every command with and without a server.

use std::fs;
use std::io::{Read as _, Write as _};

use serde_json::{Value, json};

mod evidence;
mod manual;
mod process;
mod reference;
mod shutdown;
mod token;
mod trail;
mod unserved;
mod what_if;

use crate::support::command;
use process::{Directory, Server};

const PASSWORD: &str = "correct horse battery staple";

#[test]
fn what_cargo_sets_for_a_program_that_it_runs_is_taken_for_no_setting() {
    // `cargo run` hands over what the build script has it compile in.
    let script = include_str!("../../src/build.rs");
    let set = script.lines().filter_map(|line| {
        let (_, rest) = line.split_once("cargo:rustc-env=")?;
        let (name, _) = rest.split_once('=')?;
        Some((name.to_owned(), "0123456789abcdef".to_owned()))
    });
    let set: Vec<_> = set.collect();
    assert!(!set.is_empty(), "it has none compiled in any more");
    command::run(&["config", "check"], &set, "").succeeds();
}

#[test]
fn a_command_makes_no_data_directory() {
    let directory = Directory::new();
    let run = directory.run(&["user", "list"]);
    assert_eq!(run.code, 78, "{run:?}");
    assert!(run.stderr.contains("gatelog serve"), "{run:?}");
    assert!(!directory.data().exists());
    // Where a volume was not mounted, say.
    fs::create_dir(directory.data()).expect("made");
    for arguments in [
        &["replay", "verify", "--since", "7d"][..],
        &["execution", "why", "D7K2M-9QX4T"],
        &["journal", "verify"],
        &["journal", "rebuild"],
    ] {
        let run = directory.run(arguments);
        assert_eq!(run.code, 78, "{run:?}");
        assert!(run.stderr.contains("is no data directory"), "{run:?}");
        assert!(!run.stderr.contains("must be stopped"), "{run:?}");
        let made = fs::read_dir(directory.data()).expect("reads").count();
        assert_eq!(made, 0, "{arguments:?}");
    }
}

#[test]
fn wrong_arguments_and_wrong_settings_have_codes_of_their_own() {
    let directory = Directory::new();
    assert_eq!(directory.run(&["frobnicate"]).code, 2);
    fs::write(
        directory.path().join("gatelog.toml"),
        "listn = \"[::]:1\"\n",
    )
    .expect("written");
    let run = directory.run(&["config", "check"]);
    assert_eq!(run.code, 78, "{run:?}");
    assert!(run.stderr.contains("did you mean listen?"), "{run:?}");
    assert!(run.stdout.is_empty(), "{run:?}");
}

#[test]
fn the_first_start_prints_a_link_and_each_start_another_until_the_password_is_set() {
    let directory = Directory::new();
    let first = Server::start(&directory).link().expect("a link");
    let server = Server::start(&directory);
    let second = server.link().expect("a link again");
    assert_ne!(first, second);
    let set = directory.pipe(
        &["user", "set-password", "akadmin", "--password-stdin"],
        PASSWORD,
    );
    assert_eq!(set.code, 0, "{set:?}");
    drop(server);
    assert_eq!(Server::start(&directory).link(), None);
}

#[test]
fn a_second_server_is_told_who_holds_the_directory() {
    let directory = Directory::new();
    let server = Server::start(&directory);
    let run = directory.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(run.code, 69, "{run:?}");
    assert!(
        run.stderr.contains(&format!("process {}", server.pid())),
        "{run:?}"
    );
    assert!(run.stderr.contains("since 20"), "{run:?}");
}

#[test]
fn commands_work_with_and_without_a_server() {
    let directory = Directory::new();
    let server = Server::start(&directory);
    let create = |name: &str| {
        let run = directory.pipe(&["user", "create", name, "--password-stdin"], PASSWORD);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.stdout.is_empty(), "data only: {run:?}");
    };
    create("with");
    assert_eq!(server.stop(), 0);
    create("without");
    let names: Vec<Value> = directory
        .json(&["user", "list"])
        .into_iter()
        .map(|user| user["username"].clone())
        .collect();
    assert_eq!(names, ["akadmin", "with", "without"]);
    let again = directory.pipe(&["user", "create", "with", "--password-stdin"], PASSWORD);
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.stderr.contains("username"), "{again:?}");
    let verify = directory.run(&["journal", "verify"]);
    assert_eq!(verify.code, 0, "{verify:?}");
}

#[test]
fn a_killed_server_leaves_nothing_in_the_way() {
    let directory = Directory::new();
    Server::start(&directory).kill();
    let socket = directory.data().join("gatelog.sock");
    assert!(socket.exists(), "the kernel removes no socket");
    assert_eq!(directory.json(&["user", "list"]).len(), 1);
    assert!(!socket.exists(), "whoever holds the lock removes it");
    Server::start(&directory);
}

#[actix_web::test]
async fn a_log_that_nobody_reads_ends_no_request() {
    let directory = Directory::new();
    let server = Server::start_unread(&directory);
    let mut visitor = server.visitor();
    for _ in 0..3 {
        let path = "/api/v3/flows/executor/default-authentication-flow/?query=";
        let challenge = visitor.get(path).await;
        assert_eq!(challenge["component"], "ak-stage-identification");
    }
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_stop_is_clean_and_a_listener_that_is_taken_is_not() {
    let directory = Directory::new();
    let server = Server::start(&directory);
    let other = Directory::new();
    let run = other.run(&["serve", "--listen", &server.address()]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains(&server.address()), "{run:?}");
    let health = directory.run(&["healthcheck", "--listen", &server.address()]);
    assert_eq!(health.code, 0, "{health:?}");
    let address = server.address();
    assert_eq!(server.stop(), 0);
    assert_eq!(
        directory.run(&["healthcheck", "--listen", &address]).code,
        1
    );
}

#[test]
fn a_server_that_is_not_ready_says_why() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let answering = std::thread::spawn(move || {
        let (mut line, _) = listener.accept().expect("somebody asks");
        let mut piece = [0; 1024];
        let _ = line.read(&mut piece).expect("a request");
        let answer = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 17\r\n\
            connection: close\r\n\r\nthe disk is full\n";
        line.write_all(answer.as_bytes()).expect("it is sent");
    });
    let health = Directory::new().run(&["healthcheck", "--listen", &address]);
    answering.join().expect("it answers");
    assert_eq!(health.code, 1, "{health:?}");
    assert!(health.stderr.contains("the disk is full"), "{health:?}");
}

#[test]
fn an_export_restores_the_journal_and_only_executions_are_readable() {
    let directory = Directory::new();
    drop(Server::start(&directory));
    let create = directory.pipe(&["user", "create", "alice", "--password-stdin"], PASSWORD);
    assert_eq!(create.code, 0, "{create:?}");
    let backup = directory.path().join("backup.gz");
    let export = directory.run(&["journal", "export", "--output", &backup.to_string_lossy()]);
    assert_eq!(export.code, 0, "{export:?}");
    let records = directory.json(&["journal", "export"]);
    assert!(
        records.iter().all(|record| record["body"].is_null()),
        "no execution yet"
    );

    let restored = Directory::new();
    fs::create_dir_all(restored.data().join("log")).expect("made");
    fs::create_dir_all(restored.data().join("keys")).expect("made");
    fs::copy(&backup, restored.data().join("log/000000000001.export.gz")).expect("copied");
    for file in fs::read_dir(directory.data().join("keys")).expect("keys") {
        let file = file.expect("a key file");
        fs::copy(
            file.path(),
            restored.data().join("keys").join(file.file_name()),
        )
        .expect("copied");
    }
    let root = "secret.key";
    fs::copy(directory.data().join(root), restored.data().join(root)).expect("copied");
    assert_eq!(
        restored.json(&["user", "list"]),
        directory.json(&["user", "list"])
    );
}

#[test]
fn a_new_root_key_opens_everything_and_the_old_one_nothing() {
    let directory = Directory::new();
    drop(Server::start(&directory));
    let root = directory.data().join("secret.key");
    let old = fs::read(&root).expect("the root key");
    assert_eq!(directory.run(&["secret", "rotate"]).code, 0);
    assert_ne!(fs::read(&root).expect("the root key"), old);
    let users = directory.json(&["user", "list"]);
    assert_eq!(directory.run(&["journal", "rebuild"]).code, 0);
    assert_eq!(directory.json(&["user", "list"]), users);
    fs::write(&root, old).expect("put back");
    let run = directory.run(&["user", "list"]);
    assert_eq!(run.code, 74, "{run:?}");
}

#[test]
fn keys_that_are_missing_are_named_and_never_made_anew() {
    let directory = Directory::new();
    drop(Server::start(&directory));
    for missing in ["secret.key", "keys"] {
        let (place, aside) = (
            directory.data().join(missing),
            directory.path().join("aside"),
        );
        fs::rename(&place, &aside).expect("moved away");
        let run = directory.run(&["user", "list"]);
        assert_eq!(run.code, 74, "{run:?}");
        assert!(run.stderr.contains(missing), "{run:?}");
        assert!(run.stderr.contains("from a backup"), "{run:?}");
        assert!(!place.exists(), "{missing}");
        fs::rename(&aside, &place).expect("moved back");
    }
    assert_eq!(directory.json(&["user", "list"]).len(), 1);
}

#[test]
fn damage_is_found_and_named_also_when_the_journal_cannot_be_served() {
    let directory = Directory::new();
    // A stop ends with a checkpoint, against which a log that was cut short is noticed.
    assert_eq!(Server::start(&directory).stop(), 0);
    let log = directory.data().join("log/000000000001/db");
    let mut bytes = fs::read(&log).expect("the log");
    let middle = bytes.len() / 8;
    for byte in &mut bytes[middle..middle + 4096] {
        *byte ^= 1;
    }
    fs::write(&log, bytes).expect("damaged");
    let run = directory.run(&["journal", "verify"]);
    assert_eq!(run.code, 74, "{run:?}");
    assert!(run.stdout.contains("data/log"), "{run:?}");
    assert_eq!(directory.run(&["user", "list"]).code, 74);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let directory = Directory::new();
    drop(Server::start(&directory));
    let run = directory.run_into_closed_pipe(&["user", "list"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
}

#[actix_web::test]
async fn a_login_can_be_read_event_by_event() {
    let directory = Directory::new();
    let server = Server::start(&directory);
    let create = directory.pipe(&["user", "create", "alice", "--password-stdin"], PASSWORD);
    assert_eq!(create.code, 0, "{create:?}");
    let flow = "/api/v3/flows/executor/default-authentication-flow/";
    let mut visitor = server.visitor();
    visitor.get(flow).await;
    visitor.post(flow, &json!({ "uid_field": "alice" })).await;
    visitor.post(flow, &json!({ "password": "wrong" })).await;
    let end = visitor.post(flow, &json!({ "password": PASSWORD })).await;
    assert_eq!(end["component"], "xak-flow-redirect", "{end}");

    let listed = directory.json(&["execution", "list"]);
    let id = listed[0]["execution"].as_str().expect("an id").to_owned();
    assert_eq!(listed[0]["username"], "alice");
    assert_eq!(listed[0]["state"], "completed");
    let users = directory.json(&["user", "list"]);
    let last_login = |name: &str| {
        let user = users.iter().find(|user| user["username"] == name);
        user.expect("the user")["last_login"].clone()
    };
    assert!(last_login("alice").is_string(), "{users:?}");
    assert!(last_login("akadmin").is_null(), "{users:?}");
    let shown = directory.run(&["execution", "show", &id]);
    for part in [
        "entered stage default-authentication-password",
        "refused: password: Invalid password (invalid)",
        "accepted by",
        "completed; the visitor goes to /",
    ] {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    for secret in [PASSWORD, "wrong"] {
        assert!(!shown.stdout.contains(secret));
    }
    assert_eq!(directory.json(&["execution", "show", &id]).len(), 4);
    let again = directory.run(&["execution", "verify", &id]);
    assert_eq!(again.code, 0, "{again:?}");
    let unknown = directory.run(&["execution", "show", "01900000-0000-7000-8000-000000000000"]);
    assert_eq!(unknown.code, 1, "{unknown:?}");
}

#[test]
fn a_blueprint_is_checked_without_a_trace_and_applied_whole_or_not_at_all() {
    let directory = Directory::new();
    drop(Server::start(&directory));
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("written");
        path.to_string_lossy().into_owned()
    };
    let flow = |slug: &str| {
        format!(
            "- model: authentik_flows.flow\n  identifiers:\n    slug: {slug}\n  attrs:\n    \
             name: Mine\n    title: Mine\n    designation: authentication\n"
        )
    };
    let good = write(
        "good.yaml",
        &format!("version: 1\nentries:\n{}", flow("mine")),
    );
    let bad = write(
        "bad.yaml",
        &format!(
            "version: 1\nentries:\n{}{}",
            flow("other"),
            flow("not a slug")
        ),
    );
    let outcome = |arguments: &[&str]| {
        let results = directory.json(arguments);
        results[0]["result"]["entries"][0]["outcome"].clone()
    };
    assert_eq!(outcome(&["blueprint", "check", &good]), "created");
    assert_eq!(outcome(&["blueprint", "apply", &good]), "created");
    assert_eq!(outcome(&["blueprint", "apply", &good]), "unchanged");
    let refused = directory.run(&["blueprint", "apply", &bad]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.stderr.contains("bad.yaml:12:11: entry 2"),
        "{refused:?}"
    );
    let other = write(
        "other.yaml",
        &format!("version: 1\nentries:\n{}", flow("other")),
    );
    assert_eq!(outcome(&["blueprint", "check", &other]), "created");
}

#[actix_web::test]
async fn the_operators_routes_are_not_on_the_network() {
    let directory = Directory::new();
    let server = Server::start(&directory);
    for path in ["operator/status", "operator/users"] {
        let url = format!("http://{}/{path}", server.address());
        let client = reqwest::Client::builder().build().expect("a client");
        let status = client.get(url).send().await.expect("an answer").status();
        assert_eq!(status, 404, "{path}");
    }
}
