//! From a write to the record that is stored, and from a record back to what was written.
//!
//! Bodies are sealed here and opened here, and nowhere else. Nothing here decides whether a write
//! is allowed; `prepare` does.

use super::counter;
use super::frame::{Added, FORMAT, Frame, LIMIT, Lookup, Operation, PACKED, Payload, Record};
use super::keys::{Keyring, Opens};
use super::{
    Commit, Envelope, Error, Hash, Key, KeyId, Object, Result, StreamId, Version, Write, pack,
    upcast,
};

/// What a record takes beyond body and lookups, at most: frame, hash, lengths, nonce and tag.
const AROUND: usize = 512;

/// Refuses a commit that is larger than [`LIMIT`], counted as its records will be stored.
///
/// # Errors
/// [`Error::TooLarge`].
pub fn check_size(commit: &Commit) -> Result<()> {
    let size = commit
        .writes
        .iter()
        .map(|write| match write {
            Write::Append { body, .. } => AROUND + body.len(),
            Write::Put {
                body,
                unique,
                index,
                ..
            } => AROUND + body.len() + size_of::<Lookup>() * (unique.len() + index.len()),
            _ => AROUND,
        })
        .sum();
    if size > LIMIT {
        return Err(Error::TooLarge { size, limit: LIMIT });
    }
    Ok(())
}

/// The stream that a write adds a record to; `None` for those that only change keys.
#[must_use]
pub fn stream(write: &Write, keyring: &Keyring) -> Option<StreamId> {
    match write {
        Write::Append { stream, .. } | Write::Put { stream, .. } | Write::Delete { stream, .. } => {
            Some(*stream)
        }
        Write::Add { counter, .. } => Some(counter::stream(&counter::lookup(keyring, counter))),
        Write::CreateKey { .. } | Write::WrapKey { .. } | Write::DestroyKey { .. } => None,
    }
}

/// The record that `write` becomes at `version`, after the one with the hash `previous`, with the body
/// that was packed for it.
///
/// `None` for writes that only change keys; they leave no record.
///
/// # Errors
/// [`Error::NoKey`] when the key that seals the body does not exist.
pub(super) fn record(
    write: &Write,
    packed: &[u8],
    commit: &Commit,
    version: Version,
    previous: Hash,
    keyring: &Keyring,
) -> Result<Option<Record>> {
    let Some(stream) = stream(write, keyring) else {
        return Ok(None);
    };
    let lookups = |keys: &[Key]| {
        let lookup = |key| keyring.lookup(stream.kind, key);
        keys.iter().map(lookup).collect::<Vec<_>>()
    };
    let mut payload = Payload::default();
    let mut body = None;
    let operation = match write {
        Write::Append { key, schema, .. } => {
            body = Some((*key, *schema));
            Operation::Append
        }
        Write::Put {
            key,
            schema,
            unique,
            index,
            ..
        } => {
            payload.unique = lookups(unique);
            payload.index = lookups(index);
            body = Some((*key, *schema));
            Operation::Put
        }
        Write::Add {
            counter,
            delta,
            min,
            max,
            expires,
        } => {
            payload.added = Some(Added {
                counter: counter::lookup(keyring, counter),
                delta: *delta,
                min: *min,
                max: *max,
                expires: *expires,
            });
            Operation::Add
        }
        _ => Operation::Delete,
    };
    let (key, schema) = body.unwrap_or((KeyId::SYSTEM, 0));
    let mut frame = Frame {
        format: FORMAT,
        operation,
        stream,
        version,
        at: commit.at,
        schema,
        correlation: commit.correlation,
        key,
        previous,
        body_hash: Hash::default(),
    };
    if let Some((key, _)) = body {
        payload.sealed = keyring.seal(key, &authenticated(&frame, &payload), packed)?;
    }
    frame.body_hash = payload.hash(frame.format);
    Ok(Some(Record {
        frame,
        payload: Some(payload),
    }))
}

/// What was written, opened.
///
/// # Errors
/// [`Error::Corrupt`] when the body does not open, or cannot be brought to today's schema;
/// [`Error::Newer`] when its schema is one that this version does not know.
pub fn envelope(record: &Record, keys: &dyn Opens) -> Result<Envelope> {
    let frame = &record.frame;
    let (schema, body) = match body(record, keys)? {
        Some((schema, body)) => (schema, Some(body)),
        None => (frame.schema, None),
    };
    let has_body = frame.operation.has_body();
    Ok(Envelope {
        stream: frame.stream,
        version: frame.version,
        at: frame.at,
        schema,
        correlation: frame.correlation,
        hash: frame.hash(),
        key: frame.key,
        is_locked: has_body && body.is_none() && record.payload.is_some(),
        body,
    })
}

/// The revision that was written; `None` for a deletion and when the body cannot be had any more.
///
/// # Errors
/// As [`envelope`].
pub fn object(record: &Record, keys: &dyn Opens) -> Result<Option<Object>> {
    let frame = &record.frame;
    if frame.operation != Operation::Put {
        return Ok(None);
    }
    Ok(body(record, keys)?.map(|(schema, body)| Object {
        stream: frame.stream,
        version: frame.version,
        at: frame.at,
        schema,
        body: body.into(),
    }))
}

/// The opened body in today's schema, if there is one.
fn body(record: &Record, keys: &dyn Opens) -> Result<Option<(u16, Vec<u8>)>> {
    let frame = &record.frame;
    let has_body = frame.operation.has_body();
    let Some(payload) = record.payload.as_ref().filter(|_| has_body) else {
        return Ok(None);
    };
    let corrupt = |problem| Error::Corrupt {
        stream: frame.stream,
        version: frame.version,
        problem,
    };
    let newest = upcast::newest(frame.stream.kind);
    if frame.schema > newest {
        return Err(Error::Newer {
            what: format!("version {} of {}", frame.version, frame.stream),
            sort: "schema",
            found: frame.schema.into(),
            known: newest.into(),
        });
    }
    let aad = authenticated(frame, payload);
    match keys.open_sealed(frame.key, &aad, &payload.sealed) {
        Ok(None) => Ok(None),
        Ok(Some(body)) => unpacked(frame, body)
            .and_then(|body| upcast::body(frame.stream.kind, frame.schema, body))
            .map(Some)
            .map_err(corrupt),
        Err(Error::Altered(key)) => Err(corrupt(format!(
            "its body does not open in its place under the key {key}"
        ))),
        Err(other) => Err(other),
    }
}

/// The body as it was given, from what was sealed.
fn unpacked(frame: &Frame, sealed: Vec<u8>) -> std::result::Result<Vec<u8>, String> {
    if frame.format < PACKED {
        return Ok(sealed);
    }
    pack::unpack(&sealed, frame)
        .map_err(|problem| format!("its body cannot be unpacked: {problem}"))
}

/// What the cipher authenticates along with the body: its place, and how it is found.
fn authenticated(frame: &Frame, payload: &Payload) -> Vec<u8> {
    let mut bytes = frame.before_sealing();
    for lookups in [&payload.unique, &payload.index] {
        bytes.extend_from_slice(&(lookups.len() as u64).to_be_bytes());
        bytes.extend(lookups.iter().flat_map(|lookup| lookup.0));
    }
    bytes
}

#[cfg(test)]
mod tests;
