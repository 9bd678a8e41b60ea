//! How long audit events are kept.

use std::time::Duration;

use super::reader::Reader;

/// `events.*`.
#[derive(Clone, Debug)]
pub struct Events {
    /// How long an audit event is kept; `None` keeps it for ever.
    pub retention: Option<Duration>,
}

impl Events {
    pub(super) fn read(from: &mut Reader) -> Self {
        let year = Some(Duration::from_hours(365 * 24));
        Self {
            retention: from.retention("events.retention", year),
        }
    }
}
