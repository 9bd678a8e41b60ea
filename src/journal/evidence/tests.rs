//! What others wrote is read, and nothing that was altered holds.

use jiff::Timestamp;
use proptest::prelude::*;
use secrecy::SecretBox;
use uuid::Uuid;

use super::*;
use crate::journal::frame::{FORMAT, Frame, Operation};
use crate::journal::{Hash, KeyId, Kind, StreamId, Version};

/// A tree in memory whose tiles are kept.
#[derive(Default)]
struct Forest {
    edge: tree::Edge,
    tiles: Vec<tree::Tile>,
}

impl tree::Nodes for Forest {
    type Error = std::convert::Infallible;

    fn edge(&self) -> &tree::Edge {
        &self.edge
    }

    fn tile(&self, level: u8, index: u64) -> std::result::Result<Vec<Hash>, Self::Error> {
        let found = self
            .tiles
            .iter()
            .find(|tile| (tile.level, tile.index) == (level, index));
        Ok(found.expect("it is full").hashes.clone())
    }
}

fn frame(number: u64) -> Frame {
    Frame {
        format: FORMAT,
        operation: Operation::Append,
        stream: StreamId::new(Kind::new("execution"), Uuid::from_u128(7)),
        version: Version(number + 1),
        at: Timestamp::UNIX_EPOCH,
        schema: 1,
        correlation: Uuid::nil(),
        key: KeyId::SYSTEM,
        previous: Hash([3; 32]),
        body_hash: Hash([4; 32]),
    }
}

fn forest(size: u64) -> Forest {
    let mut forest = Forest::default();
    for number in 0..size {
        let leaf = tree::leaf(frame(number).hash());
        let Forest { edge, tiles } = &mut forest;
        edge.push(leaf, |tile| tiles.push(tile));
    }
    forest
}

fn signer(seed: u8) -> Signer {
    Signer::new(&SecretBox::new(Box::new([seed; 32])))
}

/// Proofs that hold: of records at several places, and of several pairs of checkpoints.
fn proofs() -> Vec<String> {
    let signer = signer(1);
    let forest = forest(40);
    let at = |size| {
        let Ok(root) = tree::root(&forest, size);
        signer.checkpoint(size, root)
    };
    let mut proofs = Vec::new();
    for (index, size) in [(0, 1), (0, 40), (17, 40), (39, 40), (5, 16)] {
        let Ok(path) = tree::inclusion(&forest, index, size);
        let frame = frame(index);
        let checkpoint = at(size);
        let proof = Inclusion {
            index,
            frame,
            path,
            checkpoint,
        };
        proofs.push(proof.to_text());
    }
    for (from, to) in [(1, 40), (16, 17), (23, 40), (40, 40)] {
        let Ok(path) = tree::consistency(&forest, from, to);
        let proof = Consistency {
            from: at(from),
            to: at(to),
            path,
        };
        proofs.push(proof.to_text());
    }
    proofs
}

#[test]
fn a_note_that_the_makers_of_the_format_signed_is_opened() {
    let verifier = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let verifier: Verifier = verifier.parse().expect("it is a key");
    let note = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\
        \n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf\
        qdngotpRZb6KE6RyyBwJnAM=\n";
    let (text, rest) = verifier.open(note).expect("it is signed");
    assert!(text.starts_with("If you think") && text.ends_with("problem is.\n"));
    assert_eq!(rest, "");
    let other = note.replace("cryptography", "Cryptography");
    assert!(matches!(verifier.open(&other), Err(Error::Unsigned(_))));
}

#[test]
fn a_key_is_read_as_it_was_written_or_not_at_all() {
    let signer = signer(1);
    let good = signer.verifier().to_string();
    assert_eq!(good.parse().as_ref(), Ok(signer.verifier()));
    assert!(good.starts_with("gatelog-"), "{good}");
    for at in 0..good.len() {
        let mut bad = good.clone().into_bytes();
        bad[at] ^= 1;
        let bad = String::from_utf8(bad).expect("it is ASCII");
        assert!(bad.parse::<Verifier>().is_err(), "{bad}");
    }
}

#[test]
fn a_part_of_a_checkpoint_that_could_not_be_taken_away_is_passed_over() {
    let signer = signer(1);
    let key = Some(signer.verifier());
    let (first, half) = (
        signer.checkpoint(40, Hash([9; 32])),
        signer.checkpoint(41, Hash([8; 32])),
    );
    let next = signer.checkpoint(42, Hash([7; 32]));
    for end in (0..half.note.len()).filter(|end| half.note.is_char_boundary(*end)) {
        let torn = &half.note[..end];
        let file = format!("{}\n{torn}[cut off]\n\n{}", first.note, next.note);
        let read = read_all(&file, key);
        assert_eq!(read, Ok(vec![first.clone(), next.clone()]), "{file}");
    }
}

#[test]
fn what_is_attested_is_that_document_of_that_sort_and_no_checkpoint() {
    let signer = signer(1);
    let key = signer.verifier();
    let note = signer.attest("gatelog erasure 1", b"all of it");
    assert_eq!(
        key.attests(&note, "gatelog erasure 1", b"all of it"),
        Ok(())
    );
    for (sort, document) in [
        ("gatelog erasure 1", &b"all of it."[..]),
        ("other", b"all of it"),
    ] {
        key.attests(&note, sort, document)
            .expect_err("it is another");
    }
    let other = self::signer(2);
    let refused = other
        .verifier()
        .attests(&note, "gatelog erasure 1", b"all of it");
    assert!(matches!(refused, Err(Error::Unsigned(_))), "{refused:?}");
    read_all(&note, Some(key)).expect_err("it is no checkpoint");
}

#[test]
fn checkpoints_of_another_key_are_refused() {
    let ours = signer(1).checkpoint(40, Hash([9; 32]));
    let theirs = signer(2);
    let key = Some(signer(1));
    let key = key.as_ref().map(Signer::verifier);
    let read = read_all(&format!("{}\n{}", ours.note, ours.note), key);
    assert_eq!(read, Ok(vec![ours.clone(), ours.clone()]));
    let read = read_all(&ours.note, Some(theirs.verifier()));
    assert!(matches!(read, Err(Error::Unsigned(_))), "{read:?}");
    // Whoever has another key may sign the same text, under the name of ours as well.
    let stolen = theirs.checkpoint(40, Hash([9; 32])).note;
    let name = theirs.verifier().name();
    let stolen = stolen.replace(name, signer(1).verifier().name());
    let read = read_all(&stolen, key);
    assert!(matches!(read, Err(Error::Unsigned(_))), "{read:?}");
}

#[test]
fn a_checkpoint_that_a_crash_cut_off_is_told_from_whole_ones() {
    let note = signer(1).checkpoint(40, Hash([9; 32])).note;
    let two = format!("{note}\n{note}");
    assert_eq!(whole(two.as_bytes()), two.len());
    for end in note.len()..two.len() {
        assert_eq!(whole(&two.as_bytes()[..end]), note.len());
    }
    for end in 0..note.len() {
        assert_eq!(whole(&note.as_bytes()[..end]), 0);
    }
}

#[test]
fn proofs_hold_one_by_one_and_in_one_file() {
    let signer = signer(1);
    let proofs = proofs();
    for proof in &proofs {
        let opened = open(proof, signer.verifier()).expect("it holds");
        let text = match &opened[..] {
            [Proof::Inclusion(proof)] => proof.to_text(),
            [Proof::Consistency(proof)] => proof.to_text(),
            other => panic!("{other:?}"),
        };
        assert_eq!(text, *proof);
    }
    let all = open(&proofs.concat(), signer.verifier()).expect("all hold");
    assert_eq!(all.len(), proofs.len());
}

#[test]
fn a_proof_of_a_record_does_not_do_for_another_one() {
    let signer = signer(1);
    let forest = forest(40);
    let Ok(root) = tree::root(&forest, 40);
    let Ok(path) = tree::inclusion(&forest, 17, 40);
    let checkpoint = signer.checkpoint(40, root);
    let mut proof = Inclusion {
        index: 17,
        frame: frame(17),
        path,
        checkpoint,
    };
    assert!(open(&proof.to_text(), signer.verifier()).is_ok());
    proof.frame.at = Timestamp::MAX;
    let refuted = open(&proof.to_text(), signer.verifier());
    assert!(matches!(refuted, Err(Error::Refuted(_))), "{refuted:?}");
    proof.frame = frame(17);
    proof.index = 18;
    let refuted = open(&proof.to_text(), signer.verifier());
    assert!(matches!(refuted, Err(Error::Refuted(_))), "{refuted:?}");
}

#[test]
fn every_flipped_bit_of_every_proof_is_noticed() {
    let signer = signer(1);
    for proof in proofs() {
        for at in 0..proof.len() {
            for bit in [0, at % 7] {
                let mut bad = proof.clone().into_bytes();
                bad[at] ^= 1 << bit;
                let Ok(bad) = String::from_utf8(bad) else {
                    continue;
                };
                let opened = open(&bad, signer.verifier());
                assert!(opened.is_err(), "byte {at} of\n{bad}");
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_put_in_cut_out_or_replaced_makes_no_other_proof(
        number in 0_usize..9,
        start in any::<prop::sample::Index>(),
        length in 0_usize..80,
        put in "[ -~\\n]{0,60}",
    ) {
        let signer = signer(1);
        let proofs = proofs();
        let good = proofs[number].as_bytes();
        let start = start.index(good.len());
        let end = (start + length).min(good.len());
        let bad = [&good[..start], put.as_bytes(), &good[end..]].concat();
        prop_assume!(bad != good);
        if let Ok(bad) = std::str::from_utf8(&bad) {
            prop_assert!(open(bad, signer.verifier()).is_err(), "{}", bad);
        }
    }

    #[test]
    fn no_text_makes_the_reader_fail(text in "[\\n\u{2014} -~]{0,300}") {
        let _ = open(&text, signer(1).verifier());
        let _ = read_all(&text, None);
        let _ = text.parse::<Verifier>();
    }
}
