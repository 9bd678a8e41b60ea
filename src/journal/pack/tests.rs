//! Packing: every body comes back as it was, and the usual ones are small.

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::journal::frame::{FORMAT, Operation};
use crate::journal::{Hash, KeyId, Kind, StreamId, Version};

fn frame() -> Frame {
    Frame {
        format: FORMAT,
        operation: Operation::Append,
        stream: StreamId::new(Kind::new("execution"), Uuid::from_u128(1)),
        version: Version(1),
        at: "2026-11-27T10:54:34.649940917Z".parse().expect("a moment"),
        schema: 1,
        correlation: Uuid::from_u128(2),
        key: KeyId(Uuid::from_u128(1)),
        previous: Hash::default(),
        body_hash: Hash::default(),
    }
}

fn pack(body: &[u8], frame: &Frame) -> Vec<u8> {
    super::pack(body, &Place::of(frame))
}

#[track_caller]
fn comes_back(body: &[u8]) -> usize {
    let packed = pack(body, &frame());
    assert_eq!(unpack(&packed, &frame()).as_deref(), Ok(body));
    packed.len()
}

#[test]
fn what_looks_almost_like_a_token_comes_back_letter_by_letter() {
    for text in [
        "",
        "no JSON at all, but long enough to be worth a look",
        r#"{"a":"01a21ca4-8899-7714-ba2b-4a44b03dde17","b":"01a21ca4-8899-7714-ba2b-4a44b03dde17"}"#,
        r#"{"a":"01A21CA4-8899-7714-BA2B-4A44B03DDE17","b":"01a21ca4+8899-7714-ba2b-4a44b03dde17"}"#,
        r#"{"a":"01a21ca488997714ba2b4a44b03dde17","b":"g1a21ca488997714ba2b4a44b03dde17"}"#,
        r#"{"a":"2026-11-27T10:54:34.649940917Z","b":"2026-11-27T10:54:34Z","c":"2026-11-27T10:54:34.5Z"}"#,
        r#"{"a":"2026-11-27T10:54:34.50Z","b":"2026-11-27t10:54:34Z","c":"2026-11-27T24:54:34.5Z"}"#,
        r#"{"a":"0000-01-01T00:00:00Z","b":"9999-12-30T22:00:00.999999999Z","c":"2026-02-30T00:00:00Z"}"#,
        r#"{"a":"2016-12-31T23:59:60Z","b":"2026-11-27T10:54:34+00:00","c":"-001-11-27T10:54:34Z"}"#,
        r#"{"cut off":"01a21ca4-8899-7714-ba2b-4a44b03dde17"#,
    ] {
        comes_back(text.as_bytes());
    }
    comes_back(
        &[
            b"{\"id\":\"",
            &[tokens::KNOWN, 0][..],
            b"\"} and some more letters",
        ]
        .concat(),
    );
    let all = (0..400).map(|n| [Uuid::from_u128(n * n), Uuid::from_u128(n)]);
    let all = all.map(|[one, other]| [one.to_string(), other.simple().to_string()]);
    let many: Vec<String> = all.flatten().collect();
    comes_back(format!("\"{}\"", many.join("\",\"")).as_bytes());
}

#[test]
fn every_record_of_the_golden_journals_comes_back_and_is_small() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/journals");
    let (mut whole, mut packed) = (0, 0);
    for file in std::fs::read_dir(folder).expect("it is there") {
        let text = std::fs::read(file.expect("listed").path()).expect("it can be read");
        let bundle: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        for record in bundle["records"].as_array().expect("a list") {
            let body = record["record"].to_string();
            whole += body.len();
            packed += comes_back(body.as_bytes());
        }
    }
    assert!(packed * 5 < whole, "{packed} bytes of {whole}");
}

#[test]
fn a_body_of_another_place_tells_other_identifiers() {
    let body = format!(
        "{{\"execution\":\"{}\",\"and\":\"so on\"}}",
        Uuid::from_u128(1)
    );
    let packed = pack(body.as_bytes(), &frame());
    let mut other = frame();
    other.stream.id = Uuid::from_u128(9);
    let read = unpack(&packed, &other).expect("it is one");
    assert!(String::from_utf8_lossy(&read).contains(&Uuid::from_u128(9).to_string()));
}

#[test]
fn what_is_unlike_anything_and_what_is_all_the_same_comes_back() {
    let mut state = 1_u32;
    let noise = (0..70_000).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b'a' + (state >> 27).to_le_bytes()[0]
    });
    let noise: Vec<u8> = noise.collect();
    let again = [&noise[..], &vec![b'x'; 70_000][..], &noise[..66_000]].concat();
    assert!(comes_back(&again) < 140_000);
    for length in 0..64 {
        comes_back(&noise[..length]);
        comes_back(&vec![b'y'; length]);
        let dictionary = dictionary().bytes();
        comes_back(&dictionary[..length]);
        comes_back(&dictionary[dictionary.len() - length..]);
    }
}

proptest! {
    #[test]
    fn any_bytes_come_back(body in proptest::collection::vec(any::<u8>(), 0..600)) {
        let packed = pack(&body, &frame());
        prop_assert_eq!(unpack(&packed, &frame()), Ok(body));
    }

    #[test]
    fn any_moment_comes_back(seconds in -62_135_596_800_i64..253_402_200_000, nanoseconds in 0..1_000_000_000_i32) {
        let at = Timestamp::new(seconds, nanoseconds).expect("in range");
        let body = format!("{{\"when\":\"{at}\",\"and\":\"some more letters\"}}");
        let packed = pack(body.as_bytes(), &frame());
        prop_assert_eq!(unpack(&packed, &frame()), Ok(body.into_bytes()));
    }

    #[test]
    fn no_bytes_make_unpacking_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = unpack(&bytes, &frame());
        let packed = [&[PACKED, 0, 0, 1, 0][..], &bytes].concat();
        let _ = unpack(&packed, &frame());
        let _ = tokens::body(&bytes, &Place::of(&frame()));
    }
}
