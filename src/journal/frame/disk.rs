//! Format 1, byte by byte: bincode with numbers of fixed width, never edited once released.
//!
//! Only these structs meet bincode. It is always given a limit, since a damaged length would
//! otherwise end the process, and every byte has to be used up.

use bincode::{Decode, Encode, config};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Added, Frame, LIMIT, Lookup, Operation, Payload, Record, hash_body};
use crate::journal::{Hash, KeyId, Kind, StreamId, Version};

/// The number of this format.
pub(super) const FORMAT: u8 = 1;

/// Numbers of fixed width have one encoding each, so no two byte strings mean the same record.
const fn layout() -> impl config::Config {
    config::standard()
        .with_big_endian()
        .with_fixed_int_encoding()
        .with_limit::<LIMIT>()
}

#[derive(Encode, Decode)]
struct Moment {
    seconds: i64,
    nanoseconds: i32,
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self {
            seconds: at.as_second(),
            nanoseconds: at.subsec_nanosecond(),
        }
    }
}

impl TryFrom<Moment> for Timestamp {
    type Error = String;

    fn try_from(moment: Moment) -> Result<Self, String> {
        Self::new(moment.seconds, moment.nanoseconds).map_err(|error| error.to_string())
    }
}

#[derive(Encode, Decode)]
struct DiskRecord {
    format: u8,
    operation: u8,
    kind: Vec<u8>,
    id: [u8; 16],
    version: u64,
    at: Moment,
    schema: u16,
    correlation: [u8; 16],
    key: [u8; 16],
    previous: [u8; 32],
    body_hash: [u8; 32],
    hash: [u8; 32],
    payload: Option<Vec<u8>>,
}

#[derive(Encode, Decode)]
struct DiskPayload {
    unique: Vec<[u8; 32]>,
    index: Vec<[u8; 32]>,
    added: Option<DiskAdded>,
    sealed: Vec<u8>,
}

#[derive(Encode, Decode)]
struct DiskAdded {
    counter: [u8; 32],
    delta: i64,
    min: i64,
    max: i64,
    expires: Option<Moment>,
}

/// The bytes of a payload, which the body hash covers.
pub(super) fn encode_payload(payload: &Payload) -> Vec<u8> {
    write(&DiskPayload {
        unique: payload.unique.iter().map(|lookup| lookup.0).collect(),
        index: payload.index.iter().map(|lookup| lookup.0).collect(),
        added: payload.added.map(|added| DiskAdded {
            counter: added.counter.0,
            delta: added.delta,
            min: added.min,
            max: added.max,
            expires: added.expires.map(Moment::from),
        }),
        sealed: payload.sealed.clone(),
    })
}

/// The bytes of a record.
pub(super) fn encode(record: &Record) -> Vec<u8> {
    let frame = &record.frame;
    write(&DiskRecord {
        format: frame.format,
        operation: frame.operation.code(),
        kind: frame.stream.kind.as_str().into(),
        id: frame.stream.id.into_bytes(),
        version: frame.version.0,
        at: frame.at.into(),
        schema: frame.schema,
        correlation: frame.correlation.into_bytes(),
        key: frame.key.0.into_bytes(),
        previous: frame.previous.0,
        body_hash: frame.body_hash.0,
        hash: frame.hash().0,
        payload: record.payload.as_ref().map(encode_payload),
    })
}

/// The record that these bytes are, if they are one of this format and nothing was altered.
pub(super) fn decode(bytes: &[u8]) -> Result<Record, String> {
    let disk: DiskRecord = read(bytes)?;
    let frame = Frame {
        format: disk.format,
        operation: Operation::from_code(disk.operation)
            .ok_or_else(|| format!("it has the unknown operation {}", disk.operation))?,
        stream: StreamId::new(kind(&disk.kind)?, Uuid::from_bytes(disk.id)),
        version: Version(disk.version),
        at: disk.at.try_into()?,
        schema: disk.schema,
        correlation: Uuid::from_bytes(disk.correlation),
        key: KeyId(Uuid::from_bytes(disk.key)),
        previous: Hash(disk.previous),
        body_hash: Hash(disk.body_hash),
    };
    if frame.hash().0 != disk.hash {
        return Err("its frame does not match its hash".into());
    }
    let payload = disk
        .payload
        .map(|bytes| {
            if hash_body(&bytes) == frame.body_hash {
                decode_payload(&bytes)
            } else {
                Err("its body does not match its frame".into())
            }
        })
        .transpose()?;
    Ok(Record { frame, payload })
}

fn decode_payload(bytes: &[u8]) -> Result<Payload, String> {
    let disk: DiskPayload = read(bytes)?;
    let added = disk
        .added
        .map(|added| {
            Ok::<_, String>(Added {
                counter: Lookup(added.counter),
                delta: added.delta,
                min: added.min,
                max: added.max,
                expires: added.expires.map(Timestamp::try_from).transpose()?,
            })
        })
        .transpose()?;
    Ok(Payload {
        unique: disk.unique.into_iter().map(Lookup).collect(),
        index: disk.index.into_iter().map(Lookup).collect(),
        added,
        sealed: disk.sealed,
    })
}

fn kind(name: &[u8]) -> Result<Kind, String> {
    std::str::from_utf8(name)
        .ok()
        .and_then(Kind::parse)
        .ok_or_else(|| "its kind is not a name".into())
}

fn write<T: Encode>(value: &T) -> Vec<u8> {
    bincode::encode_to_vec(value, layout()).expect("plain numbers and bytes can be encoded")
}

fn read<T: Decode<()>>(bytes: &[u8]) -> Result<T, String> {
    let (value, used) =
        bincode::decode_from_slice(bytes, layout()).map_err(|error| error.to_string())?;
    if used == bytes.len() {
        Ok(value)
    } else {
        Err(format!("{} bytes too many", bytes.len() - used))
    }
}
