//! What was signed once cannot be taken back: not with all the keys, not by writing it all anew.

use std::fs;
use std::sync::Arc;

use futures_util::StreamExt as _;
use gatelog::journal::evidence::{
    self, Checkpoint, Consistency, Error, Inclusion, Signed, Signer, Verifier,
};
use gatelog::journal::sled::{SledJournal, export, verify, verify_exports};
use gatelog::journal::{Durability, Hash, Journal, Position};
use jiff::Timestamp;

use super::super::contract::{LAMP, RUN, append, lamp, put, run};
use super::golden;
use super::recovery::{commit, copy, fill};
use super::{Disk, close};
use crate::support::random_below;

/// What signs for a journal with these keys.
fn signer(journal: &SledJournal) -> Signer {
    Signer::new(&journal.keyring().derive("checkpoint signatures"))
}

async fn sign(journal: &SledJournal) -> Signed {
    let stand = journal.stand().await.expect("there is a tree");
    assert_eq!(stand.size, journal.last().0);
    signer(journal).checkpoint(stand.size, stand.root)
}

fn include(journal: &SledJournal, position: u64, checkpoint: &Signed) -> Inclusion {
    let size = checkpoint.checkpoint.size;
    let found = journal.inclusion(Position(position), size).expect("reads");
    let (frame, path) = found.expect("it is there");
    Inclusion {
        index: position - 1,
        frame,
        path,
        checkpoint: checkpoint.clone(),
    }
}

fn holds(text: &str, verifier: &Verifier) -> Result<(), Error> {
    evidence::open(text, verifier).map(drop)
}

/// The hashes of all frames, by position.
async fn frames(journal: &SledJournal) -> Vec<Hash> {
    let count = usize::try_from(journal.last().0).expect("small");
    let followed = journal.follow(Position(0)).take(count);
    followed
        .map(|next| next.expect("reads").1.hash)
        .collect()
        .await
}

#[tokio::test]
async fn every_record_is_proven_and_every_checkpoint_follows_from_the_ones_before() {
    let disk = Disk::with_small_segments();
    let journal = disk.open();
    let mut signed: Vec<Signed> = Vec::new();
    for version in 0..40 {
        let writes = vec![
            append(run(1), version, "a step"),
            append(run(9), version, "x"),
        ];
        let done = commit(&journal, Durability::Relaxed, writes).await;
        done.expect("is allowed");
        if version % 7 == 0 {
            signed.push(sign(&journal).await);
        }
    }
    let key = signer(&journal).verifier().clone();
    let newest = sign(&journal).await;
    let frames = frames(&journal).await;
    for position in 1..=newest.checkpoint.size {
        let proof = include(&journal, position, &newest);
        let at = usize::try_from(position).expect("small");
        assert_eq!(proof.frame.hash(), frames[at - 1]);
        holds(&proof.to_text(), &key).expect("it is there");
    }
    assert_eq!(journal.inclusion(Position(81), 80).expect("reads"), None);
    assert_eq!(journal.inclusion(Position(0), 80).expect("reads"), None);
    for from in &signed {
        let path = journal
            .consistency(from.checkpoint.size, 80)
            .expect("reads");
        let proof = Consistency {
            from: from.clone(),
            to: newest.clone(),
            path: path.expect("it is smaller"),
        };
        holds(&proof.to_text(), &key).expect("it follows");
        let root = journal.root_at(from.checkpoint.size).expect("reads");
        assert_eq!(root, Some(from.checkpoint.root));
    }
    let held: Vec<Checkpoint> = signed.into_iter().map(|it| it.checkpoint).collect();
    let report = journal.verify(&held).expect("reads");
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.signed, report.bodies_gone), (6, 0));
    close(journal);
    let report = verify(&disk.options, &held).expect("reads");
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!((report.signed, report.after_signed), (6, 80 - 72));
}

#[tokio::test]
async fn a_directory_from_before_there_was_a_tree_gets_one() {
    let disk = Disk::with_small_segments();
    let journal = disk.open();
    fill(&journal).await;
    let before = journal.stand().await.expect("there is a tree");
    close(journal);
    let state = sled::open(disk.path("state")).expect("opens");
    let of_tree = |key: &sled::IVec| **key == *b"m" || key.starts_with(b"t");
    let keys: Vec<_> = state.iter().keys().map(|key| key.expect("reads")).collect();
    assert!(keys.iter().filter(|key| of_tree(key)).count() > 1);
    for key in keys.iter().filter(|key| of_tree(key)) {
        state.remove(key).expect("removes");
    }
    state.flush().expect("flushes");
    drop(state);
    assert!(disk.verify().is_sound(), "{:?}", disk.verify().findings);
    let journal = disk.open();
    assert_eq!(journal.stand().await.expect("there is a tree"), before);
    let writes = vec![append(run(99), 0, "and it goes on")];
    let done = commit(&journal, Durability::Relaxed, writes).await;
    done.expect("is allowed");
    let after = journal.stand().await.expect("there is a tree");
    assert_eq!(after.size, before.size + 1);
    close(journal);
    assert!(disk.verify().is_sound(), "{:?}", disk.verify().findings);
    // The same as if the whole state had been made anew.
    fs::remove_dir_all(disk.path("state")).expect("removes");
    assert_eq!(disk.open().stand().await.expect("there is a tree"), after);
}

#[tokio::test]
async fn a_golden_journal_has_the_root_that_it_had() {
    let disk = Disk::new();
    golden::restore(&disk);
    let stand = disk.open().stand().await.expect("there is a tree");
    let root = base16ct::lower::encode_string(&stand.root.0);
    let expected = fs::read_to_string(golden::golden().join("root.txt")).expect("reads");
    assert_eq!(format!("{} {root}\n", stand.size), expected);
}

#[tokio::test]
async fn removed_bodies_change_no_root_and_no_proof() {
    let disk = Disk::with_small_segments();
    let journal = Arc::new(disk.open());
    for version in 0..12 {
        let writes = vec![
            append(run(1), version, &"a step ".repeat(2_000)),
            put(lamp(1), version, &format!("lamp {version}"), "hall"),
        ];
        let done = commit(&journal, Durability::Durable, writes).await;
        done.expect("is allowed");
    }
    let signed = sign(&journal).await;
    let all = || -> Vec<String> {
        let proofs = (1..=24).map(|position| include(&journal, position, &signed));
        proofs.map(|proof| proof.to_text()).collect()
    };
    let proofs = all();
    super::retention::wait_for_exports(&disk);
    let later = Timestamp::from_second(2_000_000_000).expect("in range");
    let removing = Arc::clone(&journal);
    let removed = tokio::task::spawn_blocking(move || {
        removing.forget(RUN, |stream, at| {
            [RUN, LAMP].contains(&stream.kind) && at < later
        })
    });
    let removed = removed.await.expect("no panic").expect("is written");
    assert_eq!(removed.bodies, 23);
    assert_eq!(sign(&journal).await, signed);
    assert_eq!(all(), proofs);
    let held = [signed.checkpoint.clone()];
    let report = journal.verify(&held).expect("reads");
    assert!(report.is_sound() && report.signed == 1, "{report:?}");
    assert_eq!(report.bodies_gone, 12 + 11);
    let whole = disk.path("whole.export.gz");
    journal
        .export(fs::File::create(&whole).expect("a file"))
        .expect("is written");
    let report = verify_exports(&[whole], &held).expect("reads");
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(
        (report.records, report.signed, report.after_signed),
        (24, 1, 0)
    );
    assert_eq!(report.bodies_gone, 12 + 11);
    close(Arc::into_inner(journal).expect("nobody else has it"));
    fs::remove_dir_all(disk.path("state")).expect("removes");
    assert_eq!(sign(&disk.open()).await, signed);
}

#[tokio::test]
async fn a_removed_end_is_noticed_by_whoever_kept_a_checkpoint() {
    let disk = Disk::new();
    let journal = disk.open();
    fill(&journal).await;
    close(journal);
    let saved = tempfile::tempdir().expect("a directory");
    copy(&disk.path(""), saved.path());
    let journal = disk.open();
    let writes = vec![append(run(99), 0, "a step")];
    let done = commit(&journal, Durability::Durable, writes).await;
    let size = done.expect("is allowed").0;
    let held = [sign(&journal).await.checkpoint];
    close(journal);
    assert!(verify(&disk.options, &held).expect("reads").is_sound());

    // All of the directory is as it was before: nothing in it tells.
    for name in ["log", "state", "keys"] {
        fs::remove_dir_all(disk.path(name)).expect("removes");
    }
    copy(saved.path(), &disk.path(""));
    assert!(disk.verify().is_sound(), "{:?}", disk.verify().findings);
    let report = verify(&disk.options, &held).expect("reads");
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].position, Some(Position(size)));
    let said = report.findings[0].to_string();
    assert!(said.contains("the end is missing"), "{said}");

    let mut whole = Vec::new();
    export(&disk.options, &mut whole).expect("exports");
    let path = disk.path("whole.export.gz");
    fs::write(&path, whole).expect("written");
    let report = verify_exports(&[path], &held).expect("reads");
    assert!(
        report.findings[0]
            .to_string()
            .contains("the end is missing")
    );
}

#[tokio::test]
async fn a_history_that_was_written_anew_with_all_keys_does_not_follow_from_what_was_signed() {
    let (honest, forged) = (Disk::new(), Disk::new());
    drop(honest.open());
    for name in ["keys", "secret.key"] {
        let (from, to) = (honest.path(name), forged.path(name));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).expect("copies");
        }
    }
    let journals = [honest.open(), forged.open()];
    for (journal, third) in journals.iter().zip(["denied", "let in"]) {
        for (version, step) in ["asked", "typed", third, "ended"].into_iter().enumerate() {
            let writes = vec![append(run(1), version as u64, step)];
            let done = commit(journal, Durability::Durable, writes).await;
            done.expect("is allowed");
        }
    }
    let [honest, forged] = &journals;
    let key = signer(honest).verifier().clone();
    assert_eq!(
        signer(forged).verifier(),
        &key,
        "whoever forges has the keys"
    );
    let kept = sign(honest).await;
    for journal in [honest, forged] {
        let writes = vec![append(run(2), 0, "more")];
        let done = commit(journal, Durability::Durable, writes).await;
        done.expect("is allowed");
    }
    let later = sign(forged).await;
    assert!(
        forged.verify(&[]).expect("reads").is_sound(),
        "it is well made"
    );

    let held = [kept.checkpoint.clone()];
    let report = forged.verify(&held).expect("reads");
    let said = report.findings[0].to_string();
    assert!(said.contains("has been altered"), "{said}");
    assert!(honest.verify(&held).expect("reads").is_sound());
    // The best that somebody can do who has no honest journal any more, and with one.
    for source in [forged, honest] {
        let path = source.consistency(4, 5).expect("reads");
        let proof = Consistency {
            from: kept.clone(),
            to: later.clone(),
            path: path.expect("it is smaller"),
        };
        let refuted = holds(&proof.to_text(), &key);
        assert!(matches!(refuted, Err(Error::Refuted(_))), "{refuted:?}");
    }
}

#[tokio::test]
async fn flipped_bytes_of_all_files_of_sled_are_noticed_or_change_no_frame() {
    let disk = Disk::with_small_segments();
    let journal = disk.open();
    for version in 0..6 {
        let writes = vec![
            append(run(1), version, "a step"),
            append(run(2 + u128::from(version)), 0, &"x".repeat(3_000)),
            put(lamp(1), version, "lamp", "hall"),
        ];
        let done = commit(&journal, Durability::Durable, writes).await;
        done.expect("is allowed");
    }
    super::retention::wait_for_exports(&disk);
    let before = frames(&journal).await;
    let held = [sign(&journal).await.checkpoint];
    close(journal);
    let saved = tempfile::tempdir().expect("a directory");
    copy(&disk.path(""), saved.path());
    // What is used of the files; the rest is padding that nobody reads.
    let mut places = Vec::new();
    for path in crate::support::files(&disk.path("")) {
        let inner = path.strip_prefix(disk.path("")).expect("it is in there");
        let is_sled = inner.starts_with("state") || inner.starts_with("log");
        if is_sled && path.extension().is_none_or(|it| it != "gz") {
            let bytes = fs::read(&path).expect("reads");
            let used = (0..bytes.len()).filter(|at| bytes[*at] != 0);
            places.extend(used.map(|at| (path.clone(), at)));
        }
    }
    let mut noticed = 0;
    for _ in 0..200 {
        let (path, at) =
            &places[usize::try_from(random_below(places.len() as u64)).expect("small")];
        let bit = 1 << random_below(8);
        let mut bytes = fs::read(path).expect("reads");
        bytes[*at] ^= bit;
        fs::write(path, bytes).expect("writes");
        let report = verify(&disk.options, &held).expect("reads");
        if report.is_sound() {
            match disk.try_open() {
                Ok(journal) => {
                    assert_eq!(frames(&journal).await, before, "{path:?} {at} {bit}");
                    close(journal);
                }
                Err(_) => noticed += 1,
            }
        } else {
            noticed += 1;
        }
        fs::remove_dir_all(disk.path("")).expect("removes");
        copy(saved.path(), &disk.path(""));
    }
    assert!(noticed > 50, "{noticed} of 200 flips were noticed");
}
