//! Typed objects on top of the journal's bytes.
//!
//! A type that is stored says under which kind, key and lookups; this module turns it into
//! writes and back. It decides nothing.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use uuid::Uuid;

use super::{Error, Key, KeyId, Kind, Object, Objects, Result, StreamId, Version, Write};

/// A type whose values are versioned objects.
pub trait Stored: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The kind of its streams.
    const KIND: Kind;
    /// The schema number of its body; raise it together with an upcaster.
    const SCHEMA: u16 = 1;

    /// The id of the object.
    fn id(&self) -> Uuid;

    /// The key that seals it; the system's, unless it belongs to somebody.
    fn sealed_by(&self) -> KeyId {
        KeyId::SYSTEM
    }

    /// Lookups under which only one object may be found.
    fn unique(&self) -> Vec<Key> {
        Vec::new()
    }

    /// Lookups under which several may be found.
    fn index(&self) -> Vec<Key> {
        Vec::new()
    }
}

/// A stored value together with the revision that it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned<T> {
    /// Which revision.
    pub version: Version,
    /// What it holds.
    pub value: T,
}

/// The stream of the object of type `T` with this id.
#[must_use]
pub fn stream<T: Stored>(id: Uuid) -> StreamId {
    StreamId::new(T::KIND, id)
}

/// Reads a body as `T`.
///
/// # Errors
/// [`Error::Corrupt`] when the body is not a `T`; it names the object and the version.
pub fn open<T: Stored>(object: &Object) -> Result<Versioned<T>> {
    let value = object.body.value().map_err(|error| Error::Corrupt {
        stream: object.stream,
        version: object.version,
        problem: format!("its body cannot be read: {error}"),
    })?;
    Ok(Versioned {
        version: object.version,
        value,
    })
}

/// The write that makes `value` the current revision after `expected`.
///
/// # Panics
/// Never: stored types have string keys and finite numbers only.
pub fn put<T: Stored>(value: &T, expected: Version) -> Write {
    Write::Put {
        stream: stream::<T>(value.id()),
        expected,
        key: value.sealed_by(),
        schema: T::SCHEMA,
        body: serde_json::to_vec(value).expect("stored types have only string keys"),
        unique: value.unique(),
        index: value.index(),
    }
}

/// The write that ends the object.
pub fn delete<T: Stored>(id: Uuid, expected: Version) -> Write {
    Write::Delete {
        stream: stream::<T>(id),
        expected,
    }
}

/// The current revision of the object with this id.
pub async fn get<T: Stored>(
    objects: &(impl Objects + ?Sized),
    id: Uuid,
) -> Result<Option<Versioned<T>>> {
    objects
        .get(stream::<T>(id))
        .await?
        .as_ref()
        .map(open)
        .transpose()
}

/// The revision that had this version.
pub async fn get_at<T: Stored>(
    objects: &(impl Objects + ?Sized),
    id: Uuid,
    version: Version,
) -> Result<Option<Versioned<T>>> {
    objects
        .get_at(stream::<T>(id), version)
        .await?
        .as_ref()
        .map(open)
        .transpose()
}

/// The object with this unique key.
pub async fn find<T: Stored>(
    objects: &(impl Objects + ?Sized),
    key: Key,
) -> Result<Option<Versioned<T>>> {
    objects
        .find(T::KIND, key)
        .await?
        .as_ref()
        .map(open)
        .transpose()
}

/// All objects with this index key, by id.
pub async fn scan<T: Stored>(
    objects: &(impl Objects + ?Sized),
    key: Key,
) -> Result<Vec<Versioned<T>>> {
    let found = objects.scan(T::KIND, key, None, usize::MAX).await?;
    found.iter().map(open).collect()
}

/// All objects of the kind, by id.
pub async fn all<T: Stored>(objects: &(impl Objects + ?Sized)) -> Result<Vec<Versioned<T>>> {
    let found = objects.list(T::KIND, None, usize::MAX).await?;
    found.iter().map(open).collect()
}

/// For `#[serde(with)]` on the secret fields of stored types, and nowhere else.
///
/// A secret type cannot be serialised by itself, so that it never reaches an answer or a log
/// line by accident; in a sealed body it has to.
pub mod sealed {
    use std::cell::Cell;

    use super::{Deserialize, Deserializer, ExposeSecret, SecretString, Serialize, Serializer};

    thread_local! {
        static BLANK: Cell<bool> = const { Cell::new(false) };
    }

    /// Serialises something with every secret in it blanked out: letters and digits become `a`,
    /// `A` and `0`, so that what is left has the form of what was there.
    pub fn blanked<R>(serialise: impl FnOnce() -> R) -> R {
        let before = BLANK.replace(true);
        let result = serialise();
        BLANK.set(before);
        result
    }

    /// A text of the same form that says nothing else.
    #[must_use]
    pub fn blank(text: &str) -> String {
        let blank = |letter: char| match letter {
            letter if letter.is_numeric() => '0',
            letter if letter.is_uppercase() => 'A',
            letter if letter.is_alphabetic() => 'a',
            other => other,
        };
        text.chars().map(blank).collect()
    }

    /// Writes the secret into a body that is about to be sealed.
    pub fn serialize<S: Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
        if BLANK.get() {
            return blank(secret.expose_secret()).serialize(to);
        }
        secret.expose_secret().serialize(to)
    }

    /// Reads the secret from a body that was just opened.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SecretString, D::Error> {
        String::deserialize(from).map(Into::into)
    }
}
