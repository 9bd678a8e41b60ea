//! What is not as it was: objects that lie over those of the journal.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::journal::{Key, Kind, Object, StreamId, Version, Write};

/// Objects that are supposed to be others, or gone.
#[derive(Debug, Default)]
pub struct Changes(BTreeMap<StreamId, Changed>);

#[derive(Debug)]
struct Changed {
    /// `None` for one that is gone.
    object: Option<Object>,
    unique: Vec<Key>,
    index: Vec<Key>,
}

impl Changes {
    /// What these writes would leave, made at this moment. Whatever is not about an object does
    /// not count.
    #[must_use]
    pub fn new(writes: Vec<Write>, at: Timestamp) -> Self {
        let changed = writes.into_iter().filter_map(|write| match write {
            Write::Put {
                stream,
                expected,
                schema,
                body,
                unique,
                index,
                ..
            } => {
                let object = Object {
                    stream,
                    version: expected.next(),
                    at,
                    schema,
                    body: body.into(),
                };
                let changed = Changed {
                    object: Some(object),
                    unique,
                    index,
                };
                Some((stream, changed))
            }
            Write::Delete { stream, .. } => {
                let gone = Changed {
                    object: None,
                    unique: Vec::new(),
                    index: Vec::new(),
                };
                Some((stream, gone))
            }
            _ => None,
        });
        Self(changed.collect())
    }

    /// Whether it is not as it was.
    pub(super) fn has(&self, stream: StreamId) -> bool {
        self.0.contains_key(&stream)
    }

    /// The object as it is supposed to be, where it is not as it was; `None` when it is gone.
    pub(super) fn get(&self, stream: StreamId) -> Option<Object> {
        self.0.get(&stream)?.object.clone()
    }

    /// The same of one revision.
    pub(super) fn get_at(&self, stream: StreamId, version: Version) -> Option<Object> {
        let object = self.0.get(&stream)?.object.as_ref()?;
        (object.version == version).then(|| object.clone())
    }

    /// What a lookup finds that found `was`, in the order of the identifiers.
    pub(super) fn found(&self, kind: Kind, key: Option<&Key>, was: Vec<Object>) -> Vec<Object> {
        let mut found: Vec<Object> = was
            .into_iter()
            .filter(|object| !self.has(object.stream))
            .collect();
        let fits = |changed: &&Changed| {
            key.is_none_or(|key| changed.unique.contains(key) || changed.index.contains(key))
        };
        let of_kind = self.0.iter().filter(|(stream, _)| stream.kind == kind);
        let changed = of_kind.map(|(_, changed)| changed).filter(fits);
        let before = found.len();
        found.extend(changed.filter_map(|changed| changed.object.clone()));
        if found.len() > before {
            found.sort_by_key(|object| object.stream.id);
        }
        found
    }
}
