//! Whether whoever sent a request is still there to get what comes of it.

use std::fmt;
use std::sync::Arc;

/// Asks the line on which a request came whether anybody is at its other end. The default has no
/// such line and takes everybody for being there.
#[derive(Clone, Default)]
pub struct Presence(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

impl Presence {
    /// One that asks `is_there`, which must not block.
    pub fn told_by(is_there: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(is_there)))
    }

    /// Whether an answer would reach somebody, as far as is known at this moment.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.0.as_ref().is_none_or(|is_there| is_there())
    }
}

impl fmt::Debug for Presence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Presence").finish_non_exhaustive()
    }
}
