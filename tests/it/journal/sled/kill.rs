//! `kill -9` under load: what was acknowledged is there, once.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use gatelog::journal::{Durability, Error, Journal, KeyId, Version, Write};
use uuid::Uuid;

use super::super::contract::{RUN, append, lamp, put, run};
use super::recovery::commit;
use super::{Disk, close, keyring, this_binary};

/// In a process that is killed: where its data directory is.
const KILLED: &str = "GATELOG_TEST_KILLED";

const WRITERS: u128 = 16;

#[tokio::test]
async fn a_kill_loses_no_acknowledged_commit_and_doubles_none() {
    let mut disk = Disk::new();
    disk.options.segment_records = 300;
    let long = std::env::var("GATELOG_LONG").is_ok_and(|value| value == "1");
    let rounds: u64 = if long { 200 } else { 10 };
    let mut acknowledged: BTreeMap<u128, u64> = BTreeMap::new();
    let mut checked: BTreeMap<u128, u64> = BTreeMap::new();
    for round in 0..rounds {
        let mut child = Command::new(this_binary())
            .args([
                "--exact",
                "journal::sled::kill::in_a_killed_process",
                "--nocapture",
            ])
            .env(KILLED, disk.path(""))
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let reader = std::thread::spawn(move || {
            let mut seen: BTreeMap<u128, u64> = BTreeMap::new();
            for line in lines.map_while(Result::ok) {
                if let Some((id, version)) = parse(&line) {
                    let before = seen.insert(id, version);
                    assert!(before.is_none_or(|before| before + 1 == version));
                }
            }
            seen
        });
        std::thread::sleep(Duration::from_millis(250 + (round * 67) % 200));
        child.kill().expect("it is killed");
        child.wait().expect("it ends");
        acknowledged.extend(reader.join().expect("no panic"));

        let journal = disk.open();
        for (id, version) in &mut acknowledged {
            // The beginning was looked at in the rounds before, and is again in the last one.
            let before = if round + 1 < rounds {
                *checked.get(id).unwrap_or(&0)
            } else {
                0
            };
            let records = journal.read(run(*id), Version(before)).await;
            let bodies: Vec<String> = records
                .expect("reads")
                .iter()
                .map(|record| String::from_utf8(record.body.clone().expect("open")).expect("text"))
                .collect();
            let found = before + bodies.len() as u64;
            let written: Vec<String> = (before + 1..=found).map(|n| format!("step {n}")).collect();
            assert_eq!(bodies, written, "run {id}: each step once");
            // At most the one that was being answered is there beyond what was acknowledged.
            assert!(
                found == *version || found == *version + 1,
                "run {id}: {version} acknowledged, {found} found"
            );
            *version = found;
            checked.insert(*id, found);
            let object = journal
                .get(lamp(*id))
                .await
                .expect("reads")
                .expect("is there");
            assert_eq!(object.version.0, found, "both writes of a commit or none");
            let counter = format!("counter {id}");
            let counter = journal.counter(counter.as_bytes(), disk.clock.now()).await;
            assert_eq!(
                counter.expect("reads"),
                i64::try_from(found).expect("small")
            );
        }
        let streams = journal.streams(RUN, None, usize::MAX).await.expect("reads");
        assert!(streams.len() <= usize::try_from(WRITERS).expect("small"));
        close(journal);
    }
    assert!(acknowledged.values().sum::<u64>() > 100, "{acknowledged:?}");
    let report = disk.verify();
    assert!(report.is_sound(), "{:?}", report.findings);
}

fn parse(line: &str) -> Option<(u128, u64)> {
    let (id, version) = line.strip_prefix("acknowledged ")?.split_once(' ')?;
    Some((id.parse().ok()?, version.parse().ok()?))
}

/// Does nothing unless the test above runs it: writes until it is killed.
#[tokio::test]
async fn in_a_killed_process() {
    let Some(directory) = std::env::var_os(KILLED) else {
        return;
    };
    let mut disk = Disk::new();
    disk.options.directory = directory.into();
    disk.options.segment_records = 300;
    let keyring = keyring(&disk.options.directory, &disk.clock);
    let journal =
        gatelog::journal::sled::SledJournal::open(&disk.options, keyring, disk.clock.clone());
    let journal = Arc::new(journal.expect("the journal opens"));
    let writers: Vec<_> = (0..WRITERS)
        .map(|id| {
            let journal = Arc::clone(&journal);
            tokio::spawn(async move {
                let (mut version, _) = journal.head(run(id)).await.expect("reads");
                loop {
                    let step = format!("step {}", version.0 + 1);
                    let writes = vec![
                        append(run(id), version.0, &step),
                        put(lamp(id), version.0, &format!("lamp {id}"), "hall"),
                        Write::Add {
                            counter: format!("counter {id}").into_bytes(),
                            delta: 1,
                            min: 0,
                            max: i64::MAX,
                            expires: None,
                        },
                        Write::CreateKey {
                            id: KeyId(Uuid::from_u128(id + 1_000)),
                            under: KeyId::SYSTEM,
                        },
                    ];
                    let durability = if id % 4 == 0 {
                        Durability::Relaxed
                    } else {
                        Durability::Durable
                    };
                    match commit(&journal, durability, writes).await {
                        Ok(_) => version = version.next(),
                        Err(Error::Unavailable(_)) => return,
                        Err(error) => panic!("{error}"),
                    }
                    let mut out = std::io::stdout().lock();
                    let line = format!("acknowledged {id} {}\n", version.0);
                    out.write_all(line.as_bytes()).expect("somebody reads");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("no panic");
    }
}
