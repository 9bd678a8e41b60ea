//! The state on disk.

use jiff::Timestamp;

use super::*;
use crate::journal::Lease;
use crate::journal::counter::Counter;

#[test]
fn a_head_knows_where_each_record_lies() {
    let mut head = Head::default();
    let mut chunks = Vec::new();
    for position in 1..=100 {
        let full = head.push(Hash([7; 32]), position * 10);
        chunks.extend(full.map(|(number, bytes)| {
            assert_eq!(number, chunks.len() as u64);
            bytes
        }));
        head = Head::from_bytes(&head.to_bytes()).expect("reads what it wrote");
        for version in (1..=position).map(Version) {
            let found = match head.position(version) {
                Where::At(at) => Some(at),
                Where::Chunk(chunk) => {
                    let chunk = usize::try_from(chunk).expect("small");
                    in_chunk(&chunks[chunk], version)
                }
                Where::Nowhere => None,
            };
            assert_eq!(found, Some(version.0 * 10));
        }
        assert_eq!(head.position(Version(position + 1)), Where::Nowhere);
    }
}

#[test]
fn a_stream_is_read_back_from_its_key() {
    let stream = StreamId::new(Kind::new("user"), Uuid::from_u128(77));
    assert_eq!(stream_of(&head(stream)), Some(stream));
    assert_eq!(id_of(&current(stream)), Some(stream.id));
    assert!(heads(Kind::new("user")) < head(stream));
    assert!(head(stream) < after(heads(Kind::new("user"))));
}

#[test]
fn values_are_read_as_they_were_written() {
    let lookup = |n| Lookup([n; 32]);
    for current in [
        Current::Here(vec![1, 2, 3]),
        Current::Elsewhere {
            position: 9,
            unique: vec![lookup(1)],
            index: vec![lookup(2), lookup(3)],
        },
    ] {
        assert_eq!(Current::from_bytes(&current.to_bytes()), Some(current));
    }
    let at = Timestamp::new(-5, -999).expect("in range");
    for expires in [None, Some(at)] {
        let counter = Counter { value: -7, expires };
        assert_eq!(
            counter_from_bytes(&counter_to_bytes(&counter)),
            Some(counter)
        );
    }
    let lease = Lease {
        name: "node".into(),
        epoch: 3,
        expires: at,
    };
    assert_eq!(
        lease_from_bytes("node", &lease_to_bytes(&lease)),
        Some(lease)
    );
}
