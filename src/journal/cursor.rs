//! How far somebody has come who follows the journal, kept in the journal itself.
//!
//! It is written in the commit of what came of the reading, or after that is done elsewhere. Then
//! nothing is passed over, whenever the process ends.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::object::{self, Stored, Versioned};
use super::{Kind, Objects, Position, Result, Version, Write};

/// How many records may be passed that led to nothing, until the cursor is written all the same.
/// It is a record as well, so it must not be written for each.
pub const STRIDE: u64 = 10_000;

/// How far one reader has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Whose it is.
    pub reader: String,
    /// Everything up to here is done.
    pub after: Position,
}

impl Stored for Cursor {
    const KIND: Kind = Kind::new("cursor");

    fn id(&self) -> Uuid {
        id(&self.reader)
    }
}

/// The same for the same name, always.
fn id(reader: &str) -> Uuid {
    let digest = Sha256::digest(reader.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Where a reader stopped; `None` for one that has never begun.
pub async fn load(
    objects: &(impl Objects + ?Sized),
    reader: &str,
) -> Result<Option<Versioned<Cursor>>> {
    object::get(objects, id(reader)).await
}

/// The write that moves a reader on. With it in one commit belongs what came of the reading.
#[must_use]
pub fn moved(reader: &str, after: Position, expected: Version) -> Write {
    let cursor = Cursor {
        reader: reader.to_owned(),
        after,
    };
    object::put(&cursor, expected)
}
