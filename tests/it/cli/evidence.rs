//! Signed checkpoints and proofs as an auditor uses them, who has a public key and nothing else.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use gatelog::clock::Clock;
use gatelog::journal::frame::Record;
use gatelog::journal::sled::verify_exports;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::journal::copy;
use crate::support::{Auditor, LOGIN, Options, TestServer, with_server, with_server_of};

async fn somebody_logs_in(server: &TestServer) {
    let person = server.person();
    server.visitor().logs_in(&person).await;
}

#[test]
fn an_auditor_checks_records_histories_and_exports_with_a_public_key() {
    with_server(async |server| {
        somebody_logs_in(server).await;
        let auditor = Auditor::meets(server);
        let (early, late) = (auditor.name("early"), auditor.name("late"));
        let sign = |to: &str| {
            let signed = server.gatelog(&["journal", "checkpoint", "--out", to]);
            signed.succeeds();
        };
        sign(&early);
        somebody_logs_in(server).await;
        sign(&late);
        let again = server.gatelog(&["journal", "checkpoint", "--out", &late]);
        again.fails_with(1).says("cannot be made");

        let execution = server.gatelog(&["execution", "list", "--json"]);
        let execution = execution.values()[0]["execution"].clone();
        let execution = execution.as_str().expect("an id");
        let proof = auditor.name("login");
        let prove = [
            "journal",
            "prove",
            "--execution",
            execution,
            "--out",
            &proof,
        ];
        server.gatelog(&prove).succeeds();
        let holds = auditor.verifies(&["--proof", &proof]);
        holds.succeeds().prints(execution).prints("recorded at");
        assert!(holds.stdout.lines().count() >= 3, "{holds:?}");
        let values = auditor.verifies(&["--proof", &proof, "--json"]).values();
        assert!(values.iter().all(|it| it["id"] == execution), "{values:?}");

        let one = auditor.name("one");
        let prove = ["journal", "prove", "--position", "1", "--out", &one];
        server.gatelog(&prove).succeeds();
        auditor
            .verifies(&["--proof", &one])
            .succeeds()
            .prints("Position 1 is version 1 of");
        let beyond = ["journal", "prove", "--position", "1000000"];
        server
            .gatelog(&beyond)
            .fails_with(1)
            .says("there is no position 1000000");

        let whole = auditor.name("whole");
        let prove = [
            "journal", "prove", "--from", &early, "--to", &late, "--out", &whole,
        ];
        server.gatelog(&prove).succeeds();
        let holds = auditor.verifies(&["--proof", &whole, "--checkpoint", &early]);
        holds.succeeds().prints("nothing of these was altered");
        let backwards = ["journal", "prove", "--from", &late, "--to", &early];
        server
            .gatelog(&backwards)
            .fails_with(1)
            .says("is the earlier one");
        let other = auditor.verifies(&["--proof", &whole, "--checkpoint", &late]);
        other.fails_with(74).says("none of those that were kept");

        let export = auditor.name("export");
        server
            .gatelog(&["journal", "export", "--output", &export])
            .succeeds();
        let kept = [
            "--export",
            &export,
            "--checkpoint",
            &early,
            "--checkpoint",
            &late,
        ];
        let sound = auditor.verifies(&kept);
        sound
            .succeeds()
            .says("The exports are whole.")
            .says("Signed checkpoints: 2");

        for is_up in [true, false] {
            if !is_up {
                server.stop().await;
            }
            let kept = [
                "journal",
                "verify",
                "--checkpoint",
                &early,
                "--key",
                &auditor.key,
            ];
            server
                .gatelog(&kept)
                .succeeds()
                .says("The journal is whole.");
        }
    });
}

#[test]
fn what_another_journal_signed_is_refused() {
    with_server(async |ours| {
        let auditor = Auditor::meets(ours);
        let (checkpoint, proof) = (auditor.name("checkpoint"), auditor.name("proof"));
        ours.gatelog(&["journal", "checkpoint", "--out", &checkpoint])
            .succeeds();
        ours.gatelog(&["journal", "prove", "--position", "3", "--out", &proof])
            .succeeds();
        let theirs = TestServer::start(Options::default()).await;
        let key = theirs.gatelog(&["journal", "checkpoint", "--key"]).stdout;
        assert_ne!(key.trim(), auditor.key);
        somebody_logs_in(&theirs).await;
        let foreign = auditor.verifies_with(key.trim(), &["--proof", &proof]);
        foreign.fails_with(74).says("does not bear the signature");
        let held = ["journal", "verify", "--checkpoint", &checkpoint, "--key"];
        let foreign = theirs.gatelog(&[&held[..], &[key.trim()]].concat());
        foreign.fails_with(74).says("does not bear the signature");
        // It is signed by who is named, and says nothing about this journal.
        let foreign = theirs.gatelog(&[&held[..], &[&auditor.key]].concat());
        foreign.fails_with(74).says("another journal's");
        let follows = theirs.gatelog(&["journal", "prove", "--from", &checkpoint]);
        follows.fails_with(1).says("does not bear the signature");
        theirs.finish().await;
    });
}

#[test]
fn checkpoints_are_signed_as_time_goes_by_into_files_and_to_a_server() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let file = elsewhere.path().join("of-gatelog");
    let name = file.display().to_string();
    let posted: Arc<Mutex<Vec<String>>> = Arc::default();
    let url = keeper(&posted);
    let options = Options::default()
        .with("GATELOG_JOURNAL__CHECKPOINTS__INTERVAL", "1s")
        .with("GATELOG_JOURNAL__CHECKPOINTS__FILE", &name)
        .with("GATELOG_JOURNAL__CHECKPOINTS__URL", &url);
    with_server_of(options, async |server| {
        let auditor = Auditor::meets(server);
        let last = || auditor.checkpoints(&file).pop().expect("there is one").size;
        let before = last();
        somebody_logs_in(server).await;
        let clock = Clock::system();
        let deadline = clock.monotonic() + Duration::from_mins(1);
        let taken = || {
            posted
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        };
        while last() == before || taken().len() < 2 {
            assert!(clock.monotonic() < deadline, "nothing was signed");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server.stop().await;
        let own = server.data().join("checkpoints.signed");
        let all = auditor.checkpoints(&file);
        assert_eq!(auditor.checkpoints(&own), all);
        assert!(
            all.is_sorted_by_key(|it| it.size) && all.len() >= 2,
            "{all:?}"
        );
        let key = fs::read_to_string(server.data().join("checkpoints.key"));
        assert_eq!(key.expect("reads").trim(), auditor.key);
        let notes = auditor.path("posted");
        fs::write(&notes, taken().join("\n")).expect("written");
        let notes = auditor.checkpoints(&notes);
        assert!(notes.iter().all(|it| all.contains(it)), "{notes:?}");

        let ran = server.gatelog(&["journal", "verify", "--json"]);
        let report = &ran.succeeds().values()[0];
        assert_eq!(report["signed"], json!(all.len()));
        assert_eq!(report["after_signed"], 0, "the end is signed as well");

        // What lies beside the log. The last checkpoint may look as if a crash had cut it off.
        let length = fs::read(&own).expect("reads").len();
        for at in (0..length - 200).step_by(length / 20) {
            let good = flip(&own, at);
            server.gatelog(&["journal", "verify"]).fails_with(74);
            fs::write(&own, good).expect("written");
        }
    });
}

/// A server that keeps what is posted to it.
fn keeper(posted: &Arc<Mutex<Vec<String>>>) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/in", listener.local_addr().expect("an address"));
    listener.set_nonblocking(true).expect("is ours");
    let posted = Arc::clone(posted);
    std::thread::spawn(move || {
        crate::support::block_on(async move {
            let listener = TcpListener::from_std(listener).expect("a runtime");
            while let Ok((mut line, _)) = listener.accept().await {
                if let Some((_, body)) = crate::support::peer::read(&mut line).await {
                    let body = String::from_utf8(body).expect("a text");
                    posted
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(body);
                }
                let answer = crate::support::peer::http("200 OK", "text/plain", "");
                // The server may have gone.
                let _ = line.write_all(answer.as_bytes()).await;
            }
        });
    });
    url
}

#[test]
fn an_older_copy_of_the_directory_is_not_signed_where_a_newer_one_was() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let file = elsewhere.path().join("kept").display().to_string();
    let options = Options::default().with("GATELOG_JOURNAL__CHECKPOINTS__FILE", &file);
    with_server_of(options, async |server| {
        server.stop().await;
        let saved = tempfile::tempdir().expect("a directory");
        copy(&server.data(), saved.path());
        server.begin().await;
        somebody_logs_in(server).await;
        server.stop().await;
        fs::remove_dir_all(server.data()).expect("removes");
        copy(saved.path(), &server.data());
        server.begin().await;
        let signs = server.gatelog(&["journal", "checkpoint"]);
        signs
            .fails_with(74)
            .says("is not of this journal, so nothing is signed");
        for is_up in [true, false] {
            if !is_up {
                server.stop().await;
            }
            server.gatelog(&["journal", "verify"]).fails_with(74);
        }
        // A disk that is not there is no reason to sign anything else.
        fs::rename(&file, format!("{file}.before")).expect("renames");
        server.begin().await;
        server
            .gatelog(&["journal", "checkpoint"])
            .fails_with(74)
            .says("is gone, so nothing is signed");
        // Whoever knows why may go on.
        fs::remove_file(server.data().join("checkpoints.elsewhere")).expect("removes");
        server.gatelog(&["journal", "checkpoint"]).succeeds();
    });
}

#[test]
fn a_disk_that_does_not_answer_holds_nobody_up() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let pipe = elsewhere.path().join("nobody-reads");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    let file = pipe.display().to_string();
    let options = Options::default().with("GATELOG_JOURNAL__CHECKPOINTS__FILE", &file);
    with_server_of(options, async |server| {
        somebody_logs_in(server).await;
        server
            .gatelog(&["journal", "checkpoint"])
            .fails_with(69)
            .says("does not answer");
        for is_up in [true, false] {
            if !is_up {
                server.stop().await;
            }
            let verified = server.gatelog(&["journal", "verify"]);
            verified.succeeds().says("NOT compared").says("is whole");
        }
    });
}

#[test]
fn a_key_beside_the_checkpoints_that_is_not_the_journals_is_noticed() {
    with_server(async |server| {
        let auditor = Auditor::meets(server);
        server.gatelog(&["journal", "checkpoint"]).succeeds();
        let with_key = ["journal", "verify", "--key", &auditor.key];
        server.gatelog(&with_key).succeeds().says("is whole");

        let theirs = TestServer::start(Options::default()).await;
        let foreign = Auditor::meets(&theirs);
        theirs.gatelog(&["journal", "checkpoint"]).succeeds();
        let with_foreign = ["journal", "verify", "--key", &foreign.key];
        let refused = server.gatelog(&with_foreign);
        refused.fails_with(74).says("does not bear the signature");

        let names = ["checkpoints.key", "checkpoints.signed"];
        let saved = names.map(|name| fs::read(server.data().join(name)).expect("reads"));
        for name in names {
            fs::copy(theirs.data().join(name), server.data().join(name)).expect("copies");
        }
        server.gatelog(&["journal", "verify"]).fails_with(74);
        for (name, bytes) in names.iter().zip(saved) {
            fs::write(server.data().join(name), bytes).expect("writes");
        }
        theirs.finish().await;
    });
}

fn flip(path: &Path, at: usize) -> Vec<u8> {
    let good = fs::read(path).expect("reads");
    let mut bad = good.clone();
    bad[at] ^= 0x20;
    fs::write(path, bad).expect("writes");
    good
}

/// The records of an export, as they are stored.
fn records(export: &Path) -> Vec<Vec<u8>> {
    let file = fs::File::open(export).expect("opens");
    let mut raw = Vec::new();
    MultiGzDecoder::new(file)
        .read_to_end(&mut raw)
        .expect("reads");
    let mut records = Vec::new();
    let mut rest = &raw[..];
    while !rest.is_empty() {
        // Position and step, the length, the entry, a checksum. A note has a step of its own.
        let is_record = rest[8..12] == [0xff; 4];
        let length = u32::from_le_bytes(*rest[12..].first_chunk().expect("four bytes"));
        let end = 16 + usize::try_from(length).expect("small");
        if is_record {
            records.push(rest[16..end].to_vec());
        }
        rest = &rest[end + 4..];
    }
    records
}

#[test]
fn each_flipped_byte_of_three_logins_is_noticed_offline() {
    with_server(async |server| {
        for _ in 0..3 {
            somebody_logs_in(server).await;
        }
        let auditor = Auditor::meets(server);
        let (export, kept) = (auditor.path("export"), auditor.name("kept"));
        let name = auditor.name("export");
        server
            .gatelog(&["journal", "checkpoint", "--out", &kept])
            .succeeds();
        server
            .gatelog(&["journal", "export", "--output", &name])
            .succeeds();
        let listed = server.gatelog(&["execution", "list", "--json"]);
        assert_eq!(listed.values().len(), 3);
        assert_eq!(listed.values()[0]["flow"], LOGIN);
        let held = auditor.checkpoints(Path::new(&kept));
        let sound = verify_exports(std::slice::from_ref(&export), &held).expect("reads");
        assert!(
            sound.is_sound() && sound.signed == 1,
            "{:?}",
            sound.findings
        );

        // Every byte of every frame and of every sealed body, all of them.
        let records = records(&export);
        assert_eq!(records.len() as u64, sound.records);
        for (number, good) in records.iter().enumerate() {
            let mut bad = good.clone();
            for at in 0..good.len() {
                bad[at] ^= 0x20;
                assert!(Record::decode(&bad).is_err(), "record {number}, byte {at}");
                bad[at] ^= 0x20;
            }
        }

        // Every byte of the file in a long run, a few thousand in a short one.
        let good = fs::read(&export).expect("reads");
        let is_long = std::env::var("GATELOG_LONG").is_ok_and(|value| value == "1");
        let step = if is_long {
            1
        } else {
            good.len().div_ceil(2_000) | 1
        };
        let flipped = |half: usize| {
            let path = export.with_extension(half.to_string());
            let mut bad = good.clone();
            for at in (0..good.len()).step_by(step).skip(half).step_by(2) {
                bad[at] ^= 0x20;
                fs::write(&path, &bad).expect("writes");
                let report = verify_exports(std::slice::from_ref(&path), &held).expect("reads");
                assert!(!report.is_sound(), "byte {at} of {}", good.len());
                bad[at] ^= 0x20;
            }
        };
        std::thread::scope(|scope| {
            for half in 0..2 {
                let flipped = &flipped;
                scope.spawn(move || flipped(half));
            }
        });
    });
}
