//! Frames and records: golden bytes, and what damage is noticed.

use std::path::PathBuf;

use super::*;

fn lookup(byte: u8) -> Lookup {
    Lookup([byte; 32])
}

fn moment(second: i64) -> Timestamp {
    Timestamp::new(second, 123_456_789).expect("it is in range")
}

fn record(format: u8, operation: Operation, payload: Payload) -> Record {
    let frame = Frame {
        format,
        operation,
        stream: StreamId::new(Kind::new("lamp"), Uuid::from_u128(0x0102_0304)),
        version: Version(3),
        at: moment(1_700_000_000),
        schema: 2,
        correlation: Uuid::from_u128(0x55),
        key: KeyId(Uuid::from_u128(0x66)),
        previous: Hash([7; 32]),
        body_hash: payload.hash(format),
    };
    Record {
        frame,
        payload: Some(payload),
    }
}

/// One record of every sort and format, under the name of its golden file.
fn samples() -> Vec<(String, Record)> {
    let of = |format| {
        let named = move |(name, record)| (format!("{format}-{name}"), record);
        samples_of(format).into_iter().map(named)
    };
    (1..=FORMAT).flat_map(of).collect()
}

fn samples_of(format: u8) -> Vec<(&'static str, Record)> {
    let put = Payload {
        unique: vec![lookup(1), lookup(2)],
        index: vec![lookup(3)],
        added: None,
        sealed: b"a sealed revision".to_vec(),
    };
    let append = Payload {
        sealed: b"sealed events".to_vec(),
        ..Payload::default()
    };
    let add = Payload {
        added: Some(Added {
            counter: lookup(4),
            delta: -1,
            min: -1000,
            max: 1000,
            expires: Some(moment(1_800_000_000)),
        }),
        ..Payload::default()
    };
    let record = |operation, payload| record(format, operation, payload);
    vec![
        ("append", record(Operation::Append, append)),
        ("put", record(Operation::Put, put.clone())),
        ("delete", record(Operation::Delete, Payload::default())),
        ("add", record(Operation::Add, add)),
        ("removed", record(Operation::Put, put).without_body()),
    ]
}

/// `tests/golden/frames/<format>-<name>.hex`: the record, and below it the frame's hash.
fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/frames")
        .join(format!("{name}.hex"))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

#[test]
fn records_of_every_format_read_and_write_as_on_the_day_it_was_released() {
    for (name, record) in samples() {
        let expected = format!(
            "{}\n{}\n",
            hex(&record.encode()),
            hex(&record.frame.hash().0)
        );
        let path = golden(&name);
        if std::env::var_os("GATELOG_GOLDEN").is_some() && !path.exists() {
            std::fs::write(&path, &expected).expect("a new format is written once");
        }
        let text = std::fs::read_to_string(&path).expect("the golden file is there");
        assert_eq!(text, expected, "{name}");
        let bytes = text.lines().next().expect("it has a line");
        let bytes: Vec<u8> = (0..bytes.len() / 2)
            .map(|at| u8::from_str_radix(&bytes[2 * at..2 * at + 2], 16).expect("it is hex"))
            .collect();
        assert_eq!(Record::decode(&bytes), Ok(record), "{name}");
    }
}

#[test]
fn every_flipped_bit_of_a_record_is_noticed() {
    for (name, record) in samples() {
        let bytes = record.encode();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                let read = Record::decode(&flipped)
                    .and_then(|read| read.check(record.frame.previous).map(|()| read));
                assert!(read.is_err(), "{name}: byte {at}, bit {bit}: {read:?}");
            }
        }
    }
}

#[test]
fn a_record_that_is_shorter_or_longer_is_refused() {
    for (_, record) in samples() {
        let mut bytes = record.encode();
        for end in 0..bytes.len() {
            assert!(Record::decode(&bytes[..end]).is_err(), "the first {end}");
        }
        bytes.push(0);
        assert!(Record::decode(&bytes).is_err());
    }
}

#[test]
fn lengths_that_no_record_has_are_refused_without_asking_for_memory() {
    // The first length is the kind's, after format and operation, and in format 2 the check.
    for (format, lengths) in [(1, 2..10), (2, 10..11)] {
        let mut bytes = samples_of(format).remove(0).1.encode();
        bytes[lengths].fill(0xff);
        assert!(Record::decode(&bytes).is_err());
    }
    // A body of 4 MiB and more, as a hostile file may claim.
    assert!(Record::decode(&vec![1; 5 << 20]).is_err());
    assert!(Record::decode(&vec![2; 5 << 20]).is_err());
}

#[test]
fn a_record_of_a_newer_format_says_so() {
    let mut bytes = samples().remove(0).1.encode();
    bytes[0] = FORMAT + 1;
    let problem = Record::decode(&bytes).expect_err("it is newer");
    assert!(problem.contains("format 3"), "{problem}");
}

#[test]
fn a_body_may_go_but_not_be_another() {
    let (_, record) = samples().remove(1);
    let previous = record.frame.previous;
    assert_eq!(record.clone().without_body().check(previous), Ok(()));
    let mut other = record.clone();
    if let Some(payload) = &mut other.payload {
        payload.unique.swap(0, 1);
    }
    assert!(other.check(previous).is_err());
    assert!(Record::decode(&other.encode()).is_err());
    assert!(record.check(Hash::default()).is_err());
}

#[test]
fn every_field_of_a_frame_is_in_its_hash() {
    let frame = samples().remove(0).1.frame;
    let changes: [fn(&mut Frame); 11] = [
        |frame| frame.format += 1,
        |frame| frame.operation = Operation::Put,
        |frame| frame.stream.kind = Kind::new("lam"),
        |frame| frame.stream.id = Uuid::nil(),
        |frame| frame.version = Version(4),
        |frame| frame.at = moment(0),
        |frame| frame.schema += 1,
        |frame| frame.correlation = Uuid::nil(),
        |frame| frame.key = KeyId::SYSTEM,
        |frame| frame.previous = Hash::default(),
        |frame| frame.body_hash = Hash::default(),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut other = frame.clone();
        change(&mut other);
        assert_ne!(other.hash(), frame.hash(), "change {number}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_decoding_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
        let mut bytes = bytes;
        let _ = Record::decode(&bytes);
        for format in 1..=FORMAT {
            if let Some(first) = bytes.first_mut() {
                *first = format;
            }
            let _ = Record::decode(&bytes);
        }
    }
}
