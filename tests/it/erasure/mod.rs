//! Somebody is erased from a real server: nobody can read of them any more, also with all keys that
//! are left.

use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt;
use gatelog::clock::Clock;
use gatelog::journal::keys::{Keyring, RootKey};
use gatelog::journal::sled::{Options, SledJournal};
use gatelog::journal::{Journal, Position};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::support::{LOGIN, Person, TestServer, with_server};

/// Everything in a data directory that opens with the keys in it, decoded from addresses, in lower
/// case. The server does not run.
async fn readable(data: &Path) -> Vec<String> {
    let clock = Clock::system();
    let root = RootKey::load_or_create(&data.join("secret.key"), &clock).expect("the root key");
    let keyring = Keyring::open(&data.join("keys"), root, &clock).expect("the keys");
    let journal = SledJournal::open(&Options::new(data), Arc::new(keyring), clock);
    let journal = journal.expect("the journal");
    let last = journal.last();
    let mut records = journal.follow(Position(0));
    let mut found = Vec::new();
    while let Some(record) = records.next().await {
        let (position, envelope) = record.expect("it opens");
        let body = String::from_utf8(envelope.body.unwrap_or_default()).expect("JSON");
        let mut decoded = body;
        for _ in 0..3 {
            decoded = percent_decode_str(&decoded)
                .decode_utf8_lossy()
                .into_owned();
        }
        found.push(format!("{}: {}", envelope.stream, decoded.to_lowercase()));
        if position == last {
            break;
        }
    }
    journal.close().expect("it closes");
    found
}

/// In what can be read, nothing names this person.
async fn is_nowhere(server: &mut TestServer, person: &Person) {
    server.stop().await;
    for record in readable(&server.data()).await {
        for value in [&person.username, &person.mail, &person.name] {
            assert!(
                !record.contains(&value.to_lowercase()),
                "{value} in {record}"
            );
        }
    }
    server.begin().await;
}

fn executions(server: &TestServer) -> Vec<Value> {
    let list = server.gatelog(&["execution", "list", "--json", "--limit", "1000"]);
    list.succeeds().values()
}

/// What somebody leaves behind who logs in, mistypes, and is named by others.
async fn leaves_traces(server: &TestServer, ann: &Person, bob: &Person) {
    let mut visitor = server.visitor();
    visitor.logs_in(ann).await;
    // A wrong password, and only a name.
    let mut wrong = server.visitor();
    wrong.opens(LOGIN).await;
    wrong.answers(json!({ "uid_field": ann.mail })).await;
    wrong
        .answers(json!({ "password": "not-the-password" }))
        .await;
    // Nobody has this name, but it stands in the address.
    let mut named = server.visitor();
    let query = format!("next=%2F&login_hint={}", ann.mail.replace('@', "%40"));
    named.opens_with(LOGIN, &query).await;
    named
        .answers(json!({ "uid_field": "nobody-at-all-with-this-name" }))
        .await;
    // Bob is logged in and types Ann's name.
    let mut other = server.visitor();
    other.logs_in(bob).await;
    other.opens_with(LOGIN, "next=%2Fx").await;
    other.answers(json!({ "uid_field": ann.username })).await;
    // One of Ann's is under way.
    let mut open = server.visitor();
    open.opens(LOGIN).await;
    open.answers(json!({ "uid_field": ann.username })).await;
}

#[test]
fn nobody_can_read_of_whoever_was_erased_and_everybody_else_stays_as_they_were() {
    with_server(async |server| {
        let (ann, bob) = (server.person(), server.person());
        leaves_traces(server, &ann, &bob).await;
        let mut bobs = server.visitor();
        bobs.logs_in(&bob).await;
        let before = executions(server);
        let kept = before.iter().find(|it| it["username"] == *bob.username);
        let kept = kept.expect("Bob's")["execution"]
            .as_str()
            .expect("an id")
            .to_owned();
        let theirs = before.iter().find(|it| it["username"] == *ann.username);
        let theirs = theirs.expect("hers")["execution"]
            .as_str()
            .expect("an id")
            .to_owned();

        server
            .gatelog(&["user", "erase", &ann.username])
            .fails_with(1)
            .says("add --yes");
        let preview = server.gatelog(&["user", "erase", &ann.username, "--dry-run", "--json"]);
        let preview = preview.succeeds().values().remove(0);
        assert!(
            preview["removed"]["executions"].as_u64() >= Some(3),
            "{preview}"
        );
        assert!(preview["others"].is_u64(), "{preview}");
        assert_eq!(preview["removed"]["executions_of_others"], 0, "{preview}");
        let certificate = server.data().with_file_name("certificate");
        let path = certificate.display().to_string();
        let erase = [
            "user",
            "erase",
            &ann.username,
            "--yes",
            "--others",
            "--certificate",
            &path,
        ];
        let said = server.gatelog(&erase);
        said.succeeds()
            .prints("The journal is whole")
            .prints("They are named nowhere else");
        assert!(!said.stdout.contains(&ann.mail), "{said:?}");
        let written = std::fs::read_to_string(&certificate).expect("the certificate");
        assert!(written.starts_with("Certificate of erasure"), "{written}");
        is_vouched_for(server, &certificate, &written);

        server.gatelog(&["execution", "verify", &kept]).succeeds();
        for command in ["show", "verify"] {
            let shown = server.gatelog(&["execution", command, &theirs]);
            shown.fails_with(66).says("whose it was, was destroyed at");
        }
        let listed = executions(server);
        assert_eq!(listed.len(), before.len(), "erased ones are listed too");
        let line = listed
            .iter()
            .find(|it| it["execution"] == *theirs)
            .expect("it is listed");
        assert_eq!(line["state"], "erased", "{line}");
        server
            .gatelog(&["user", "erase", &ann.username, "--yes"])
            .fails_with(1);
        server.check_journal("after the erasure");
        is_nowhere(server, &ann).await;
        // The name is free again, and Bob is still logged in.
        bobs.gets("/api/v3/core/users/me/").await.has_status(200);
        server.create_user(&ann);
        server.visitor().logs_in(&ann).await;
    });
}

/// Whoever has the certificate and the public key needs nothing else.
fn is_vouched_for(server: &TestServer, certificate: &Path, written: &str) {
    let key = server.gatelog(&["journal", "checkpoint", "--key"]).stdout;
    let path = certificate.display().to_string();
    let check = [
        "journal",
        "verify",
        "--key",
        key.trim(),
        "--certificate",
        &path,
    ];
    server.gatelog(&check).succeeds().prints("was erased");
    for (what, instead) in [
        (
            "\"still_there\": []",
            "\"still_there\": [\"0193e0c0-0000-7000-8000-000000000000\"]",
        ),
        ("\"count\": ", "\"count\": 1"),
        ("Keys destroyed", "No keys destroyed"),
        ("\"unknown\": [", "\"also\": 1,\n  \"unknown\": ["),
    ] {
        assert!(written.contains(what), "{what} in {written}");
        std::fs::write(certificate, written.replacen(what, instead, 1)).expect("writes");
        server.gatelog(&check).fails_with(74);
    }
    std::fs::write(certificate, written).expect("writes");
}

#[test]
fn an_erasure_that_was_killed_is_finished_by_the_same_command() {
    with_server(async |server| {
        let bob = server.person();
        for millis in [0, 5, 20, 60] {
            let ann = server.person();
            leaves_traces(server, &ann, &bob).await;
            let erase = ["user", "erase", &ann.username, "--yes", "--others"];
            std::thread::scope(|scope| {
                let running = scope.spawn(|| server.gatelog(&erase));
                std::thread::sleep(std::time::Duration::from_millis(millis));
                server.signal("KILL");
                // It may have been faster than the signal.
                let _ = running.join().expect("it ends");
            });
            server.reaped();
            server.begin().await;
            let id = server.gatelog(&["user", "list"]);
            id.succeeds();
            let again = server.gatelog(&erase);
            if again.code != Some(0) {
                again.says("there is no user");
            }
            is_nowhere(server, &ann).await;
        }
    });
}

#[test]
fn the_last_superuser_cannot_be_erased() {
    with_server(async |server| {
        let erase = server.gatelog(&["user", "erase", "akadmin", "--yes"]);
        erase.fails_with(1).says("last active superuser");
    });
}
