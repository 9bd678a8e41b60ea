//! The keys and values of `state/`: what can be rebuilt from the log, kept for fast answers.
//!
//! Only bytes and their meaning; what changes them is in [`super::fold`].

use uuid::Uuid;

use super::super::frame::Lookup;
use super::super::{Hash, Kind, StreamId, Version};
use super::place::Place;
use super::store::Store;

mod values;

pub(super) use values::{
    Current, counter_from_bytes, counter_to_bytes, lease_from_bytes, lease_to_bytes,
};

/// How many positions of a stream are kept together.
const CHUNK: u64 = 32;

/// The key of [`Applied`].
pub(super) const APPLIED: &[u8] = b"a";

/// The key of the place up to which the log was on the disk. The state itself may be written
/// to the disk before the log is; this says what a log that is shorter has really lost.
pub(super) const DURABLE: &[u8] = b"d";

/// The key of the right edge of the tree over all records.
pub(super) const EDGE: &[u8] = b"m";

/// What the keys of all tiles of that tree begin with.
pub(super) const ALL_TILES: &[u8] = b"t";

/// The key of one full tile.
pub(super) fn tile(level: u8, index: u64) -> Vec<u8> {
    let mut key = vec![b't', level];
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// The key of a stream's [`Head`].
pub(super) fn head(stream: StreamId) -> Vec<u8> {
    of_stream(b'h', stream)
}

/// What the keys of all heads of a kind begin with.
pub(super) fn heads(kind: Kind) -> Vec<u8> {
    of_kind(b'h', kind)
}

/// What the keys of all heads begin with.
pub(super) const ALL_HEADS: &[u8] = b"h";

/// The key of the positions of one full chunk of a stream.
pub(super) fn positions(stream: StreamId, chunk: u64) -> Vec<u8> {
    let mut key = of_stream(b'p', stream);
    key.extend_from_slice(&chunk.to_be_bytes());
    key
}

/// The key of an object's [`Current`].
pub(super) fn current(stream: StreamId) -> Vec<u8> {
    of_stream(b'c', stream)
}

/// What the keys of all current objects of a kind begin with.
pub(super) fn currents(kind: Kind) -> Vec<u8> {
    of_kind(b'c', kind)
}

/// The key of the id of the object with this unique key.
pub(super) fn unique(kind: Kind, lookup: Lookup) -> Vec<u8> {
    let mut key = of_kind(b'u', kind);
    key.extend_from_slice(&lookup.0);
    key
}

/// What the keys of all objects with this index key begin with; the id follows.
pub(super) fn indexed(kind: Kind, lookup: Lookup) -> Vec<u8> {
    let mut key = of_kind(b'i', kind);
    key.extend_from_slice(&lookup.0);
    key
}

/// The key that says that an object has this index key.
pub(super) fn index(stream: StreamId, lookup: Lookup) -> Vec<u8> {
    let mut key = indexed(stream.kind, lookup);
    key.extend_from_slice(stream.id.as_bytes());
    key
}

/// The key of what a counter stands at.
pub(super) fn counter(lookup: Lookup) -> Vec<u8> {
    let mut key = vec![b'n'];
    key.extend_from_slice(&lookup.0);
    key
}

/// The key of a lease.
pub(super) fn lease(name: &str) -> Vec<u8> {
    let mut key = vec![b'l'];
    key.extend_from_slice(name.as_bytes());
    key
}

/// The id at the end of a key.
pub(super) fn id_of(key: &[u8]) -> Option<Uuid> {
    key.last_chunk::<16>().map(|id| Uuid::from_bytes(*id))
}

/// The stream of a head's key.
pub(super) fn stream_of(key: &[u8]) -> Option<StreamId> {
    let length = usize::from(*key.get(1)?);
    let name = std::str::from_utf8(key.get(2..2 + length)?).ok()?;
    let id: [u8; 16] = key.get(2 + length..)?.try_into().ok()?;
    Some(StreamId::new(Kind::parse(name)?, Uuid::from_bytes(id)))
}

/// The first key after all that begin with `prefix`, which ends below 255.
pub(super) fn after(mut prefix: Vec<u8>) -> Vec<u8> {
    while let Some(last) = prefix.pop() {
        if last < u8::MAX {
            prefix.push(last + 1);
            return prefix;
        }
    }
    prefix
}

fn of_kind(tag: u8, kind: Kind) -> Vec<u8> {
    let name = kind.as_str().as_bytes();
    let mut key = Vec::with_capacity(2 + name.len() + 48);
    key.push(tag);
    key.push(u8::try_from(name.len()).expect("a kind has at most 23 bytes"));
    key.extend_from_slice(name);
    key
}

fn of_stream(tag: u8, stream: StreamId) -> Vec<u8> {
    let mut key = of_kind(tag, stream.kind);
    key.extend_from_slice(stream.id.as_bytes());
    key
}

/// How much of the log the state contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Applied {
    /// The place of the last entry.
    pub(super) place: Place,
    /// A hash over all entries up to there.
    pub(super) root: Hash,
}

impl Applied {
    /// Before everything.
    pub(super) const START: Self = Self {
        place: Place::START,
        root: Hash([0; 32]),
    };

    /// Its bytes.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        [&self.place.to_bytes()[..], &self.root.0].concat()
    }

    /// Reads [`Applied::to_bytes`].
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (place, root) = bytes.split_at_checked(12)?;
        Some(Self {
            place: Place::from_bytes(place)?,
            root: Hash(root.try_into().ok()?),
        })
    }
}

/// The end of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The version of its last record.
    pub(super) version: Version,
    /// The hash of that record.
    pub(super) hash: Hash,
    /// The positions of the last records, those of the chunk that is not full yet.
    tail: Vec<u64>,
}

impl Head {
    /// Adds the next record, and gives back the chunk that was full already.
    pub(super) fn push(&mut self, hash: Hash, position: u64) -> Option<(u64, Vec<u8>)> {
        let full = (self.tail.len() as u64 == CHUNK).then(|| {
            let chunk = self.version.0 / CHUNK - 1;
            (chunk, encode_positions(&std::mem::take(&mut self.tail)))
        });
        self.version = self.version.next();
        self.hash = hash;
        self.tail.push(position);
        full
    }

    /// The position of the record with this version, or else the chunk that has it.
    pub(super) fn position(&self, version: Version) -> Where {
        if version.0 == 0 || version > self.version {
            return Where::Nowhere;
        }
        let chunk = (version.0 - 1) / CHUNK;
        if chunk < (self.version.0 - 1) / CHUNK {
            return Where::Chunk(chunk);
        }
        let at = usize::try_from((version.0 - 1) % CHUNK).expect("it is below 32");
        self.tail
            .get(at)
            .map_or(Where::Nowhere, |at| Where::At(*at))
    }

    /// Its bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.version.0.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.hash.0);
        bytes.extend_from_slice(&encode_positions(&self.tail));
        bytes
    }

    /// Reads [`Head::to_bytes`].
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first_chunk::<8>()?;
        let (hash, tail) = rest.split_first_chunk::<32>()?;
        let head = Self {
            version: Version(u64::from_be_bytes(*version)),
            hash: Hash(*hash),
            tail: decode_positions(tail)?,
        };
        let expected = head.version.0.checked_sub(1)? % CHUNK + 1;
        (head.tail.len() as u64 == expected).then_some(head)
    }
}

/// Where a record of a stream lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    /// At this position.
    At(u64),
    /// At one of the positions of this chunk; see [`in_chunk`].
    Chunk(u64),
    /// The stream does not have it.
    Nowhere,
}

/// The position of the record with this version, from the bytes of its chunk.
pub(super) fn in_chunk(bytes: &[u8], version: Version) -> Option<u64> {
    let at = usize::try_from(version.0.checked_sub(1)? % CHUNK).ok()?;
    decode_positions(bytes)?.get(at).copied()
}

/// The position of one record, as the state has it; `None` when it does not say.
pub(super) fn find_position(
    state: &Store,
    stream: StreamId,
    head: &Head,
    version: Version,
) -> Option<u64> {
    match head.position(version) {
        Where::At(position) => Some(position),
        Where::Chunk(chunk) => {
            let bytes = state.get(&positions(stream, chunk)).ok()??;
            in_chunk(&bytes, version)
        }
        Where::Nowhere => None,
    }
}

fn encode_positions(positions: &[u64]) -> Vec<u8> {
    positions.iter().flat_map(|at| at.to_be_bytes()).collect()
}

fn decode_positions(bytes: &[u8]) -> Option<Vec<u64>> {
    let (positions, rest) = bytes.as_chunks::<8>();
    let positions = positions.iter().map(|at| u64::from_be_bytes(*at)).collect();
    rest.is_empty().then_some(positions)
}

#[cfg(test)]
mod tests;
