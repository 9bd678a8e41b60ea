//! Format 2, byte by byte: what can be told from the rest is left out. Never edited once released.
//!
//! Against format 1 there is no hash of the body where the body is there, of the frame's own hash only
//! the beginning, which tells damage from what was written, and no number is wider than it has to be.
//! What the hashes cover has not changed. Every value has one encoding, so no two byte strings mean the
//! same record; nothing here asks for more memory than the bytes that it was given.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Added, Frame, LIMIT, Lookup, Operation, Payload, Record, hash_body};
use crate::journal::varint::{self, Bad, folded, unfolded};
use crate::journal::{Hash, KeyId, Kind, StreamId, Version};

/// The number of this format.
pub(super) const FORMAT: u8 = 2;

/// How much of a frame's hash is stored: enough that damage never agrees with it by chance.
const CHECK: usize = 8;

/// The bits of the second byte: the operation in the lowest three, and what follows.
const OPERATION: u8 = 0b0000_0111;
const HAS_PAYLOAD: u8 = 0b0000_1000;
const KEY_IS_OWN: u8 = 0b0001_0000;
const KEY_IS_OTHER: u8 = 0b0010_0000;
const HAS_PREVIOUS: u8 = 0b0100_0000;

/// The bytes of a payload, which the body hash covers. The sealed body is the rest of them.
pub(super) fn encode_payload(payload: &Payload) -> Vec<u8> {
    let lookups = payload.unique.len() + payload.index.len();
    let mut bytes = Vec::with_capacity(32 * lookups + payload.sealed.len() + 80);
    for lookups in [&payload.unique, &payload.index] {
        varint::write(&mut bytes, lookups.len() as u64);
        for lookup in lookups {
            bytes.extend_from_slice(&lookup.0);
        }
    }
    bytes.push(u8::from(payload.added.is_some()));
    if let Some(added) = &payload.added {
        bytes.extend_from_slice(&added.counter.0);
        for value in [added.delta, added.min, added.max] {
            varint::write(&mut bytes, folded(value));
        }
        bytes.push(u8::from(added.expires.is_some()));
        if let Some(expires) = added.expires {
            moment(&mut bytes, expires);
        }
    }
    bytes.extend_from_slice(&payload.sealed);
    bytes
}

/// The bytes of a record.
pub(super) fn encode(record: &Record) -> Vec<u8> {
    write(record, check_of(&record.frame))
}

/// What is stored of a frame's hash.
fn check_of(frame: &Frame) -> [u8; CHECK] {
    let hash = frame.hash().0;
    std::array::from_fn(|at| hash[at])
}

fn write(record: &Record, check: [u8; CHECK]) -> Vec<u8> {
    let frame = &record.frame;
    let payload = record.payload.as_ref().map(encode_payload);
    let own = frame.key.0 == frame.stream.id && frame.key != KeyId::SYSTEM;
    let other = !own && frame.key != KeyId::SYSTEM;
    let follows = frame.previous != Hash::default();
    let mut flags = frame.operation.code();
    for (is_set, flag) in [
        (payload.is_some(), HAS_PAYLOAD),
        (own, KEY_IS_OWN),
        (other, KEY_IS_OTHER),
        (follows, HAS_PREVIOUS),
    ] {
        if is_set {
            flags |= flag;
        }
    }
    let kind = frame.stream.kind.as_str().as_bytes();
    let mut bytes = Vec::with_capacity(160 + payload.as_ref().map_or(32, Vec::len));
    bytes.extend([FORMAT, flags]);
    bytes.extend_from_slice(&check);
    varint::write(&mut bytes, kind.len() as u64);
    bytes.extend_from_slice(kind);
    bytes.extend_from_slice(frame.stream.id.as_bytes());
    varint::write(&mut bytes, frame.version.0);
    moment(&mut bytes, frame.at);
    varint::write(&mut bytes, u64::from(frame.schema));
    bytes.extend_from_slice(frame.correlation.as_bytes());
    if other {
        bytes.extend_from_slice(frame.key.0.as_bytes());
    }
    if follows {
        bytes.extend_from_slice(&frame.previous.0);
    }
    match payload {
        Some(payload) => bytes.extend_from_slice(&payload),
        None => bytes.extend_from_slice(&frame.body_hash.0),
    }
    bytes
}

/// The record that these bytes are, if they are one of this format and nothing was altered.
pub(super) fn decode(bytes: &[u8]) -> Result<Record, String> {
    if bytes.len() > LIMIT {
        return Err(format!("it has more than {LIMIT} bytes"));
    }
    let mut rest = Rest(bytes);
    let format = rest.byte()?;
    let flags = rest.byte()?;
    let check: [u8; CHECK] = rest.array()?;
    let operation = Operation::from_code(flags & OPERATION)
        .ok_or_else(|| format!("it has the unknown operation {}", flags & OPERATION))?;
    let length = rest.byte()?;
    let kind = kind(rest.take(usize::from(length))?)?;
    let id = Uuid::from_bytes(rest.array()?);
    let version = Version(rest.number()?);
    let at = rest.moment()?;
    let schema = u16::try_from(rest.number()?).map_err(|_| "its schema is no number of one")?;
    let correlation = Uuid::from_bytes(rest.array()?);
    let key = match flags & (KEY_IS_OWN | KEY_IS_OTHER) {
        0 => KeyId::SYSTEM,
        KEY_IS_OWN => KeyId(id),
        KEY_IS_OTHER => KeyId(Uuid::from_bytes(rest.array()?)),
        _ => return Err("it has two keys".into()),
    };
    let previous = match flags & HAS_PREVIOUS {
        0 => Hash::default(),
        _ => Hash(rest.array()?),
    };
    let (payload, body_hash) = if flags & HAS_PAYLOAD == 0 {
        let hash = Hash(rest.array()?);
        if !rest.0.is_empty() {
            return Err(format!("{} bytes too many", rest.0.len()));
        }
        (None, hash)
    } else {
        (Some(decode_payload(rest)?), hash_body(rest.0))
    };
    let frame = Frame {
        format,
        operation,
        stream: StreamId::new(kind, id),
        version,
        at,
        schema,
        correlation,
        key,
        previous,
        body_hash,
    };
    if check_of(&frame) != check {
        return Err("it does not match its hash".into());
    }
    let record = Record { frame, payload };
    // A number may be written with more bytes than it needs, and a flag say what goes without saying.
    if write(&record, check) != bytes {
        return Err("it is not written as such a record is".into());
    }
    Ok(record)
}

fn decode_payload(mut rest: Rest<'_>) -> Result<Payload, String> {
    let unique = rest.lookups()?;
    let index = rest.lookups()?;
    let added = match rest.byte()? {
        0 => None,
        _ => Some(Added {
            counter: Lookup(rest.array()?),
            delta: unfolded(rest.number()?),
            min: unfolded(rest.number()?),
            max: unfolded(rest.number()?),
            expires: match rest.byte()? {
                0 => None,
                _ => Some(rest.moment()?),
            },
        }),
    };
    Ok(Payload {
        unique,
        index,
        added,
        sealed: rest.0.to_vec(),
    })
}

fn kind(name: &[u8]) -> Result<Kind, String> {
    std::str::from_utf8(name)
        .ok()
        .and_then(Kind::parse)
        .ok_or_else(|| "its kind is not a name".into())
}

/// Seconds, and the nanoseconds beyond in four bytes.
fn moment(bytes: &mut Vec<u8>, at: Timestamp) {
    varint::write(bytes, folded(at.as_second()));
    bytes.extend_from_slice(&at.subsec_nanosecond().to_be_bytes());
}

/// What is left to read.
#[derive(Clone, Copy)]
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or("it is shorter than it says")?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (taken, rest) = self
            .0
            .split_first_chunk()
            .ok_or("it is shorter than it says")?;
        self.0 = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, String> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Result<u64, String> {
        let (value, rest) = varint::read(self.0).map_err(|bad| match bad {
            Bad::Short => "it is shorter than it says",
            Bad::Large => "a number in it is too large",
        })?;
        self.0 = rest;
        Ok(value)
    }

    fn moment(&mut self) -> Result<Timestamp, String> {
        let seconds = unfolded(self.number()?);
        let nanoseconds = i32::from_be_bytes(self.array()?);
        Timestamp::new(seconds, nanoseconds).map_err(|error| error.to_string())
    }

    fn lookups(&mut self) -> Result<Vec<Lookup>, String> {
        let count = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let bytes = self.take(count.saturating_mul(size_of::<Lookup>()))?;
        let (lookups, _) = bytes.as_chunks::<32>();
        Ok(lookups.iter().copied().map(Lookup).collect())
    }
}
