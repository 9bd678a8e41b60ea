//! Sealing and opening records, and the chain over them.

use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::clock::Clock;
use crate::journal::{Durability, Kind, chain};

const LAMP: StreamId = StreamId::new(Kind::new("lamp"), Uuid::from_u128(1));
const OTHER: StreamId = StreamId::new(Kind::new("lamp"), Uuid::from_u128(2));

fn keys() -> Keyring {
    Keyring::in_memory(&Clock::fixed(Timestamp::UNIX_EPOCH))
}

fn put(stream: StreamId) -> Write {
    Write::Put {
        stream,
        expected: Version::NONE,
        key: KeyId::SYSTEM,
        schema: 1,
        body: b"the body of alice".to_vec(),
        unique: vec![Key::new("name", "alice")],
        index: vec![Key::new("mail", "alice@example.org")],
    }
}

fn commit_of(writes: Vec<Write>) -> Commit {
    Commit {
        writes,
        durability: Durability::Relaxed,
        fence: None,
        at: Timestamp::new(1, 5).expect("it is in range"),
        correlation: Uuid::from_u128(3),
    }
}

fn sealed(write: &Write, version: u64, previous: Hash, keyring: &Keyring) -> Record {
    let commit = commit_of(vec![write.clone()]);
    let bodies = pack::Bodies::of(&commit);
    record(
        write,
        bodies.get(0),
        &commit,
        Version(version),
        previous,
        keyring,
    )
    .expect("the key exists")
    .expect("the write leaves a record")
}

#[test]
fn what_was_sealed_comes_back_also_through_the_bytes_on_disk() {
    let keyring = keys();
    let record = sealed(&put(LAMP), 1, Hash::default(), &keyring);
    let read = Record::decode(&record.encode()).expect("nothing was altered");
    assert_eq!(read, record);
    let envelope = envelope(&read, &keyring).expect("it opens");
    assert_eq!(envelope.body.as_deref(), Some(&b"the body of alice"[..]));
    assert_eq!(envelope.schema, 1);
    assert_eq!(envelope.at, Timestamp::new(1, 5).expect("it is in range"));
    assert_eq!(envelope.hash, record.frame.hash());
    let object = object(&read, &keyring).expect("it opens");
    assert_eq!(
        object.expect("it is there").body.to_vec(),
        b"the body of alice"
    );
}

#[test]
fn neither_bodies_nor_lookups_are_readable_on_disk() {
    let keyring = keys();
    let add = Write::Add {
        counter: b"alice".to_vec(),
        delta: 1,
        min: 0,
        max: 9,
        expires: None,
    };
    for write in [put(LAMP), add] {
        let bytes = sealed(&write, 1, Hash::default(), &keyring).encode();
        assert!(!bytes.windows(5).any(|window| window == b"alice"));
    }
}

#[test]
fn a_body_moved_to_another_place_does_not_open_there() {
    let keyring = keys();
    let here = sealed(&put(LAMP), 1, Hash::default(), &keyring);
    let mut there = sealed(&put(OTHER), 1, Hash::default(), &keyring);
    // Whoever can write to the disk can also make hash and chain fit.
    there.payload.clone_from(&here.payload);
    there.frame.body_hash = here.frame.body_hash;
    let refused = envelope(&there, &keyring);
    assert!(
        matches!(&refused, Err(Error::Corrupt { stream, version, .. })
            if *stream == OTHER && *version == Version(1)),
        "{refused:?}"
    );
}

#[test]
fn an_altered_lookup_is_noticed_when_the_body_is_opened() {
    let keyring = keys();
    let mut record = sealed(&put(LAMP), 1, Hash::default(), &keyring);
    let payload = record.payload.as_mut().expect("it has a payload");
    payload.unique[0] = Lookup([9; 32]);
    record.frame.body_hash = payload.hash(record.frame.format);
    let refused = object(&record, &keyring);
    assert!(matches!(refused, Err(Error::Corrupt { .. })), "{refused:?}");
}

#[test]
fn a_removed_body_is_none_and_keeps_the_chain() {
    let keyring = keys();
    let first = sealed(&put(LAMP), 1, Hash::default(), &keyring);
    let second = sealed(&put(LAMP), 2, first.frame.hash(), &keyring);
    let last = second.frame.hash();
    let first = first.without_body();
    assert_eq!(envelope(&first, &keyring).expect("it reads").body, None);
    assert_eq!(object(&first, &keyring).expect("it reads"), None);
    assert_eq!(chain::verify_chain([&first, &second]), Ok(last));
}

#[test]
fn a_chain_names_the_first_version_that_is_not_what_was_written() {
    let keyring = keys();
    let mut records = Vec::new();
    let mut previous = Hash::default();
    for version in 1..=4 {
        let record = sealed(&put(LAMP), version, previous, &keyring);
        previous = record.frame.hash();
        records.push(record);
    }
    assert_eq!(chain::verify_chain(&records), Ok(previous));
    assert_eq!(chain::verify_chain([]), Ok(Hash::default()));

    let broken_at = |records: &[Record]| chain::verify_chain(records).map_err(|error| error.0);
    let mut missing = records.clone();
    missing.remove(1);
    assert_eq!(broken_at(&missing), Err(Version(2)));
    let mut exchanged = records.clone();
    exchanged.swap(2, 3);
    assert_eq!(broken_at(&exchanged), Err(Version(3)));
    let mut altered = records.clone();
    altered[1].frame.schema = 5;
    assert_eq!(broken_at(&altered), Err(Version(3)));
    let mut foreign = records.clone();
    foreign[3] = sealed(&put(OTHER), 4, records[2].frame.hash(), &keyring);
    assert_eq!(broken_at(&foreign), Err(Version(4)));
    let mut body = records;
    body[2].payload = Some(Payload::default());
    assert_eq!(broken_at(&body), Err(Version(3)));
}

#[test]
fn every_commit_within_the_limit_can_be_read_again() {
    let keyring = keys();
    let unique: Vec<Key> = (0..2000)
        .map(|number| Key::new("name", number.to_string()))
        .collect();
    let write = |size: usize| Write::Put {
        stream: StreamId::new(Kind::new("a-kind-of-23-bytes-here"), Uuid::from_u128(1)),
        expected: Version::NONE,
        key: KeyId::SYSTEM,
        schema: 1,
        body: vec![b'x'; size],
        unique: unique.clone(),
        index: Vec::new(),
    };
    let largest = LIMIT - AROUND - size_of::<Lookup>() * unique.len();
    check_size(&commit_of(vec![write(largest)])).expect("it is within the limit");
    let record = sealed(&write(largest), 1, Hash::default(), &keyring);
    let bytes = record.encode();
    assert!(bytes.len() <= LIMIT);
    assert_eq!(Record::decode(&bytes), Ok(record));
    let refused = check_size(&commit_of(vec![write(largest + 1)]));
    assert!(matches!(refused, Err(Error::TooLarge { .. })));
}

#[test]
fn a_body_of_a_newer_schema_is_refused_by_its_number_and_is_no_damage() {
    let keyring = keys();
    let mut write = put(LAMP);
    if let Write::Put { schema, .. } = &mut write {
        *schema = 2;
    }
    let newer = sealed(&write, 1, Hash::default(), &keyring);
    let refused = envelope(&newer, &keyring).expect_err("this version does not know it");
    assert!(
        matches!(refused, Error::Newer { found: 2, .. }),
        "{refused:?}"
    );
    assert!(!refused.is_damage(), "nothing is wrong with it");
    let said = refused.to_string();
    assert!(
        said.contains("has schema 2") && said.contains("up to 1"),
        "{said}"
    );
    // Without its body there is nothing to be read.
    assert!(envelope(&newer.without_body(), &keyring).is_ok());
}
