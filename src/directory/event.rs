//! An audit event: what was done, by whom, in the form that authentik's clients know.
//!
//! It is read out of the journal by `audit`, expires, and may be changed or removed by whoever is
//! allowed to; the journal itself is what really happened. It is sealed by the key of the one
//! person whom it tells of, and falls with them; other people it names by identifiers only.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::journal::object::{Stored, delete};
use crate::journal::{self, Key, KeyId, Kind, Objects, Write};

/// How many events go in the very commit that removes their user. The others cannot be read any
/// more by anybody, but a commit has a largest size.
const AT_ONCE: usize = 10_000;

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// Its identifier, which sorts by the moment that it tells of.
    pub pk: Uuid,
    /// The user whom it tells of, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Uuid>,
    /// The key that seals it.
    pub key: KeyId,
    /// Who was at the keyboard, where that was another user. Their name is read when it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated_as: Option<Uuid>,
    /// Another user, whom `model` of the context means. Their name is read when it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concerns: Option<Uuid>,
    /// The user as they were called then.
    pub user: Map<String, Value>,
    /// What was done, such as `login`.
    pub action: String,
    /// The part of the server that tells it.
    pub app: String,
    /// What else there is to say.
    pub context: Map<String, Value>,
    /// From where.
    pub client_ip: Option<IpAddr>,
    /// When it was done.
    pub created: Timestamp,
    /// When it is forgotten; `None` keeps it.
    pub expires: Option<Timestamp>,
    /// The brand under which it was done.
    pub brand: Map<String, Value>,
}

impl AuditEvent {
    /// The index of the events that expire on the day of this moment.
    #[must_use]
    pub fn expiring(day: Timestamp) -> Key {
        Key::new("expires", day.as_second().div_euclid(86_400).to_be_bytes())
    }

    /// The identifier of the event number `index` that a record led to: the same whenever it is
    /// read again, and in the order of time.
    #[must_use]
    pub fn id(created: Timestamp, position: journal::Position, index: usize) -> Uuid {
        let millis = u64::try_from(created.as_millisecond()).unwrap_or_default();
        let index = u64::try_from(index).unwrap_or_default() & 0xfff;
        let high = (millis << 16) | 0x8000 | index;
        let low = (1 << 63) | (position.0 & ((1 << 62) - 1));
        Uuid::from_u64_pair(high, low)
    }
}

impl Stored for AuditEvent {
    const KIND: Kind = Kind::new("event");

    fn id(&self) -> Uuid {
        self.pk
    }

    fn sealed_by(&self) -> KeyId {
        self.key
    }

    fn index(&self) -> Vec<Key> {
        let about = self.about.map(|user| Key::new("user", user));
        about
            .into_iter()
            .chain(self.expires.map(Self::expiring))
            .collect()
    }
}

/// The writes that remove what was told of a user who goes.
pub async fn removal(objects: &(impl Objects + ?Sized), user: Uuid) -> journal::Result<Vec<Write>> {
    let key = Key::new("user", user);
    let found = objects.scan(AuditEvent::KIND, key, None, AT_ONCE).await?;
    let ends = |it: &journal::Object| delete::<AuditEvent>(it.stream.id, it.version);
    Ok(found.iter().map(ends).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Position;

    #[test]
    fn identifiers_sort_by_time_and_are_the_same_when_made_again() {
        let at = |millis| Timestamp::from_millisecond(millis).expect("in range");
        let first = AuditEvent::id(at(1_000), Position(9), 0);
        assert_eq!(first, AuditEvent::id(at(1_000), Position(9), 0));
        let all = [
            first,
            AuditEvent::id(at(1_000), Position(9), 1),
            AuditEvent::id(at(1_001), Position(1), 0),
            AuditEvent::id(at(1_001), Position(2), 0),
        ];
        assert!(all.is_sorted_by(|one, other| one < other), "{all:?}");
        assert_eq!(first.get_version_num(), 8);
    }
}
