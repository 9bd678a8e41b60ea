//! One gzip member of an export.

use std::io::{self, Read, Write};

use flate2::read::GzDecoder;
use flate2::{Compression, Crc, GzBuilder};

use super::super::log::{ENTRY_LIMIT, Entry};
use super::super::place::Place;
use super::MEMBER;

/// How many bytes a member's header has.
pub(super) const HEADER: usize = 12 + 4 + EXTRA;

/// Our field in a gzip header: format, length of the member, first place, last place, and the
/// checksum of all other bytes of the member. Gzip's own does not cover its header, nor the bits
/// that fill up the last byte of what it compressed.
const EXTRA: usize = 1 + 4 + 12 + 12 + 4;

/// The format of the entries within a member.
const FORMAT: u8 = 1;

/// Where the length lies, which is known only after compressing.
const LENGTH_AT: usize = 12 + 4 + 1;

/// Where the checksum lies, which is known last.
const SUM_AT: usize = HEADER - 4;

/// The most bytes that a member may have, compressed or not.
const LIMIT: usize = MEMBER + ENTRY_LIMIT + 1024;

/// What a member says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// How many bytes it has in the file, header and checksum included.
    pub(super) length: u32,
    /// The place of its first entry; [`Place::START`] in the last member, which is empty.
    pub(super) first: Place,
    /// The place of its last entry.
    pub(super) last: Place,
}

impl Header {
    /// Reads the first [`HEADER`] bytes of a member. No byte of them may differ from what
    /// [`compress`] writes.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        let number = |at: usize| bytes[at..at + 4].first_chunk().copied().unwrap_or_default();
        let header = Self {
            length: u32::from_le_bytes(number(LENGTH_AT)),
            first: Place::from_bytes(&bytes[LENGTH_AT + 4..LENGTH_AT + 16])
                .ok_or("its first place is none")?,
            last: Place::from_bytes(&bytes[LENGTH_AT + 16..SUM_AT])
                .ok_or("its last place is none")?,
        };
        if bytes[LENGTH_AT - 1] != FORMAT {
            return Err("it was written by a newer version; read it with that one");
        }
        if bytes[..12] != gzip_header() || bytes[12..16] != extra_header() {
            return Err("this is no member of an export");
        }
        if !(HEADER..=LIMIT).contains(&(header.length as usize)) {
            return Err("its length cannot be right");
        }
        if header.first > header.last {
            return Err("its places are out of order");
        }
        Ok(header)
    }

    /// Whether this is the member that ends an export.
    pub(super) fn is_end(self) -> bool {
        self.first == Place::START
    }
}

/// The fixed start of a gzip header as flate2 writes it: no name, no time, any system.
fn gzip_header() -> [u8; 12] {
    let extra = u16::try_from(4 + EXTRA).expect("37 fits").to_le_bytes();
    [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, extra[0], extra[1]]
}

fn extra_header() -> [u8; 4] {
    let length = u16::try_from(EXTRA).expect("33 fits").to_le_bytes();
    [b'G', b'J', length[0], length[1]]
}

/// Adds an entry to the bytes of a member.
pub(super) fn push(raw: &mut Vec<u8>, entry: &Entry) {
    let length = u32::try_from(entry.bytes.len()).expect("an entry is smaller than 4 GiB");
    let start = raw.len();
    raw.extend_from_slice(&entry.place.to_bytes());
    raw.extend_from_slice(&length.to_le_bytes());
    raw.extend_from_slice(&entry.bytes);
    let sum = checksum([&raw[start..]]);
    raw.extend_from_slice(&sum.to_le_bytes());
}

/// The member that holds these entries.
pub(super) fn compress(raw: &[u8], first: Place, last: Place) -> io::Result<Vec<u8>> {
    let mut extra = extra_header().to_vec();
    extra.push(FORMAT);
    extra.extend_from_slice(&[0; 4]);
    extra.extend_from_slice(&first.to_bytes());
    extra.extend_from_slice(&last.to_bytes());
    extra.extend_from_slice(&[0; 4]);
    let mut encoder = GzBuilder::new()
        .extra(extra)
        .operating_system(255)
        .write(Vec::with_capacity(raw.len() / 2), Compression::new(6));
    encoder.write_all(raw)?;
    let mut bytes = encoder.finish()?;
    let length = u32::try_from(bytes.len()).expect("a member is smaller than 4 GiB");
    bytes[LENGTH_AT..LENGTH_AT + 4].copy_from_slice(&length.to_le_bytes());
    let sum = checksum([&bytes[..SUM_AT], &bytes[HEADER..]]);
    bytes[SUM_AT..HEADER].copy_from_slice(&sum.to_le_bytes());
    Ok(bytes)
}

/// Whether the checksum in a member's header is that of the member.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let sum = checksum([&bytes[..SUM_AT], &bytes[HEADER..]]);
    bytes[SUM_AT..HEADER] == sum.to_le_bytes()
}

/// Opens a member and checks everything in it.
pub(super) fn entries(bytes: &[u8], header: Header) -> Result<Vec<Entry>, String> {
    if !is_whole(bytes) {
        return Err("its checksum is wrong".into());
    }
    let mut raw = Vec::new();
    let mut decoder = GzDecoder::new(bytes);
    (&mut decoder)
        .take(LIMIT as u64)
        .read_to_end(&mut raw)
        .map_err(|error| error.to_string())?;
    if !decoder.into_inner().is_empty() {
        return Err("it is shorter than it says".into());
    }
    let mut rest = raw.as_slice();
    let mut entries: Vec<Entry> = Vec::new();
    while !rest.is_empty() {
        let (entry, later) = one(rest).ok_or("an entry in it is damaged")?;
        if entries.last().is_some_and(|last| last.place >= entry.place) {
            return Err("its entries are out of order".into());
        }
        entries.push(entry);
        rest = later;
    }
    let covered = entries.first().zip(entries.last());
    let covered = covered.map(|(first, last)| (first.place, last.place));
    if !header.is_end() && covered != Some((header.first, header.last)) {
        return Err("it does not hold what its header says".into());
    }
    Ok(entries)
}

fn one(raw: &[u8]) -> Option<(Entry, &[u8])> {
    let (place, rest) = raw.split_at_checked(12)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let (bytes, rest) = rest.split_at_checked(length)?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    if checksum([&raw[..16 + length]]) != u32::from_le_bytes(*sum) {
        return None;
    }
    let entry = Entry {
        place: Place::from_bytes(place)?,
        bytes: bytes.to_vec(),
    };
    Some((entry, rest))
}

fn checksum<const N: usize>(parts: [&[u8]; N]) -> u32 {
    let mut crc = Crc::new();
    for part in parts {
        crc.update(part);
    }
    crc.sum()
}
