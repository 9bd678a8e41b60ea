//! What is kept, and what must not be.

use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::journal::Kind;

const ALICE: KeyId = KeyId(Uuid::from_u128(1));

fn lamp(id: u128) -> StreamId {
    StreamId::new(Kind::new("lamp"), Uuid::from_u128(id))
}

fn found(id: u128, version: u64, key: KeyId, bytes: usize) -> Arc<Found> {
    Arc::new(Found {
        object: Object {
            stream: lamp(id),
            version: Version(version),
            at: Timestamp::UNIX_EPOCH,
            schema: 1,
            body: vec![b'x'; bytes].into(),
        },
        unique: Vec::new(),
        index: Vec::new(),
        key,
    })
}

const fn said(version: u8) -> [u8; 1] {
    [version]
}

#[test]
fn the_current_revision_is_the_one_of_which_the_state_speaks() {
    let opened = Opened::default();
    let now = opened.moment();
    opened.keep(now, &found(1, 1, KeyId::SYSTEM, 5), Some(&said(1)));
    assert!(opened.current(lamp(1), &said(1)).is_some());
    assert!(opened.current(lamp(1), &said(2)).is_none());
    opened.keep(now, &found(1, 2, KeyId::SYSTEM, 5), Some(&said(2)));
    assert!(opened.current(lamp(1), &said(1)).is_none());
    let current = opened.current(lamp(1), &said(2)).expect("it is kept");
    assert_eq!(current.object.version, Version(2));
    // Revisions stay what they were.
    assert!(opened.revision(lamp(1), Version(1)).is_some());
    assert!(opened.revision(lamp(1), Version(2)).is_some());
    assert!(opened.revision(lamp(1), Version(3)).is_none());
}

#[test]
fn what_lies_under_a_destroyed_key_is_forgotten_also_if_it_was_being_read() {
    let opened = Opened::default();
    let before = opened.moment();
    opened.keep(before, &found(1, 1, ALICE, 5), Some(&said(1)));
    opened.keep(before, &found(2, 1, KeyId::SYSTEM, 5), None);
    opened.forget(|_| true);
    assert!(opened.current(lamp(1), &said(1)).is_none());
    assert!(opened.revision(lamp(1), Version(1)).is_none());
    assert!(opened.revision(lamp(2), Version(1)).is_some());
    opened.keep(before, &found(1, 1, ALICE, 5), Some(&said(1)));
    assert!(opened.revision(lamp(1), Version(1)).is_none());
    opened.keep(opened.moment(), &found(1, 1, ALICE, 5), None);
    opened.forget(|key| key != ALICE);
    assert!(opened.revision(lamp(1), Version(1)).is_some());
    opened.clear();
    assert!(opened.revision(lamp(1), Version(1)).is_none());
    assert!(opened.revision(lamp(2), Version(1)).is_none());
}

#[test]
fn no_more_is_kept_than_there_is_room_for_and_the_latest_stay() {
    let opened = Opened::default();
    let now = opened.moment();
    opened.keep(now, &found(0, 1, KeyId::SYSTEM, LARGE + 1), None);
    assert!(opened.revision(lamp(0), Version(1)).is_none());
    let all = 2 * BYTES / LARGE;
    for id in 1..=all as u128 {
        opened.keep(now, &found(id, 1, KeyId::SYSTEM, LARGE), Some(&said(1)));
    }
    let kept = opened.kept();
    let bytes: usize = kept
        .objects
        .iter()
        .map(|(_, it)| it.found.object.body.len())
        .sum();
    assert_eq!(kept.bytes, bytes);
    assert_eq!(bytes, BYTES);
    drop(kept);
    assert!(opened.revision(lamp(1), Version(1)).is_none());
    assert!(opened.revision(lamp(all as u128), Version(1)).is_some());
}
