//! Exports are read back as they were written, and damage is noticed.

use super::*;

fn written(count: u64) -> (tempfile::TempDir, PathBuf, Vec<Entry>) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("1.export.gz");
    let mut writer = Writer::new(File::create(&path).expect("creates"), &path);
    let mut entries = Vec::new();
    let mut place = Place::START;
    for number in 0..count {
        place = if number % 5 == 0 {
            place.next_note()
        } else {
            place.next_record()
        };
        let bytes: Vec<u8> = (0..number * 7)
            .map(|n| (n * number).to_le_bytes()[0])
            .collect();
        entries.push(Entry { place, bytes });
    }
    for entry in &entries {
        writer.write(entry).expect("writes");
    }
    writer.finish().expect("ends");
    (directory, path, entries)
}

#[test]
fn what_was_written_is_read_in_order_and_one_by_one() {
    let (_directory, path, written) = written(400);
    let export = Export::open(&path).expect("opens");
    assert!(export.members.len() > 3, "it has several members");
    let all: Result<Vec<Entry>> = export.entries(Place::START).collect();
    assert!(all.expect("reads") == written);
    for entry in written.iter().filter(|entry| entry.place.is_record()) {
        let record = export.record(entry.place.position).expect("reads");
        assert!(record.as_deref() == Some(&entry.bytes));
    }
    let from = written[150].place;
    let rest: Result<Vec<Entry>> = export.entries(from).collect();
    assert!(rest.expect("reads") == written[150..]);
    assert_eq!(export.record(100_000).expect("reads"), None);
    assert_eq!(export.last(), written.last().map(|entry| entry.place));
}

#[test]
fn an_empty_export_is_an_export() {
    let (_directory, path, _) = written(0);
    let export = Export::open(&path).expect("opens");
    assert_eq!(export.last(), None);
}

#[test]
fn every_flipped_byte_of_an_export_is_noticed() {
    let (directory, path, written) = written(12);
    let good = std::fs::read(&path).expect("reads");
    let copy = directory.path().join("copy.gz");
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        std::fs::write(&copy, &bad).expect("writes");
        let read = Export::open(&copy)
            .and_then(|export| export.entries(Place::START).collect::<Result<Vec<Entry>>>());
        assert!(
            !matches!(&read, Ok(entries) if *entries == written),
            "byte {at} of {} was flipped and nobody noticed",
            good.len()
        );
        assert!(read.is_err(), "byte {at} changed what is read");
    }
}

#[test]
fn a_cut_off_export_is_noticed() {
    let (_directory, path, _) = written(300);
    let good = std::fs::read(&path).expect("reads");
    let members = Export::open(&path).expect("opens").members;
    let ends = members.iter().map(|(offset, _)| *offset);
    for length in ends.chain([1, good.len() as u64 - 1]) {
        let file = File::options().write(true).open(&path).expect("opens");
        file.set_len(length).expect("cuts");
        assert!(Export::open(&path).is_err(), "cut to {length} bytes");
        std::fs::write(&path, &good).expect("writes");
    }
}

#[test]
fn an_export_can_be_read_by_any_gzip() {
    let (_directory, path, written) = written(60);
    let mut plain = Vec::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(File::open(&path).expect("opens"));
    std::io::Read::read_to_end(&mut decoder, &mut plain).expect("decompresses");
    let bytes: usize = written.iter().map(|entry| entry.bytes.len() + 20).sum();
    assert_eq!(plain.len(), bytes);
}
